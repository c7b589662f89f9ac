/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_impl.h - a worker's parts: worker.c has its threads and what it says
 * to the agent, worker_jobs.c what it does.
 */
#ifndef PO_AGENT_WORKER_IMPL_H
#define PO_AGENT_WORKER_IMPL_H

#include "agent/channel.h"
#include "agent/pins.h"
#include "agent/served.h"
#include "flow/env.h"
#include "flow/key_desk.h"

#include <pthread.h>

struct pending;

struct worker {
	const struct po_clock *clock; /* borrowed */
	json_t *told; /* owned; an array of what served borrows from */
	struct served_list served;
	struct key_desk *desk;
	struct pins *pins;
	struct channel channel; /* read by the main thread alone */

	pthread_mutex_t lock; /* of what follows, and of writing */
	pthread_cond_t changed;
	unsigned int busy; /* threads */
	uint64_t last_record;
	struct pending *pending; /* records that wait for their answer */
	bool is_alone;           /* the agent is gone */
	size_t first_bytes;      /* resident, after the first job */
	bool is_tired;           /* another worker should take over */
};

struct job { /* in a thread of its own */
	struct worker *worker;
	json_t *message; /* owned */
	json_t *answer;  /* owned; what it gives */
	uint64_t id;
	struct served *served;
	struct po_env env;
};

/* True when it is the job of this name. */
bool job_is(const struct job *job, const char *op);

/* Does it; what it gives is in job->answer, also beside a failure. */
enum po_status job_run(struct job *job, struct po_error *err) PO_MUST_CHECK;

/*
 * worker_sandbox.c: when a profile of the module names module-paths, nothing
 * but those, what the profiles name, the system's libraries and our own
 * folders can be reached any more, and no TCP port be bound. A kernel without
 * Landlock is told in the log.
 */
enum po_status worker_confine(const struct served_list *served,
			      const char *module,
			      struct po_error *err) PO_MUST_CHECK;

#endif
