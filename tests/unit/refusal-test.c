/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of an answer without an access token. */
#include "oauth/access_token.h"

#include "base/text.h"
#include "oauth/refusal.h"
#include "response.h"
#include "unit.h"

#define JSON "application/json"

struct row {
	const char *name;
	long status;
	const char *type;
	const char *body;
	enum po_status want;
	const char *said; /* the whole text */
};

#define REFUSED(text) PO_E_REFUSED, "the server refused: " text
#define FAILED(text) PO_E_SERVER, "the server failed: " text

static const struct row rows[] = {
	{ "invalid_client, 400", 400, JSON, "{\"error\":\"invalid_client\"}",
	  REFUSED("invalid_client (HTTP 400)") },
	{ "invalid_client, 401", 401, JSON,
	  "{\"error\":\"invalid_client\",\"error_description\":\"no key\"}",
	  REFUSED("invalid_client: no key (HTTP 401)") },
	{ "error with 200", 200, JSON, "{\"error\":\"invalid_scope\"}",
	  REFUSED("invalid_scope (HTTP 200)") },
	{ "error with another type", 400, "text/html",
	  "{\"error\":\"invalid_grant\"}",
	  REFUSED("invalid_grant (HTTP 400)") },
	{ "error with 503", 503, JSON,
	  "{\"error\":\"temporarily_unavailable\"}",
	  FAILED("temporarily_unavailable (HTTP 503)") },
	{ "unknown code", 400, JSON, "{\"error\":\"invalid audience (aud)\"}",
	  REFUSED("invalid audience (aud) (HTTP 400)") },
	{ "description null", 400, JSON,
	  "{\"error\":\"x\",\"error_description\":null}",
	  REFUSED("x (HTTP 400)") },
	{ "error null", 403, JSON,
	  "{\"error\":null,\"error_description\":\"no\"}",
	  REFUSED("no (HTTP 403)") },
	{ "URI alone", 400, JSON,
	  "{\"error\":\"invalid_client\",\"error_uri\":\"urn:x:unknown\"}",
	  REFUSED("invalid_client: unknown, see urn:x:unknown (HTTP 400)") },
	{ "URI with a URN in it", 400, JSON,
	  "{\"error\":\"a\",\"error_uri\":"
	  "\"https://x:8/e/urn%3Ax%3Ano-key/instances/7:8\"}",
	  REFUSED("a: no-key, see https://x:8/e/urn%3Ax%3Ano-key/instances/7:8 "
		  "(HTTP 400)") },
	{ "URI without one", 400, JSON,
	  "{\"error\":\"a\",\"error_uri\":\"https://auburn:8/return:7\"}",
	  REFUSED("a, see https://auburn:8/return:7 (HTTP 400)") },
	{ "URN that ends early", 400, JSON,
	  "{\"error\":\"a\",\"error_uri\":\"urn:\"}",
	  REFUSED("a, see urn: (HTTP 400)") },
	{ "URN with escapes", 400, JSON,
	  "{\"error\":\"a\",\"error_uri\":\"urn:b\\u001b\"}",
	  REFUSED("a: b\\x1b, see urn:b\\x1b (HTTP 400)") },
	{ "URI beside a description", 400, JSON,
	  "{\"error\":\"a\",\"error_description\":\"b\",\"error_uri\":\"c\"}",
	  REFUSED("a: b (HTTP 400)") },
	{ "object", 400, JSON,
	  "{\"error\":{\"code\":7,\"message\":\"nested\"}}",
	  REFUSED("{\"code\":7,\"message\":\"nested\"} (HTTP 400)") },
	{ "number", 400, JSON, "{\"error\":17}", REFUSED("17 (HTTP 400)") },
	{ "outcome", 401, "application/fhir+json",
	  "{\"resourceType\":\"OperationOutcome\",\"issue\":[{\"code\":"
	  "\"login\",\"diagnostics\":\"who?\"}]}",
	  REFUSED("login: who? (HTTP 401)") },
	{ "outcome with details", 403, "application/fhir+json",
	  "{\"issue\":[{\"code\":\"security\",\"details\":{\"text\":"
	  "\"not you\"}}]}",
	  REFUSED("security: not you (HTTP 403)") },
	{ "outcome without issues", 401, JSON,
	  "{\"resourceType\":\"OperationOutcome\",\"issue\":[]}",
	  REFUSED("it begins: {\"resourceType\":\"OperationOutcome\","
		  "\"issue\":[]} (HTTP 401)") },
	{ "message", 401, JSON, "{\"code\":401,\"message\":\"Invalid JWT\"}",
	  REFUSED("Invalid JWT (HTTP 401)") },
	{ "empty 400", 400, NULL, "", REFUSED("the body is empty (HTTP 400)") },
	{ "empty 401", 401, NULL, "", REFUSED("the body is empty (HTTP 401)") },
	{ "empty 403", 403, NULL, "", REFUSED("the body is empty (HTTP 403)") },
	{ "prose 415", 415, "text/plain", "Unsupported content type",
	  REFUSED("it begins: Unsupported content type (HTTP 415)") },
	{ "HTML 404", 404, "text/html", "\n<html>",
	  REFUSED("HTML, from a proxy or a wrong URL? <html> (HTTP 404)") },
	{ "control characters", 400, JSON,
	  "{\"error\":\"a\\r\\nb\",\"error_description\":"
	  "\"\\u001b[31m\\u202e\\u009b\"}",
	  REFUSED("a\\x0d\\x0ab: \\x1b[31m\\xe2\\x80\\xae\\xc2\\x9b "
		  "(HTTP 400)") },
	{ "prose with escapes", 403, "text/plain", "no\x1b[2J\xff",
	  REFUSED("it begins: no\\x1b[2J\\xff (HTTP 403)") },
	{ "compressed", 200, JSON, "\x1f\x8b\x08x", PO_E_SERVER,
	  "not JSON: syntax error at byte 1 (HTTP 200, application/json); the "
	  "body is compressed, which was not asked for" },
	{ "compressed in another way", 403, JSON, "x\x9c\x08x",
	  REFUSED("the body is compressed, which was not asked for "
		  "(HTTP 403)") },
	{ "white space alone", 200, JSON, " \r\n", PO_E_SERVER,
	  "not JSON: syntax error at byte 3 (HTTP 200, application/json); the "
	  "body is empty" },
	{ "a name spelt otherwise", 200, JSON, "{\"access\\u005ftoken\":x",
	  PO_E_SERVER,
	  "not JSON: syntax error at byte 22 (HTTP 200, application/json); "
	  "the body is not shown" },
	{ "object with an escape", 400, JSON,
	  "{\"error\":{\"message\":\"a\\u001b\"}}",
	  REFUSED("{\"message\":\"a\\u001B\"} (HTTP 400)") },
	{ "temporarily unavailable", 400, JSON,
	  "{\"error\":\"temporarily_unavailable\"}",
	  FAILED("temporarily_unavailable (HTTP 400)") },
	{ "a refresh token alone", 200, JSON, "{\"refresh_token\":\"canary\"}",
	  PO_E_SERVER,
	  "the answer has no access token (HTTP 200, application/json); the "
	  "body is not shown" },
	{ "a token and nothing else", 403, "text/plain",
	  " 0123456789abcdef/0123+=.\r\n",
	  REFUSED("the body is not shown (HTTP 403)") },
	{ "a short word", 403, "text/plain", "0123456789abcdef0123456",
	  REFUSED("it begins: 0123456789abcdef0123456 (HTTP 403)") },
	{ "two long words", 403, "text/plain", "0123456789abcdef01234567 x",
	  REFUSED("it begins: 0123456789abcdef01234567 x (HTTP 403)") },
	{ "an assertion sent back", 400, JSON,
	  "{\"error\":\"a\",\"error_description\":\"bad "
	  "'eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJ4In0.AAAA' and "
	  "eyJhbGciOiJSUzM4NCJ9.eyJpc3MiOiJ4In0.BBBB, eyJust\"}",
	  REFUSED("a: bad '(a JWT)' and (a JWT), eyJust (HTTP 400)") },
	{ "error twice", 400, JSON, "{\"error\":\"a\",\"error\":\"b\"}",
	  REFUSED("it begins: {\"error\":\"a\",\"error\":\"b\"} (HTTP 400)") },
	{ "description twice", 400, JSON,
	  "{\"error\":\"a\",\"error_description\":\"b\","
	  "\"error_description\":\"c\"}",
	  REFUSED("a: c (HTTP 400)") },
	{ "empty 500", 500, NULL, "", PO_E_SERVER,
	  "the server failed (HTTP 500, no content type); the body is empty" },
	{ "HTML 502", 502, "text/html; charset=utf-8", "<h1>Bad Gateway</h1>",
	  PO_E_SERVER,
	  "the server failed (HTTP 502, text/html; charset=utf-8); HTML, from "
	  "a proxy or a wrong URL? <h1>Bad Gateway</h1>" },
	{ "HTML 200", 200, "text/html", "<html>Sign in</html>", PO_E_SERVER,
	  "not JSON: syntax error at byte 1 (HTTP 200, text/html); HTML, from "
	  "a proxy or a wrong URL? <html>Sign in</html>" },
	{ "prose 200 that says JSON", 200, JSON, "(Service not registered)",
	  PO_E_SERVER,
	  "not JSON: syntax error at byte 1 (HTTP 200, application/json); it "
	  "begins: (Service not registered)" },
	{ "empty 200", 200, JSON, "", PO_E_SERVER,
	  "not JSON: syntax error at byte 0 (HTTP 200, application/json); the "
	  "body is empty" },
	{ "empty object", 200, JSON, "{}", PO_E_SERVER,
	  "the answer has no access token (HTTP 200, application/json); it "
	  "begins: {}" },
	{ "type with escapes", 200, "x\x1by", "", PO_E_SERVER,
	  "not JSON: syntax error at byte 0 (HTTP 200, x\\x1by); the body is "
	  "empty" },
};

