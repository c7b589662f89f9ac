/* SPDX-License-Identifier: Apache-2.0 */
/* The form that goes to the token endpoint (RFC 6749 appendix B). */
#include "oauth/token_request.h"

#include "unit.h"

#include <string.h>

#define ASSERTION "eyJ.eyJ-_.c2ln"
#define GRANT "grant_type=client_credentials"
#define TYPE                     \
	"client_assertion_type=" \
	"urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
#define CLIENT "client_assertion=" ASSERTION

struct row {
	const char *name;
	const char *scope, *client_id;
	const char *params[4];
	const char *form; /* NULL: refused … */
	const char *said; /* … in these words */
};

static const struct row rows[] = {
	{ "plain",
	  "system/*.read",
	  NULL,
	  { NULL },
	  GRANT "&scope=system%2F%2A.read&" TYPE "&" CLIENT,
	  NULL },
	{ "no scope", NULL, NULL, { NULL }, GRANT "&" TYPE "&" CLIENT, NULL },
	{ "two scopes",
	  "a b",
	  NULL,
	  { NULL },
	  GRANT "&scope=a%20b&" TYPE "&" CLIENT,
	  NULL },
	{ "query in a scope",
	  "system/O.rs?c=http://x|y&d+%",
	  NULL,
	  { NULL },
	  GRANT "&scope=system%2FO.rs%3Fc%3Dhttp%3A%2F%2Fx%7Cy%26d%2B%25&" TYPE
		"&" CLIENT,
	  NULL },
	{ "client_id",
	  NULL,
	  "a b\xc3\xa4",
	  { NULL },
	  GRANT "&" TYPE "&" CLIENT "&client_id=a%20b%C3%A4",
	  NULL },
	{ "parameters",
	  NULL,
	  NULL,
	  { "resource=https://x/?a=b", "udap=1" },
	  GRANT "&" TYPE "&" CLIENT "&resource=https%3A%2F%2Fx%2F%3Fa%3Db"
		"&udap=1",
	  NULL },
	{ "unreserved characters",
	  NULL,
	  NULL,
	  { "x=AZaz09-._~" },
	  GRANT "&" TYPE "&" CLIENT "&x=AZaz09-._~",
	  NULL },
	{ "names are encoded too",
	  NULL,
	  NULL,
	  { "a&b=\n" },
	  GRANT "&" TYPE "&" CLIENT "&a%26b=%0A",
	  NULL },
	{ "name that begins as another",
	  NULL,
	  NULL,
	  { "ab=1", "a=2" },
	  GRANT "&" TYPE "&" CLIENT "&ab=1&a=2",
	  NULL },
	{ "name in another case",
	  NULL,
	  NULL,
	  { "Scope=x" },
	  GRANT "&" TYPE "&" CLIENT "&Scope=x",
	  NULL },
	{ "scope with a tab", "a\tb", NULL, { NULL }, NULL, "scope" },
	{ "empty scope", "", NULL, { NULL }, NULL, "scope" },
	{ "no value", NULL, NULL, { "a=" }, NULL, "NAME=VALUE" },
	{ "no name", NULL, NULL, { "=b" }, NULL, "NAME=VALUE" },
	{ "no equals sign", NULL, NULL, { "a" }, NULL, "NAME=VALUE" },
	{ "not UTF-8", NULL, NULL, { "a=\xff" }, NULL, "UTF-8" },
	{ "the same twice",
	  NULL,
	  NULL,
	  { "a=1", "b=1", "a=2" },
	  NULL,
	  "'a' is there twice" },
	{ "grant_type", NULL, NULL, { "grant_type=x" }, NULL, "grant_type" },
	{ "scope as a parameter", NULL, NULL, { "scope=x" }, NULL, "scope" },
	{ "client_id as a parameter",
	  NULL,
	  NULL,
	  { "client_id=x" },
	  NULL,
	  "client_id" },
	{ "client_secret",
	  NULL,
	  NULL,
	  { "client_secret=x" },
	  NULL,
	  "client_secret" },
	{ "client_assertion",
	  NULL,
	  NULL,
	  { "client_assertion=x" },
	  NULL,
	  "client_assertion" },
	{ "client_assertion_type",
	  NULL,
	  NULL,
	  { "client_assertion_type=x" },
	  NULL,
	  "client_assertion_type" },
};

