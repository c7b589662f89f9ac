/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says of itself: status, profiles, metrics; and how it
 * looks. */
#include "agent-bench.h"

#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DAY_S INT64_C(86400)
#define TYPED "\tpin-from = \"prompt\"\n"
#define CONFIG                                                  \
	BENCH_PROFILE("lab", BENCH_ON("one", "a") BENCH_STORED) \
	BENCH_PROFILE("twin", BENCH_ON("one", "a") BENCH_STORED \
		      "\tallow-uid = { \"1\" }\n")              \
	BENCH_PROFILE("typed", BENCH_ON("two", "b") TYPED)      \
	BENCH_PROFILE("pinpad",                                 \
		      BENCH_ON("two", "c") "\tpin-from = \"pinpad\"\n")

BEFORE_EACH
{
	bench_up(CONFIG);
}

AFTER_EACH
{
	bench_down();
}

static json_t *look_answer(const char *label, int64_t left_s)
{
	return json_pack("{s:{s:s, s:s}, s:{s:s, s:I}, s:b}", "token", "label",
			 label, "serial", "0001", "certificate", "subject",
			 "CN=lab", "not_after",
			 (json_int_t)(BENCH_NOW_S + left_s), "locked", 0);
}

static const json_t *profile_in(const json_t *status, const char *name)
{
	const json_t *list = json_object_get(status, "profiles");

	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(json_text(json_array_get(list, i), "name"), name) ==
		    0)
			return json_array_get(list, i);
	fail_msg("no profile '%s'", name);
	return NULL;
}

static json_int_t number(const json_t *object, const char *name)
{
	const json_t *n = json_object_get(object, name);

	assert_true(json_is_integer(n));
	return json_integer_value(n);
}

static bool is_true(const json_t *object, const char *name)
{
	const json_t *b = json_object_get(object, name);

	assert_true(json_is_boolean(b));
	return json_is_true(b);
}

/* ---- the status waits for those that look ------------------------------- */

TEST(each_key_is_looked_at_once_and_then_it_is_answered)
{
	struct server_request *r = bench_get("/v1/status");
	json_auto_t *status = NULL;

	/* lab and twin have one key */
	assert_int_equal(fake_workers.count, 3);
	for (size_t i = 0; i < 3; i++) {
		const struct fake_job *job = &fake_workers.jobs[i];

		assert_string_equal(fake_job_text(job, "op"), "look");
		assert_int_equal(job->timeout_ms, 120000);
	}
	assert_string_equal(fake_job_text(&fake_workers.jobs[0], "profile"),
			    "lab");
	assert_string_equal(fake_job_text(&fake_workers.jobs[0], "digest"),
			    bench_profile("lab")->digest);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(r->answers, 0);
		fake_job_answer(&fake_workers.jobs[i],
				look_answer("card", 10 * DAY_S));
	}
	assert_int_equal(r->answers, 1);
	assert_int_equal(r->status, 200);
	status = fake_answer_json(r);
	assert_string_equal(
		json_text(json_object_get(profile_in(status, "twin"), "token"),
			  "label"),
		"card");
	assert_null(bench.agent.status_calls);
}

TEST(patience_ends_after_a_second_and_a_half)
{
	struct server_request *r = bench_get("/v1/status");

	assert_int_equal(agent_status_next_ms(&bench.agent),
			 clock_boottime_ms(bench.env.clock) + 1500);
	fake_job_answer(&fake_workers.jobs[0], look_answer("card", DAY_S));
	bench_advance(1499);
	assert_int_equal(r->answers, 0);
	bench_advance(1);
	assert_int_equal(r->answers, 1);
	assert_int_equal(agent_status_next_ms(&bench.agent), INT64_MAX);
	bench_advance(5000); /* once */
	/* those that look go on, and what they see counts for the next */
	fake_job_answer(&fake_workers.jobs[1], look_answer("other", DAY_S));
	fake_job_fail(&fake_workers.jobs[2], PO_E_TOKEN, "no token");
	assert_null(bench.agent.status_calls);
	assert_int_equal(bench_profile("typed")->token_state, TOKEN_PRESENT);
	assert_int_equal(bench_profile("pinpad")->token_state, TOKEN_ABSENT);
}

