/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The way to an access token: what is asked again and what is not, when, and
 * with which signature; what is on record before and after. Keys, servers and
 * time are the test's.
 */
#include "flow/get_token.h"

#include "base/log.h"
#include "fake-http.h"
#include "flow/env.h"
#include "profile-option.h"
#include "soft-token.h"
#include "unit.h"

#include <errno.h>
#include <openssl/rsa.h>
#include <p11-kit/pkcs11.h>
#include <stdio.h>
#include <string.h>

#define LAB "pkcs11:token=lab;object=one"
#define SPARE "pkcs11:token=spare;object=two"
#define NOW_S INT64_C(1800000000)
#define TOKEN \
	"{\"access_token\":\"x\",\"token_type\":\"Bearer\",\"expires_in\":300"
#define REFUSED "{\"error\":\"invalid_client\"}"

static struct fake_clock fake;
static struct fake_http http;
static struct profile *profile;
static struct access_token *token;
static struct po_error why;
static uint64_t seq;

/* The ledger, as words: "sign answer". */
static char events[512];
static enum po_status record_fails;
static uint64_t last_record;
static json_t *records[64]; /* owned */

static enum po_status on_record(void *user, const struct po_clock *clock,
				const struct profile *p, json_t *record,
				uint64_t *ret_seq, struct po_error *err)
{
	size_t len = strlen(events);

	(void)user;
	assert_ptr_equal(clock, &fake.clock);
	assert_string_equal(p->name, "lab");
	(void)snprintf(events + len, sizeof(events) - len, "%s%s",
		       len ? " " : "", json_text(record, "event"));
	records[last_record] = record;
	*ret_seq = ++last_record;
	return record_fails == PO_OK
		       ? PO_OK
		       : po_fail(err, record_fails, 0, "the disk is full");
}

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

BEFORE_EACH
{
	soft_token_up();
	fake_clock_init(&fake, NOW_S);
	fake_http_init(&http, &fake);
	profile = profile_new("lab");
	assert_non_null(profile);
	set_option(profile, "key", LAB);
	set_option(profile, "client-id", "backend");
	set_option(profile, "token-endpoint", "https://as.example/token");
	set_option(profile, "scope", "system/*.read");
	profile->iat = true;
	profile->no_overlap = true;
	events[0] = last_warning[0] = '\0';
	last_record = 0;
	warnings = 0;
	record_fails = PO_OK;
	why = (struct po_error){ 0 };
	token = NULL;
}

AFTER_EACH
{
	access_token_free(token);
	profile_free(profile);
	for (uint64_t i = 0; i < last_record; i++)
		json_decref(records[i]);
	soft_token_down();
}

static enum po_status run(void)
{
	const struct po_env env = { .clock = &fake.clock,
				    .http = &http.client,
				    .audit = { on_record, NULL } };

	return get_token_unissued(&env, profile, &token, &seq, &why);
}

static void will_grant(void)
{
	fake_http_will(&http, (struct fake_answer){ .status = 200,
						    .body = TOKEN "}" });
}

static void says(const char *text)
{
	if (!strstr(why.text, text))
		fail_msg("no '%s' in '%s'", text, why.text);
}

static json_int_t number(const json_t *object, const char *name)
{
	assert_true(json_is_integer(json_object_get(object, name)));
	return json_integer_value(json_object_get(object, name));
}

/* ---- one try ------------------------------------------------------------ */

TEST(one_request_one_signature_and_a_record_before_each)
{
	json_auto_t *claims = NULL;

	fake_http_will(&http, (struct fake_answer){ .status = 200,
						    .body = TOKEN "}",
						    .takes_ms = 3700 });
	assert_int_equal(run(), PO_OK);
	assert_int_equal(http.count, 1);
	assert_int_equal(http.requests[0].method, HTTP_POST);
	assert_string_equal(http.requests[0].url, "https://as.example/token");
	assert_non_null(
		strstr(http.requests[0].body, "grant_type=client_credentials"));
	assert_non_null(
		strstr(http.requests[0].body, "scope=system%2F%2A.read"));
	assert_int_equal(soft_token.opens, 1);
	assert_int_equal(soft_token.unlocks, 1);
	assert_int_equal(soft_token.signs, 1);
	assert_string_equal(events, "sign answer");
	assert_int_equal(seq, 1);
	assert_int_equal(number(records[1], "of"), 1);
	claims = fake_http_claims(&http, 0, NULL);
	assert_string_equal(json_text(claims, "iss"), "backend");
	assert_string_equal(json_text(claims, "aud"),
			    "https://as.example/token");
	assert_int_equal(token->asked_ms, fake.boot_ms - 3700);
	assert_int_equal(token->expires_at_s, NOW_S + 300);
	assert_int_equal(token->expires_in_s, 300);
}