/* Through the door that the program uses. */
ROWS(rows, refusal_row)
{
	po_auto(access_token) *t = NULL;
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };

	response_make(&r, row->status, row->type, row->body, strlen(row->body));
	assert_int_equal(access_token_read(&r, 0, &t, &err), row->want);
	assert_int_equal(err.native, row->status);
	assert_string_equal(err.text, row->said);
}

TEST(redirect)
{
	static const long statuses[] = { 301, 302, 303, 307, 308 };

	for (size_t i = 0; i < PO_ARRAY_SIZE(statuses); i++) {
		po_auto(access_token) *t = NULL;
		struct po_error err = { 0 };
		po_auto_http_response r = { 0 };

		response_make(&r, statuses[i], NULL, "", 0);
		(void)snprintf(r.location, sizeof(r.location),
			       "https://new.example/t\x1b");
		assert_int_equal(access_token_read(&r, 0, &t, &err),
				 PO_E_REFUSED);
		assert_int_equal(err.native, statuses[i]);
		assert_non_null(strstr(err.text,
				       "https://new.example/t\\x1b (HTTP 30"));
		assert_non_null(strstr(err.text, "token endpoint"));
	}
}

TEST(redirect_with_a_token)
{
	static const struct {
		const char *location, *said;
	} redirects[] = {
		{ "https://a/b?client_assertion=eyJhbGciOiJSUzM4NCJ9.e30.AAAA",
		  "to https://a/b... (HTTP 302)" },
		{ "/cb#access_token=canary", "to /cb... (HTTP 302)" },
		{ "/login?from=/token", "to /login?from=/token (HTTP 302)" },
		{ "", "to nowhere (HTTP 302)" },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(redirects); i++) {
		struct po_error err = { 0 };
		po_auto_http_response r = { 0 };

		response_make(&r, 302, NULL, "", 0);
		(void)snprintf(r.location, sizeof(r.location), "%s",
			       redirects[i].location);
		assert_int_equal(refusal_fail(&r, NULL, &err), PO_E_REFUSED);
		if (!strstr(err.text, redirects[i].said))
			fail_msg("'%s' is not in '%s'", redirects[i].said,
				 err.text);
	}
}

