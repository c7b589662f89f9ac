/* SPDX-License-Identifier: Apache-2.0 */
/* What the broker does when nobody asks: it renews, tries again, lets go. */
#include "agent-bench.h"

#include "base/log.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define CONFIG                                                          \
	BENCH_PROFILE("lab", BENCH_ON("one", "a") BENCH_STORED)         \
	BENCH_PROFILE("typed",                                          \
		      BENCH_ON("two", "b") "\tpin-from = \"prompt\"\n") \
	BENCH_PROFILE(                                                  \
		"slow", BENCH_ON("one", "c") BENCH_STORED               \
		"\ttoken-timeout = 7\n\ttimeout = 11\n\tretry-time = 3\n")

static unsigned int answers, warnings;
static char value[65];
static char last_warning[512];
static const struct requester peer = { .uid = 1000 };

void __wrap_log_warn(const char *fmt, ...) PO_PRINTF(1, 2);
void __wrap_log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(last_warning, sizeof(last_warning), fmt, ap);
	va_end(ap);
	warnings++;
}

static void on_answer(void *user, const struct cached_token *token,
		      const struct po_error *why, int64_t retry_ms)
{
	(void)user;
	(void)why;
	(void)retry_ms;
	answers++;
	(void)snprintf(value, sizeof(value), "%s",
		       token ? secret_reveal(token->value) : "");
}

BEFORE_EACH
{
	answers = warnings = 0;
	bench_up(CONFIG);
}

AFTER_EACH
{
	bench_down();
}

static void ask(const char *profile, const char *scope)
{
	const struct broker_request request = {
		.served = bench_profile(profile), .scope = scope, .peer = &peer
	};

	broker_ask(bench.agent.broker, &request, on_answer, NULL);
}

static void give(const char *text, int64_t life_s)
{
	fake_job_answer(fake_workers_last(), bench_token(text, life_s));
}

static void have(const char *profile, const char *text, int64_t life_s)
{
	ask(profile, NULL);
	give(text, life_s);
	assert_string_equal(value, text);
}

static int64_t now(void)
{
	return clock_boottime_ms(bench.env.clock);
}

/* What the loop would wait for. */
static int64_t next_ms(void)
{
	int64_t ms = broker_next_ms(bench.agent.broker);

	return ms == INT64_MAX ? -1 : ms - now();
}

static json_t *status_of(const char *profile)
{
	json_t *list = broker_status(bench.agent.broker, profile);
	json_t *first;

	assert_int_equal(json_array_size(list), 1);
	first = json_incref(json_array_get(list, 0));
	json_decref(list);
	return first;
}

static int64_t number_in(const json_t *object, const char *name)
{
	const json_t *n = json_object_get(object, name);

	return json_is_integer(n) ? json_integer_value(n) : -1;
}

/* ---- renewal ------------------------------------------------------------ */

TEST(it_is_renewed_before_its_end_at_the_moment_that_was_said)
{
	int64_t renewal_ms;

	have("lab", "first", 1000);
	renewal_ms = next_ms();
	assert_in_range(renewal_ms, 750000, 850000);
	bench_advance(renewal_ms - 1);
	assert_int_equal(fake_workers.count, 1);
	assert_int_equal(next_ms(), 1);
	bench_advance(1);
	assert_int_equal(fake_workers.count, 2);
	assert_true(json_is_null(
		json_object_get(fake_workers_last()->message, "peer")));
	bench_advance(1000); /* not twice */
	assert_int_equal(fake_workers.count, 2);
	ask("lab", NULL);
	assert_string_equal(value, "first"); /* while it is under way */
	give("second", 1000);
	assert_int_equal(answers, 2);
	ask("lab", NULL);
	assert_string_equal(value, "second");
	assert_string_equal(bench.changed_value, "second");
}

TEST(life_counts_from_the_request_not_from_the_answer)
{
	json_t *early;

	ask("lab", NULL);
	early = bench_token("slow", 100);
	fake_clock_advance(&bench.clock, 30000);
	fake_job_answer(fake_workers_last(), early);
	assert_in_range(next_ms(), 45000, 55000);
	fake_clock_advance(&bench.clock, 70000 - 1250);
	fake_workers.refuses = PO_E_DEVICE;
	ask("lab", NULL);
	assert_string_equal(value, "");
}

