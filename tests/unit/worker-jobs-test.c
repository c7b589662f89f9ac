/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A worker's jobs: what each gives, and what it means for the PINs that people
 * typed. Keys, servers and time are the test's.
 */
#include "agent/worker_impl.h"

#include "conf/profile_json.h"
#include "fake-http.h"
#include "profile-option.h"
#include "soft-token.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define NOW_S INT64_C(1800000000)
#define TOKEN "{\"access_token\":\"x\",\"token_type\":\"Bearer\""
#define GRANTED TOKEN ",\"expires_in\":300}"

static struct fake_clock fake;
static struct fake_http http;
static struct worker worker;
static struct po_error why;
static json_t *answer; /* owned; of the last job */

static enum po_status on_record(void *user, const struct po_clock *clock,
				const struct profile *profile, json_t *record,
				uint64_t *ret_seq, struct po_error *err)
{
	static uint64_t seq = 40;

	(void)user;
	(void)clock;
	(void)profile;
	(void)err;
	json_decref(record);
	*ret_seq = ++seq;
	return PO_OK;
}

/* Profiles "stored" and, of another key, "stored2"; and "typed". */
static void add_profile(const char *name, const char *key, const char *pin_from)
{
	struct profile *p = profile_new(name);
	json_t *value;

	assert_non_null(p);
	set_option(p, "client-id", "backend");
	set_option(p, "token-endpoint", "https://as.example/token");
	set_option(p, "scope", "system/*.read");
	set_option(p, "kid", "jwk-thumbprint");
	set_option(p, "module", "/paper/module.so");
	set_option(p, "key", key);
	set_option(p, "pin-from", pin_from);
	value = profile_to_json(p);
	profile_free(p);
	assert_int_equal(json_array_append_new(worker.told, value), 0);
	if (served_add(&worker.served, value, &why) != PO_OK)
		fail_msg("%s", why.text);
}

BEFORE_EACH
{
	soft_token_up();
	fake_clock_init(&fake, NOW_S);
	fake_http_init(&http, &fake);
	worker = (struct worker){ .clock = &fake.clock,
				  .told = json_array(),
				  .desk = key_desk_new(),
				  .pins = pins_new() };
	assert_true(worker.told && worker.desk && worker.pins);
	add_profile("stored", "pkcs11:token=lab;object=one", "file:/run/pin");
	add_profile("stored2", "pkcs11:token=lab;object=two", "file:/run/pin");
	add_profile("typed", "pkcs11:token=lab;object=one", "prompt");
	answer = NULL;
}

AFTER_EACH
{
	json_decref(answer);
	key_desk_free(worker.desk);
	pins_free(worker.pins);
	served_clear(&worker.served);
	json_decref(worker.told);
	soft_token_down();
}

/* Runs the job; extra: its own members, JSON, which become the job's; NULL:
 * none. */
static enum po_status run(const char *op, const char *name, json_t *extra)
{
	const struct served *s = served_find(&worker.served, name);
	struct job job = { .worker = &worker, .answer = json_object() };
	enum po_status st;

