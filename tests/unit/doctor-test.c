/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The doctor's steps: what each finds, with which remedy, and what goes on
 * after one that fails. Keys, servers and time are the test's.
 */
#include "flow/doctor.h"

#include "fake-http.h"
#include "jwk-set.h"
#include "profile-option.h"
#include "soft-token.h"
#include "test-data.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define LAB "pkcs11:token=lab;object=one"
#define SPARE "pkcs11:token=spare;object=two"
#define NOW_S INT64_C(1800000000)
#define NOW "Fri, 15 Jan 2027 08:00:00 GMT"
#define TOKEN \
	"{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"expires_in\":300"
#define REFUSED "{\"error\":\"invalid_client\"}"
#define ENDPOINT "https://as.example/token"
#define SERVER \
	"{\"issuer\":\"https://as.example\",\"token_endpoint\":\"" ENDPOINT "\""
#define LISTED "\"token_endpoint_auth_signing_alg_values_supported\":"

static struct fake_clock fake;
static struct fake_http http;
static struct profile *profile;
static struct findings findings;
static struct causes causes;
static bool no_sign;

BEFORE_EACH
{
	soft_token_up();
	fake_clock_init(&fake, NOW_S);
	fake_http_init(&http, &fake);
	profile = profile_new("lab");
	assert_non_null(profile);
	set_option(profile, "key", LAB);
	set_option(profile, "client-id", "backend");
	set_option(profile, "token-endpoint", ENDPOINT);
	set_option(profile, "kid", "jwk-thumbprint");
	profile->no_overlap = true;
	findings = (struct findings){ 0 };
	no_sign = false;
}

AFTER_EACH
{
	findings_clear(&findings);
	profile_free(profile);
	soft_token_down();
}

static void will(long status, const char *body)
{
	fake_http_will(&http, (struct fake_answer){ .status = status,
						    .body = body,
						    .date = NOW });
}

/* What the token endpoint says to a look, and then to the assertion. */
static void will_answer(long status, const char *body)
{
	will(405, "");
	will(status, body);
}

static void run(void)
{
	const struct po_env env = { .clock = &fake.clock,
				    .http = &http.client };
	const struct doctor_request request = { .env = &env,
						.profile = profile,
						.no_sign = no_sign };

	doctor(&request, &findings, &causes);
}

static const struct finding *found(enum severity severity, const char *check,
				   const char *text)
{
	return findings_must_have(&findings, severity, check, text);
}

/* The same, with its remedy. */
static void advised(enum severity severity, const char *check, const char *text,
		    const char *remedy)
{
	const struct finding *f = found(severity, check, text);

	if (!strstr(f->remedy, remedy))
		fail_msg("no '%s' in '%s'", remedy, f->remedy);
}

static unsigned int count_of(const char *check)
{
	unsigned int n = 0;

	for (size_t i = 0; i < findings.count; i++)
		n += strcmp(findings.items[i].check, check) == 0;
	return n;
}

TEST(all_is_well_with_one_signature_and_two_requests)
{
	static const char *const steps[] = {
		"configuration", "module",      "token",     "pin",
		"key",           "certificate", "algorithm", "connection",
		"clock",         "signature",   "exchange",  "scope",
	};

	set_option(profile, "scope", "system/*.read");
	will_answer(200, TOKEN "}");
	run();
	assert_int_equal(findings_status(&findings), PO_OK);
	assert_int_equal(findings_count_bad(&findings), 0);
	assert_int_equal(findings.count, PO_ARRAY_SIZE(steps));
	for (size_t i = 0; i < PO_ARRAY_SIZE(steps); i++)
		assert_string_equal(findings.items[i].check, steps[i]);
	found(FINDING_OK, "exchange", "an access token for 300 s");
	found(FINDING_OK, "configuration",
	      "rules 'smart', client id 'backend'");
	found(FINDING_OK, "certificate", "needed for kid jwk-thumbprint");
	assert_int_equal(causes.count, 0);
	assert_int_equal(soft_token.signs, 1);
	assert_int_equal(http.count, 2);
	assert_int_equal(http.requests[0].method, HTTP_GET);
	assert_int_equal(http.requests[1].method, HTTP_POST);
}

TEST(without_a_signature_nothing_is_signed_and_nothing_sent)
{
	no_sign = true;
	will(405, "");
	run();
	assert_int_equal(findings_status(&findings), PO_OK);
	assert_int_equal(soft_token.signs, 0);
	assert_int_equal(http.count, 1);
	assert_int_equal(count_of("exchange") + count_of("signature"), 0);
}

