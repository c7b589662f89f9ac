/* SPDX-License-Identifier: Apache-2.0 */
/* Answers that hold an access token, and those that only look so. */
#include "oauth/access_token.h"

#include "response.h"
#include "unit.h"

#define NOW_S 1700000000
#define JSON "application/json"
#define T "\"access_token\":\"canary.token-1\""
#define BEARER T ",\"token_type\":\"Bearer\""
#define TEN_YEARS_S 315360000

struct good {
	const char *name;
	const char *body;
	int64_t expires_in_s;
	bool expiry_is_assumed, type_is_assumed;
	const char *scope; /* NULL: the server did not say */
};

static const struct good goods[] = {
	{ "plain", "{" BEARER ",\"expires_in\":3600,\"scope\":\"a b\"}", 3600,
	  false, false, "a b" },
	{ "type in lower case",
	  "{" T ",\"token_type\":\"bearer\","
	  "\"expires_in\":1}",
	  1, false, false, NULL },
	{ "type in upper case",
	  "{" T ",\"token_type\":\"BEARER\","
	  "\"expires_in\":1}",
	  1, false, false, NULL },
	{ "no type", "{" T ",\"expires_in\":1}", 1, false, true, NULL },
	{ "type null", "{" T ",\"token_type\":null,\"expires_in\":1}", 1, false,
	  true, NULL },
	{ "no expiry", "{" BEARER "}", 300, true, false, NULL },
	{ "expiry null", "{" BEARER ",\"expires_in\":null}", 300, true, false,
	  NULL },
	{ "expiry of digits", "{" BEARER ",\"expires_in\":\"1200\"}", 1200,
	  false, false, NULL },
	{ "expiry of many digits",
	  "{" BEARER ",\"expires_in\":\"9223372036854775807\"}", TEN_YEARS_S,
	  false, false, NULL },
	{ "expiry of too many digits",
	  "{" BEARER ",\"expires_in\":\"9223372036854775808\"}", 300, true,
	  false, NULL },
	{ "expiry of words", "{" BEARER ",\"expires_in\":\"never\"}", 300, true,
	  false, NULL },
	{ "expiry with a sign", "{" BEARER ",\"expires_in\":\"-5\"}", 300, true,
	  false, NULL },
	{ "expiry empty", "{" BEARER ",\"expires_in\":\"\"}", 300, true, false,
	  NULL },
	{ "expiry true", "{" BEARER ",\"expires_in\":true}", 300, true, false,
	  NULL },
	{ "expiry object", "{" BEARER ",\"expires_in\":{}}", 300, true, false,
	  NULL },
	{ "expiry with a fraction", "{" BEARER ",\"expires_in\":3599.7}", 3599,
	  false, false, NULL },
	{ "expiry with an exponent", "{" BEARER ",\"expires_in\":1e3}", 1000,
	  false, false, NULL },
	{ "expiry absurd", "{" BEARER ",\"expires_in\":1e300}", TEN_YEARS_S,
	  false, false, NULL },
	{ "expiry a second below ten years",
	  "{" BEARER ",\"expires_in\":315359999}", TEN_YEARS_S - 1, false,
	  false, NULL },
	{ "expiry a point in time", "{" BEARER ",\"expires_in\":1700003600}",
	  TEN_YEARS_S, false, false, NULL },
	{ "expiry ten years", "{" BEARER ",\"expires_in\":315360000}",
	  TEN_YEARS_S, false, false, NULL },
	{ "expiry 0", "{" BEARER ",\"expires_in\":0}", 0, false, false, NULL },
	{ "expiry negative", "{" BEARER ",\"expires_in\":-1}", 0, false, false,
	  NULL },
	{ "expiry negative fraction", "{" BEARER ",\"expires_in\":-1.5}", 0,
	  false, false, NULL },
	{ "scope null", "{" BEARER ",\"expires_in\":1,\"scope\":null}", 1,
	  false, false, NULL },
	{ "scope array", "{" BEARER ",\"expires_in\":1,\"scope\":[\"a\"]}", 1,
	  false, false, "a" },
	{ "scope array of several",
	  "{" BEARER ",\"expires_in\":1,\"scope\":[\"a\",\"b c\"]}", 1, false,
	  false, "a b c" },
	{ "scope array of anything",
	  "{" BEARER ",\"expires_in\":1,\"scope\":[null,7,[]]}", 1, false,
	  false, "" },
	{ "scope array, empty", "{" BEARER ",\"expires_in\":1,\"scope\":[]}", 1,
	  false, false, "" },
	{ "scope a number", "{" BEARER ",\"expires_in\":1,\"scope\":7}", 1,
	  false, false, NULL },
	{ "a token in a member, too",
	  "{\"x\":{\"access_token\":\"y\"}," BEARER ",\"expires_in\":1}", 1,
	  false, false, NULL },
	{ "scope empty", "{" BEARER ",\"expires_in\":1,\"scope\":\"\"}", 1,
	  false, false, "" },
	{ "error null", "{" BEARER ",\"expires_in\":1,\"error\":null}", 1,
	  false, false, NULL },
	{ "unknown members",
	  "{" BEARER ",\"expires_in\":1,\"id_token\":{\"a\":[1]},\"x\":null}",
	  1, false, false, NULL },
	{ "byte order mark", "\xef\xbb\xbf{" BEARER ",\"expires_in\":1}", 1,
	  false, false, NULL },
	{ "white space around", "\r\n {" BEARER ",\"expires_in\":1} \n", 1,
	  false, false, NULL },
	{ "escaped solidus",
	  "{\"access_token\":\"canary\\u002etoken-1\",\"token_type\":"
	  "\"\\u0042earer\",\"expires_in\":1}",
	  1, false, false, NULL },
};

