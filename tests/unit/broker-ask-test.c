/* SPDX-License-Identifier: Apache-2.0 */
/* Who asks the broker gets what: shared, kept, new, or a reason. */
#include "broker-asked.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define CONFIG                                                      \
	BENCH_PROFILE("lab", BENCH_ON("one", "a") BENCH_STORED)     \
	BENCH_PROFILE("twin", BENCH_ON("one", "a") BENCH_STORED)    \
	BENCH_PROFILE("typed", BENCH_ON("two", "b") "\tpin-from = " \
						    "\"prompt\"\n")

static struct asked asked[80];

BEFORE_EACH
{
	bench_up(CONFIG);
}

AFTER_EACH
{
	bench_down();
}

/* ---- one signature for many --------------------------------------------- */

TEST(a_first_caller_makes_one_job_that_says_who_and_what)
{
	const struct served *s = bench_profile("lab");
	const struct fake_job *job;
	const json_t *who;

	ask("lab", &asked[0], .scope = "system/Patient.read");
	assert_int_equal(fake_workers.count, 1);
	job = fake_workers_last();
	assert_string_equal(job->module, s->module);
	assert_string_equal(fake_job_text(job, "op"), "token");
	assert_string_equal(fake_job_text(job, "profile"), "lab");
	assert_string_equal(fake_job_text(job, "digest"), s->digest);
	assert_string_equal(fake_job_text(job, "scope"), "system/Patient.read");
	who = json_object_get(job->message, "peer");
	assert_int_equal(json_integer_value(json_object_get(who, "uid")), 4242);
	assert_int_equal(json_integer_value(json_object_get(who, "pid")), 4711);
	assert_int_equal(asked[0].answers, 0);
	assert_int_equal(counts().waiting, 1);
	give("first", 300);
	got(&asked[0], "first");
	assert_int_equal(counts().waiting, 0);
	assert_int_equal(counts().minted, 1);
	assert_int_equal(counts().kept, 1);
	assert_int_equal(counts().from_cache, 0);
}

TEST(the_profiles_own_scope_is_none_in_the_job)
{
	ask("lab", &asked[0]);
	assert_true(json_is_null(
		json_object_get(fake_workers_last()->message, "scope")));
}

TEST(many_callers_share_one_job)
{
	for (int i = 0; i < 20; i++)
		ask("lab", &asked[i]);
	assert_int_equal(fake_workers.count, 1);
	assert_int_equal(counts().waiting, 20);
	give("shared", 300);
	for (int i = 0; i < 20; i++)
		got(&asked[i], "shared");
	ask("lab", &asked[20]);
	got(&asked[20], "shared");
	assert_int_equal(fake_workers.count, 1);
	assert_int_equal(counts().from_cache, 1);
	assert_int_equal(counts().minted, 1);
}

TEST(one_failure_is_everybodys)
{
	for (int i = 0; i < 3; i++)
		ask("lab", &asked[i]);
	fake_job_fail(fake_workers_last(), PO_E_REFUSED, "invalid_client");
	for (int i = 0; i < 3; i++) {
		failed(&asked[i], PO_E_REFUSED, "invalid_client");
		assert_true(asked[i].retry_ms >
			    clock_boottime_ms(bench.env.clock));
	}
	assert_int_equal(counts().failed, 1);
	assert_int_equal(counts().minted, 0);
	assert_int_equal(fake_workers.count, 1);
}

/* ---- what is one access token ------------------------------------------- */

TEST(another_scope_is_another_access_token)
{
	ask("lab", &asked[0]);
	ask("lab", &asked[1], .scope = "a");
	ask("lab", &asked[2], .scope = "b");
	ask("lab", &asked[3], .scope = "a");
	assert_int_equal(fake_workers.count, 3);
	fake_job_answer(&fake_workers.jobs[1], bench_token("of-a", 300));
	fake_job_answer(&fake_workers.jobs[2], bench_token("of-b", 300));
	fake_job_answer(&fake_workers.jobs[0], bench_token("own", 300));
	got(&asked[0], "own");
	got(&asked[1], "of-a");
	got(&asked[2], "of-b");
	got(&asked[3], "of-a");
	ask("lab", &asked[4], .scope = "b");
	got(&asked[4], "of-b");
	assert_int_equal(counts().kept, 3);
}

TEST(the_profiles_own_scope_alone_is_news)
{
	ask("lab", &asked[0], .scope = "a");
	give("of-a", 300);
	assert_int_equal(bench.changes, 0);
	ask("lab", &asked[1]);
	give("own", 300);
	assert_int_equal(bench.changes, 1);
	assert_string_equal(bench.changed_profile, "lab");
	assert_string_equal(bench.changed_value, "own");
}

TEST(profiles_share_nothing_whatever_their_settings)
{
	ask("lab", &asked[0]);
	give("of-lab", 300);
	ask("twin", &asked[1]);
	assert_int_equal(asked[1].answers, 0);
	assert_int_equal(fake_workers.count, 2);
}

