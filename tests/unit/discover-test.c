/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Discovery: which document is read, which of it is taken, what pins hold
 * against it, and how long it is kept.
 */
#include "flow/discover.h"

#include "base/log.h"
#include "fake-http.h"
#include "flow/env.h"
#include "profile-option.h"
#include "test-folder.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOW_S INT64_C(1800000000)
#define BASE "https://fhir.example/r4"
#define ISSUER "https://as.example"
#define SMART_URL BASE "/.well-known/smart-configuration"
#define OAUTH_URL "https://as.example/.well-known/oauth-authorization-server"
#define OPENID_URL "https://as.example/.well-known/openid-configuration"
#define ENDPOINT "\"token_endpoint\":\"https://as.example/token\""
#define SMART "{" ENDPOINT "}"
#define OAUTH "{\"issuer\":\"https://as.example\"," ENDPOINT "}"

static struct fake_clock fake;
static struct fake_http http;
static struct profile *profile;
static struct po_error why;

static unsigned int warnings;
static char last_warning[1024];
void __wrap_log_warn(const char *fmt, ...) PO_PRINTF(1, 2);
void __wrap_log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(last_warning, sizeof(last_warning), fmt, ap);
	va_end(ap);
	warnings++;
}

static void fresh_profile(void)
{
	profile_free(profile);
	profile = profile_new("lab");
	assert_non_null(profile);
	why = (struct po_error){ 0 };
	http.count = 0;
	http.answer_count = 0;
	warnings = 0;
}

BEFORE_EACH
{
	char *here;

	folder_enter();
	here = getcwd(NULL, 0);
	assert_int_equal(setenv("XDG_CACHE_HOME", here, 1), 0);
	free(here);
	(void)unsetenv("CACHE_DIRECTORY");
	fake_clock_init(&fake, NOW_S);
	fake_http_init(&http, &fake);
	fresh_profile();
}

AFTER_EACH
{
	profile_free(profile);
	profile = NULL;
	folder_leave();
}

static enum po_status run_with(unsigned int flags)
{
	const struct po_env env = { .clock = &fake.clock,
				    .http = &http.client };
	po_auto_http_response response = { 0 };

	http_response_init(&response);
	return discover(&env, profile, flags, NULL, &response, &why);
}

static enum po_status run(void)
{
	return run_with(0);
}

static void will(long status, const char *body)
{
	fake_http_will(&http,
		       (struct fake_answer){ .status = status, .body = body });
}

static void says(const char *text)
{
	if (!strstr(why.text, text))
		fail_msg("no '%s' in '%s'", text, why.text);
}

/* ---- which document ----------------------------------------------------- */

TEST(a_fhir_base_has_a_smart_document)
{
	set_option(profile, "fhir-base", BASE);
	set_option(profile, "cacert", "/dev/null");
	set_option(profile, "timeout", "9");
	will(200, SMART);
	assert_int_equal(run(), PO_OK);
	assert_int_equal(http.count, 1);
	assert_string_equal(http.requests[0].url, SMART_URL);
	assert_int_equal(http.requests[0].method, HTTP_GET);
	assert_string_equal(http.requests[0].ca_file, "/dev/null");
	assert_int_equal(http.requests[0].timeout_ms, 9000);
	assert_string_equal(profile->token_endpoint,
			    "https://as.example/token");
	assert_string_equal(profile->discovered_at, SMART_URL);
	assert_int_equal(run(), PO_OK); /* once */
	assert_int_equal(http.count, 1);
}

TEST(a_fhir_base_goes_before_an_issuer)
{
	set_option(profile, "fhir-base", BASE);
	set_option(profile, "issuer", ISSUER);
	will(200, SMART);
	assert_int_equal(run(), PO_OK);
	assert_string_equal(http.requests[0].url, SMART_URL);
}

struct second_row {
	const char *name;
	long status;
	bool is_second_asked;
};
static const struct second_row second_rows[] = {
	{ "second document: 404", 404, true },
	{ "second document: 400", 400, true },
	{ "second document: no document", 200, true },
	{ "second document: 500", 500, false },
	{ "second document: 503", 503, false },
};

ROWS(second_rows, an_issuer_has_one_of_two_documents)
{
	set_option(profile, "issuer", ISSUER);
	will(row->status, "nothing");
	will(200, OAUTH);
	assert_int_equal(run(), row->is_second_asked ? PO_OK : PO_E_SERVER);
	assert_string_equal(http.requests[0].url, OAUTH_URL);
	assert_int_equal(http.count, row->is_second_asked ? 2 : 1);
	if (row->is_second_asked)
		assert_string_equal(http.requests[1].url, OPENID_URL);
	else
		says("a token-endpoint in the profile works without it");
}