TEST(the_time_of_day_changes_nothing)
{
	have("lab", "first", 100);
	bench.clock.now_ms += 86400000;
	bench_advance(0);
	assert_int_equal(fake_workers.count, 1);
	bench.clock.now_ms -= 10 * (int64_t)86400000;
	bench.clock.monotonic_ms += 1000000; /* nor does the other clock */
	bench_advance(0);
	ask("lab", NULL);
	assert_string_equal(value, "first");
	assert_int_equal(fake_workers.count, 1);
}

TEST(one_that_nobody_had_is_not_renewed)
{
	const struct broker_request much = { .served = bench_profile("lab"),
					     .min_valid_s = 100,
					     .peer = &peer };

	broker_ask(bench.agent.broker, &much, on_answer, NULL);
	give("short", 100);
	assert_string_equal(value, "");
	assert_int_equal(next_ms(), 100000); /* its end alone */
	bench_advance(99000);
	assert_int_equal(fake_workers.count, 1);
	bench_advance(1000);
	assert_int_equal(fake_workers.count, 1);
	assert_int_equal(broker_count(bench.agent.broker).kept, 0);
	assert_int_equal(next_ms(), -1);
}

TEST(who_renews_goes_on_renewing_only_while_somebody_asks)
{
	have("lab", "first", 100);
	bench_advance(90000);
	assert_int_equal(fake_workers.count, 2);
	give("second", 100); /* nobody has had this one */
	bench_advance(90000);
	assert_int_equal(fake_workers.count, 2);
	ask("lab", NULL);
	assert_string_equal(value, "second");
	bench_advance(1);
	assert_int_equal(fake_workers.count, 3);
}

TEST(a_locked_profile_is_not_renewed)
{
	have("typed", "first", 100);
	bench_profile("typed")->is_locked = true;
	assert_int_equal(next_ms(), 100000);
	bench_advance(90000);
	assert_int_equal(fake_workers.count, 1);
	bench_profile("typed")->is_locked = false;
	bench_advance(1);
	assert_int_equal(fake_workers.count, 2);
}

TEST(while_renewal_fails_the_last_one_serves_until_its_end)
{
	have("lab", "first", 100);
	bench_advance(86000);
	fake_job_fail(fake_workers_last(), PO_E_SERVER, "503");
	assert_int_equal(warnings, 1);
	assert_non_null(
		strstr(last_warning, "profile 'lab': not renewed: 503"));
	ask("lab", NULL);
	assert_string_equal(value, "first");
	bench_advance(12749); /* 1251 ms are left */
	ask("lab", NULL);
	assert_string_equal(value, "first");
	assert_int_equal(fake_workers.count, 3); /* it tried again */
	fake_job_fail(fake_workers_last(), PO_E_SERVER, "503 again");
	bench_advance(1251);
	assert_string_equal(bench.changed_value, "");
	assert_int_equal(bench.changes, 2);
	bench_advance(RETRY_PASSING_MAX_MS);
	assert_int_equal(bench.changes, 2); /* told once */
}

TEST(the_end_of_another_scope_is_no_news)
{
	ask("lab", "a");
	give("of-a", 10);
	fake_workers.refuses = PO_E_DEVICE;
	bench_advance(10000);
	assert_int_equal(bench.changes, 0);
}

/* ---- pauses ------------------------------------------------------------- */

struct pause_row {
	const char *name;
	enum po_status status;
	int64_t first_ms, second_ms, max_ms;
};
static const struct pause_row pause_rows[] = {
	{ "pauses: a server that is down", PO_E_SERVER, 500, 1000, 5000 },
	{ "pauses: a network", PO_E_NETWORK, 500, 1000, 5000 },
	{ "pauses: a device", PO_E_DEVICE, 500, 1000, 5000 },
	{ "pauses: a refusal", PO_E_REFUSED, 500, 1000, 60000 },
	{ "pauses: a wrong PIN", PO_E_PIN, 500, 1000, 60000 },
	{ "pauses: a locked PIN", PO_E_PIN_LOCKED, 500, 1000, 60000 },
};

