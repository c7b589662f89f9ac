/* SPDX-License-Identifier: Apache-2.0 */
/* What the broker gives of a locked profile, and what two events make of it. */
#include "broker-asked.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define CONFIG                                                      \
	BENCH_PROFILE("lab", BENCH_ON("one", "a") BENCH_STORED)     \
	BENCH_PROFILE("twin", BENCH_ON("one", "a") BENCH_STORED)    \
	BENCH_PROFILE("typed", BENCH_ON("two", "b") "\tpin-from = " \
						    "\"prompt\"\n")
/* The same settings but for the client. */
#define CONFIG_CHANGED                                                    \
	"profile lab {\n\tclient-id = \"other\"\n"                        \
	"\ttoken-endpoint = \"https://as.example/token\"\n"               \
	"\tscope = \"system/*.read\"\n" BENCH_ON("one", "a") BENCH_STORED \
		"}\n"

static struct asked asked[80];

BEFORE_EACH
{
	bench_up(CONFIG);
}

AFTER_EACH
{
	bench_down();
}

/* ---- locked ------------------------------------------------------------- */

TEST(a_held_profile_gives_not_even_what_is_kept)
{
	ask("lab", &asked[0]);
	give("kept", 300);
	bench_profile("lab")->is_held = true;
	ask("lab", &asked[1]);
	failed(&asked[1], PO_E_PIN, "p11oauth unlock lab");
	bench_profile("lab")->is_held = false;
	ask("lab", &asked[2]);
	got(&asked[2], "kept");
}

TEST(a_profile_whose_pin_is_missing_gives_what_is_kept_and_nothing_new)
{
	ask("typed", &asked[0]);
	give("kept", 300);
	bench_profile("typed")->is_locked = true;
	ask("typed", &asked[1]);
	got(&asked[1], "kept");
	fake_clock_advance(&bench.clock, 1);
	ask("typed", &asked[2], .wait_s = 60, .force_new = true);
	failed(&asked[2], PO_E_PIN, "p11oauth unlock typed");
	assert_int_equal(fake_workers.count, 1);
}

TEST(a_missing_pin_is_none_where_it_is_stored)
{
	bench_profile("lab")->is_locked = true;
	ask("lab", &asked[0]);
	assert_int_equal(asked[0].answers, 0);
	assert_int_equal(fake_workers.count, 1);
}

TEST(an_absent_token_is_said_when_its_pin_went_with_it)
{
	struct served *s = bench_profile("typed");

	s->is_locked = true;
	s->token_state = TOKEN_ABSENT;
	(void)snprintf(s->token_label, sizeof(s->token_label), "card");
	ask("typed", &asked[0]);
	failed(&asked[0], PO_E_TOKEN, "token 'card' is not there");
	s->is_held = true; /* somebody's lock is said before */
	ask("typed", &asked[1]);
	failed(&asked[1], PO_E_PIN, "is locked");
}

/* ---- two events --------------------------------------------------------- */

TEST(locked_while_a_job_is_under_way_its_answer_is_nobodys)
{
	const struct po_error why = { .status = PO_E_PIN,
				      .text = "was locked" };

	ask("lab", &asked[0]);
	broker_drop(bench.agent.broker, "lab", &why);
	failed(&asked[0], PO_E_PIN, "was locked");
	give("too-late", 300);
	assert_int_equal(counts().kept, 0);
	assert_int_equal(bench.changes, 0);
	ask("lab", &asked[1]);
	assert_int_equal(asked[1].answers, 0);
	assert_int_equal(fake_workers.count, 2);
}

TEST(locked_and_asked_again_before_the_first_answer_comes)
{
	const struct po_error why = { .status = PO_E_PIN,
				      .text = "was locked" };

	ask("lab", &asked[0]);
	broker_drop(bench.agent.broker, "lab", &why);
	ask("lab", &asked[1]);
	assert_int_equal(fake_workers.count, 2);
	fake_job_answer(&fake_workers.jobs[0], bench_token("too-late", 300));
	assert_int_equal(asked[1].answers, 0);
	give("right", 300);
	got(&asked[1], "right");
}

TEST(what_is_dropped_is_told_and_of_one_profile_only)
{
	const struct po_error why = { .status = PO_E_PIN,
				      .text = "was locked" };

	ask("lab", &asked[0]);
	give("of-lab", 300);
	ask("typed", &asked[1]);
	give("of-typed", 300);
	ask("lab", &asked[2], .scope = "a");
	give("of-a", 300);
	bench.changes = 0;
	broker_drop(bench.agent.broker, "lab", &why);
	assert_int_equal(bench.changes, 1);
	assert_string_equal(bench.changed_profile, "lab");
	assert_string_equal(bench.changed_value, "");
	assert_int_equal(counts().kept, 1);
	ask("typed", &asked[3]);
	got(&asked[3], "of-typed");
}

TEST(a_persons_deed_ends_the_pauses)
{
	ask("lab", &asked[0]);
	fake_job_fail(fake_workers_last(), PO_E_PIN, "wrong PIN");
	broker_retry(bench.agent.broker, "typed");
	ask("lab", &asked[1]);
	failed(&asked[1], PO_E_PIN, "wrong PIN");
	broker_retry(bench.agent.broker, "lab");
	ask("lab", &asked[2]);
	assert_int_equal(asked[2].answers, 0);
	assert_int_equal(fake_workers.count, 2);
}

TEST(another_configuration_drops_what_is_not_the_same)
{
	ask("lab", &asked[0]);
	give("old", 300);
	ask("typed", &asked[1], .wait_s = 60);
	bench.changes = 0;
	bench_reload(CONFIG);
	assert_int_equal(asked[1].answers, 0);
	ask("lab", &asked[2]);
	got(&asked[2], "old");
	bench_reload(CONFIG_CHANGED);
	failed(&asked[1], PO_E_CONFIG, "has changed");
	ask("lab", &asked[3]);
	assert_int_equal(asked[3].answers, 0);
	assert_int_equal(fake_workers.count, 3);
}

TEST(another_configuration_ends_the_pauses)
{
	ask("lab", &asked[0]);
	fake_job_fail(fake_workers_last(), PO_E_REFUSED, "invalid_client");
	bench_reload(CONFIG);
	ask("lab", &asked[1]);
	assert_int_equal(asked[1].answers, 0);
	assert_int_equal(fake_workers.count, 2);
}

TEST(the_agents_end_is_an_answer)
{
	ask("lab", &asked[0], .wait_s = 60);
	ask("typed", &asked[1]);
	broker_free(bench.agent.broker);
	bench.agent.broker = NULL;
	failed(&asked[0], PO_E_AGENT, "ending");
	failed(&asked[1], PO_E_AGENT, "ending");
}

TEST(what_a_worker_says_of_the_token_is_learned)
{
	json_t *answer = bench_token("x", 300);

	assert_int_equal(json_object_set_new(answer, "token",
					     json_pack("{s:s, s:s}", "label",
						       "L", "serial", "S")),
			 0);
	ask("lab", &asked[0]);
	fake_job_answer(fake_workers_last(), answer);
	assert_int_equal(bench_profile("lab")->token_state, TOKEN_PRESENT);
	fake_clock_advance(&bench.clock, 1);
	ask("lab", &asked[1], .force_new = true);
	fake_job_fail(fake_workers_last(), PO_E_TOKEN, "no token");
	assert_int_equal(bench_profile("lab")->token_state, TOKEN_ABSENT);
}
