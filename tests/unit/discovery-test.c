/* SPDX-License-Identifier: Apache-2.0 */
/* Server metadata: where it is, what is taken from it, what is refused. */
#include "oauth/discovery.h"

#include "unit.h"

#include <string.h>

#define BASE "https://as.example/fhir/r4"

struct url_row {
	const char *name;
	enum discovery_kind kind;
	const char *base, *url;
};

static const struct url_row url_rows[] = {
	{ "SMART below a path", DISCOVERY_SMART, "https://h/a/r4",
	  "https://h/a/r4/.well-known/smart-configuration" },
	{ "SMART with a slash", DISCOVERY_SMART, "https://h/a/r4/",
	  "https://h/a/r4/.well-known/smart-configuration" },
	{ "SMART at the root", DISCOVERY_SMART, "https://h",
	  "https://h/.well-known/smart-configuration" },
	{ "RFC 8414 with a path", DISCOVERY_OAUTH, "https://h:8/t/1",
	  "https://h:8/.well-known/oauth-authorization-server/t/1" },
	{ "RFC 8414 at the root", DISCOVERY_OAUTH, "https://h",
	  "https://h/.well-known/oauth-authorization-server" },
	{ "RFC 8414 with a slash alone", DISCOVERY_OAUTH, "https://h/",
	  "https://h/.well-known/oauth-authorization-server" },
	{ "OpenID with a path", DISCOVERY_OPENID, "https://h/t/",
	  "https://h/t/.well-known/openid-configuration" },
};

ROWS(url_rows, url_row)
{
	po_auto_buf url = { 0 };

	buf_init(&url, HTTP_URL_MAX);
	assert_true(discovery_url(row->kind, row->base, &url));
	assert_string_equal(buf_text(&url), row->url);
}

struct doc_row {
	const char *name;
	enum discovery_kind kind;
	long status;
	const char *body;
	const char *endpoint; /* NULL: refused */
	const char *said;     /* in the refusal */
};