TEST(two_documents_that_are_not_there_are_both_named)
{
	set_option(profile, "issuer", ISSUER);
	will(404, "");
	assert_int_equal(run(), PO_E_SERVER);
	says("openid-configuration");
	says("oauth-authorization-server");
}

TEST(a_network_that_fails_is_not_asked_for_another)
{
	set_option(profile, "issuer", ISSUER);
	fake_http_will(&http,
		       (struct fake_answer){ .failure = HTTP_FAILED_CONNECT });
	assert_int_equal(run(), PO_E_NETWORK);
	assert_int_equal(http.count, 1);
	assert_null(strstr(why.text, "works without it"));
}

TEST(nothing_is_asked_where_all_is_said)
{
	set_option(profile, "token-endpoint", "https://as.example/token");
	assert_int_equal(run(), PO_OK);
	set_option(profile, "issuer", ISSUER); /* a name only */
	assert_int_equal(run(), PO_OK);
	assert_int_equal(http.count, 0);
}

/* ---- pins --------------------------------------------------------------- */

TEST(a_pinned_endpoint_holds_against_the_document)
{
	set_option(profile, "fhir-base", BASE);
	set_option(profile, "token-endpoint", "https://as.example/other");
	will(200, SMART);
	assert_int_equal(run(), PO_E_SERVER);
	says("its token_endpoint is 'https://as.example/token', but the "
	     "profile "
	     "pins 'https://as.example/other'");
}

TEST(a_pinned_endpoint_works_without_the_document)
{
	set_option(profile, "fhir-base", BASE);
	set_option(profile, "token-endpoint", "https://as.example/token");
	will(503, "");
	assert_int_equal(run(), PO_OK);
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(last_warning,
			       "the token-endpoint of the profile is used"));
	assert_int_equal(run(), PO_OK); /* nor is it asked again */
	assert_int_equal(http.count, 1);
}

TEST(a_pinned_issuer_holds_against_the_document)
{
	set_option(profile, "fhir-base", BASE);
	set_option(profile, "issuer", "https://else.example");
	will(200, OAUTH);
	assert_int_equal(run(), PO_E_SERVER);
	says("pins 'https://else.example'");
}

TEST(an_endpoint_that_is_no_address_is_the_documents_fault)
{
	set_option(profile, "fhir-base", BASE);
	will(200, "{\"token_endpoint\":\"http://as.example/token\"}");
	assert_int_not_equal(run(), PO_OK);
	says(SMART_URL);
}

/* ---- algorithms --------------------------------------------------------- */

#define LISTS(list)        \
	"{" ENDPOINT ",\"" \
	"token_endpoint_auth_signing_alg_values_supported\":" list "}"

struct algorithms_row {
	const char *name, *document;
	const char *preferred[3], *want[4];
};
static const struct algorithms_row algorithms_rows[] = {
	{ "algorithms: the rules' order, as far as it is listed",
	  LISTS("[\"ES256\",\"RS384\",\"ES384\"]"),
	  { "ES384", "RS384", NULL },
	  { "ES384", "RS384", "ES256", NULL } },
	{ "algorithms: what the rules lead with is not listed",
	  LISTS("[\"RS384\"]"),
	  { "ES384", "RS384", NULL },
	  { "RS384", NULL } },
	{ "algorithms: others than the rules have",
	  LISTS("[\"PS256\"]"),
	  { "ES384", "RS384", NULL },
	  { "PS256", NULL } },
	{ "algorithms: nothing that we know",
	  LISTS("[\"XY512\"]"),
	  { "ES384", "RS384", NULL },
	  { "ES384", "RS384", NULL } },
	{ "algorithms: an empty list",
	  LISTS("[]"),
	  { "ES384", NULL },
	  { "ES384", NULL } },
	{ "algorithms: no list", SMART, { "ES384", NULL }, { "ES384", NULL } },
};

ROWS(algorithms_rows, the_servers_list_guides_the_choice)
{
	size_t n = 0;

	set_option(profile, "fhir-base", BASE);
	for (size_t i = 0; row->preferred[i]; i++)
		profile->algorithms[i] = strdup(row->preferred[i]);
	will(200, row->document);
	assert_int_equal(run(), PO_OK);
	for (; row->want[n]; n++) {
		assert_non_null(profile->algorithms[n]);
		assert_string_equal(profile->algorithms[n], row->want[n]);
	}
	assert_null(profile->algorithms[n]);
}

