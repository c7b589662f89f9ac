/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - the records of a use case, and the ledger that they go to.
 *
 * One "sign" stands before each use of a private key; what came of it refers to
 * its seq by "of". Never a PIN, an access token or a signature: of an access
 * token, the first 16 hexadecimal digits of its SHA-256.
 */
#ifndef PO_FLOW_AUDIT_H
#define PO_FLOW_AUDIT_H

#include "audit/requester.h"
#include "flow/open_key.h"
#include "oauth/access_token.h"
#include "oauth/assertion.h"

/* Writes the file itself, as this process. */
struct audit_trail audit_trail_of_process(void);

/*
 * What it does, for a trail of another kind: the ledger of the profile, as
 * struct audit_trail has it. peer: who asked, NULL: nobody (a renewal); put
 * into records of the events sign, issue, pin, refuse, lock and unlock.
 */
enum po_status audit_write(const struct po_clock *clock,
			   const struct profile *profile, json_t *record,
			   const struct requester *peer, uint64_t *ret_seq,
			   struct po_error *err) PO_MUST_CHECK;

/* The signature of an assertion is next. */
enum po_status audit_sign(const struct po_env *env, const struct open_key *key,
			  const struct assertion_request *req,
			  uint64_t *ret_seq,
			  struct po_error *err) PO_MUST_CHECK;

/* A handshake with the key is next. of: the "sign" of the assertion that goes
 * through it; 0: none. */
enum po_status audit_sign_tls(const struct po_env *env,
			      const struct open_key *key, const char *url,
			      uint64_t of, uint64_t *ret_seq,
			      struct po_error *err) PO_MUST_CHECK;

/* What came of a "sign": an access token. A no-op when of is 0. */
enum po_status audit_answer(const struct po_env *env,
			    const struct profile *profile, uint64_t of,
			    long http_status, const struct access_token *token,
			    struct po_error *err) PO_MUST_CHECK;

/* Or a failure, which is not hidden by one to record it. http_status 0: there
 * was no answer. */
void audit_failure(const struct po_env *env, const struct profile *profile,
		   uint64_t of, enum po_status status, long http_status);

/* An access token is handed out. */
enum po_status audit_issue(const struct po_env *env,
			   const struct profile *profile, uint64_t of,
			   const struct access_token *token,
			   struct po_error *err) PO_MUST_CHECK;

/* A login failed; a no-op unless status is PO_E_PIN or PO_E_PIN_LOCKED. sent:
 * the token was asked. It never hides that failure by one of its own. */
void audit_pin(const struct po_env *env, const struct open_key *key, bool sent,
	       enum po_status status);

#endif
