/* SPDX-License-Identifier: Apache-2.0 */
/* Unlocking and locking: who may, what a PIN opens, what is gone at once. */
#include "agent-bench.h"

#include "base/error_json.h"
#include "cryptoki/pin.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define TYPED "\tpin-from = \"prompt\"\n"
#define CONFIG                                                                \
	BENCH_PROFILE("stored", BENCH_ON("one", "a") BENCH_STORED)            \
	BENCH_PROFILE("typed", BENCH_ON("two", "b") TYPED                     \
		      "\tallow-uid = { \"1\", \"4242\" }\n")                  \
	BENCH_PROFILE("same-key", BENCH_ON("two", "b") TYPED                  \
		      "\tallow-gid = { \"1\", \"2000\" }\n")                  \
	BENCH_PROFILE("same-token", BENCH_ON("two", "c") TYPED)               \
	BENCH_PROFILE("other-token", BENCH_ON("two", "d") TYPED)              \
	BENCH_PROFILE("other-module", BENCH_ON("three", "b") TYPED)           \
	BENCH_PROFILE(                                                        \
		"pinpad",                                                     \
		BENCH_ON("four", "b") "\tpin-from = \"pinpad\"\n\tallow-uid " \
				      "= { \"4242\" }\n")

static void sits_on(const char *profile, const char *label, const char *serial)
{
	struct served *s = bench_profile(profile);

	(void)snprintf(s->token_label, sizeof(s->token_label), "%s", label);
	(void)snprintf(s->token_serial, sizeof(s->token_serial), "%s", serial);
}

BEFORE_EACH
{
	bench_up(CONFIG);
	for (size_t i = 0; i < bench.agent.served.count; i++)
		bench.agent.served.items[i]->is_locked = true;
	sits_on("typed", "card", "1");
	sits_on("same-key", "card", "1");
	sits_on("same-token", "card", "1");
	sits_on("other-token", "card", "2"); /* the same label */
	sits_on("other-module", "card", "1");
}

AFTER_EACH
{
	bench_down();
}

/* The agent's own user. */
static struct server_request *own(const char *path, const char *body)
{
	struct server_request *r = bench_request("POST", path);

	r->peer.uid = r->peer_ids.uid = geteuid();
	r->body = body;
	agent_route(&bench.agent, r);
	return r;
}

static bool is_locked(const char *profile)
{
	return bench_profile(profile)->is_locked;
}

static const struct po_error *ask(const char *profile)
{
	static struct po_error why;
	char path[64];
	struct server_request *r;
	json_auto_t *body = NULL;

	(void)snprintf(path, sizeof(path), "/v1/token/%s", profile);
	r = bench_request("GET", path);
	r->peer.uid = r->peer_ids.uid = 4242;
	agent_route(&bench.agent, r);
	why = (struct po_error){ 0 };
	if (r->answers) {
		body = fake_answer_json(r);
		if (r->status != 200)
			assert_true(error_from_json(
				json_object_get(body, "error"), &why));
	}
	return &why;
}

/* ---- unlock ------------------------------------------------------------- */

TEST(a_pin_goes_to_the_worker_and_nowhere_else)
{
	struct server_request *r =
		own("/v1/unlock", "{\"profile\":\"typed\",\"pin\":\"739154\"}");
	const struct fake_job *job = fake_workers_last();
	json_auto_t *record = NULL;
	char *text;

	assert_int_equal(fake_workers.count, 1);
	assert_string_equal(job->module, bench_profile("typed")->module);
	assert_string_equal(fake_job_text(job, "op"), "unlock");
	assert_string_equal(fake_job_text(job, "profile"), "typed");
	assert_string_equal(fake_job_text(job, "digest"),
			    bench_profile("typed")->digest);
	assert_string_equal(fake_job_text(job, "pin"), "739154");
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(job->message, "peer"), "uid")),
			 geteuid());
	assert_int_equal(job->timeout_ms, 180000);
	assert_int_equal(r->answers, 0);
	assert_true(is_locked("typed"));
	fake_job_answer(fake_workers_last(),
			json_pack("{s:{s:s, s:s}}", "token", "label", "card",
				  "serial", "1"));
	bench_answered(r, 200, "\"profile\":\"typed\"");
	bench_answered(r, 200, "\"label\":\"card\"");
	assert_false(is_locked("typed"));
	assert_int_equal(bench.agent.counts.unlocked, 1);
	record = bench_record();
	assert_string_equal(json_text(record, "event"), "unlock");
	assert_string_equal(json_text(record, "profile"), "typed");
	assert_string_equal(json_text(record, "status"), "ok");
	text = json_dumps(record, 0);
	assert_null(strstr(text, "739154"));
	free(text);
}

