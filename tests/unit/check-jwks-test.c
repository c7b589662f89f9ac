/* SPDX-License-Identifier: Apache-2.0 */
/* The fetch of a published JWK Set: what is sent, and how it ends. */
#include "flow/check_jwks.h"

#include "fake-clock.h"
#include "jwk-set.h"
#include "key/jwk.h"
#include "unit.h"

#include <openssl/x509_vfy.h>

#define URL "https://client.example/jwks.json"

/* not const: a profile owns its texts */
static char ca_file[] = "/ca.pem";

/* A client that gives the answer that it was given. */
struct fake {
	struct http_client client; /* first */
	enum po_status status;
	enum http_failure failure;
	long verify_error;
	int verify_depth;
	const json_t *set;
	unsigned int calls;
	struct http_request seen; /* its pointers are not followed */
};

static enum po_status perform(struct http_client *client,
			      const struct http_request *request,
			      struct http_response *response,
			      struct po_error *err)
{
	struct fake *fake = (struct fake *)(void *)client;

	fake->calls++;
	fake->seen = *request;
	response->failure = fake->failure;
	response->verify.error = fake->verify_error;
	response->verify.depth = fake->verify_depth;
	if (fake->status != PO_OK)
		return po_fail(err, fake->status, 0, "in the client's words");
	http_response_clear(response);
	set_answer(response, fake->set);
	(void)snprintf(response->last_modified, sizeof(response->last_modified),
		       "Tue, 13 May 2014 16:53:20 GMT");
	return PO_OK;
}

struct run {
	struct fake fake;
	struct fake_clock clock;
	struct po_env env;
	struct profile profile;
	struct findings findings;
	struct jwks_verdict verdict;
};

static void run(struct run *r, const char *url,
		const struct jwks_expected *expected)
{
	r->fake.client.perform = perform;
	fake_clock_init(&r->clock, SET_NOW_S);
	r->env = (struct po_env){ .clock = &r->clock.clock,
				  .http = &r->fake.client };
	check_jwks(&r->env, &r->profile, url, expected, &r->findings,
		   &r->verdict);
	findings_must_be_sound(&r->findings);
}

static void run_clear(struct run *r)
{
	findings_clear(&r->findings);
	json_decref(r->verdict.keys);
}

/* ---- no answer ---------------------------------------------------------- */

struct row {
	const char *name;
	enum po_status status;
	enum http_failure failure;
	long verify_error;
	int verify_depth;
	const char *check;
	const char *remedy;
	enum set_state state;
};

#define TLS PO_E_NETWORK, HTTP_FAILED_TLS

static const struct row rows[] = {
	{ "no connection", PO_E_NETWORK, HTTP_FAILED_CONNECT, 0, 0, "access",
	  "look at the URL and its host", SET_UNREACHABLE },
	{ "unknown failure", PO_E_NETWORK, HTTP_NO_FAILURE, 0, 0, "access",
	  "look at the URL and its host", SET_UNREACHABLE },
	{ "too slow", PO_E_NETWORK, HTTP_FAILED_LATER, 0, 0, "access",
	  "answer faster", SET_UNREACHABLE },
	{ "proxy", PO_E_NETWORK, HTTP_FAILED_PROXY, 0, 0, "access",
	  "look at the proxy", SET_UNREACHABLE },
	{ "too long", PO_E_SERVER, HTTP_NO_FAILURE, 0, 0, "access",
	  "no JWK Set is so long", SET_UNREACHABLE },
	{ "no cacert", PO_E_CONFIG, HTTP_NO_FAILURE, 0, 0, "access",
	  "look at cacert", SET_UNREACHABLE },
	{ "chain: no issuer", TLS, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY,
	  0, "chain", "send the intermediate", SET_CHAIN_INCOMPLETE },
	{ "chain: leaf alone", TLS, X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE,
	  0, "chain", "send the intermediate", SET_CHAIN_INCOMPLETE },
	{ "tls: unknown root", TLS,
	  X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, 1, "tls", "public CAs",
	  SET_UNREACHABLE },
	{ "tls: root of its own", TLS, X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, 1,
	  "tls", "public CAs", SET_UNREACHABLE },
	{ "tls: self-signed", TLS, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, 0,
	  "tls", "public CAs", SET_UNREACHABLE },
	{ "tls: expired", TLS, X509_V_ERR_CERT_HAS_EXPIRED, 0, "tls", "renew",
	  SET_UNREACHABLE },
	{ "tls: not yet valid", TLS, X509_V_ERR_CERT_NOT_YET_VALID, 0, "tls",
	  "clock", SET_UNREACHABLE },
	{ "tls: another name", TLS, 0, 0, "tls", "a certificate for its name",
	  SET_UNREACHABLE },
};

