/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs of the agent's workers: who gets which answer, and when a worker
 * dies. */
#include "workers-bench.h"

#include "base/error_json.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

BEFORE_EACH
{
	workers_up();
}

AFTER_EACH
{
	workers_down();
}

/* ---- jobs --------------------------------------------------------------- */

TEST(a_worker_is_started_for_its_first_job_and_told_its_profiles)
{
	json_auto_t *first = NULL;

	assert_int_equal(next_ms(), -1);
	ask("/lib/a.so", &asked[0]);
	assert_int_equal(start_count, 0); /* the loop does it */
	assert_string_equal(state_of(0), "starting");
	assert_true(next_ms() <= 0);
	workers_handle(workers);
	assert_int_equal(start_count, 1);
	assert_string_equal(starts[0].module, "/lib/a.so");
	first = hear(0);
	assert_string_equal(
		json_text(json_object_get(first, "profile"), "name"),
		"/lib/a.so");
	hears_op(0, "profile");
	hears_op(0, "ready");
	assert_true(hears_job(0) > 0);
	hears_nothing(0);
	assert_string_equal(state_of(0), "busy");
	assert_int_equal(status_number(0, "pid"), 1000);
	assert_int_equal(status_number(0, "jobs"), 1);
	assert_int_equal(asked[0].answers, 0);
	assert_int_equal(next_ms(), TIMEOUT_MS);
}

TEST(answers_find_those_who_asked_in_any_order)
{
	int64_t first, second, third;

	for (int i = 0; i < 3; i++)
		ask("/lib/a.so", &asked[i]);
	workers_handle(workers);
	assert_int_equal(start_count, 1);
	begins(0);
	first = hears_job(0);
	second = hears_job(0);
	third = hears_job(0);
	assert_true(first != second && second != third && first != third);
	answers(0, second, 2);
	assert_int_equal(asked[1].answers, 1);
	assert_int_equal(asked[1].value, 2);
	assert_int_equal(asked[0].answers, 0);
	answers(0, third, 3);
	answers(0, first, 1);
	assert_int_equal(asked[0].value, 1);
	assert_int_equal(asked[2].value, 3);
	assert_string_equal(state_of(0), "idle");
	answers(0, first, 9); /* nobody waits for that any more */
	assert_int_equal(asked[0].answers, 1);
	assert_int_equal(next_ms(), -1);
}

TEST(a_failure_comes_with_what_there_is_to_say_beside_it)
{
	const struct po_error wrong = { .status = PO_E_PIN,
					.native = 160,
					.text = "wrong PIN" };

	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	begins(0);
	says(0, json_pack("{s:I, s:i, s:o}", "re", (json_int_t)hears_job(0),
			  "value", 5, "error", error_json(&wrong)));
	assert_int_equal(asked[0].answers, 1);
	assert_int_equal(asked[0].value, 5);
	assert_int_equal(asked[0].why.status, PO_E_PIN);
	assert_int_equal(asked[0].why.native, 160);
	assert_string_equal(asked[0].why.text, "wrong PIN");
}

TEST(two_modules_are_two_workers)
{
	ask("/lib/a.so", &asked[0]);
	ask("/lib/b.so", &asked[1]);
	ask("/lib/a.so", &asked[2]);
	workers_handle(workers);
	assert_int_equal(start_count, 2);
	assert_true(workers_is_busy(workers, "/lib/a.so"));
	assert_true(workers_is_busy(workers, "/lib/b.so"));
	assert_false(workers_is_busy(workers, "/lib/c.so"));
	begins(0);
	begins(1);
	dies(0);
	assert_string_equal(lost_module, "/lib/a.so");
	assert_int_equal(lost, 1);
	assert_false(workers_is_busy(workers, "/lib/a.so"));
	assert_true(workers_is_busy(workers, "/lib/b.so"));
	answers(1, hears_job(1), 7);
	assert_int_equal(asked[1].value, 7);
}

TEST(modules_have_a_maximum)
{
	json_auto_t *job = json_pack("{s:s}", "op", "token");
	struct po_error err = { 0 };
	char module[32];

	for (int i = 0; i < WORKERS_MAX; i++) {
		(void)snprintf(module, sizeof(module), "/lib/%d.so", i);
		assert_int_equal(workers_submit(workers, module,
						&(struct worker_task){
							job, TIMEOUT_MS,
							on_answer, &asked[0] },
						&err),
				 PO_OK);
	}
	assert_int_equal(
		workers_submit(workers, "/lib/more.so",
			       &(struct worker_task){ job, TIMEOUT_MS,
						      on_answer, &asked[0] },
			       &err),
		PO_E_CONFIG);
	assert_string_equal(err.text, "more than 64 modules");
	assert_int_equal(
		workers_submit(workers, "/lib/63.so",
			       &(struct worker_task){ job, TIMEOUT_MS,
						      on_answer, &asked[0] },
			       NULL),
		PO_OK);
}

TEST(jobs_of_a_worker_have_a_maximum)
{
	json_auto_t *job = json_pack("{s:s}", "op", "token");
	struct po_error err = { 0 };

	for (int i = 0; i < WORKER_JOBS_MAX; i++)
		assert_int_equal(workers_submit(workers, "/lib/a.so",
						&(struct worker_task){
							job, TIMEOUT_MS,
							on_answer, &asked[0] },
						NULL),
				 PO_OK);
	assert_int_equal(
		workers_submit(workers, "/lib/a.so",
			       &(struct worker_task){ job, TIMEOUT_MS,
						      on_answer, &asked[0] },
			       &err),
		PO_E_AGENT);
	assert_int_equal(status_number(0, "jobs"), WORKER_JOBS_MAX);
	assert_int_equal(
		workers_submit(workers, "/lib/b.so",
			       &(struct worker_task){ job, TIMEOUT_MS,
						      on_answer, &asked[0] },
			       NULL),
		PO_OK);
}