/* ---- configuration, module ---------------------------------------------- */

TEST(a_configuration_that_lacks_something_ends_it)
{
	profile_free(profile);
	profile = profile_new("lab");
	set_option(profile, "key", LAB);
	run();
	assert_int_equal(findings.count, 1);
	found(FINDING_FAILED, "configuration", "client-id");
	assert_int_equal(findings_status(&findings), PO_E_CONFIG);
	assert_int_equal(soft_token.opens, 0);
}

struct scope_word_row {
	const char *name, *scope;
	bool is_doubted;
};
static const struct scope_word_row scope_word_rows[] = {
	{ "asked for: of a system", "system/*.read", false },
	{ "asked for: of a user", "system/*.read user/*.read", true },
	{ "asked for: of a patient", "patient/*.rs", true },
};

ROWS(scope_word_rows, scopes_that_want_a_person_are_doubted)
{
	set_option(profile, "scope", row->scope);
	will_answer(200, TOKEN "}");
	run();
	assert_int_equal(findings_count_bad(&findings), row->is_doubted);
	if (row->is_doubted)
		advised(FINDING_WARNING, "configuration", row->scope,
			"system/ scopes");
}

TEST(a_module_that_cannot_be_read_is_said_and_the_server_is_looked_at)
{
	set_option(profile, "module", "/nowhere/module.so");
	will(405, "");
	run();
	advised(FINDING_FAILED, "module", "'/nowhere/module.so'",
		"install the device's package");
	assert_int_equal(findings_status(&findings), PO_E_TOKEN);
	assert_int_equal(soft_token.opens, 0);
	found(FINDING_OK, "connection", ENDPOINT);
	assert_int_equal(http.count, 1);
}

/* ---- tokens, PINs ------------------------------------------------------- */

struct step_row {
	const char *name;
	enum po_status status;
	const char *check, *remedy;
};
static const struct step_row step_rows[] = {
	{ "absent: the token", PO_E_TOKEN, "token", "'p11oauth keys" },
	{ "absent: the device", PO_E_DEVICE, "token", "take the device out" },
	{ "absent: the key", PO_E_NOT_FOUND, "key", "'p11oauth keys --login'" },
	{ "absent: the right one", PO_E_AMBIGUOUS, "key", "keys --login'" },
	{ "absent: the PIN", PO_E_PIN, "pin", "look at pin-from" },
	{ "absent: tries", PO_E_PIN_LOCKED, "pin", "SO PIN or PUK" },
	{ "absent: the person", PO_E_USER, "pin", "" },
	{ "absent: permission", PO_E_POLICY, "key-policy", "" },
	{ "absent: a certificate of it", PO_E_CRYPTO, "certificate", "" },
	{ "absent: the setting", PO_E_CONFIG, "configuration", "" },
	{ "absent: memory", PO_E_INTERNAL, "key", "" },
};

ROWS(step_rows, what_fails_is_filed_under_its_step)
{
	soft_token.absent = row->status;
	will(405, "");
	run();
	advised(FINDING_FAILED, row->check, "key '" LAB "': no such token",
		row->remedy);
	assert_int_equal(findings_status(&findings), row->status);
	assert_int_equal(soft_token.opens, 1);
	assert_int_equal(count_of("algorithm"), 0);
	assert_int_equal(http.count, 1);
}

TEST(each_key_is_looked_for)
{
	set_option(profile, "key", SPARE);
	soft_token.absent = PO_E_TOKEN;
	will(405, "");
	run();
	found(FINDING_FAILED, "token", "key '" LAB "'");
	found(FINDING_FAILED, "token", "key '" SPARE "'");
	assert_int_equal(soft_token.opens, 2);
}

struct pin_row {
	const char *name;
	struct signer_pin pin;
	enum severity severity;
	const char *said, *remedy;
};
static const struct pin_row pin_rows[] = {
	{ "PIN: none is wanted", { 0 }, FINDING_OK, "wants no login", "" },
	{ "PIN: all is well",
	  { .is_needed = true },
	  FINDING_OK,
	  "reports no wrong tries",
	  "" },
	{ "PIN: typed on the device",
	  { .is_needed = true, .is_pinpad = true },
	  FINDING_OK,
	  "; it is typed on the device",
	  "" },
	{ "PIN: a wrong try",
	  { .is_needed = true, .is_count_low = true },
	  FINDING_WARNING,
	  "a wrong PIN was tried",
	  "with its right PIN" },
	{ "PIN: one is left",
	  { .is_needed = true, .is_count_low = true, .is_final_try = true },
	  FINDING_WARNING,
	  "one try is left",
	  "with its right PIN" },
	{ "PIN: locked",
	  { .is_count_low = true, .is_final_try = true, .is_locked = true },
	  FINDING_WARNING,
	  "the PIN is locked",
	  "SO PIN or PUK" },
};