TEST(two_may_ask_at_once)
{
	struct server_request *first = bench_get("/v1/status"), *second;

	fake_clock_advance(&bench.clock, 1000);
	second = bench_get("/v1/status");
	assert_int_equal(fake_workers.count, 6);
	assert_int_equal(agent_status_next_ms(&bench.agent),
			 clock_boottime_ms(bench.env.clock) + 500);
	for (size_t i = 3; i < 6; i++)
		fake_job_answer(&fake_workers.jobs[i], look_answer("x", 1));
	assert_int_equal(second->answers, 1);
	assert_int_equal(first->answers, 0);
	bench_advance(500);
	assert_int_equal(first->answers, 1);
	for (size_t i = 0; i < 3; i++)
		fake_job_answer(&fake_workers.jobs[i], look_answer("x", 1));
	assert_null(bench.agent.status_calls);
}

TEST(a_busy_worker_is_not_waited_for)
{
	struct server_request *r;

	fake_workers.is_busy = true;
	r = bench_get("/v1/status");
	assert_int_equal(fake_workers.count, 0);
	assert_int_equal(r->answers, 1);
	assert_null(bench.agent.status_calls);
}

TEST(without_workers_it_is_answered_at_once)
{
	fake_workers.refuses = PO_E_DEVICE;
	assert_int_equal(bench_get("/v1/status")->answers, 1);
}

TEST(sixteen_keys_are_looked_at)
{
	static char config[16384];
	size_t len = 0;

	for (int i = 0; i < 20; i++) {
		int n = snprintf(config + len, sizeof(config) - len,
				 "profile p%d {\n\tclient-id = \"x\"\n"
				 "\ttoken-endpoint = \"https://as.example/\"\n"
				 "\tscope = \"s\"\n\tmodule = \"/lib/m.so\"\n"
				 "\tkey = \"pkcs11:object=k%d\"\n}\n",
				 i, i);

		assert_true(n > 0);
		len += (size_t)n;
	}
	bench_reload(config);
	(void)bench_get("/v1/status");
	assert_int_equal(fake_workers.count, 16);
	for (size_t i = 0; i < 16; i++)
		fake_job_fail(&fake_workers.jobs[i], PO_E_TOKEN, "none");
}

/* ---- what it says ------------------------------------------------------- */

static json_t *status_now(void)
{
	struct server_request *r;

	fake_workers.is_busy = true;
	r = bench_get("/v1/status");
	fake_workers.is_busy = false;
	return fake_answer_json(r);
}

TEST(the_status_has_all_of_it)
{
	json_auto_t *status = NULL;
	const json_t *lab, *token, *certificate;

	agent_look(&bench.agent, bench_profile("lab"), NULL, NULL);
	fake_job_answer(fake_workers_last(),
			look_answer("card", 9 * DAY_S + 1));
	fake_clock_advance(&bench.clock, 61999);
	bench.agent.landlock_abi = 5;
	status = status_now();
	assert_int_equal(number(status, "pid"), getpid());
	assert_int_equal(number(status, "uptime_s"), 61);
	assert_int_equal(number(status, "landlock"), 5);
	assert_non_null(json_text(status, "version"));
	lab = profile_in(status, "lab");
	assert_true(is_true(lab, "allowed"));
	assert_false(is_true(lab, "locked"));
	assert_string_equal(json_text(lab, "pin_source"), "stored");
	token = json_object_get(lab, "token");
	assert_string_equal(json_text(token, "label"), "card");
	assert_string_equal(json_text(token, "serial"), "0001");
	assert_string_equal(json_text(token, "state"), "present");
	certificate = json_object_get(lab, "certificate");
	assert_string_equal(json_text(certificate, "subject"), "CN=lab");
	assert_int_equal(number(certificate, "not_after"),
			 BENCH_NOW_S + 9 * DAY_S + 1);
	assert_int_equal(number(certificate, "days_left"), 8);
	assert_int_equal(number(certificate, "warning"), 14);
	assert_false(is_true(profile_in(status, "twin"), "allowed"));
	assert_string_equal(
		json_text(profile_in(status, "typed"), "pin_source"), "prompt");
	assert_string_equal(
		json_text(profile_in(status, "pinpad"), "pin_source"),
		"pinpad");
	assert_true(json_is_null(
		json_object_get(profile_in(status, "typed"), "certificate")));
	assert_string_equal(
		json_text(json_object_get(profile_in(status, "typed"), "token"),
			  "state"),
		"unknown");
}