TEST(the_connection_may_stand_before_the_signature_does)
{
	profile->no_overlap = false;
	will_grant();
	assert_int_equal(run(), PO_OK);
	assert_int_equal(http.count, 1);
	assert_true(http.requests[0].is_late);
	assert_int_equal(soft_token.signs, 1);
	assert_non_null(strstr(http.requests[0].body, "client_assertion="));
}

TEST(what_is_not_recorded_is_not_signed)
{
	record_fails = PO_E_CONFIG;
	will_grant();
	assert_int_equal(run(), PO_E_CONFIG);
	assert_int_equal(soft_token.signs, 0);
	assert_int_equal(http.count, 0);
}

TEST(settings_of_the_request_are_heeded)
{
	set_option(profile, "cacert", "/dev/null");
	set_option(profile, "timeout", "7");
	will_grant();
	assert_int_equal(run(), PO_OK);
	assert_string_equal(http.requests[0].ca_file, "/dev/null");
	assert_int_equal(http.requests[0].timeout_ms, 7000);
}

TEST(what_can_be_known_before_is_said_before_a_key_is_opened)
{
	set_option(profile, "cacert", "/nowhere/ca.pem");
	assert_int_equal(run(), PO_E_USAGE); /* as an option */
	says("cannot read '/nowhere/ca.pem'");
	assert_int_equal(soft_token.opens, 0);
	assert_int_equal(http.count, 0);
}

/* ---- time --------------------------------------------------------------- */

struct offset_row {
	const char *name, *offset;
	int64_t iat_s;
};
static const struct offset_row offset_rows[] = {
	{ "clock-offset: none", NULL, NOW_S },
	{ "clock-offset: the server is ahead", "90", NOW_S + 90 },
	{ "clock-offset: the server is behind", "-3600", NOW_S - 3600 },
};

ROWS(offset_rows, an_assertion_has_the_servers_time)
{
	json_auto_t *claims = NULL;

	profile->nbf = true;
	set_option(profile, "lifetime", "120");
	if (row->offset)
		set_option(profile, "clock-offset", row->offset);
	will_grant();
	assert_int_equal(run(), PO_OK);
	claims = fake_http_claims(&http, 0, NULL);
	assert_int_equal(number(claims, "iat"), row->iat_s);
	assert_int_equal(number(claims, "nbf"), row->iat_s);
	assert_int_equal(number(claims, "exp"), row->iat_s + 120);
}

struct fresh_row {
	const char *name, *offset, *lifetime;
	int64_t takes_ms;
	unsigned int signs;
};
static const struct fresh_row fresh_rows[] = {
	{ "slow: a minute is left", "0", "300", 240000, 1 },
	{ "slow: less than a minute is left", "0", "300", 241000, 2 },
	{ "slow: half of a short life is left", "0", "60", 30000, 1 },
	{ "slow: less than half of it", "0", "60", 31000, 2 },
	{ "slow: ahead, a minute left", "3600", "300", 240000, 1 },
	{ "slow: ahead, less", "3600", "300", 241000, 2 },
	{ "slow: behind, a minute left", "-3600", "300", 240000, 1 },
	{ "slow: behind, less", "-3600", "300", 241000, 2 },
};

ROWS(fresh_rows, what_a_slow_device_leaves_too_little_life_is_signed_anew)
{
	json_auto_t *claims = NULL;
	int64_t stamped_s = NOW_S;

	set_option(profile, "clock-offset", row->offset);
	set_option(profile, "lifetime", row->lifetime);
	soft_token.clock = &fake;
	soft_token.takes_ms = row->takes_ms;
	will_grant();
	assert_int_equal(run(), PO_OK);
	assert_int_equal(soft_token.signs, row->signs);
	assert_int_equal(warnings, row->signs - 1);
	if (row->signs > 1)
		stamped_s += row->takes_ms / 1000;
	claims = fake_http_claims(&http, 0, NULL);
	assert_int_equal(number(claims, "iat"),
			 stamped_s + profile->clock_offset_s);
}

/* ---- what is asked again ------------------------------------------------ */