ROWS(rows, no_answer)
{
	struct run r = { .fake = { .status = row->status,
				   .failure = row->failure,
				   .verify_error = row->verify_error,
				   .verify_depth = row->verify_depth } };
	const struct finding *found;

	run(&r, URL, NULL);
	assert_int_equal(r.findings.count, 1);
	found = findings_must_have(&r.findings, FINDING_FAILED, row->check,
				   "in the client's words");
	assert_non_null(strstr(found->remedy, row->remedy));
	assert_int_equal(findings_status(&r.findings), row->status);
	assert_int_equal(r.verdict.state, row->state);
	assert_null(r.verdict.keys);
	run_clear(&r);
}

TEST(urls_that_are_refused)
{
	static const struct {
		const char *url, *text;
	} urls[] = {
		{ "http://client.example/jwks.json", "is no https:// URL" },
		{ "HTTP://127.0.0.1/", "is no https:// URL" },
		{ "ftp://client.example/", "is no https:// URL" },
		{ "https://client.example/#x", "fragment" },
		{ "https://me@client.example/", "user information" },
		{ "https://client.example/\x1b", "control character" },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(urls); i++) {
		struct run r = { .fake = { .status = PO_E_INTERNAL } };

		run(&r, urls[i].url, NULL);
		(void)findings_must_have(&r.findings, FINDING_FAILED, "access",
					 urls[i].text);
		assert_int_equal(findings_status(&r.findings), PO_E_USAGE);
		assert_int_equal(r.fake.calls, 0);
		run_clear(&r);
	}
}

/* ---- an answer ---------------------------------------------------------- */

TEST(what_is_sent)
{
	json_auto_t *set = set_make("rsa");
	struct run r = { .fake = { .set = set },
			 .profile = { .cacert = ca_file, .timeout_s = 7 } };

	run(&r, URL, NULL);
	assert_int_equal(r.fake.calls, 1);
	assert_int_equal(r.fake.seen.method, HTTP_GET);
	assert_string_equal(r.fake.seen.url, URL);
	assert_string_equal(r.fake.seen.accept, "application/json");
	assert_ptr_equal(r.fake.seen.ca_file, ca_file);
	assert_int_equal(r.fake.seen.timeout_ms, 7000);
	assert_false(r.fake.seen.allow_loopback_http);
	assert_null(r.fake.seen.body);
	assert_null(r.fake.seen.late_body);
	assert_null(r.fake.seen.identity); /* no certificate of ours, either */
	assert_int_equal(findings_count_bad(&r.findings), 0);
	assert_int_equal(r.verdict.state, SET_GOOD);
	assert_int_equal(r.verdict.kept_s, 60);
	assert_int_equal(r.verdict.changed_s, SET_NOW_S);
	assert_int_equal(json_array_size(r.verdict.keys), 1);
	run_clear(&r);
}

/* What doctor is told of it. */
TEST(verdicts)
{
	static const struct {
		const char *kid, *member, *value;
		enum set_state state;
	} cases[] = {
		{ "rsa", "alg", "\"RS384\"", SET_GOOD },
		{ "rsa", "kid", "\"ec\"",
		  SET_WITH_ANOTHER_KEY }, /* see below */
		{ "new", "alg", "\"RS384\"", SET_WITHOUT_OUR_KID },
		{ "rsa", "d", "\"x\"", SET_BROKEN },
		{ "rsa", "use", "\"enc\"", SET_BROKEN },
		{ "rsa", "n", "\"+\"", SET_BROKEN },
		{ "rsa", "key_ops", "[\"verify\"]", SET_GOOD }, /* a warning */
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(cases); i++) {
		json_auto_t *set = set_make("rsa ec");
		po_auto(pubkey) *key = NULL;
		struct jwks_expected expected = { .kid = cases[i].kid };
		struct run r = { .fake = { .set = set } };

		assert_int_equal(jwk_to_pubkey(set_key(set, 0), &key, NULL),
				 PO_OK);
		expected.key = key;
		set_member(set_key(set, 0), cases[i].member, cases[i].value);
		if (cases[i].state == SET_WITH_ANOTHER_KEY)
			set_member(set_key(set, 1), "kid", "\"rsa\"");
		run(&r, URL, &expected);
		assert_int_equal(r.verdict.state, cases[i].state);
		run_clear(&r);
	}
}