struct certificate_row {
	const char *name;
	int64_t left_s;
	int days_left, warning; /* -1: null */
};
static const struct certificate_row certificate_rows[] = {
	{ "certificate: 31 days", 31 * DAY_S, 31, -1 },
	{ "certificate: 30 days", 30 * DAY_S, 30, 30 },
	{ "certificate: a second less than 8 days", 8 * DAY_S - 1, 7, 14 },
	{ "certificate: an hour", 3600, 0, 1 },
	{ "certificate: it has ended", -3 * DAY_S, 0, 0 },
};

ROWS(certificate_rows, days_left_are_whole_and_not_below_none)
{
	json_auto_t *status = NULL;
	const json_t *certificate, *warning;

	agent_look(&bench.agent, bench_profile("lab"), NULL, NULL);
	fake_job_answer(fake_workers_last(), look_answer("card", row->left_s));
	status = status_now();
	certificate = json_object_get(profile_in(status, "lab"), "certificate");
	assert_int_equal(number(certificate, "days_left"), row->days_left);
	warning = json_object_get(certificate, "warning");
	assert_int_equal(json_is_null(warning) ? -1
					       : json_integer_value(warning),
			 row->warning);
}

struct state_row {
	const char *name;
	enum token_state state;
	const char *want;
};
static const struct state_row state_rows[] = {
	{ "state: unknown", TOKEN_UNKNOWN, "unknown" },
	{ "state: present", TOKEN_PRESENT, "present" },
	{ "state: absent", TOKEN_ABSENT, "absent" },
	{ "state: failed", TOKEN_FAILED, "failed" },
};

ROWS(state_rows, each_state_of_a_token_has_its_word)
{
	json_auto_t *status = NULL;

	bench_profile("lab")->token_state = row->state;
	status = status_now();
	assert_string_equal(
		json_text(json_object_get(profile_in(status, "lab"), "token"),
			  "state"),
		row->want);
}

TEST(the_ledgers_head_is_there_as_soon_as_it_has_one)
{
	json_auto_t *before = status_now(), *after = NULL;
	const json_t *ledger;

	assert_true(json_is_null(json_object_get(before, "ledger")) ||
		    number(json_object_get(before, "ledger"), "seq") == 0);
	assert_int_equal(agent_record(&bench.agent, "lock",
				      bench_profile("lab"), NULL, json_object(),
				      NULL),
			 PO_OK);
	after = status_now();
	ledger = json_object_get(after, "ledger");
	assert_int_equal(number(ledger, "seq"), 1);
	assert_int_equal(strlen(json_text(ledger, "hash")), 64);
	assert_non_null(strstr(json_text(ledger, "path"), "audit.jsonl"));
}

TEST(held_and_missing_are_both_locked)
{
	json_auto_t *status = NULL;

	bench_profile("lab")->is_held = true;
	bench_profile("typed")->is_locked = true;
	status = status_now();
	assert_true(is_true(profile_in(status, "lab"), "locked"));
	assert_true(is_true(profile_in(status, "typed"), "locked"));
	assert_false(is_true(profile_in(status, "twin"), "locked"));
}

TEST(no_access_token_is_in_it)
{
	struct server_request *r;
	json_auto_t *status = NULL;
	const json_t *kept;

	(void)bench_get("/v1/token/lab");
	fake_job_answer(fake_workers_last(), bench_token("canary", 300));
	status = status_now();
	kept = json_object_get(profile_in(status, "lab"), "access_tokens");
	assert_int_equal(json_array_size(kept), 1);
	assert_int_equal(number(json_array_get(kept, 0), "expires_in"), 300);
	r = bench_get("/metrics");
	assert_null(strstr(fake_answer_text(r), "canary"));
	fake_workers.is_busy = true;
	r = bench_get("/v1/status");
	assert_null(strstr(fake_answer_text(r), "canary"));
}

/* ---- profiles ----------------------------------------------------------- */

