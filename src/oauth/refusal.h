/* SPDX-License-Identifier: Apache-2.0 */
/*
 * refusal.h - what a server said instead of giving an access token.
 *
 * Source: RFC 6749 section 5.2; the forms that servers were seen to use: prose
 * or an object in "error", error_uri alone, OperationOutcome, {"message":…},
 * an empty body.
 */
#ifndef PO_OAUTH_REFUSAL_H
#define PO_OAUTH_REFUSAL_H

#include "base/json.h"
#include "http/http.h"

#define REFUSAL_TEXT_MAX 512 /* octets of a server's text that are shown */

/*
 * The JSON object that is the answer's body. PO_E_SERVER: there is none, or
 * access_token or error are in it twice. Where another member is, the last one
 * counts and *ret_repeats becomes true.
 */
enum po_status refusal_parse(const struct http_response *response,
			     json_t **ret_body, bool *ret_repeats,
			     struct po_error *err) PO_MUST_CHECK;

/*
 * Always fails: PO_E_REFUSED for a redirect, a 4xx, or an OAuth error below
 * 500, PO_E_SERVER otherwise and for temporarily_unavailable; err->native is
 * the HTTP status. body is the parsed answer, or NULL when it is no JSON
 * object. Everything shown is printable.
 */
enum po_status refusal_fail(const struct http_response *response,
			    const json_t *body, struct po_error *err);

/*
 * Always PO_E_SERVER: an answer without a usable access token; why says what
 * is wrong with it. Shows status, type and, unless the body may hold an access
 * token, its beginning.
 */
enum po_status refusal_nonsense(const struct http_response *response,
				const char *why, struct po_error *err);

/* True when the answer is an OAuth error with this code. */
bool refusal_is(const struct http_response *response, const char *code);

/* True when it says more than the code. */
bool refusal_has_description(const struct http_response *response);

#endif
