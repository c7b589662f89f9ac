/* SPDX-License-Identifier: Apache-2.0 */
#include "fake-workers.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

struct fake_workers fake_workers;

struct workers { /* nobody looks into it */
	int nothing;
};
static struct workers the_workers;

struct workers *fake_workers_get(void)
{
	return &the_workers;
}

void fake_workers_reset(void)
{
	for (size_t i = 0; i < fake_workers.count; i++)
		json_decref(fake_workers.jobs[i].message);
	fake_workers = (struct fake_workers){ 0 };
}

struct fake_job *fake_workers_last(void)
{
	assert_true(fake_workers.count > 0);
	return &fake_workers.jobs[fake_workers.count - 1];
}

size_t fake_workers_open(void)
{
	size_t open = 0;

	for (size_t i = 0; i < fake_workers.count; i++)
		open += !fake_workers.jobs[i].has_ended;
	return open;
}

const char *fake_job_text(const struct fake_job *job, const char *name)
{
	const char *text =
		json_string_value(json_object_get(job->message, name));

	assert_non_null(text);
	return text;
}

static void end(struct fake_job *job, const json_t *answer,
		const struct po_error *why)
{
	assert_false(job->has_ended);
	job->has_ended = true;
	job->answer(job->user, answer, why);
}

void fake_job_answer(struct fake_job *job, json_t *answer)
{
	assert_non_null(answer);
	end(job, answer, NULL);
	json_decref(answer);
}

void fake_job_fail(struct fake_job *job, enum po_status status,
		   const char *text)
{
	struct po_error why = { 0 };

	(void)po_fail(&why, status, 0, "%s", text);
	end(job, NULL, &why);
}

void fake_workers_end(void)
{
	for (size_t i = 0; i < fake_workers.count; i++)
		if (!fake_workers.jobs[i].has_ended)
			fake_job_fail(&fake_workers.jobs[i], PO_E_AGENT,
				      "the agent is ending");
}

/* ---- agent/workers.h ---------------------------------------------------- */

struct workers *workers_new(const struct po_clock *clock, struct helper *helper,
			    const struct workers_events *events)
{
	(void)clock;
	(void)helper;
	(void)events;
	return &the_workers;
}

void workers_free(struct workers *workers)
{
	(void)workers;
}

enum po_status workers_submit(struct workers *workers, const char *module,
			      const struct worker_task *task,
			      struct po_error *err)
{
	struct fake_job *job = NULL;

	assert_ptr_equal(workers, &the_workers);
	if (fake_workers.refuses != PO_OK)
		return po_fail(err, fake_workers.refuses, 0, "no worker");
	assert_true(fake_workers.count < FAKE_JOBS_MAX);
	job = &fake_workers.jobs[fake_workers.count++];
	*job = (struct fake_job){ .message = json_deep_copy(task->message),
				  .timeout_ms = task->timeout_ms,
				  .answer = task->answer,
				  .user = task->user };
	assert_non_null(job->message);
	(void)snprintf(job->module, sizeof(job->module), "%s", module);
	return PO_OK;
}

size_t workers_poll(const struct workers *workers, struct pollfd *fds,
		    size_t count, size_t max)
{
	(void)workers;
	(void)fds;
	(void)max;
	return count;
}

void workers_handle(struct workers *workers)
{
	(void)workers;
}

int64_t workers_next_ms(const struct workers *workers)
{
	(void)workers;
	return INT64_MAX;
}

void workers_retire(struct workers *workers, const char *module)
{
	(void)workers;
	fake_workers.retired++;
	(void)snprintf(fake_workers.retired_module,
		       sizeof(fake_workers.retired_module), "%s",
		       module ? module : "");
}

bool workers_finish(struct workers *workers, int64_t until_ms)
{
	(void)workers;
	(void)until_ms;
	return true;
}

bool workers_is_busy(const struct workers *workers, const char *module)
{
	(void)workers;
	(void)module;
	return fake_workers.is_busy;
}

json_t *workers_status(const struct workers *workers)
{
	(void)workers;
	return json_array();
}