TEST(scopes_have_a_maximum)
{
	char scope[16];

	for (int i = 0; i < BROKER_SCOPES_MAX; i++) {
		(void)snprintf(scope, sizeof(scope), "s%d", i);
		ask("lab", &asked[i], .scope = scope);
		assert_int_equal(asked[i].answers, 0);
	}
	ask("lab", &asked[70], .scope = "one-more");
	failed(&asked[70], PO_E_POLICY, "more than 64 different scopes");
	ask("lab", &asked[71], .scope = "s63"); /* not a new one */
	assert_int_equal(asked[71].answers, 0);
	ask("typed", &asked[72]); /* each profile has its own share */
	assert_int_equal(asked[72].answers, 0);
	assert_int_equal(fake_workers.count, BROKER_SCOPES_MAX + 1);
}

TEST(a_scope_that_has_ended_makes_room)
{
	char scope[16];

	for (int i = 0; i < BROKER_SCOPES_MAX; i++) {
		(void)snprintf(scope, sizeof(scope), "s%d", i);
		ask("lab", &asked[i], .scope = scope);
		give("short", i == 5 ? 10 : 1000);
	}
	ask("lab", &asked[70], .scope = "one-more");
	failed(&asked[70], PO_E_POLICY, "scopes");
	fake_clock_advance(&bench.clock, 10000);
	fake_workers.refuses = PO_E_DEVICE; /* no renewals here */
	broker_handle(bench.agent.broker);
	fake_workers.refuses = PO_OK;
	assert_int_equal(counts().kept, BROKER_SCOPES_MAX - 1);
}

/* ---- how long it must live ---------------------------------------------- */

struct min_valid_row {
	const char *name;
	int64_t gone_ms, min_valid_s;
	bool is_kept_one;
};
/* of one that lives 100 s */
static const struct min_valid_row min_valid_rows[] = {
	{ "min_valid: none is asked", 98000, 0, true },
	{ "min_valid: a second and a quarter is too short to use", 98750, 0,
	  false },
	{ "min_valid: a millisecond more is not", 98749, 0, true },
	{ "min_valid: one second is less than what is usable", 98749, 1, true },
	{ "min_valid: less than what is left", 40000, 59, true },
	{ "min_valid: just what is left is not longer", 40000, 60, false },
	{ "min_valid: a millisecond longer", 39999, 60, true },
};

ROWS(min_valid_rows, an_access_token_lives_as_long_as_is_asked)
{
	ask("lab", &asked[0]);
	give("kept", 100);
	fake_clock_advance(&bench.clock, row->gone_ms);
	ask("lab", &asked[1], .min_valid_s = row->min_valid_s);
	if (row->is_kept_one) {
		got(&asked[1], "kept");
		assert_int_equal(fake_workers.count, 1);
		return;
	}
	assert_int_equal(asked[1].answers, 0);
	assert_int_equal(fake_workers.count, 2);
	give("longer", 100);
	got(&asked[1], "longer");
}

TEST(what_servers_do_not_give_is_not_asked_for_again)
{
	ask("lab", &asked[0], .min_valid_s = 300);
	give("short", 300);
	failed(&asked[0], PO_E_USAGE, "live 300 s; min_valid must be less");
	ask("lab", &asked[1], .min_valid_s = 300);
	failed(&asked[1], PO_E_USAGE, "live 300 s");
	assert_int_equal(fake_workers.count, 1);
	ask("lab", &asked[2], .min_valid_s = 299); /* what there is will do */
	got(&asked[2], "short");
	fake_clock_advance(&bench.clock, 1000);
	ask("lab", &asked[3], .min_valid_s = 299); /* a new one will */
	assert_int_equal(asked[3].answers, 0);
	assert_int_equal(fake_workers.count, 2);
}

TEST(a_demanding_caller_does_not_harm_the_others)
{
	ask("lab", &asked[0]);
	ask("lab", &asked[1], .min_valid_s = 500);
	ask("lab", &asked[2], .min_valid_s = 299);
	give("short", 300);
	got(&asked[0], "short");
	failed(&asked[1], PO_E_USAGE, "live 300 s");
	got(&asked[2], "short");
}

/* ---- none that was there before ----------------------------------------- */

TEST(force_new_takes_nothing_that_is_kept)
{
	ask("lab", &asked[0]);
	give("old", 300);
	fake_clock_advance(&bench.clock, 1);
	ask("lab", &asked[1], .force_new = true);
	assert_int_equal(fake_workers.count, 2);
	assert_int_equal(asked[1].answers, 0);
	ask("lab", &asked[2]); /* the old one still serves others */
	got(&asked[2], "old");
	give("new", 300);
	got(&asked[1], "new");
	ask("lab", &asked[3]);
	got(&asked[3], "new");
}