/* A JWT where the text is cut goes, too, and so does a cut one. */
TEST(long_assertions_go)
{
	for (size_t before = REFUSAL_TEXT_MAX - 40;
	     before < REFUSAL_TEXT_MAX + 4; before++) {
		struct po_error err = { 0 };
		po_auto_http_response r = { 0 };
		json_auto_t *body = NULL;
		po_auto_buf text = { 0 };

		buf_init(&text, 4096);
		for (size_t i = 0; i < before; i++)
			assert_true(buf_adds(&text, " "));
		assert_true(buf_adds(&text, "eyJhbGciOiJSUzM4NCJ9."));
		for (size_t i = 0; i < 100; i++)
			assert_true(buf_adds(&text, "canary"));
		body = json_pack("{s:s}", "error", buf_text(&text));
		response_make(&r, 400, JSON, "", 0);
		assert_int_equal(refusal_fail(&r, body, &err), PO_E_REFUSED);
		assert_null(strstr(err.text, "canary"));
		assert_null(strstr(err.text, "eyJh"));
	}
}

TEST(challenge_when_there_is_nothing_else)
{
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };

	response_make(&r, 401, NULL, "", 0);
	(void)snprintf(r.www_authenticate, sizeof(r.www_authenticate),
		       "Bearer error=\"invalid_client\"");
	assert_int_equal(refusal_fail(&r, NULL, &err), PO_E_REFUSED);
	assert_string_equal(err.text, "the server refused: Bearer "
				      "error=\"invalid_client\" (HTTP 401)");
}