TEST(a_pin_opens_the_token_for_all_that_are_on_it)
{
	(void)own("/v1/unlock", "{\"profile\":\"typed\",\"pin\":\"739154\"}");
	fake_job_answer(fake_workers_last(), json_object());
	assert_false(is_locked("typed"));
	assert_false(is_locked("same-key"));
	assert_false(is_locked("same-token"));
	assert_true(is_locked("other-token"));
	assert_true(is_locked("other-module"));
	assert_true(is_locked("pinpad"));
}

TEST(nothing_is_known_of_two_tokens_they_are_not_the_same)
{
	sits_on("same-token", "", "");
	sits_on("typed", "", "");
	(void)own("/v1/unlock", "{\"profile\":\"typed\",\"pin\":\"739154\"}");
	fake_job_answer(fake_workers_last(), json_object());
	assert_false(is_locked("same-key"));
	assert_true(is_locked("same-token"));
}

TEST(a_wrong_pin_unlocks_nothing_and_is_on_record)
{
	struct server_request *r =
		own("/v1/unlock", "{\"profile\":\"typed\",\"pin\":\"000000\"}");
	json_auto_t *record = NULL;

	fake_job_fail(fake_workers_last(), PO_E_PIN, "wrong PIN");
	bench_refused(r, 423, PO_E_PIN, "wrong PIN");
	assert_true(is_locked("typed"));
	assert_int_equal(bench.agent.counts.unlocked, 0);
	record = bench_record();
	assert_string_equal(json_text(record, "status"), "pin");
	assert_int_equal(bench_records(), 1);
}

TEST(unlocking_ends_the_pauses_of_all_on_the_token)
{
	bench_profile("same-token")->is_locked = false;
	bench_profile("other-token")->is_locked = false;
	(void)ask("same-token");
	fake_job_fail(fake_workers_last(), PO_E_PIN, "wrong PIN");
	(void)ask("other-token");
	fake_job_fail(fake_workers_last(), PO_E_PIN, "wrong PIN");
	(void)own("/v1/unlock", "{\"profile\":\"typed\",\"pin\":\"739154\"}");
	fake_job_answer(fake_workers_last(), json_object());
	assert_int_equal(ask("same-token")->status, PO_OK);
	assert_int_equal(ask("other-token")->status, PO_E_PIN);
}

TEST(a_stored_pin_takes_none_from_a_caller)
{
	struct server_request *r = own(
		"/v1/unlock", "{\"profile\":\"stored\",\"pin\":\"739154\"}");

	bench_refused(r, 400, PO_E_USAGE, "none is taken");
	assert_int_equal(fake_workers.count, 0);
	r = own("/v1/unlock", "{\"profile\":\"stored\"}");
	assert_int_equal(r->answers, 0);
	assert_true(json_is_null(
		json_object_get(fake_workers_last()->message, "pin")));
}

TEST(a_profile_that_went_meanwhile_is_not_unlocked)
{
	struct server_request *r =
		own("/v1/unlock", "{\"profile\":\"typed\",\"pin\":\"739154\"}");

	bench_reload(BENCH_PROFILE("lab", BENCH_ON("one", "a") BENCH_STORED));
	fake_job_answer(fake_workers_last(), json_object());
	bench_answered(r, 200, "typed");
	assert_int_equal(bench_records(), 0);
}

TEST(a_worker_that_cannot_be_had_is_said)
{
	fake_workers.refuses = PO_E_DEVICE;
	bench_refused(
		own("/v1/unlock", "{\"profile\":\"typed\",\"pin\":\"1\"}"), 503,
		PO_E_DEVICE, "no worker");
}

/* ---- bodies ------------------------------------------------------------- */