ROWS(pin_rows, what_the_token_says_of_its_pin_is_told)
{
	soft_token.pin = row->pin;
	no_sign = true;
	will(405, "");
	run();
	advised(row->severity, "pin", row->said, row->remedy);
	assert_int_equal(count_of("pin"), 1);
	if (!row->pin.is_pinpad)
		assert_null(strstr(found(row->severity, "pin", "")->text,
				   "on the device"));
}

TEST(a_pin_that_is_refused_ends_what_needs_the_key)
{
	soft_token.lie = SOFT_STAYS_SHUT;
	will(405, "");
	run();
	advised(FINDING_FAILED, "pin", "wrong PIN", "look at pin-from");
	assert_int_equal(soft_token.unlocks, 1);
	assert_int_equal(soft_token.signs, 0);
	assert_int_equal(http.count, 1);
}

/* ---- certificate -------------------------------------------------------- */

#define DAY INT64_C(86400)
#define BEGINS INT64_C(1578605484) /* of sandbox/cert.pem */
#define ENDS INT64_C(1751405484)

struct life_row {
	const char *name;
	int64_t now_s;
	enum severity severity;
	const char *said, *remedy;
};
static const struct life_row life_rows[] = {
	{ "certificate: not yet", BEGINS - 1, FINDING_WARNING,
	  "is not valid yet", "look at the clock" },
	{ "certificate: begins", BEGINS, FINDING_OK,
	  "valid until 2025-07-01T21:31:24Z", "" },
	{ "certificate: thirty days", ENDS - 30 * DAY, FINDING_OK,
	  "valid until", "" },
	{ "certificate: less than thirty days", ENDS - 30 * DAY + 1,
	  FINDING_WARNING, "expires in 29 days, on 2025-07-01T21:31:24Z",
	  "renew it in time" },
	{ "certificate: its last second", ENDS, FINDING_WARNING,
	  "expires in 0 days", "renew it in time" },
	{ "certificate: over", ENDS + 1, FINDING_WARNING,
	  "expired on 2025-07-01T21:31:24Z", "renew it and register" },
};

ROWS(life_rows, a_certificate_is_told_from_its_dates)
{
	fake_clock_init(&fake, row->now_s);
	EVP_PKEY_free(soft_token.key);
	soft_token.key = data_private_key("sandbox/key.pem");
	soft_token.cert = "sandbox/cert.pem";
	no_sign = true;
	will(405, "");
	run();
	advised(row->severity, "certificate", row->said, row->remedy);
	assert_int_equal(count_of("certificate"), 1);
}

/* ---- the server --------------------------------------------------------- */

struct clock_row {
	const char *name, *offset, *lifetime, *date;
	enum severity severity;
	const char *said, *remedy;
};
/* ours is 08:00:00 and the offset */
static const struct clock_row clock_rows[] = {
	{ "clock: none is told", "0", NULL, "", FINDING_WARNING,
	  "does not tell its time", "" },
	{ "clock: the same", "0", NULL, "Fri, 15 Jan 2027 08:00:00 GMT",
	  FINDING_OK, "within 1 s", "" },
	{ "clock: ten seconds", "0", NULL, "Fri, 15 Jan 2027 08:00:10 GMT",
	  FINDING_OK, "within 11 s", "" },
	{ "clock: eleven", "0", NULL, "Fri, 15 Jan 2027 08:00:11 GMT",
	  FINDING_WARNING, "is 11 s behind the server's", "set the clock" },
	{ "clock: a minute ahead", "0", NULL, "Fri, 15 Jan 2027 07:59:00 GMT",
	  FINDING_WARNING, "is 60 s ahead of the server's", "set the clock" },
	{ "clock: more than a minute ahead", "0", NULL,
	  "Fri, 15 Jan 2027 07:58:59 GMT", FINDING_FAILED,
	  "is 61 s ahead of the server's: it will refuse",
	  "clock-offset = -61" },
	{ "clock: four minutes behind, but one second", "0", NULL,
	  "Fri, 15 Jan 2027 08:03:59 GMT", FINDING_WARNING,
	  "239 s behind the server's", "set the clock" },
	{ "clock: four minutes behind", "0", NULL,
	  "Fri, 15 Jan 2027 08:04:00 GMT", FINDING_FAILED,
	  "is 240 s behind the server's", "clock-offset = 240" },
	{ "clock: a short life allows more ahead", "0", "100",
	  "Fri, 15 Jan 2027 07:56:40 GMT", FINDING_WARNING, "200 s ahead", "" },
	{ "clock: and less behind", "0", "100", "Fri, 15 Jan 2027 08:01:40 GMT",
	  FINDING_FAILED, "100 s behind", "clock-offset = 100" },
	{ "clock: the offset is right", "300", NULL,
	  "Fri, 15 Jan 2027 08:05:00 GMT", FINDING_OK, "within 1 s", "" },
	{ "clock: the offset is wrong", "300", NULL,
	  "Fri, 15 Jan 2027 08:00:00 GMT", FINDING_FAILED, "300 s ahead of",
	  "clock-offset = 0" },
	{ "clock: the offset is not enough", "-300", NULL,
	  "Fri, 15 Jan 2027 07:50:00 GMT", FINDING_FAILED, "300 s ahead of",
	  "clock-offset = -600" },
};

