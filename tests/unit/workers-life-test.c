/* SPDX-License-Identifier: Apache-2.0 */
/* Workers that hang, leave, leak or write records; and the agent's end. */
#include "workers-bench.h"

#include "base/error_json.h"
#include "unit.h"

#include <string.h>

BEFORE_EACH
{
	workers_up();
}

AFTER_EACH
{
	workers_down();
}

/* ---- a worker that hangs ------------------------------------------------ */

TEST(an_overdue_job_ends_and_with_it_its_worker)
{
	ask_in("/lib/a.so", &asked[0], 1000);
	ask_in("/lib/a.so", &asked[1], 5000);
	workers_handle(workers);
	assert_int_equal(next_ms(), 1000);
	advance(999);
	assert_int_equal(asked[0].answers, 0);
	assert_false(starts[0].has_ended);
	advance(1);
	assert_int_equal(asked[0].answers, 1);
	assert_int_equal(asked[0].why.status, PO_E_DEVICE);
	assert_non_null(strstr(asked[0].why.text, "did not answer in time"));
	assert_true(starts[0].has_ended);
	assert_non_null(strstr(lost_why, "hangs"));
	assert_int_equal(asked[1].answers, 0); /* the next one has it */
	advance(100);
	begins(1);
	answers(1, hears_job(1), 6);
	assert_int_equal(asked[1].value, 6);
}

TEST(a_job_in_a_pause_is_overdue_as_well)
{
	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	dies(0);
	ask_in("/lib/a.so", &asked[1], 50);
	advance(50);
	assert_int_equal(asked[1].answers, 1);
	assert_int_equal(asked[1].why.status, PO_E_DEVICE);
	assert_int_equal(lost, 1); /* there was none to bury */
}

/* ---- leaving ------------------------------------------------------------ */

TEST(a_worker_that_is_told_to_leave_ends_its_jobs_first)
{
	int64_t id;

	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	begins(0);
	id = hears_job(0);
	workers_retire(workers, "/lib/a.so");
	hears_op(0, "leave");
	assert_string_equal(state_of(0), "leaving");
	workers_retire(workers, NULL); /* told once */
	ask("/lib/a.so", &asked[1]);
	workers_handle(workers);
	hears_nothing(0); /* for its successor */
	assert_int_equal(next_ms(), RETIRE_MS);
	answers(0, id, 1);
	assert_int_equal(asked[0].value, 1);
	dies(0);
	assert_int_equal(warnings, 0);
	assert_int_equal(status_number(0, "restarts"), 0);
	assert_int_equal(lost, 1);
	assert_int_equal(start_count, 2); /* without a pause */
	begins(1);
	answers(1, hears_job(1), 2);
	assert_int_equal(asked[1].value, 2);
}

TEST(one_that_left_had_not_begun_what_it_did_not_answer)
{
	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	workers_retire(workers, NULL);
	dies(0);
	dies(1); /* the first that died with the job */
	assert_int_equal(asked[0].answers, 0);
	advance(100);
	begins(2);
	answers(2, hears_job(2), 9);
	assert_int_equal(asked[0].value, 9);
}

TEST(one_that_does_not_leave_is_ended)
{
	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	begins(0);
	answers(0, hears_job(0), 1);
	workers_retire(workers, NULL);
	advance(RETIRE_MS);
	assert_false(starts[0].has_ended);
	advance(1);
	assert_true(starts[0].has_ended);
	assert_non_null(strstr(lost_why, "did not leave"));
	assert_string_equal(state_of(0), "stopped");
}

TEST(one_module_may_be_retired_alone)
{
	ask("/lib/a.so", &asked[0]);
	ask("/lib/b.so", &asked[1]);
	workers_handle(workers);
	workers_retire(workers, "/lib/b.so");
	assert_string_equal(state_of(0), "busy");
	assert_string_equal(state_of(1), "leaving");
}

TEST(one_that_leaks_is_replaced_when_it_is_done)
{
	int64_t id;

	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	begins(0);
	id = hears_job(0);
	says(0, json_pack("{s:s}", "tired", "open files"));
	hears_op(0, "leave");
	assert_int_equal(status_number(0, "restarts"), 1);
	assert_int_equal(warnings, 1);
	answers(0, id, 1);
	assert_int_equal(asked[0].value, 1);
	dies(0);
	assert_int_equal(status_number(0, "restarts"), 1);
	assert_int_equal(warnings, 1);
}

/* ---- the agent's end ---------------------------------------------------- */