ROWS(goods, good_row)
{
	po_auto(access_token) *t = NULL;
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };

	/* the content type is not what decides */
	response_make(&r, 200, "text/plain", row->body, strlen(row->body));
	assert_int_equal(access_token_read(&r, NOW_S, &t, &err), PO_OK);
	assert_int_equal(err.status, PO_OK);
	assert_string_equal(secret_reveal(t->value), "canary.token-1");
	assert_int_equal(t->expires_in_s, row->expires_in_s);
	assert_int_equal(t->expires_at_s, NOW_S + row->expires_in_s);
	assert_int_equal(t->expiry_is_assumed, row->expiry_is_assumed);
	assert_int_equal(t->type_is_assumed, row->type_is_assumed);
	assert_int_equal(t->expiry_is_capped, row->expires_in_s == TEN_YEARS_S);
	assert_false(t->members_repeat);
	assert_string_equal(t->scope ? t->scope : "(none)",
			    row->scope ? row->scope : "(none)");
	assert_string_equal(json_text(t->answer, "access_token"),
			    "canary.token-1");
}

/* Of members that are there twice the last one counts, but for two of them. */
TEST(members_twice)
{
	static const char *const bodies[] = {
		"{" BEARER ",\"scope\":\"a\",\"expires_in\":9,\"scope\":\"b\"}",
		"{\"expires_in\":1," BEARER
		",\"scope\":\"b\",\"expires_in\":9}",
		"{\"x\":{\"error\":1,\"error\":2}," BEARER
		",\"expires_in\":9,\"scope\":\"b\"}",
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(bodies); i++) {
		po_auto(access_token) *t = NULL;
		po_auto_http_response r = { 0 };

		response_make(&r, 200, JSON, bodies[i], strlen(bodies[i]));
		assert_int_equal(access_token_read(&r, NOW_S, &t, NULL), PO_OK);
		assert_true(t->members_repeat);
		assert_string_equal(t->scope, "b");
		assert_int_equal(t->expires_in_s, 9);
	}
}

struct bad {
	const char *name;
	long status;
	const char *body;
	enum po_status want;
	const char *said;
};

#define WITH(token) "{\"access_token\":" token ",\"token_type\":\"Bearer\"}"