ROWS(clock_rows, clocks_are_compared_as_assertions_will_be)
{
	set_option(profile, "clock-offset", row->offset);
	if (row->lifetime)
		set_option(profile, "lifetime", row->lifetime);
	no_sign = true;
	fake_http_will(&http, (struct fake_answer){ .status = 405,
						    .date = row->date });
	run();
	advised(row->severity, "clock", row->said, row->remedy);
	assert_int_equal(count_of("clock"), 1);
}

struct way_row {
	const char *name;
	enum http_failure failure;
	const char *remedy;
};
static const struct way_row way_rows[] = {
	{ "no way: TLS", HTTP_FAILED_TLS, "name its CA with cacert" },
	{ "no way: no connection", HTTP_FAILED_CONNECT, "look at the URL" },
	{ "no way: cut off", HTTP_FAILED_LATER, "look at the URL" },
};

ROWS(way_rows, a_server_that_cannot_be_reached_is_said)
{
	no_sign = true;
	fake_http_will(&http, (struct fake_answer){ .failure = row->failure });
	run();
	advised(FINDING_FAILED, "connection", "no answer", row->remedy);
	assert_int_equal(count_of("clock"), 0);
}

TEST(a_look_goes_where_the_settings_say)
{
	set_option(profile, "cacert", "/dev/null");
	set_option(profile, "timeout", "7");
	no_sign = true;
	will(405, "");
	run();
	assert_string_equal(http.requests[0].url, ENDPOINT);
	assert_string_equal(http.requests[0].ca_file, "/dev/null");
	assert_int_equal(http.requests[0].timeout_ms, 7000);
}

struct list_row {
	const char *name, *document;
	enum severity severity;
	const char *said;
};
static const struct list_row list_rows[] = {
	{ "listed: nothing is", SERVER "}", FINDING_OK, "ES256" },
	{ "listed: ours is", SERVER "," LISTED "[\"RS256\",\"ES256\"]}",
	  FINDING_OK, "ES256, which the server lists" },
	{ "listed: another is", SERVER "," LISTED "[\"RS256\"]}",
	  FINDING_WARNING, "ES256 is not among those" },
};

ROWS(list_rows, the_algorithm_is_looked_for_in_the_servers_list)
{
	set_option(profile, "issuer", "https://as.example");
	no_sign = true;
	will(200, row->document);
	will(405, "");
	run();
	found(FINDING_OK, "discovery", "leads to " ENDPOINT);
	found(row->severity, "algorithm", row->said);
	assert_int_equal(count_of("algorithm"), 1);
	assert_string_equal(
		http.requests[0].url,
		"https://as.example/.well-known/oauth-authorization-server");
}

TEST(metadata_that_cannot_be_read_is_no_end_beside_an_endpoint)
{
	set_option(profile, "issuer", "https://as.example");
	no_sign = true;
	will(404, "");
	run();
	found(FINDING_WARNING, "discovery", "publishes no metadata");
	found(FINDING_OK, "connection", ENDPOINT);
}

TEST(metadata_that_cannot_be_read_ends_it_where_there_is_no_endpoint)
{
	profile_free(profile);
	profile = profile_new("lab");
	set_option(profile, "key", LAB);
	set_option(profile, "client-id", "backend");
	set_option(profile, "issuer", "https://as.example");
	will(404, "");
	run();
	advised(FINDING_FAILED, "discovery", "", "or set token-endpoint");
	found(FINDING_OK, "key", "P-256");
	assert_int_equal(count_of("connection") + count_of("exchange"), 0);
	assert_int_equal(soft_token.signs, 0);
}

