/* SPDX-License-Identifier: Apache-2.0 */
/*
 * helper.h - what the agent can no longer do once it has confined itself: start
 * workers, and look at the processes of those who ask.
 *
 * A child of the agent, started before Landlock is, holds no secret, and does
 * nothing but answer the three questions below. It ends, with all workers, when
 * the agent does.
 */
#ifndef PO_AGENT_HELPER_H
#define PO_AGENT_HELPER_H

#include "audit/requester.h"
#include "base/clock.h"

#include <sys/types.h>

struct helper {
	const struct po_clock *clock; /* borrowed */
	pid_t pid;
	int fd; /* -1: not running */
};

/*
 * Starts the helper, which starts workers as "p11oauth agent-worker MODULE".
 * clock is borrowed until helper_stop(). PO_E_INTERNAL: it cannot be started.
 */
enum po_status helper_start(const struct po_clock *clock,
			    struct helper *ret_helper,
			    struct po_error *err) PO_MUST_CHECK;
void helper_stop(struct helper *helper);

/* A worker, with fd as its descriptor 3. fd stays the caller's. */
enum po_status helper_spawn(struct helper *helper, const char *module, int fd,
			    pid_t *ret_pid, struct po_error *err) PO_MUST_CHECK;

/* Kills a worker that has not ended yet, and takes note of its end: *ret_how
 * says it in words, such as "killed by signal 9". */
void helper_end(struct helper *helper, pid_t pid, char *ret_how, size_t size);

/* Fills executable and unit of one who asked; "" when they are not to be
 * had. */
void helper_look(struct helper *helper, struct requester *requester);

/* The helper's own side; returns when the agent is gone. */
enum po_status helper_main(const struct po_clock *clock,
			   struct po_error *err) PO_MUST_CHECK;
#define HELPER_FD 3
#define WORKER_FD 3

#endif