/* Half of a pause is chance. */
ROWS(pause_rows, pauses_grow_to_their_limit)
{
	const struct broker_request patient = { .served = bench_profile("lab"),
						.wait_s = BROKER_WAIT_MAX_S,
						.peer = &peer };
	int64_t pause_ms = 0;

	broker_ask(bench.agent.broker, &patient, on_answer, NULL);
	for (int tries = 1; tries <= 9; tries++) {
		int64_t whole_ms = row->first_ms << (tries - 1);

		if (whole_ms > row->max_ms)
			whole_ms = row->max_ms;
		fake_job_fail(fake_workers_last(), row->status, "again");
		pause_ms = next_ms();
		assert_in_range(pause_ms, whole_ms / 2, whole_ms);
		bench_advance(pause_ms - 1);
		assert_int_equal(fake_workers.count, tries);
		bench_advance(1);
		assert_int_equal(fake_workers.count, tries + 1);
	}
	assert_int_equal(answers, 0);
	give("at-last", 300);
	assert_string_equal(value, "at-last");
	/* and the next failure begins anew */
	bench_advance(260000);
	fake_job_fail(fake_workers_last(), row->status, "again");
	assert_in_range(next_ms(), row->first_ms / 2, row->first_ms);
}

TEST(another_kind_of_trouble_has_pauses_of_its_own)
{
	const struct broker_request patient = { .served = bench_profile("lab"),
						.wait_s = 600,
						.peer = &peer };

	broker_ask(bench.agent.broker, &patient, on_answer, NULL);
	for (int tries = 0; tries < 8; tries++) {
		fake_job_fail(fake_workers_last(), PO_E_REFUSED, "no");
		bench_advance(next_ms());
	}
	fake_job_fail(fake_workers_last(), PO_E_NETWORK, "no route");
	assert_in_range(next_ms(), RETRY_FIRST_MS / 2, RETRY_FIRST_MS);
}

TEST(a_failure_is_forgotten_when_nobody_came_back)
{
	ask("lab", NULL);
	fake_job_fail(fake_workers_last(), PO_E_SERVER, "503");
	assert_in_range(next_ms(), RETRY_LASTING_MAX_MS + 250,
			RETRY_LASTING_MAX_MS + 500);
	bench_advance(next_ms() - 1);
	assert_non_null(broker_peek(bench.agent.broker, bench_profile("lab")));
	assert_int_equal(fake_workers.count, 1); /* nobody waits for another */
	bench_advance(1);
	assert_null(broker_peek(bench.agent.broker, bench_profile("lab")));
}

/* ---- for sinks ---------------------------------------------------------- */

TEST(one_for_a_sink_is_asked_for_though_nobody_does)
{
	broker_keep(bench.agent.broker, bench_profile("lab"));
	assert_int_equal(fake_workers.count, 0);
	bench_advance(0);
	assert_int_equal(fake_workers.count, 1);
	give("kept", 100);
	assert_string_equal(bench.changed_value, "kept");
	bench_advance(90000);
	assert_int_equal(fake_workers.count, 2);
	give("renewed", 100);
	bench_advance(90000);
	assert_int_equal(fake_workers.count, 3);
}

TEST(one_for_a_sink_is_tried_for_until_it_comes)
{
	broker_keep(bench.agent.broker, bench_profile("lab"));
	bench_advance(0);
	fake_job_fail(fake_workers_last(), PO_E_TOKEN, "pulled");
	assert_in_range(next_ms(), 250, 500);
	bench_advance(next_ms());
	assert_int_equal(fake_workers.count, 2);
	give("kept", 100);
	assert_string_equal(bench.changed_value, "kept");
}

TEST(what_a_caller_had_is_in_the_sink_at_once)
{
	have("lab", "there", 100);
	bench.changes = 0;
	broker_keep(bench.agent.broker, bench_profile("lab"));
	assert_int_equal(bench.changes, 1);
	assert_string_equal(bench.changed_value, "there");
	assert_int_equal(fake_workers.count, 1);
}

