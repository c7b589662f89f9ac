/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exchange.h - the POST to the token endpoint, which may start to connect
 * while the token is still at work on the assertion.
 *
 * The length of the request is known before the signature is, so name look-up,
 * TCP and TLS happen in a thread of their own meanwhile. Not a byte of the
 * request leaves before it is complete, and nothing does when signing fails. A
 * connection that has waited for EXCHANGE_HOLD_MS is given up and made anew.
 *
 * A profile with TLS client authentication does without: its handshake wants
 * the key itself.
 */
#ifndef PO_FLOW_EXCHANGE_H
#define PO_FLOW_EXCHANGE_H

#include "flow/open_key.h"
#include "http/http.h"

#define EXCHANGE_HOLD_MS 10000

struct exchange;

/* env and profile are borrowed, and env->http is the exchange's until it is
 * freed. NULL: out of memory. */
struct exchange *exchange_new(const struct po_env *env,
			      const struct profile *profile) PO_MUST_CHECK;
void exchange_free(struct exchange *x); /* an exchange under way is given up */
PO_DEFINE_AUTO(exchange, exchange_free);

/* Connects, for a request with a body of len bytes. Never waits, never fails:
 * what goes wrong shows in exchange_post(). */
void exchange_expect(struct exchange *x, size_t len);

/* The key, unlocked, of a profile with TLS client authentication; borrowed
 * until the exchange is freed, which must be before the key is. */
void exchange_use_key(struct exchange *x, const struct open_key *key);

/* Where the record of the assertion's signature stands (audit.h). */
void exchange_set_sign_seq(struct exchange *x, uint64_t seq);

/* The record "sign" that an answer refers to: the assertion's, else that of the
 * handshake; 0: there is none. */
uint64_t exchange_sign_seq(const struct exchange *x);

const struct profile *exchange_profile(const struct exchange *x);

/*
 * Sends form and waits for the answer; fails as http_client.perform() does.
 * response must be initialised; what was in it is gone.
 */
enum po_status exchange_post(struct exchange *x, const struct secret *form,
			     struct http_response *response,
			     struct po_error *err) PO_MUST_CHECK;

#endif