static const struct doc_row doc_rows[] = {
	{ "the endpoint alone", DISCOVERY_SMART, 200,
	  "{\"token_endpoint\":\"https://x/t\"}", "https://x/t", NULL },
	{ "a relative endpoint", DISCOVERY_SMART, 200,
	  "{\"token_endpoint\":\"auth/token\"}", BASE "/auth/token", NULL },
	{ "from the root", DISCOVERY_SMART, 200,
	  "{\"token_endpoint\":\"/auth/token\"}",
	  "https://as.example/auth/token", NULL },
	{ "the right issuer", DISCOVERY_OAUTH, 200,
	  "{\"issuer\":\"" BASE "\",\"token_endpoint\":\"https://x/t\"}",
	  "https://x/t", NULL },
	{ "an empty endpoint", DISCOVERY_OAUTH, 200,
	  "{\"issuer\":\"" BASE "\",\"token_endpoint\":\"\"}", NULL,
	  "token_endpoint is empty" },
	{ "an empty endpoint is not the base", DISCOVERY_SMART, 200,
	  "{\"token_endpoint\":\"\"}", NULL, "token_endpoint is empty" },
	{ "null lists", DISCOVERY_SMART, 200,
	  "{\"token_endpoint\":\"https://x/t\",\"grant_types_supported\":null}",
	  "https://x/t", NULL },
	{ "another issuer", DISCOVERY_OAUTH, 200,
	  "{\"issuer\":\"" BASE "/\",\"token_endpoint\":\"https://x/t\"}", NULL,
	  "of issuer '" BASE "/'" },
	{ "an issuer that begins so", DISCOVERY_OAUTH, 200,
	  "{\"issuer\":\"" BASE "x\",\"token_endpoint\":\"https://x/t\"}", NULL,
	  "of issuer '" BASE "x'" },
	{ "an issuer that ends too early", DISCOVERY_OAUTH, 200,
	  "{\"issuer\":\"https://as.example\","
	  "\"token_endpoint\":\"https://x/t\"}",
	  NULL, "of issuer 'https://as.example'" },
	{ "an issuer in other letters", DISCOVERY_OPENID, 200,
	  "{\"issuer\":\"HTTPS://AS.EXAMPLE/base\","
	  "\"token_endpoint\":\"https://x/t\"}",
	  NULL, "of issuer 'HTTPS://AS" },
	{ "an empty issuer", DISCOVERY_OAUTH, 200,
	  "{\"issuer\":\"\",\"token_endpoint\":\"https://x/t\"}", NULL,
	  "issuer" },
	{ "an issuer that is a list", DISCOVERY_OAUTH, 200,
	  "{\"issuer\":[\"" BASE "\"],\"token_endpoint\":\"https://x/t\"}",
	  NULL, "issuer" },
	{ "no issuer", DISCOVERY_OPENID, 200,
	  "{\"token_endpoint\":\"https://x/t\"}", NULL, "issuer" },
	{ "no endpoint", DISCOVERY_SMART, 200, "{}", NULL,
	  "no token_endpoint" },
	{ "an endpoint by another name", DISCOVERY_SMART, 200,
	  "{\"token_endpoints\":\"https://x/t\"}", NULL, "'token_endpoints'" },
	{ "an endpoint that is null", DISCOVERY_SMART, 200,
	  "{\"token_endpoint\":null}", NULL, "no token_endpoint" },
	{ "an endpoint above the root", DISCOVERY_SMART, 200,
	  "{\"token_endpoint\":\"../../../t\"}", NULL, "below the FHIR base" },
	{ "an array", DISCOVERY_SMART, 200, "[]", NULL, "HTTP 200" },
	{ "HTML", DISCOVERY_SMART, 200, "<html>", NULL, "HTML" },
	{ "trailing commas", DISCOVERY_SMART, 200,
	  "{\"token_endpoint\":\"https://x/t\",}", NULL, "HTTP 200" },
	{ "not found", DISCOVERY_SMART, 404,
	  "{\"token_endpoint\":\"https://x/t\"}", NULL, "HTTP 404" },
	{ "nothing", DISCOVERY_SMART, 200, "", NULL, "empty" },
};

ROWS(doc_rows, doc_row)
{
	po_auto_http_response response = { 0 };
	po_auto(server_metadata) *m = NULL;
	struct po_error err = { 0 };
	enum po_status st;

	http_response_init(&response);
	response.status = row->status;
	assert_true(buf_adds(&response.body, row->body));
	st = discovery_read(row->kind, BASE, &response, &m, &err);
	assert_int_equal(st, row->endpoint ? PO_OK : PO_E_SERVER);
	if (row->endpoint) {
		assert_string_equal(m->token_endpoint, row->endpoint);
		return;
	}
	assert_null(m);
	if (!strstr(err.text, row->said))
		fail_msg("'%s' is not in '%s'", row->said, err.text);
}

TEST(aliases_and_lists)
{
	static const char body[] =
		"{\"token_endpoint\":\"https://x/t\",\"mtls_endpoint_aliases\":"
		"{\"token_endpoint\":\"https://mtls.x/t\"},"
		"\"grant_types_supported\":[1,\"client_credentials\"],"
		"\"scopes_supported\":\"a\"}";
	po_auto_http_response response = { 0 };
	po_auto(server_metadata) *m = NULL;
	const json_t *grants;

	http_response_init(&response);
	response.status = 200;
	assert_true(buf_adds(&response.body, body));
	assert_int_equal(
		discovery_read(DISCOVERY_SMART, BASE, &response, &m, NULL),
		PO_OK);
	assert_string_equal(m->mtls_token_endpoint, "https://mtls.x/t");
	grants = server_metadata_list(m, "grant_types_supported");
	assert_true(server_metadata_lists(grants, "client_credentials"));
	assert_false(server_metadata_lists(grants, "client"));
	assert_null(server_metadata_list(m, "scopes_supported"));
	assert_null(server_metadata_list(m, "absent"));
}