TEST(challenge_beside_an_error)
{
	json_auto_t *body = json_pack("{s:s}", "error", "invalid_client");
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };

	response_make(&r, 401, JSON, "", 0);
	(void)snprintf(r.www_authenticate, sizeof(r.www_authenticate),
		       "Basic realm=\"x\x1b\"");
	(void)snprintf(r.correlation, sizeof(r.correlation),
		       "X-Request-Id: 17");
	assert_int_equal(refusal_fail(&r, body, &err), PO_E_REFUSED);
	assert_string_equal(err.text,
			    "the server refused: invalid_client (HTTP 401, "
			    "WWW-Authenticate: Basic realm=\"x\\x1b\", "
			    "X-Request-Id: 17)");
}

TEST(correlation_is_shown)
{
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };

	response_make(&r, 400, NULL, "", 0);
	(void)snprintf(r.correlation, sizeof(r.correlation),
		       "X-Request-Id: 17\x07");
	assert_int_equal(refusal_fail(&r, NULL, &err), PO_E_REFUSED);
	assert_non_null(strstr(err.text, "(HTTP 400, X-Request-Id: 17\\x07)"));
	po_error_clear(&err);
	assert_int_equal(refusal_nonsense(&r, "why", &err), PO_E_SERVER);
	assert_non_null(strstr(err.text, "X-Request-Id: 17\\x07"));
}

/* However long a server talks, its status stays in the text. */
TEST(long_texts_are_cut)
{
	static const char *const pieces[] = { "x", "\\u001b", "\xc3\xa4" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(pieces); i++) {
		po_auto(access_token) *t = NULL;
		static struct po_error err;
		po_auto_http_response r = { 0 };

		memset(&err, 0, sizeof(err));
		response_make(&r, 400, JSON, "{\"error\":\"", 10);
		for (int j = 0; j < 20001; j++)
			assert_true(buf_adds(&r.body, pieces[i]));
		assert_true(buf_adds(&r.body, "\",\"error_description\":\"y"));
		for (int j = 0; j < 20001; j++)
			assert_true(buf_adds(&r.body, pieces[i]));
		assert_true(buf_adds(&r.body, "\"}"));
		memset(r.correlation, 'c', sizeof(r.correlation) - 1);
		assert_int_equal(access_token_read(&r, 0, &t, &err),
				 PO_E_REFUSED);
		assert_non_null(strstr(err.text, "...: y"));
		assert_non_null(strstr(err.text, "... (HTTP 400, "));
		assert_true(text_is_utf8(err.text, strlen(err.text)));
		assert_true(strlen(err.text) < 3 * REFUSAL_TEXT_MAX + 100);
		assert_null(strstr(err.text, "\\xc3"));
	}
}

TEST(long_prose_is_cut)
{
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };

	response_make(&r, 404, "text/plain", "", 0);
	assert_true(buf_adds(&r.body, "("));
	for (int i = 0; i < 1000; i++)
		assert_true(buf_adds(&r.body, "z"));
	assert_int_equal(refusal_fail(&r, NULL, &err), PO_E_REFUSED);
	assert_int_equal(strspn(strchr(err.text, 'z'), "z"), 199);
	assert_non_null(strstr(err.text, "z... (HTTP 404)"));
}

TEST(body_with_nul)
{
	po_auto(access_token) *t = NULL;
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };

	response_make(&r, 200, JSON, "{\0\"x\":1}", 9);
	assert_int_equal(access_token_read(&r, 0, &t, &err), PO_E_SERVER);
}