	json_decref(answer);
	answer = job.answer;
	why = (struct po_error){ 0 };
	job.message = json_pack("{s:s, s:s, s:s}", "op", op, "profile", name,
				"digest", s ? s->digest : "");
	assert_non_null(job.message);
	if (extra)
		assert_int_equal(json_object_update(job.message, extra), 0);
	json_decref(extra);
	job.env = (struct po_env){ .clock = &fake.clock,
				   .http = &http.client,
				   .audit = { on_record, NULL },
				   .asker = pins_asker(worker.pins),
				   .desk = worker.desk };
	st = job_run(&job, &why);
	json_decref(job.message);
	assert_int_equal(st, why.status);
	return st;
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

/* Whether the answer says that it is locked: 1, 0, or -1: it does not say. */
static int locked(void)
{
	const json_t *value = json_object_get(answer, "locked");

	return value ? json_is_true(value) : -1;
}

static json_int_t number(const char *name)
{
	return json_integer_value(json_object_get(answer, name));
}

static enum po_status unlock(const char *name, const char *pin)
{
	return run("unlock", name, json_pack("{s:s}", "pin", pin));
}

/* ---- access tokens ------------------------------------------------------ */

TEST(an_access_token_comes_with_what_the_agent_needs_to_know)
{
	const json_t *members;

	will(200, TOKEN ",\"expires_in\":300,\"more\":1}");
	assert_int_equal(run("token", "stored", NULL), PO_OK);
	assert_string_equal(json_text(answer, "access_token"), "x");
	assert_int_equal(number("life_s"), 300);
	assert_int_equal(number("asked_ms"), fake.boot_ms);
	assert_int_equal(number("sign_seq"), 41);
	members = json_object_get(answer, "answer");
	assert_null(json_object_get(members, "access_token"));
	assert_null(json_object_get(members, "expires_in_assumed"));
	assert_int_equal(json_integer_value(json_object_get(members, "more")),
			 1);
	assert_non_null(json_object_get(answer, "token"));
	assert_int_equal(locked(), -1);
}

TEST(a_life_that_is_assumed_is_said_to_be)
{
	will(200, TOKEN "}");
	assert_int_equal(run("token", "stored", NULL), PO_OK);
	assert_true(json_is_true(json_object_get(
		json_object_get(answer, "answer"), "expires_in_assumed")));
}

TEST(a_scope_is_asked_for_instead_of_the_profiles)
{
	will(200, GRANTED);
	assert_int_equal(
		run("token", "stored", json_pack("{s:s}", "scope", "system/a")),
		PO_OK);
	assert_non_null(strstr(http.requests[0].body, "scope=system%2Fa"));
	assert_null(strstr(http.requests[0].body, "read"));
	assert_int_equal(run("token", "stored", NULL), PO_OK);
	assert_non_null(strstr(http.requests[1].body, "read"));
	assert_int_equal(soft_token.opens, 1); /* one key for both */
	assert_int_equal(soft_token.unlocks, 1);
	assert_int_equal(soft_token.refreshes, 1);
}

TEST(a_refusal_leaves_the_key_open)
{
	will(400, "{\"error\":\"invalid_client\"}");
	assert_int_equal(run("token", "stored", NULL), PO_E_REFUSED);
	assert_non_null(json_object_get(answer, "token"));
	assert_null(json_object_get(answer, "access_token"));
	assert_int_equal(run("token", "stored", NULL), PO_E_REFUSED);
	assert_int_equal(soft_token.opens, 1);
}

struct failure_row {
	const char *name, *profile;
	enum po_status status;
	int locked;
};
static const struct failure_row failure_rows[] = {
	{ "failed: a typed PIN is wrong", "typed", PO_E_PIN, 1 },
	{ "failed: a typed PIN is locked", "typed", PO_E_PIN_LOCKED, 1 },
	{ "failed: the card of a typed one is away", "typed", PO_E_TOKEN, 1 },
	{ "failed: the device of a typed one", "typed", PO_E_DEVICE, -1 },
	{ "failed: the key of a typed one", "typed", PO_E_NOT_FOUND, -1 },
	{ "failed: a stored PIN is wrong", "stored", PO_E_PIN, -1 },
	{ "failed: a stored PIN is locked", "stored", PO_E_PIN_LOCKED, -1 },
	{ "failed: the card of a stored one is away", "stored", PO_E_TOKEN,
	  -1 },
};

ROWS(failure_rows, a_person_is_wanted_where_one_types_the_pin)
{
	soft_token.absent = row->status;
	assert_int_equal(run("token", row->profile, NULL), row->status);
	assert_int_equal(locked(), row->locked);
	assert_null(json_object_get(answer, "access_token"));
	assert_int_equal(http.count, 0);
	soft_token.absent = PO_OK;
	will(200, GRANTED);
	assert_int_equal(run("token", row->profile, NULL), PO_OK);
	assert_int_equal(locked(), strcmp(row->profile, "typed") == 0 ? 0 : -1);
}

/* ---- looks -------------------------------------------------------------- */

TEST(a_look_at_a_stored_pins_token_sends_none)
{
	assert_int_equal(run("look", "stored", NULL), PO_OK);
	assert_non_null(json_object_get(answer, "token"));
	assert_int_equal(soft_token.opens, 1);
	assert_int_equal(soft_token.unlocks, 0);
	assert_int_equal(locked(), -1);
}

TEST(a_look_tells_whether_somebody_has_to_type_the_pin)
{
	soft_token.typed = "739154";
	assert_int_equal(run("look", "typed", NULL), PO_OK);
	assert_int_equal(locked(), 1);
	assert_int_equal(soft_token.sent, 0);
	assert_int_equal(unlock("typed", "739154"), PO_OK);
	assert_int_equal(run("look", "typed", NULL), PO_OK);
	assert_int_equal(locked(), 0);
	assert_int_equal(soft_token.sent, 1);
}

TEST(a_look_closes_no_key_that_somebody_else_is_logged_in_to)
{
	will(200, GRANTED);
	assert_int_equal(run("token", "stored2", NULL), PO_OK);
	assert_int_equal(run("look", "stored", NULL), PO_OK);
	assert_int_equal(json_object_size(answer), 0);
	assert_int_equal(soft_token.opens, 1);
	assert_int_equal(run("look", "stored2", NULL), PO_OK);
	assert_non_null(json_object_get(answer, "token"));
	assert_int_equal(soft_token.opens, 1);
}

TEST(a_look_notices_a_card_that_was_taken_away)
{
	will(200, GRANTED);
	assert_int_equal(run("token", "stored", NULL), PO_OK);
	soft_token.lost = PO_E_TOKEN;
	soft_token.absent = PO_E_TOKEN;
	assert_int_equal(run("look", "stored", NULL), PO_E_TOKEN);
	assert_null(json_object_get(answer, "token"));
}

/* ---- unlock ------------------------------------------------------------- */

TEST(a_right_pin_unlocks_and_is_kept_for_the_next_login)
{
	soft_token.typed = "739154";
	assert_int_equal(unlock("typed", "739154"), PO_OK);
	assert_int_equal(locked(), 0);
	assert_string_equal(
		json_text(json_object_get(answer, "token"), "label"), "lab");
	will(200, GRANTED);
	assert_int_equal(run("token", "typed", NULL), PO_OK);
	assert_int_equal(soft_token.sent, 1); /* the key is still open */
}

TEST(a_wrong_pin_is_sent_once_and_not_kept)
{
	soft_token.typed = "739154";
	assert_int_equal(unlock("typed", "1"), PO_E_PIN);
	assert_int_equal(locked(), 1);
	says("wrong PIN");
	assert_int_equal(soft_token.sent, 1);
	will(200, GRANTED); /* the connection may stand before the key does */
	assert_int_equal(run("token", "typed", NULL), PO_E_PIN);
	says("'p11oauth unlock' unlocks it");
	assert_int_equal(locked(), 1);
	assert_int_equal(soft_token.sent, 1);
	assert_int_equal(unlock("typed", "739154"), PO_OK);
	assert_int_equal(soft_token.sent, 2);
}

TEST(another_pin_than_the_one_that_unlocked_is_not_sent)
{
	soft_token.typed = "739154";
	assert_int_equal(unlock("typed", "739154"), PO_OK);
	assert_int_equal(unlock("typed", "1"), PO_E_PIN);
	says("token 'lab' is unlocked, by another PIN than this one");
	assert_int_equal(soft_token.sent, 1);
	assert_int_equal(unlock("typed", "739154"), PO_OK);
	assert_int_equal(soft_token.sent, 1);
}

TEST(a_pin_that_the_token_does_not_want_is_not_kept)
{
	assert_int_equal(unlock("typed", "1"), PO_OK);
	assert_int_equal(locked(), 0);
	assert_int_equal(unlock("typed", "2"), PO_OK);
}

/* ---- the rest ----------------------------------------------------------- */

TEST(a_set_has_the_public_key)
{
	const json_t *key;

	assert_int_equal(run("jwks", "stored", NULL), PO_OK);
	key = json_array_get(
		json_object_get(json_object_get(answer, "jwks"), "keys"), 0);
	assert_string_equal(json_text(key, "kty"), "EC");
	assert_null(json_object_get(key, "d"));
	assert_int_equal(soft_token.signs, 0);
	assert_int_equal(soft_token.unlocks, 0);
}

TEST(what_the_agent_does_not_have_is_not_done)
{
	assert_int_equal(run("token", "nobody", NULL), PO_E_INTERNAL);
	assert_int_equal(
		run("token", "stored", json_pack("{s:s}", "digest", "other")),
		PO_E_INTERNAL);
	says("another profile than the agent has");
	assert_int_equal(run("dance", "stored", NULL), PO_E_INTERNAL);
	says("no such job");
	assert_int_equal(soft_token.opens, 0);
}