TEST(at_the_end_all_are_waited_for_until_it_is_late)
{
	json_auto_t *job = json_pack("{s:s}", "op", "token");
	int64_t until_ms = clock_monotonic_ms(&fake.clock) + 15000;
	struct po_error err = { 0 };

	ask("/lib/a.so", &asked[0]);
	ask("/lib/b.so", &asked[1]);
	workers_handle(workers);
	begins(0);
	assert_false(workers_finish(workers, until_ms));
	assert_int_equal(
		workers_submit(workers, "/lib/a.so",
			       &(struct worker_task){ job, TIMEOUT_MS,
						      on_answer, &asked[2] },
			       &err),
		PO_E_AGENT);
	answers(0, hears_job(0), 1);
	assert_int_equal(asked[0].value, 1);
	channel_close(&starts[0].channel);
	assert_false(workers_finish(workers, until_ms));
	assert_true(starts[0].has_ended);
	fake_clock_advance(&fake, 14999);
	assert_false(workers_finish(workers, until_ms));
	fake_clock_advance(&fake, 1);
	assert_true(workers_finish(workers, until_ms));
	assert_true(starts[1].has_ended);
}

TEST(jobs_that_are_left_hear_of_the_end)
{
	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	ask("/lib/a.so", &asked[1]);
	workers_free(workers);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(asked[i].answers, 1);
		assert_int_equal(asked[i].why.status, PO_E_AGENT);
	}
	assert_true(starts[0].has_ended);
	workers = NULL;
}

/* ---- records ------------------------------------------------------------ */

static json_t *record_for(int64_t id, int record_id)
{
	return json_pack("{s:I, s:i, s:{s:s}}", "for", (json_int_t)id,
			 "record_id", record_id, "record", "event", "sign");
}

TEST(a_record_is_of_the_one_whose_job_it_is)
{
	json_auto_t *first = NULL, *second = NULL;
	int64_t id_a, id_b;

	ask("/lib/a.so", &asked[0]);
	ask("/lib/b.so", &asked[1]);
	workers_handle(workers);
	begins(0);
	begins(1);
	id_a = hears_job(0);
	id_b = hears_job(1);
	says(1, record_for(id_b, 70));
	assert_int_equal(records, 1);
	assert_string_equal(record_peer, "/lib/b.so");
	first = hear(1);
	assert_int_equal(json_integer_value(json_object_get(first, "recorded")),
			 70);
	assert_int_equal(json_integer_value(json_object_get(first, "seq")), 42);
	assert_null(json_object_get(first, "error"));
	says(0, record_for(id_a, 71));
	assert_string_equal(record_peer, "/lib/a.so");
	second = hear(0);
	assert_int_equal(json_integer_value(json_object_get(second, "seq")),
			 43);
	assert_int_equal(asked[0].answers + asked[1].answers, 0);
}

TEST(a_record_that_cannot_be_written_is_told)
{
	json_auto_t *reply = NULL;
	struct po_error why = { 0 };

	record_status = PO_E_CONFIG;
	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	begins(0);
	says(0, record_for(hears_job(0), 70));
	reply = hear(0);
	assert_int_equal(json_integer_value(json_object_get(reply, "recorded")),
			 70);
	assert_null(json_object_get(reply, "seq"));
	assert_true(error_from_json(json_object_get(reply, "error"), &why));
	assert_int_equal(why.status, PO_E_CONFIG);
	assert_string_equal(why.text, "the disk is full");
}

TEST(a_record_for_no_job_is_not_written)
{
	json_auto_t *reply = NULL;

	ask("/lib/a.so", &asked[0]);
	workers_handle(workers);
	begins(0);
	says(0, record_for(hears_job(0) + 1000, 70));
	assert_int_equal(records, 0);
	reply = hear(0);
	assert_non_null(json_object_get(reply, "error"));
}

/* ---- the loop ----------------------------------------------------------- */

TEST(those_that_run_are_polled)
{
	struct pollfd fds[4];

	ask("/lib/a.so", &asked[0]);
	assert_int_equal(workers_poll(workers, fds, 1, 4), 1);
	ask("/lib/b.so", &asked[1]);
	workers_handle(workers);
	assert_int_equal(workers_poll(workers, fds, 1, 4), 3);
	assert_int_equal(fds[1].events, POLLIN);
	assert_true(fds[1].fd >= 0 && fds[2].fd >= 0 && fds[1].fd != fds[2].fd);
	assert_int_equal(workers_poll(workers, fds, 1, 2), 2); /* no more */
	dies(0);
	assert_int_equal(workers_poll(workers, fds, 0, 4), 1);
}