ROWS(rows, form_row)
{
	po_auto(secret) *assertion = secret_from(ASSERTION, strlen(ASSERTION));
	po_auto(secret) *form = NULL;
	struct token_request req = { .scope = row->scope,
				     .client_id = row->client_id,
				     .assertion = secret_reveal(assertion),
				     .params = row->params };
	struct po_error err = { 0 };
	enum po_status st;

	assert_non_null(assertion);
	st = token_request_form(&req, &form, &err);
	assert_int_equal(st, row->form ? PO_OK : PO_E_USAGE);
	if (row->form) {
		assert_string_equal(secret_reveal(form), row->form);
		assert_int_equal(secret_len(form), strlen(row->form));
	} else {
		assert_null(form);
		assert_non_null(strstr(err.text, row->said));
	}
}

TEST(no_parameters)
{
	po_auto(secret) *assertion = secret_from(ASSERTION, strlen(ASSERTION));
	po_auto(secret) *form = NULL;
	struct token_request req = { .assertion = secret_reveal(assertion) };

	assert_int_equal(token_request_form(&req, &form, NULL), PO_OK);
	assert_string_equal(secret_reveal(form), GRANT "&" TYPE "&" CLIENT);
}

/* The assertion is the grant (RFC 7523 section 2.1). */
TEST(jwt_bearer)
{
	po_auto(secret) *form = NULL;
	struct token_request req = { .grant = GRANT_JWT_BEARER,
				     .assertion = ASSERTION };

	assert_int_equal(token_request_form(&req, &form, NULL), PO_OK);
	assert_string_equal(
		secret_reveal(form),
		"grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3A"
		"jwt-bearer&assertion=" ASSERTION);
}

/* TLS authenticates the client, which names itself (RFC 8705 section 2). */
TEST(without_assertion)
{
	po_auto(secret) *form = NULL;
	struct token_request req = { .client_id = "me", .scope = "a" };

	assert_int_equal(token_request_form(&req, &form, NULL), PO_OK);
	assert_string_equal(secret_reveal(form), GRANT "&scope=a&client_id=me");
}

TEST(rules_come_first)
{
	const char *const form_of_rules[] = { "udap=1", NULL };
	const char *const params[] = { "a=b", NULL };
	const char *const taken[] = { "udap=2", NULL };
	po_auto(secret) *form = NULL;
	struct po_error err = { 0 };
	struct token_request req = { .client_id = "me",
				     .form = form_of_rules,
				     .params = params };

	assert_int_equal(token_request_form(&req, &form, NULL), PO_OK);
	assert_string_equal(secret_reveal(form),
			    GRANT "&client_id=me&udap=1&a=b");
	assert_int_equal(params_check(taken, form_of_rules, &err), PO_E_USAGE);
	assert_non_null(strstr(err.text, "'udap' is set by"));
}

TEST(number_of_parameters)
{
	static char texts[TOKEN_REQUEST_PARAMS_MAX + 1][4];
	const char *params[TOKEN_REQUEST_PARAMS_MAX + 2] = { NULL };
	struct po_error err = { 0 };

	for (size_t i = 0; i <= TOKEN_REQUEST_PARAMS_MAX; i++) {
		texts[i][0] = (char)('A' + i);
		texts[i][1] = '=';
		texts[i][2] = '1';
		params[i] = texts[i];
	}
	assert_int_equal(params_check(params, NULL, &err), PO_E_USAGE);
	assert_non_null(strstr(err.text, "32"));
	params[TOKEN_REQUEST_PARAMS_MAX] = NULL;
	assert_int_equal(params_check(params, NULL, NULL), PO_OK);
}

/* CMS compares for equality: no charset, no q. */
TEST(headers_are_bare)
{
	assert_string_equal(TOKEN_REQUEST_CONTENT_TYPE,
			    "application/x-www-form-urlencoded");
	assert_string_equal(TOKEN_REQUEST_ACCEPT, "application/json");
}
