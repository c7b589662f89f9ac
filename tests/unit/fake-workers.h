/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake-workers.h - stands in for the agent's workers (agent/workers.h): keeps
 * the jobs that are handed in, and answers them when the test says so.
 *
 * A program that includes this is linked with it instead of workers.c.
 */
#ifndef PO_TESTS_UNIT_FAKE_WORKERS_H
#define PO_TESTS_UNIT_FAKE_WORKERS_H

#include "agent/workers.h"

#define FAKE_JOBS_MAX 256

struct fake_job {
	char module[64];
	json_t *message; /* owned; a copy */
	int64_t timeout_ms;
	worker_answer *answer;
	void *user;
	bool has_ended;
};

struct fake_workers {
	struct fake_job jobs[FAKE_JOBS_MAX];
	size_t count;           /* of jobs, ended ones included */
	enum po_status refuses; /* workers_submit() fails with it; PO_OK: not */
	bool is_busy;
	unsigned int retired;    /* how often workers_retire() was called */
	char retired_module[64]; /* the last time; "": all */
};
extern struct fake_workers fake_workers;

/* What workers_new() would give; whoever gets it may be given no other. */
struct workers *fake_workers_get(void);

/* Forgets all jobs, unanswered ones as well. */
void fake_workers_reset(void);

/* Ends those that have not ended, as the agent does when it ends. */
void fake_workers_end(void);

/* The newest job; fails the test when there is none. */
struct fake_job *fake_workers_last(void);

/* How many jobs have not ended. */
size_t fake_workers_open(void);

/* The string member of a job's message; fails the test when there is none. */
const char *fake_job_text(const struct fake_job *job, const char *name);

/* Ends a job with an answer, which is taken over. */
void fake_job_answer(struct fake_job *job, json_t *answer);

/* Ends a job without one. */
void fake_job_fail(struct fake_job *job, enum po_status status,
		   const char *text);

#endif