TEST(the_profiles_are_listed_in_their_order)
{
	json_auto_t *body = NULL;
	const json_t *first, *second;

	bench_profile("twin")->is_held = true;
	body = fake_answer_json(bench_get("/v1/profiles"));
	assert_int_equal(json_array_size(json_object_get(body, "profiles")), 4);
	first = json_array_get(json_object_get(body, "profiles"), 0);
	second = json_array_get(json_object_get(body, "profiles"), 1);
	assert_string_equal(json_text(first, "name"), "lab");
	assert_string_equal(json_text(first, "client_id"), "backend");
	assert_string_equal(json_text(first, "token_endpoint"),
			    "https://as.example/token");
	assert_string_equal(json_text(first, "scope"), "system/*.read");
	assert_true(is_true(first, "allowed"));
	assert_false(is_true(first, "locked"));
	assert_string_equal(json_text(second, "name"), "twin");
	assert_false(is_true(second, "allowed"));
	assert_true(is_true(second, "locked"));
	assert_int_equal(json_object_size(first), 6);
}

/* ---- metrics ------------------------------------------------------------ */

static void has_line(const char *line)
{
	struct server_request *r = bench_get("/metrics");
	char wanted[256];

	(void)snprintf(wanted, sizeof(wanted), "\n%s\n", line);
	assert_string_equal(r->type, "text/plain; version=0.0.4");
	if (!strstr(fake_answer_text(r), wanted))
		fail_msg("no '%s' in\n%s", line, fake_answer_text(r));
}

static void hasnt(const char *text)
{
	assert_null(strstr(fake_answer_text(bench_get("/metrics")), text));
}

TEST(the_counters_count)
{
	fake_clock_advance(&bench.clock, 12345);
	has_line("p11oauth_uptime_seconds 12");
	has_line("p11oauth_requests_total 2"); /* this one is the second */
	has_line("p11oauth_refused_total 0");
	(void)bench_get("/v1/token/twin");
	has_line("p11oauth_refused_total 1");
	(void)bench_get("/v1/token/lab");
	has_line("p11oauth_waiting_requests 1");
	has_line("p11oauth_access_tokens 0");
	fake_job_answer(fake_workers_last(), bench_token("x", 300));
	has_line("p11oauth_waiting_requests 0");
	has_line("p11oauth_access_tokens 1");
	has_line("p11oauth_access_tokens_minted_total 1");
	has_line("p11oauth_access_tokens_cached_total 0");
	(void)bench_get("/v1/token/lab");
	(void)bench_get("/v1/token/lab");
	has_line("p11oauth_access_tokens_cached_total 2");
	has_line("p11oauth_access_tokens_failed_total 0");
	(void)bench_get("/v1/token/typed");
	fake_job_fail(fake_workers_last(), PO_E_SERVER, "503");
	has_line("p11oauth_access_tokens_failed_total 1");
	has_line("p11oauth_failures{profile=\"typed\"} 1");
	has_line("p11oauth_failures{profile=\"lab\"} 0");
	has_line("p11oauth_unlocks_total 0");
	bench.agent.counts.unlocked = 3;
	has_line("p11oauth_unlocks_total 3");
}

TEST(a_gauge_is_of_its_profile_and_not_there_when_nothing_is_known)
{
	hasnt("certificate_not_after_seconds{");
	hasnt("token_present{");
	hasnt("access_token_expires_in_seconds{");
	has_line("p11oauth_locked{profile=\"lab\"} 0");
	agent_look(&bench.agent, bench_profile("typed"), NULL, NULL);
	fake_job_answer(fake_workers_last(), look_answer("card", 5 * DAY_S));
	bench_profile("pinpad")->token_state = TOKEN_ABSENT;
	bench_profile("pinpad")->is_locked = true;
	has_line("p11oauth_certificate_not_after_seconds{profile=\"typed\"} "
		 "1800432000");
	has_line("p11oauth_token_present{profile=\"typed\"} 1");
	has_line("p11oauth_token_present{profile=\"pinpad\"} 0");
	has_line("p11oauth_locked{profile=\"pinpad\"} 1");
	bench_profile("lab")->is_held = true; /* by a person */
	has_line("p11oauth_locked{profile=\"lab\"} 1");
	bench_profile("lab")->is_held = false;
	/* one that is there and does not work is no reason to look for it */
	bench_profile("pinpad")->token_state = TOKEN_FAILED;
	has_line("p11oauth_token_present{profile=\"pinpad\"} 0");
	(void)bench_get("/v1/token/lab");
	fake_job_answer(fake_workers_last(), bench_token("x", 300));
	fake_clock_advance(&bench.clock, 100500);
	has_line("p11oauth_access_token_expires_in_seconds{profile=\"lab\"} "
		 "199");
}