static const struct bad bads[] = {
	{ "line break", 200, WITH("\"canary\\r\\nX: y\""), PO_E_SERVER,
	  "header" },
	{ "space", 200, WITH("\"canary x\""), PO_E_SERVER, "header" },
	{ "tab", 200, WITH("\"canary\\t\""), PO_E_SERVER, "header" },
	{ "quote", 200, WITH("\"canary\\\"\""), PO_E_SERVER, "header" },
	{ "comma", 200, WITH("\"canary,b\""), PO_E_SERVER, "header" },
	{ "not ASCII", 200, WITH("\"canary\xc3\xa4\""), PO_E_SERVER, "header" },
	{ "NUL", 200, WITH("\"canary\\u0000x\""), PO_E_SERVER, "not JSON" },
	{ "empty", 200, WITH("\"\""), PO_E_SERVER, "header" },
	{ "number", 200, WITH("12345"), PO_E_SERVER, "header" },
	{ "array", 200, WITH("[\"canary\"]"), PO_E_SERVER, "header" },
	{ "null", 200, WITH("null"), PO_E_SERVER, "no access token" },
	{ "absent", 200, "{\"token_type\":\"Bearer\"}", PO_E_SERVER,
	  "no access token" },
	{ "DPoP", 200, "{" T ",\"token_type\":\"DPoP\"}", PO_E_SERVER,
	  "token_type" },
	{ "mac", 200, "{" T ",\"token_type\":\"mac\"}", PO_E_SERVER,
	  "token_type" },
	{ "type a number", 200, "{" T ",\"token_type\":1}", PO_E_SERVER,
	  "token_type" },
	{ "type empty", 200, "{" T ",\"token_type\":\"\"}", PO_E_SERVER,
	  "token_type" },
	{ "token twice", 200, "{" T "," BEARER "}", PO_E_SERVER,
	  "repeated member 'access_token'" },
	{ "token twice, spelt otherwise", 200,
	  "{\"access\\u005ftoken\" : \"canary\"," BEARER "}", PO_E_SERVER,
	  "repeated member 'access_token'" },
	{ "error twice", 200, "{" BEARER ",\"error\":null,\"error\" : null}",
	  PO_E_SERVER, "repeated member 'error'" },
	{ "error twice, one real", 200,
	  "{" BEARER ",\"error\":\"x\",\"error\":null}", PO_E_SERVER,
	  "repeated member 'error'" },
	{ "garbage behind", 200, "{" BEARER "} x", PO_E_SERVER, "not JSON" },
	{ "cut off", 200, "{" BEARER, PO_E_SERVER, "not JSON" },
	{ "array of answers", 200, "[{" BEARER "}]", PO_E_SERVER,
	  "not an object" },
	{ "token and error", 200, "{" BEARER ",\"error\":\"server_error\"}",
	  PO_E_REFUSED, "server_error" },
	{ "token and error object", 200,
	  "{" BEARER ",\"error\":{\"access_token\":\"canary\"}}", PO_E_REFUSED,
	  "not shown" },
	{ "token and 400", 400, "{" BEARER "}", PO_E_REFUSED, "HTTP 400" },
	{ "token and 500", 500, "{" BEARER "}", PO_E_SERVER, "HTTP 500" },
	{ "token and 302", 302, "{" BEARER "}", PO_E_REFUSED, "HTTP 302" },
	{ "token and empty error", 401, "{" BEARER ",\"error\":\"\"}",
	  PO_E_REFUSED, "HTTP 401" },
	{ "name spelt otherwise", 200, "{\"access\\u005ftoken\":\"canary x\"}",
	  PO_E_SERVER, "header" },
	{ "other name", 200, "{\"accessToken\":\"canary\"}", PO_E_SERVER,
	  "no access token" },
	{ "a JWT alone", 200, "eyJhbGciOiJub25lIn0.canary.", PO_E_SERVER,
	  "not JSON" },
};

ROWS(bads, bad_row)
{
	po_auto(access_token) *t = NULL;
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };

	response_make(&r, row->status, JSON, row->body, strlen(row->body));
	assert_int_equal(access_token_read(&r, NOW_S, &t, &err), row->want);
	assert_null(t);
	assert_int_equal(err.native, row->status);
	if (!strstr(err.text, row->said))
		fail_msg("'%s' is not in '%s'", row->said, err.text);
	if (strstr(err.text, "canary"))
		fail_msg("the token is in '%s'", err.text);
}

TEST(long_token)
{
	static const char before[] = "{\"access_token\":\"";
	static const char after[] = "\",\"token_type\":\"Bearer\"}";
	static char token[65536];
	po_auto(access_token) *t = NULL;
	po_auto_http_response r = { 0 };

	memset(token, 'x', sizeof(token));
	response_make(&r, 200, JSON, before, strlen(before));
	assert_true(buf_add(&r.body, token, sizeof(token)));
	assert_true(buf_adds(&r.body, after));
	assert_int_equal(access_token_read(&r, NOW_S, &t, NULL), PO_OK);
	assert_int_equal(secret_len(t->value), sizeof(token));
}
