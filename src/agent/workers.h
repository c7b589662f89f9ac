/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers.h - the agent's side of its workers: one process for each PKCS #11
 * module, started when it is needed and replaced when it crashes, hangs or
 * leaves.
 *
 * A job is a JSON object with "op" (worker.h has them). It ends once: with the
 * worker's answer, or with an error when there is none. A job whose worker died
 * before it answered is given to the next one, once. Times are
 * clock_monotonic_ms().
 */
#ifndef PO_AGENT_WORKERS_H
#define PO_AGENT_WORKERS_H

#include "agent/helper.h"
#include "base/clock.h"
#include "base/json.h"

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#define WORKERS_MAX 64
#define WORKER_JOBS_MAX 4096

struct workers;

/* answer NULL: none, why says it. Both borrowed. */
typedef void worker_answer(void *user, const json_t *answer,
			   const struct po_error *why);

struct workers_events { /* called from workers_handle() */
	/* A worker asks for a record in the ledger; record is the callee's.
	 * peer: of the job that it is about; JSON null: nobody. */
	enum po_status (*record)(void *user, const json_t *peer, json_t *record,
				 uint64_t *ret_seq, struct po_error *err);
	/* What a new worker has to know before its first job: an array of
	 * profiles, the caller's. NULL: out of memory. */
	json_t *(*profiles)(void *user, const char *module);
	/* The PINs and sessions of a module are gone; why: in words. */
	void (*lost)(void *user, const char *module, const char *why);
	void *user;
};

/* clock and helper are borrowed until workers_free(). NULL: out of memory. */
struct workers *workers_new(const struct po_clock *clock, struct helper *helper,
			    const struct workers_events *events) PO_MUST_CHECK;
void workers_free(struct workers *workers);

struct worker_task {           /* all borrowed; what answer gets until then */
	const json_t *message; /* the job */
	int64_t timeout_ms;    /* from now on */
	worker_answer *answer;
	void *user; /* may be NULL */
};

/*
 * Hands the task to the worker of module, which is started if need be. answer
 * is called later, never from here, after timeout_ms at the latest; then the
 * worker counts as hung and is replaced.
 */
enum po_status workers_submit(struct workers *workers, const char *module,
			      const struct worker_task *task,
			      struct po_error *err) PO_MUST_CHECK;

/* Adds what to poll for; returns the new count. */
size_t workers_poll(const struct workers *workers, struct pollfd *fds,
		    size_t count, size_t max);

/* Takes what workers say, ends what is overdue, starts what waits. */
void workers_handle(struct workers *workers);

/* When workers_handle() has something to do though nobody says anything;
 * INT64_MAX: never. */
int64_t workers_next_ms(const struct workers *workers);

/*
 * Tells every worker (module NULL) or one to end its jobs, to log out and to
 * leave; further jobs wait for its successor.
 */
void workers_retire(struct workers *workers, const char *module);

/* The same for all, for the last time: true when none is left. Those that are
 * there after until_ms are killed. */
bool workers_finish(struct workers *workers, int64_t until_ms);

/* True while a job is with the worker: it would make others wait. */
bool workers_is_busy(const struct workers *workers, const char *module);

/* [{"module","pid","state","jobs","restarts"}]; NULL: out of memory. */
json_t *workers_status(const struct workers *workers) PO_MUST_CHECK;

#endif