struct retry_row {
	const char *name;
	struct fake_answer answer;
	bool is_asked_again;
	enum po_status status; /* when it is all there is */
};
static const struct retry_row retry_rows[] = {
	{ "again: no connection",
	  { .failure = HTTP_FAILED_CONNECT },
	  true,
	  PO_E_NETWORK },
	{ "again: the proxy said no",
	  { .failure = HTTP_FAILED_PROXY },
	  false,
	  PO_E_NETWORK },
	{ "again: TLS", { .failure = HTTP_FAILED_TLS }, false, PO_E_NETWORK },
	{ "again: cut off or too slow",
	  { .failure = HTTP_FAILED_LATER },
	  false,
	  PO_E_NETWORK },
	{ "again: 429", { .status = 429 }, true, PO_E_REFUSED },
	{ "again: 500", { .status = 500 }, false, PO_E_SERVER },
	{ "again: 501", { .status = 501 }, false, PO_E_SERVER },
	{ "again: 502", { .status = 502 }, true, PO_E_SERVER },
	{ "again: 503", { .status = 503 }, true, PO_E_SERVER },
	{ "again: 504", { .status = 504 }, true, PO_E_SERVER },
	{ "again: 505", { .status = 505 }, false, PO_E_SERVER },
	{ "again: 400 and temporarily_unavailable",
	  { .status = 400, .body = "{\"error\":\"temporarily_unavailable\"}" },
	  true,
	  PO_E_REFUSED },
	{ "again: 400 and invalid_client",
	  { .status = 400, .body = REFUSED },
	  false,
	  PO_E_REFUSED },
	{ "again: 401 and invalid_client",
	  { .status = 401, .body = REFUSED },
	  false,
	  PO_E_REFUSED },
	{ "again: an answer that is none",
	  { .status = 200, .body = "<html>" },
	  false,
	  PO_E_SERVER },
};

ROWS(retry_rows, what_may_fare_better_is_asked_again_with_a_new_assertion)
{
	json_auto_t *first = NULL, *second = NULL;

	profile->retry_refusal = row->answer.status == 401; /* is for 400 */
	fake_http_will(&http, row->answer);
	will_grant();
	if (!row->is_asked_again) {
		assert_int_equal(run(), row->status);
		assert_int_equal(http.count, 1);
		assert_int_equal(soft_token.signs, 1);
		assert_int_equal(fake.slept_ms, 0);
		assert_string_equal(events, "sign answer");
		return;
	}
	assert_int_equal(run(), PO_OK);
	assert_int_equal(http.count, 2);
	assert_int_equal(soft_token.signs, 2);
	assert_int_equal(soft_token.opens, 1);
	assert_int_equal(warnings, 1);
	assert_non_null(strstr(last_warning, "trying again in 0."));
	assert_string_equal(events, "sign answer sign answer");
	assert_int_equal(seq, 3);
	assert_in_range(fake.slept_ms, 250, 500);
	second = fake_http_claims(&http, 1, NULL);
	if (row->answer.status) {
		first = fake_http_claims(&http, 0, NULL);
		assert_string_not_equal(json_text(first, "jti"),
					json_text(second, "jti"));
	}
}

TEST(five_requests_are_the_most_and_pauses_grow)
{
	set_option(profile, "retry-time", "600");
	fake_http_will(&http, (struct fake_answer){ .status = 503 });
	assert_int_equal(run(), PO_E_SERVER);
	assert_int_equal(http.count, 5);
	assert_int_equal(soft_token.signs, 5);
	assert_int_equal(soft_token.opens, 1);
	says("tried 5 times");
	for (int i = 0; i < 4; i++)
		assert_in_range(http.requests[i + 1].at_ms -
					http.requests[i].at_ms,
				250 << i, 500 << i);
}

TEST(after_retry_time_nothing_is_asked_again)
{
	set_option(profile, "retry-time", "2");
	fake_http_will(&http,
		       (struct fake_answer){ .status = 503, .takes_ms = 1700 });
	assert_int_equal(run(), PO_E_SERVER);
	/* a first pause of 250 to 500 ms may go beyond the second second */
	assert_in_range(http.count, 1, 2);
	http.count = 0;
	soft_token.signs = 0;
	set_option(profile, "retry-time", "0");
	why = (struct po_error){ 0 };
	assert_int_equal(run(), PO_E_SERVER);
	assert_int_equal(http.count, 1);
	assert_null(strstr(why.text, "tried"));
}