struct body_row {
	const char *name, *path, *body, *text;
	unsigned int status;
};
#define UNLOCK "/v1/unlock"
#define LOCK "/v1/lock"
static const struct body_row body_rows[] = {
	{ "body: none", UNLOCK, NULL, "names no profile", 400 },
	{ "body: empty", UNLOCK, "", "names no profile", 400 },
	{ "body: an empty object", UNLOCK, "{}", "names no profile", 400 },
	{ "body: not JSON", UNLOCK, "x", "the body", 400 },
	{ "body: a list", UNLOCK, "[]", "the body", 400 },
	{ "body: cut", UNLOCK, "{\"profile\":\"typed\"", "the body", 400 },
	{ "body: a number for a name", UNLOCK, "{\"profile\":7}", "'profile'",
	  400 },
	{ "body: null for a name", UNLOCK, "{\"profile\":null}", "'profile'",
	  400 },
	{ "body: a number for a PIN", UNLOCK,
	  "{\"profile\":\"typed\",\"pin\":7}", "'pin'", 400 },
	{ "body: a PIN alone", UNLOCK, "{\"pin\":\"1234\"}", "names no profile",
	  400 },
	{ "body: an empty PIN", UNLOCK, "{\"profile\":\"typed\",\"pin\":\"\"}",
	  "1 to 255 bytes", 400 },
	{ "body: another member", UNLOCK,
	  "{\"profile\":\"typed\",\"pin\":\"1\",\"x\":\"y\"}", "'x'", 400 },
	{ "body: a name twice", UNLOCK,
	  "{\"profile\":\"typed\",\"profile\":\"typed\"}", "the body", 400 },
	{ "body: an unknown profile", UNLOCK, "{\"profile\":\"none\"}",
	  "stored, typed, same-key", 404 },
	{ "lock: another member", LOCK, "{\"x\":\"y\"}", "'x'", 400 },
	{ "lock: a PIN", LOCK, "{\"profile\":\"typed\",\"pin\":\"1\"}", "'pin'",
	  400 },
	{ "lock: not JSON", LOCK, "x", "the body", 400 },
	{ "lock: an unknown profile", LOCK, "{\"profile\":\"none\"}",
	  "stored, typed, same-key", 404 },
};

ROWS(body_rows, a_bad_body_is_said_and_nothing_is_done)
{
	bench_refused(own(row->path, row->body), row->status,
		      row->status == 404 ? PO_E_CONFIG : PO_E_USAGE, row->text);
	assert_int_equal(fake_workers.count, 0);
	assert_int_equal(fake_workers.retired, 0);
}

TEST(a_pin_has_a_maximum)
{
	char body[PIN_MAX + 64], pin[PIN_MAX + 2];

	memset(pin, '1', PIN_MAX);
	pin[PIN_MAX] = '\0';
	(void)snprintf(body, sizeof(body),
		       "{\"profile\":\"typed\",\"pin\":\"%s\"}", pin);
	assert_int_equal(own("/v1/unlock", body)->answers, 0);
	pin[PIN_MAX] = '1';
	pin[PIN_MAX + 1] = '\0';
	(void)snprintf(body, sizeof(body),
		       "{\"profile\":\"typed\",\"pin\":\"%s\"}", pin);
	bench_refused(own("/v1/unlock", body), 400, PO_E_USAGE, "255 bytes");
}

/* ---- who may ------------------------------------------------------------ */

struct right_row {
	const char *name, *profile;
	uid_t uid;
	gid_t gid;
	bool may;
};
static const struct right_row right_rows[] = {
	{ "right: root", "other-token", 0, 1, true },
	{ "right: named by uid", "typed", 4242, 100, true },
	{ "right: another uid", "typed", 1001, 100, false },
	{ "right: named by the second gid", "same-key", 1001, 2000, true },
	{ "right: another gid", "same-key", 1001, 2001, false },
	{ "right: no list is nobody else", "same-token", 4242, 100, false },
};

ROWS(right_rows, the_right_to_ask_is_not_the_right_to_unlock)
{
	static const char *const paths[] = { UNLOCK, LOCK };
	char body[64];

	(void)snprintf(body, sizeof(body), "{\"profile\":\"%s\"}",
		       row->profile);
	for (size_t i = 0; i < PO_ARRAY_SIZE(paths); i++) {
		struct server_request *r = bench_request("POST", paths[i]);

		r->peer.uid = r->peer_ids.uid = row->uid;
		r->peer_ids.gids[0] = 3;
		r->peer_ids.gids[1] = row->gid;
		r->body = body;
		agent_route(&bench.agent, r);
		if (row->may) {
			assert_int_not_equal(r->status, 403);
			continue;
		}
		bench_refused(r, 403, PO_E_POLICY, i ? "lock" : "unlock");
		assert_int_equal(bench.agent.counts.refused, i + 1);
		assert_int_equal(bench_records(), i + 1);
		assert_false(bench_profile(row->profile)->is_held);
	}
}

