/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access_token.h - the token endpoint's answer: an access token, or a refusal.
 *
 * Source: RFC 6749 sections 5.1 and 5.2; RFC 6750 section 2.1 (b64token);
 * lenient where servers were seen to differ: null members, expires_in as a
 * string, scope as an array, token_type in any case or absent, members that are
 * there twice.
 */
#ifndef PO_OAUTH_ACCESS_TOKEN_H
#define PO_OAUTH_ACCESS_TOKEN_H

#include "base/json.h"
#include "base/secret.h"
#include "http/http.h"

#define ACCESS_TOKEN_EXPIRY_ASSUMED_S 300 /* when the server does not say */
#define ACCESS_TOKEN_EXPIRY_MAX_S ((int64_t)10 * 365 * 86400)
#define ACCESS_TOKEN_LONG_BYTES 8192 /* more than servers take in a header */

struct access_token {
	struct secret *value; /* owned */
	char *scope;          /* owned; as granted, NULL: not said */
	json_t *answer;       /* owned; all members, access_token included */
	int64_t expires_in_s; /* from the moment of the answer */
	int64_t expires_at_s; /* at the earliest */
	int64_t asked_ms;     /* the request's clock_boottime_ms(), or 0 */
	bool expiry_is_assumed;
	bool expiry_is_capped;
	bool type_is_assumed;
	bool members_repeat; /* the last of each counts */
};

/*
 * Reads an answer to what was asked at now_s. Every text of the server that
 * ends in err is printable; it never holds a token.
 *
 * PO_E_REFUSED  an OAuth error, any other 4xx, or a redirect (its Location is
 *               in the text, it is never followed)
 * PO_E_SERVER   5xx; 2xx without a usable access token (no JSON, no
 *               access_token, characters that cannot stand in a header, a
 *               type other than Bearer)
 */
enum po_status access_token_read(const struct http_response *response,
				 int64_t now_s, struct access_token **ret_token,
				 struct po_error *err) PO_MUST_CHECK;
void access_token_free(struct access_token *token);
PO_DEFINE_AUTO(access_token, access_token_free);

/*
 * True when every scope asked for was granted, in any order, SMART v1 and v2
 * spellings taken as equal ("system/Patient.read" and "system/Patient.rs");
 * also when the server said nothing, which means "as asked".
 */
bool access_token_grants(const struct access_token *token, const char *asked);

#endif