/* ---- doubts ------------------------------------------------------------- */

struct doubt_row {
	const char *name, *document, *warning; /* NULL: none */
};
#define WITH(list) "{" ENDPOINT "," list "}"
static const struct doubt_row doubt_rows[] = {
	{ "doubt: no lists", SMART, NULL },
	{ "doubt: the grant is listed second",
	  WITH("\"grant_types_supported\":[\"authorization_code\","
	       "\"client_credentials\"]"),
	  NULL },
	{ "doubt: the grant is not listed",
	  WITH("\"grant_types_supported\":[\"authorization_code\"]"),
	  "grant_types_supported does not list client_credentials" },
	{ "doubt: the method is not listed",
	  WITH("\"token_endpoint_auth_methods_supported\":[\"none\"]"),
	  "does not list private_key_jwt" },
	{ "doubt: the method is listed",
	  WITH("\"token_endpoint_auth_methods_supported\":[\"none\","
	       "\"private_key_jwt\"]"),
	  NULL },
	{ "doubt: the algorithm is not listed", LISTS("[\"ES256\"]"),
	  "does not list RS384" },
};

ROWS(doubt_rows, what_a_document_does_not_list_is_a_warning)
{
	set_option(profile, "fhir-base", BASE);
	set_option(profile, "algorithm", "RS384");
	will(200, row->document);
	assert_int_equal(run(), PO_OK);
	assert_int_equal(warnings, row->warning ? 1 : 0);
	if (row->warning && !strstr(last_warning, row->warning))
		fail_msg("no '%s' in '%s'", row->warning, last_warning);
}

/* ---- what is kept ------------------------------------------------------- */

struct keep_row {
	const char *name, *cache_control;
	int64_t kept_s; /* 0: not at all */
};
static const struct keep_row keep_rows[] = {
	{ "keep: nothing is said", NULL, 0 },
	{ "keep: ten minutes", "max-age=600", 600 },
	{ "keep: no-store", "no-store, max-age=600", 0 },
	{ "keep: a year is cut", "max-age=31536000", DISCOVER_KEEP_MAX_S },
};

ROWS(keep_rows, a_document_is_kept_as_long_as_its_server_says)
{
	set_option(profile, "fhir-base", BASE);
	fake_http_will(&http, (struct fake_answer){
				      .status = 200,
				      .body = SMART,
				      .cache_control = row->cache_control });
	assert_int_equal(run(), PO_OK);
	fresh_profile();
	set_option(profile, "fhir-base", BASE);
	will(200, "{\"token_endpoint\":\"https://as.example/new\"}");
	fake_clock_advance(&fake, row->kept_s ? row->kept_s * 1000 - 1000 : 0);
	assert_int_equal(run(), PO_OK);
	assert_int_equal(http.count, row->kept_s ? 0 : 1);
	assert_string_equal(profile->token_endpoint,
			    row->kept_s ? "https://as.example/token"
					: "https://as.example/new");
	fresh_profile();
	set_option(profile, "fhir-base", BASE);
	will(200, "{\"token_endpoint\":\"https://as.example/new\"}");
	fake_clock_advance(&fake, 1000);
	assert_int_equal(run(), PO_OK);
	assert_int_equal(http.count, 1);
	assert_string_equal(profile->token_endpoint, "https://as.example/new");
}

TEST(a_fresh_one_is_asked_for_by_who_wants_it)
{
	set_option(profile, "fhir-base", BASE);
	fake_http_will(&http,
		       (struct fake_answer){ .status = 200,
					     .body = SMART,
					     .cache_control = "max-age=600" });
	assert_int_equal(run(), PO_OK);
	fresh_profile();
	set_option(profile, "fhir-base", BASE);
	will(200, "{\"token_endpoint\":\"https://as.example/new\"}");
	assert_int_equal(run_with(DISCOVER_FRESH), PO_OK);
	assert_int_equal(http.count, 1);
	assert_string_equal(profile->token_endpoint, "https://as.example/new");
}

TEST(what_is_kept_is_of_one_address)
{
	set_option(profile, "fhir-base", BASE);
	fake_http_will(&http,
		       (struct fake_answer){ .status = 200,
					     .body = SMART,
					     .cache_control = "max-age=600" });
	assert_int_equal(run(), PO_OK);
	fresh_profile();
	set_option(profile, "fhir-base", BASE "/other");
	will(200, "{\"token_endpoint\":\"https://as.example/new\"}");
	assert_int_equal(run(), PO_OK);
	assert_int_equal(http.count, 1);
}