/* ---- lock --------------------------------------------------------------- */

static void keep_one(const char *profile)
{
	bench_profile(profile)->is_locked = false;
	(void)ask(profile);
	fake_job_answer(fake_workers_last(), bench_token("kept", 300));
	assert_int_equal(ask(profile)->status, PO_OK);
}

TEST(locking_takes_the_access_token_away_at_once)
{
	struct server_request *r;

	keep_one("typed");
	keep_one("other-module");
	bench.changes = 0;
	r = own(LOCK, "{\"profile\":\"typed\"}");
	bench_answered(r, 200, "{\"locked\":[\"typed\"]}\n");
	assert_int_equal(bench.changes, 1);
	assert_string_equal(bench.changed_value, "");
	assert_int_equal(fake_workers.retired, 1);
	assert_string_equal(fake_workers.retired_module,
			    bench_profile("typed")->module);
	assert_int_equal(ask("typed")->status, PO_E_PIN);
	assert_int_equal(ask("other-module")->status, PO_OK);
}

TEST(locking_is_on_record)
{
	json_auto_t *record = NULL;

	(void)own(LOCK, "{\"profile\":\"typed\"}");
	record = bench_record();
	assert_string_equal(json_text(record, "event"), "lock");
	assert_string_equal(json_text(record, "profile"), "typed");
}

TEST(locking_one_takes_the_pin_of_all_on_the_token)
{
	for (size_t i = 0; i < bench.agent.served.count; i++)
		bench.agent.served.items[i]->is_locked = false;
	(void)own(LOCK, "{\"profile\":\"typed\"}");
	assert_true(bench_profile("typed")->is_held);
	assert_true(is_locked("same-key"));
	assert_true(is_locked("same-token"));
	assert_false(bench_profile("same-token")->is_held);
	assert_false(is_locked("other-token"));
	assert_false(is_locked("other-module"));
	assert_false(is_locked("stored"));
}

TEST(locking_without_a_name_locks_all_of_them)
{
	struct server_request *r = own(LOCK, NULL);

	bench_answered(r, 200, "\"stored\",\"typed\",\"same-key\"");
	for (size_t i = 0; i < bench.agent.served.count; i++)
		assert_true(bench.agent.served.items[i]->is_held);
	assert_int_equal(fake_workers.retired, bench.agent.served.count);
	assert_int_equal(bench_records(), bench.agent.served.count);
}

TEST(who_may_not_lock_one_of_them_locks_none)
{
	struct server_request *r = bench_post(LOCK, NULL);

	bench_refused(r, 403, PO_E_POLICY, "may not lock profile 'stored'");
	for (size_t i = 0; i < bench.agent.served.count; i++)
		assert_false(bench.agent.served.items[i]->is_held);
	assert_int_equal(fake_workers.retired, 0);
}

TEST(a_stored_pin_is_held_until_somebody_unlocks)
{
	(void)own(LOCK, "{\"profile\":\"stored\"}");
	assert_int_equal(ask("stored")->status, PO_E_PIN);
	(void)own(UNLOCK, "{\"profile\":\"stored\"}");
	assert_int_equal(ask("stored")->status, PO_E_PIN); /* not yet */
	fake_job_answer(fake_workers_last(), json_object());
	assert_int_equal(ask("stored")->status, PO_OK);
}

TEST(unlocking_another_on_the_token_does_not_end_a_hold)
{
	(void)own(LOCK, "{\"profile\":\"typed\"}");
	(void)own(UNLOCK, "{\"profile\":\"same-key\",\"pin\":\"739154\"}");
	fake_job_answer(fake_workers_last(), json_object());
	assert_true(bench_profile("typed")->is_held);
	assert_int_equal(ask("typed")->status, PO_E_PIN);
}

TEST(a_hold_outlives_another_configuration)
{
	(void)own(LOCK, "{\"profile\":\"stored\"}");
	bench_reload(CONFIG);
	assert_true(bench_profile("stored")->is_held);
	assert_false(bench_profile("typed")->is_held);
	assert_int_equal(ask("stored")->status, PO_E_PIN);
}

TEST(a_hold_does_not_outlive_another_profile_of_its_name)
{
	(void)own(LOCK, "{\"profile\":\"stored\"}");
	bench_reload(
		BENCH_PROFILE("stored", BENCH_ON("one", "z") BENCH_STORED));
	assert_false(bench_profile("stored")->is_held);
	assert_int_equal(ask("stored")->status, PO_OK);
}