TEST(a_set_is_looked_at_before_anything_is_signed)
{
	set_option(profile, "jwks-url", "https://client.example/jwks.json");
	will(405, "");
	will(404, "");
	will(400, REFUSED);
	run();
	assert_string_equal(http.requests[1].url,
			    "https://client.example/jwks.json");
	assert_int_equal(http.requests[2].method, HTTP_POST);
	assert_true(count_of("jwks-url") > 0);
	assert_int_equal(soft_token.signs, 1);
}

struct kept_row {
	const char *name, *cache_control;
	int weight;
};
static const struct kept_row kept_rows[] = {
	{ "set: a copy from before may be kept", "max-age=3600", 75 },
	{ "set: no copy is", "max-age=30", 55 },
};

/* It has our key, and changed a minute ago. */
ROWS(kept_rows, how_long_a_set_is_kept_makes_an_old_copy_likely)
{
	po_auto(pubkey) *public = public_half(soft_token.key);
	json_auto_t *set = json_pack("{s:[]}", "keys");
	json_t *jwk = NULL;
	char kid[JWK_THUMBPRINT_LEN + 1], *text;

	assert_int_equal(jwk_from_pubkey(public, &jwk, NULL), PO_OK);
	assert_int_equal(jwk_thumbprint(public, kid, NULL), PO_OK);
	assert_int_equal(json_object_set_new(jwk, "kid", json_string(kid)), 0);
	assert_int_equal(
		json_array_append_new(json_object_get(set, "keys"), jwk), 0);
	text = json_dumps(set, 0);
	assert_non_null(text);
	set_option(profile, "jwks-url", "https://client.example/jwks.json");
	will(405, "");
	fake_http_will(&http,
		       (struct fake_answer){
			       .status = 200,
			       .body = text,
			       .cache_control = row->cache_control,
			       .date = NOW,
			       .last_modified = "Fri, 15 Jan 2027 07:59:00 GMT",
		       });
	will(400, REFUSED);
	run();
	free(text);
	for (size_t i = 0; i < causes.count; i++)
		if (strcmp(causes.items[i].name, "stale-set") == 0) {
			assert_int_equal(causes.items[i].weight, row->weight);
			return;
		}
	fail_msg("no cause stale-set of %zu", causes.count);
}

/* ---- the exchange ------------------------------------------------------- */

struct granted_row {
	const char *name, *body;
	enum severity severity;
	const char *said;
};
static const struct granted_row granted_rows[] = {
	{ "granted: as asked", TOKEN "}", FINDING_OK,
	  "granted as asked: system/a system/b" },
	{ "granted: and more", TOKEN ",\"scope\":\"system/b x system/a\"}",
	  FINDING_OK, "granted as asked: system/b x system/a" },
	{ "granted: less", TOKEN ",\"scope\":\"system/a\"}", FINDING_WARNING,
	  "asked for 'system/a system/b', granted 'system/a'" },
};

ROWS(granted_rows, what_is_granted_is_compared_with_what_was_asked)
{
	set_option(profile, "scope", "system/a system/b");
	will_answer(200, row->body);
	run();
	found(row->severity, "scope", row->said);
	assert_int_equal(findings_status(&findings), PO_OK);
}

TEST(a_refusal_has_its_likeliest_cause_as_remedy)
{
	set_option(profile, "clock-offset", "400");
	will_answer(400, REFUSED);
	run();
	assert_true(causes.count > 0);
	assert_string_equal(causes.items[0].name, "clock-fast");
	advised(FINDING_FAILED, "exchange", "invalid_client",
		"clock-offset = 0");
	assert_int_equal(soft_token.signs, 1);
	assert_int_equal(http.count, 2);
}

TEST(a_failure_that_is_no_refusal_has_no_causes)
{
	will_answer(503, "");
	run();
	assert_int_equal(causes.count, 0);
	found(FINDING_FAILED, "exchange", "503");
	assert_int_equal(findings_status(&findings), PO_E_SERVER);
}

TEST(a_signature_that_is_wrong_is_not_sent)
{
	soft_token.lie = SOFT_FLIPPED;
	will(405, "");
	run();
	assert_int_equal(count_of("exchange"), 0);
	assert_int_equal(count_of("signature"), 1);
	assert_int_equal(findings_status(&findings), PO_E_CRYPTO);
	assert_int_equal(http.count, 1);
}