TEST(a_callers_scope_is_not_the_sinks)
{
	ask("lab", "a");
	give("of-a", 100);
	broker_keep(bench.agent.broker, bench_profile("lab"));
	assert_int_equal(bench.changes, 0);
	bench_advance(0);
	assert_int_equal(fake_workers.count, 2);
	assert_true(json_is_null(
		json_object_get(fake_workers_last()->message, "scope")));
	give("own", 100);
	assert_string_equal(bench.changed_value, "own");
}

TEST(a_sink_of_a_locked_profile_waits_for_its_person)
{
	bench_profile("typed")->is_locked = true;
	broker_keep(bench.agent.broker, bench_profile("typed"));
	bench_advance(100000);
	assert_int_equal(fake_workers.count, 0);
	assert_int_equal(next_ms(), -1);
	bench_profile("typed")->is_locked = false;
	bench_advance(1);
	assert_int_equal(fake_workers.count, 1);
}

TEST(locked_then_unlocked_a_sink_is_filled_again)
{
	const struct po_error why = { .status = PO_E_PIN, .text = "locked" };

	broker_keep(bench.agent.broker, bench_profile("lab"));
	bench_advance(0);
	give("before", 100);
	bench_profile("lab")->is_held = true;
	broker_drop(bench.agent.broker, "lab", &why);
	assert_string_equal(bench.changed_value, "");
	bench_profile("lab")->is_held = false;
	broker_keep(bench.agent.broker, bench_profile("lab"));
	bench_advance(0);
	give("after", 100);
	assert_string_equal(bench.changed_value, "after");
}

TEST(after_a_reload_only_what_is_kept_anew_is)
{
	broker_keep(bench.agent.broker, bench_profile("lab"));
	bench_advance(0);
	give("kept", 100);
	bench_reload(CONFIG);
	bench_advance(100000); /* had by nobody */
	assert_int_equal(fake_workers.count, 1);
	assert_int_equal(next_ms(), -1);
}

/* ---- what can be seen --------------------------------------------------- */

TEST(the_status_says_what_is_kept)
{
	json_auto_t *now_it_is = NULL, *later = NULL, *failing = NULL;

	have("lab", "x", 100);
	now_it_is = status_of("lab");
	assert_string_equal(json_text(now_it_is, "scope"), "system/*.read");
	assert_int_equal(number_in(now_it_is, "expires_in"), 100);
	assert_in_range(number_in(now_it_is, "renewal_in"), 74, 85);
	assert_int_equal(number_in(now_it_is, "failures"), 0);
	assert_true(json_is_false(json_object_get(now_it_is, "renewing")));
	assert_true(json_is_null(json_object_get(now_it_is, "last_error")));
	bench_advance(86001);
	later = status_of("lab");
	assert_int_equal(number_in(later, "expires_in"), 13);
	assert_true(json_is_true(json_object_get(later, "renewing")));
	fake_job_fail(fake_workers_last(), PO_E_SERVER, "503");
	failing = status_of("lab");
	assert_int_equal(number_in(failing, "failures"), 1);
	assert_string_equal(
		json_text(json_object_get(failing, "last_error"), "message"),
		"503");
	assert_int_equal(
		number_in(json_object_get(failing, "last_error"), "exit"),
		-PO_E_SERVER);
}

TEST(the_status_of_a_profile_is_of_no_other)
{
	json_auto_t *list = NULL;

	have("lab", "x", 100);
	ask("typed", "a");
	list = broker_status(bench.agent.broker, "typed");
	assert_int_equal(json_array_size(list), 1);
	assert_string_equal(json_text(json_array_get(list, 0), "scope"), "a");
	json_decref(list);
	list = broker_status(bench.agent.broker, "slow");
	assert_int_equal(json_array_size(list), 0);
}

TEST(a_job_may_take_as_long_as_all_that_it_does)
{
	ask("slow", NULL);
	/* the token, discovery and exchange, repeats, and a margin */
	assert_int_equal(fake_workers_last()->timeout_ms,
			 7000 + 2 * 11000 + 3000 + 15000);
	ask("lab", NULL);
	assert_int_equal(fake_workers_last()->timeout_ms,
			 60000 + 2 * 30000 + 15000 + 15000);
}