/* ---- a worker that dies ------------------------------------------------- */

TEST(a_job_whose_worker_died_is_given_to_the_next_once)
{
	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	dies(0);
	assert_true(starts[0].has_ended);
	assert_int_equal(asked[0].answers, 0);
	assert_non_null(strstr(lost_why, "'/lib/a.so' ended (killed by"));
	assert_int_equal(warnings, 1);
	assert_int_equal(status_number(0, "restarts"), 1);
	assert_int_equal(next_ms(), 100); /* it had died at once */
	advance(99);
	assert_int_equal(start_count, 1);
	advance(1);
	assert_int_equal(start_count, 2);
	begins(1);
	(void)hears_job(1);
	dies(1);
	assert_int_equal(asked[0].answers, 1);
	assert_int_equal(asked[0].why.status, PO_E_DEVICE);
	assert_non_null(strstr(asked[0].why.text, "signal 9"));
	assert_int_equal(lost, 2);
}

TEST(the_successor_answers)
{
	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	dies(0);
	advance(100);
	begins(1);
	answers(1, hears_job(1), 3);
	assert_int_equal(asked[0].answers, 1);
	assert_int_equal(asked[0].value, 3);
}

TEST(a_worker_that_died_once_kills_no_job_that_came_later)
{
	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	dies(0);
	ask("/lib/a.so", &asked[1]);
	advance(100);
	dies(1);
	assert_int_equal(asked[0].answers, 1); /* its second */
	assert_int_equal(asked[1].answers, 0); /* its first */
	advance(200);
	begins(2);
	answers(2, hears_job(2), 4);
	assert_int_equal(asked[1].value, 4);
}

TEST(pauses_double_up_to_five_seconds_and_end_with_a_healthy_one)
{
	static const int64_t pauses_ms[] = { 100,  200,  400,  800,
					     1600, 3200, 5000, 5000 };

	for (unsigned int i = 0; i < PO_ARRAY_SIZE(pauses_ms); i++) {
		ask("/lib/a.so", &asked[0]);
		workers_handle(workers);
		assert_int_equal(start_count, i + 1);
		advance(5000); /* no older than that: it died at once */
		dies(i);
		ask("/lib/a.so", &asked[1]);
		assert_int_equal(next_ms(), pauses_ms[i]);
		advance(pauses_ms[i] - 1);
		assert_int_equal(start_count, i + 1);
		fake_clock_advance(&fake, 1);
	}
	workers_handle(workers);
	advance(5001);
	dies(start_count - 1);
	ask("/lib/a.so", &asked[2]);
	workers_handle(workers);
	assert_int_equal(start_count, PO_ARRAY_SIZE(pauses_ms) + 2);
	dies(start_count - 1);
	ask("/lib/a.so", &asked[2]);
	assert_int_equal(next_ms(), 100); /* as after the first */
}

TEST(a_worker_that_cannot_be_started_ends_its_jobs)
{
	spawn_fails = true;
	ask("/lib/a.so", &asked[0]);
	ask("/lib/a.so", &asked[1]);
	workers_handle(workers);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(asked[i].answers, 1);
		assert_int_equal(asked[i].why.status, PO_E_INTERNAL);
		assert_string_equal(asked[i].why.text, "no more processes");
	}
	spawn_fails = false;
	ask("/lib/a.so", &asked[2]);
	advance(4999);
	assert_int_equal(start_count, 0);
	advance(1);
	assert_int_equal(start_count, 1);
}

TEST(nonsense_ends_a_worker)
{
	static const char nonsense[] = "\0\0\0\3[1]";

	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	assert_int_equal(
		write(starts[0].channel.fd, nonsense, sizeof(nonsense) - 1),
		sizeof(nonsense) - 1);
	workers_handle(workers);
	assert_true(starts[0].has_ended);
	assert_int_equal(lost, 1);
	assert_int_equal(asked[0].answers, 0); /* the next one may do better */
}

TEST(half_a_message_is_waited_for)
{
	static const char answer[] = "\0\0\0\x12{\"re\":1,\"value\":7}";

	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	begins(0);
	assert_int_equal(hears_job(0), 1);
	assert_int_equal(write(starts[0].channel.fd, answer, 3), 3);
	workers_handle(workers);
	assert_int_equal(write(starts[0].channel.fd, answer + 3, 10), 10);
	workers_handle(workers);
	assert_int_equal(asked[0].answers, 0);
	assert_int_equal(write(starts[0].channel.fd, answer + 13, 9), 9);
	workers_handle(workers);
	assert_int_equal(asked[0].value, 7);
}

TEST(what_a_dying_worker_still_said_counts)
{
	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	begins(0);
	{
		json_auto_t *last =
			json_pack("{s:I, s:i}", "re", (json_int_t)hears_job(0),
				  "value", 8);

		assert_int_equal(channel_send(&starts[0].channel, last, NULL),
				 PO_OK);
	}
	dies(0);
	workers_handle(workers); /* its end is seen after its last words */
	assert_int_equal(asked[0].value, 8);
	assert_int_equal(asked[0].why.status, PO_OK);
	assert_int_equal(lost, 1);
}