TEST(force_new_takes_nothing_that_was_asked_for_before)
{
	json_t *early;

	ask("lab", &asked[0]);
	early = bench_token("under-way", 300);
	fake_clock_advance(&bench.clock, 5000);
	ask("lab", &asked[1], .force_new = true);
	assert_int_equal(fake_workers.count, 1);
	fake_job_answer(fake_workers_last(), early);
	got(&asked[0], "under-way");
	assert_int_equal(asked[1].answers, 0);
	broker_handle(bench.agent.broker);
	assert_int_equal(fake_workers.count, 2);
	give("new", 300);
	got(&asked[1], "new");
}

TEST(force_new_does_not_fail_with_the_try_before)
{
	ask("lab", &asked[0]);
	ask("lab", &asked[1], .force_new = true);
	fake_job_fail(fake_workers_last(), PO_E_NETWORK, "no route");
	failed(&asked[0], PO_E_NETWORK, "no route");
	assert_int_equal(asked[1].answers, 0);
	bench_advance(RETRY_PASSING_MAX_MS);
	assert_int_equal(fake_workers.count, 2);
	give("new", 300);
	got(&asked[1], "new");
}

/* ---- waiting ------------------------------------------------------------ */

TEST(who_does_not_wait_hears_of_the_first_failure)
{
	ask("lab", &asked[0]);
	ask("lab", &asked[1], .wait_s = 30);
	fake_job_fail(fake_workers_last(), PO_E_SERVER, "503");
	failed(&asked[0], PO_E_SERVER, "503");
	assert_int_equal(asked[1].answers, 0);
	bench_advance(RETRY_PASSING_MAX_MS);
	assert_int_equal(fake_workers.count, 2);
	give("late", 300);
	got(&asked[1], "late");
}

TEST(a_wait_ends_to_the_millisecond_with_the_last_reason)
{
	ask("lab", &asked[0], .wait_s = 2);
	fake_job_fail(fake_workers_last(), PO_E_SERVER, "the first");
	bench_advance(600); /* the next try, which is under way at the end */
	assert_int_equal(fake_workers.count, 2);
	bench_advance(1399);
	assert_int_equal(asked[0].answers, 0);
	assert_int_equal(broker_next_ms(bench.agent.broker),
			 clock_boottime_ms(bench.env.clock) + 1);
	bench_advance(1);
	failed(&asked[0], PO_E_SERVER, "the first");
}

TEST(a_wait_that_ends_in_the_first_try_has_a_reason_of_its_own)
{
	ask("lab", &asked[0], .wait_s = 2);
	bench_advance(2000);
	failed(&asked[0], PO_E_SERVER, "in time");
	give("for-the-next", 300);
	ask("lab", &asked[1]);
	got(&asked[1], "for-the-next");
}

TEST(in_a_pause_nobody_who_will_not_wait_makes_a_job)
{
	ask("lab", &asked[0]);
	fake_job_fail(fake_workers_last(), PO_E_REFUSED, "invalid_client");
	for (int i = 1; i < 10; i++) {
		ask("lab", &asked[i]);
		failed(&asked[i], PO_E_REFUSED, "invalid_client");
		assert_true(asked[i].retry_ms >
			    clock_boottime_ms(bench.env.clock));
	}
	assert_int_equal(fake_workers.count, 1);
	ask("lab", &asked[10], .wait_s = 5);
	assert_int_equal(asked[10].answers, 0);
	assert_int_equal(fake_workers.count, 1);
	bench_advance(RETRY_FIRST_MS);
	assert_int_equal(fake_workers.count, 2);
}

TEST(a_worker_that_cannot_be_had_is_a_failure_with_its_pause)
{
	fake_workers.refuses = PO_E_DEVICE;
	ask("lab", &asked[0]);
	failed(&asked[0], PO_E_DEVICE, "no worker");
	fake_workers.refuses = PO_OK;
	ask("lab", &asked[1]);
	failed(&asked[1], PO_E_DEVICE, "no worker");
	assert_int_equal(fake_workers.count, 0);
	bench_advance(RETRY_FIRST_MS);
	ask("lab", &asked[2]);
	assert_int_equal(fake_workers.count, 1);
}

struct useless_row {
	const char *name;
	const char *value;
	int life_s;
	bool no_answer;
};
static const struct useless_row useless_rows[] = {
	{ "useless: it has no life", "x", 0, false },
	{ "useless: its life is less than nothing", "x", -1, false },
	{ "useless: it is empty", "", 300, false },
	{ "useless: there is none", NULL, 300, false },
	{ "useless: nothing is said of it", "x", 300, true },
};

ROWS(useless_rows, what_is_no_access_token_is_the_servers_fault)
{
	json_t *answer = bench_token(row->value ? row->value : "", row->life_s);

	if (!row->value)
		assert_int_equal(json_object_del(answer, "access_token"), 0);
	if (row->no_answer)
		assert_int_equal(json_object_del(answer, "answer"), 0);
	ask("lab", &asked[0]);
	fake_job_answer(fake_workers_last(), answer);
	failed(&asked[0], PO_E_SERVER, "ended already");
	assert_int_equal(counts().failed, 1);
	assert_int_equal(counts().minted, 0);
	assert_int_equal(counts().kept, 0);
	assert_int_equal(bench.changes, 0);
}