TEST(each_metric_has_its_help_and_type_before_it)
{
	const char *text = fake_answer_text(bench_get("/metrics"));
	char copy[16384], wanted[128];
	unsigned int values = 0;
	char *line, *rest = copy;

	assert_true(strlen(text) < sizeof(copy));
	memcpy(copy, text, strlen(text) + 1);
	while ((line = strsep(&rest, "\n"))) {
		size_t name_len = strcspn(line, "{ ");

		if (!*line || line[0] == '#')
			continue;
		values++;
		(void)snprintf(wanted, sizeof(wanted), "# TYPE %.*s ",
			       (int)name_len, line);
		assert_non_null(strstr(text, wanted));
		assert_true(strstr(text, wanted) < strstr(text, line));
	}
	assert_true(values > 10);
}

/* ---- looking, when nobody asks ------------------------------------------ */

TEST(all_are_looked_at_now_and_every_hour)
{
	agent_look_handle(&bench.agent);
	assert_int_equal(fake_workers.count, 4);
	agent_look_handle(&bench.agent);
	fake_clock_advance(&bench.clock, 3600 * 1000 - 1);
	agent_look_handle(&bench.agent);
	assert_int_equal(fake_workers.count, 4);
	fake_clock_advance(&bench.clock, 1);
	agent_look_handle(&bench.agent);
	assert_int_equal(fake_workers.count, 8);
	for (size_t i = 0; i < 8; i++)
		fake_job_fail(&fake_workers.jobs[i], PO_E_TOKEN, "none");
}

TEST(what_is_seen_of_a_key_is_known_of_all_that_have_it)
{
	agent_look(&bench.agent, bench_profile("lab"), NULL, NULL);
	fake_job_answer(fake_workers_last(), look_answer("card", DAY_S));
	assert_string_equal(bench_profile("twin")->subject, "CN=lab");
	assert_string_equal(bench_profile("twin")->token_label, "card");
	assert_int_equal(bench_profile("typed")->token_state, TOKEN_UNKNOWN);
	agent_look(&bench.agent, bench_profile("twin"), NULL, NULL);
	fake_job_fail(fake_workers_last(), PO_E_TOKEN, "pulled");
	assert_int_equal(bench_profile("lab")->token_state, TOKEN_ABSENT);
}

TEST(one_key_that_goes_and_comes_back_is_not_the_others)
{
	agent_look(&bench.agent, bench_profile("lab"), NULL, NULL);
	fake_job_answer(fake_workers_last(), look_answer("card", DAY_S));
	agent_look(&bench.agent, bench_profile("typed"), NULL, NULL);
	fake_job_answer(fake_workers_last(), look_answer("other", DAY_S));
	agent_look(&bench.agent, bench_profile("lab"), NULL, NULL);
	fake_job_fail(fake_workers_last(), PO_E_TOKEN, "pulled");
	assert_int_equal(bench_profile("lab")->token_state, TOKEN_ABSENT);
	assert_int_equal(bench_profile("typed")->token_state, TOKEN_PRESENT);
	agent_look(&bench.agent, bench_profile("lab"), NULL, NULL);
	fake_job_answer(fake_workers_last(), look_answer("card", DAY_S));
	assert_int_equal(bench_profile("lab")->token_state, TOKEN_PRESENT);
}

TEST(a_look_at_a_profile_that_is_gone_harms_nothing)
{
	agent_look(&bench.agent, bench_profile("typed"), NULL, NULL);
	bench_reload(BENCH_PROFILE("lab", BENCH_ON("one", "a") BENCH_STORED));
	fake_job_answer(fake_workers_last(), look_answer("card", DAY_S));
	assert_int_equal(bench_profile("lab")->token_state, TOKEN_UNKNOWN);
}