struct after_row {
	const char *name, *retry_after;
	int64_t least_ms, most_ms; /* 0: it is not asked again */
};
static const struct after_row after_rows[] = {
	{ "Retry-After: none", NULL, 250, 500 },
	{ "Retry-After: 0 is less than the pause", "0", 250, 500 },
	{ "Retry-After: 3", "3", 3000, 3000 },
	{ "Retry-After: a minute", "60", 60000, 60000 },
	{ "Retry-After: more", "61", 0, 0 },
	{ "Retry-After: words", "soon", 250, 500 },
	/* 2027-01-15 08:00:00 is now */
	{ "Retry-After: a date", "Fri, 15 Jan 2027 08:00:05 GMT", 5000, 5000 },
	{ "Retry-After: a date of yesterday", "Thu, 14 Jan 2027 08:00:00 GMT",
	  250, 500 },
};

ROWS(after_rows, a_server_may_ask_to_wait_longer_but_not_for_ever)
{
	set_option(profile, "retry-time", "600");
	fake_http_will(&http,
		       (struct fake_answer){ .status = 503,
					     .retry_after = row->retry_after });
	will_grant();
	if (!row->most_ms) {
		assert_int_equal(run(), PO_E_SERVER);
		assert_int_equal(http.count, 1);
		says("tried 1 time, the server asks to wait 61 s");
		return;
	}
	assert_int_equal(run(), PO_OK);
	assert_in_range(fake.slept_ms, row->least_ms, row->most_ms);
}

TEST(a_longer_wait_than_retry_time_is_not_waited_for)
{
	fake_http_will(&http, (struct fake_answer){ .status = 429,
						    .retry_after = "16" });
	assert_int_equal(run(), PO_E_REFUSED);
	assert_int_equal(http.count, 1);
	assert_int_equal(fake.slept_ms, 0);
}

/* Some servers refuse good clients now and then, and say nothing of it. */
TEST(a_bare_refusal_is_asked_again_once_where_the_rules_say_so)
{
	profile->retry_refusal = true;
	fake_http_will(&http,
		       (struct fake_answer){ .status = 400, .body = REFUSED });
	assert_int_equal(run(), PO_E_REFUSED);
	assert_int_equal(http.count, 2);
	assert_int_equal(soft_token.signs, 2);
}

TEST(a_refusal_that_says_why_stands)
{
	profile->retry_refusal = true;
	fake_http_will(
		&http,
		(struct fake_answer){
			.status = 400,
			.body = "{\"error\":\"invalid_client\","
				"\"error_description\":\"unknown kid\"}" });
	assert_int_equal(run(), PO_E_REFUSED);
	assert_int_equal(http.count, 1);
}

TEST(a_token_that_is_taken_away_between_two_tries_is_opened_anew)
{
	fake_http_will(&http, (struct fake_answer){ .status = 503 });
	will_grant();
	assert_int_equal(run(), PO_OK);
	assert_int_equal(soft_token.opens, 1);
	assert_int_equal(soft_token.unlocks, 1); /* no second PIN */
}

/* ---- keys --------------------------------------------------------------- */

TEST(the_first_key_that_can_sign_does)
{
	set_option(profile, "key", SPARE);
	soft_token.absent = PO_E_TOKEN;
	assert_int_equal(run(), PO_E_TOKEN);
	assert_int_equal(soft_token.opens, 2);
	assert_string_equal(soft_token.uri, SPARE);
	assert_int_equal(http.count, 0);
	soft_token.absent = PO_OK;
	soft_token.opens = 0;
	why = (struct po_error){ 0 };
	will_grant();
	assert_int_equal(run(), PO_OK);
	assert_int_equal(soft_token.opens, 1);
	assert_string_equal(soft_token.uri, LAB);
}

TEST(each_key_has_its_own_source_of_a_pin)
{
	set_option(profile, "key", SPARE);
	set_option(profile, "pin-from", "file:/run/one");
	set_option(profile, "pin-from", "file:/run/two");
	will_grant();
	assert_int_equal(run(), PO_OK);
	assert_string_equal(soft_token.pin_from, "file:/run/one");
	soft_token.absent = PO_E_TOKEN;
	assert_int_equal(run(), PO_E_TOKEN);
	assert_string_equal(soft_token.pin_from, "file:/run/two");
}

