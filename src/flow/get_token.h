/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get_token.h - the two use cases: an assertion, and an access token for it.
 *
 * Both complete the profile by discovery (discover.h) when it leaves the
 * token endpoint open.
 */
#ifndef PO_FLOW_GET_TOKEN_H
#define PO_FLOW_GET_TOKEN_H

#include "conf/profile.h"
#include "flow/env.h"
#include "oauth/access_token.h"

#define RETRY_TIME_DEFAULT_S 15

/* Everything an assertion needs, before a token is touched. */
enum po_status get_assertion_check(const struct profile *profile,
				   struct po_error *err) PO_MUST_CHECK;

/* One assertion, as assertion_source_next() makes it. */
enum po_status get_assertion(const struct po_env *env, struct profile *profile,
			     struct secret **ret_jwt,
			     struct po_error *err) PO_MUST_CHECK;

/*
 * An assertion and its exchange at the token endpoint, overlapped (exchange.h).
 * While the server cannot be reached or says that it is busy (429, 502, 503,
 * 504, temporarily_unavailable) it is asked again, each time with a new
 * assertion, until retry-time is over; a refusal is final. Warns when the
 * granted scope lacks something that was asked for.
 *
 * PO_E_REFUSED also for a scope that require-scope does not accept.
 */
enum po_status get_token(const struct po_env *env, struct profile *profile,
			 struct access_token **ret_token,
			 struct po_error *err) PO_MUST_CHECK;

/*
 * The same for those who hand it out themselves: without the record "issue".
 * *ret_seq: the record "sign" that it goes back to; 0: none.
 */
enum po_status get_token_unissued(const struct po_env *env,
				  struct profile *profile,
				  struct access_token **ret_token,
				  uint64_t *ret_seq,
				  struct po_error *err) PO_MUST_CHECK;

/*
 * The parts of one try, for those who look closer (doctor): the signed form,
 * while the exchange connects; and its exchange. No second try, no warning
 * about scopes. response must be initialised; its status is 0 when no answer
 * came.
 */
struct assertion_source;
struct exchange;
enum po_status get_token_form(const struct profile *profile,
			      struct assertion_source *source,
			      struct exchange *exchange,
			      struct secret **ret_form,
			      struct po_error *err) PO_MUST_CHECK;
enum po_status get_token_send(const struct po_env *env,
			      struct exchange *exchange,
			      const struct secret *form,
			      struct access_token **ret_token,
			      struct http_response *response,
			      struct po_error *err) PO_MUST_CHECK;

/* Everything a request needs, before a token is touched. */
enum po_status get_token_check(const struct profile *profile,
			       struct po_error *err) PO_MUST_CHECK;

#endif