struct next_key_row {
	const char *name;
	enum po_status status;
	long native;
	bool is_tried;
};
static const struct next_key_row next_key_rows[] = {
	{ "next key: no token", PO_E_TOKEN, CKR_TOKEN_NOT_PRESENT, true },
	{ "next key: no key", PO_E_NOT_FOUND, 0, true },
	{ "next key: the device failed", PO_E_DEVICE, CKR_DEVICE_ERROR, true },
	{ "next key: nobody touched it", PO_E_USER, ETIMEDOUT, true },
	{ "next key: cancelled", PO_E_USER, CKR_FUNCTION_CANCELED, false },
	{ "next key: cancelled elsewhere", PO_E_USER, 0, false },
	{ "next key: the PIN", PO_E_PIN, CKR_PIN_INCORRECT, false },
	{ "next key: locked", PO_E_PIN_LOCKED, CKR_PIN_LOCKED, false },
	{ "next key: a policy", PO_E_POLICY, 0, false },
};

ROWS(next_key_rows, what_is_no_matter_of_the_token_is_not_tried_elsewhere)
{
	set_option(profile, "key", SPARE);
	soft_token.absent = row->status;
	soft_token.absent_native = row->native;
	assert_int_not_equal(run(), PO_OK);
	assert_string_equal(soft_token.uri, row->is_tried ? SPARE : LAB);
	assert_int_equal(http.count, 0);
}

struct alg_row {
	const char *name, *offered[3], *alg;
};
static const struct alg_row alg_rows[] = {
	{ "algorithms: one", { "RS384" }, "RS384" },
	{ "algorithms: the first of two", { "PS256", "RS384" }, "PS256" },
	{ "algorithms: the other way about", { "RS384", "PS256" }, "RS384" },
	{ "algorithms: what fits", { "ES384", "RS512", "RS256" }, "RS512" },
};

ROWS(alg_rows, the_first_algorithm_that_key_and_server_share_is_used)
{
	json_auto_t *claims = NULL, *header = NULL;

	EVP_PKEY_free(soft_token.key);
	soft_token.key = EVP_RSA_gen(2048);
	assert_non_null(soft_token.key);
	for (size_t i = 0; i < 3 && row->offered[i]; i++)
		set_option(profile, "algorithms", row->offered[i]);
	will_grant();
	assert_int_equal(run(), PO_OK);
	claims = fake_http_claims(&http, 0, &header);
	assert_string_equal(json_text(header, "alg"), row->alg);
}

TEST(a_pin_that_is_refused_is_not_tried_at_the_next_key)
{
	set_option(profile, "key", SPARE);
	soft_token.lie = SOFT_STAYS_SHUT;
	assert_int_equal(run(), PO_E_PIN);
	assert_int_equal(soft_token.opens, 1);
	assert_int_equal(soft_token.unlocks, 1);
	assert_int_equal(http.count, 0);
}

TEST(a_signature_that_is_wrong_is_not_sent)
{
	soft_token.lie = SOFT_FLIPPED;
	assert_int_equal(run(), PO_E_CRYPTO);
	assert_int_equal(http.count, 0);
	assert_int_equal(soft_token.signs, 1);
}

/* ---- what is granted ---------------------------------------------------- */

struct scope_row {
	const char *name, *granted;
	bool is_required, is_enough;
};
static const struct scope_row scope_rows[] = {
	{ "granted: nothing is said", TOKEN "}", true, true },
	{ "granted: what was asked", TOKEN ",\"scope\":\"system/*.read\"}",
	  true, true },
	{ "granted: and more", TOKEN ",\"scope\":\"a system/*.read b\"}", true,
	  true },
	{ "granted: another, required", TOKEN ",\"scope\":\"system/x\"}", true,
	  false },
	{ "granted: another, not required", TOKEN ",\"scope\":\"system/x\"}",
	  false, false },
};

ROWS(scope_rows, a_scope_that_lacks_something_is_told_or_refused)
{
	profile->require_scope = row->is_required;
	fake_http_will(&http, (struct fake_answer){ .status = 200,
						    .body = row->granted });
	if (row->is_required && !row->is_enough) {
		assert_int_equal(run(), PO_E_REFUSED);
		says("asked for scope 'system/*.read', the server granted "
		     "'system/x'");
		assert_null(token);
		return;
	}
	assert_int_equal(run(), PO_OK);
	assert_non_null(token);
	assert_int_equal(warnings, row->is_enough ? 0 : 1);
}

TEST(an_access_token_that_is_handed_out_is_on_record_after_its_answer)
{
	const struct po_env env = { .clock = &fake.clock,
				    .http = &http.client,
				    .audit = { on_record, NULL } };

	will_grant();
	assert_int_equal(get_token(&env, profile, &token, &why), PO_OK);
	assert_string_equal(events, "sign answer issue");
	assert_int_equal(number(records[2], "of"), 1);
}
