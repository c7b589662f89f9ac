/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/workers.h"

#include "agent/channel.h"
#include "base/clock.h"
#include "base/error_json.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RETIRE_MS 20000      /* for C_Finalize and what is under way */
#define RESPAWN_FIRST_MS 100 /* after a worker that died at once */
#define RESPAWN_MAX_MS 5000
#define HEALTHY_MS 5000 /* a worker this old has not died at once */

struct job {
	struct job *next;
	uint64_t id;
	json_t *message; /* owned; the question */
	int64_t deadline_ms;
	worker_answer *answer;
	void *user;
	bool was_sent;
	bool was_repeated; /* its first worker died */
};

struct worker {
	char *module;
	struct channel channel; /* fd -1: not running */
	pid_t pid;
	struct job *jobs; /* in the order of their coming */
	size_t job_count;
	int64_t started_ms;
	int64_t spawn_at_ms;  /* not before */
	int64_t retire_by_ms; /* 0: it is not leaving */
	int64_t respawn_ms;   /* the pause after the next early death */
	unsigned int restarts;
};

struct workers {
	const struct po_clock *clock;
	struct helper *helper;
	struct workers_events events;
	struct worker *items[WORKERS_MAX];
	size_t count;
	uint64_t last_id;
	bool is_finishing;
};

struct workers *workers_new(const struct po_clock *clock, struct helper *helper,
			    const struct workers_events *events)
{
	struct workers *w = calloc(1, sizeof(*w));

	if (w) {
		w->clock = clock;
		w->helper = helper;
		w->events = *events;
	}
	return w;
}

static void job_free(struct job *job)
{
	json_decref(job->message);
	free(job);
}

static void unlink_job(struct worker *worker, struct job *job)
{
	struct job **at = &worker->jobs;

	while (*at != job)
		at = &(*at)->next;
	*at = job->next;
	worker->job_count--;
}

static void end_job(struct worker *worker, struct job *job,
		    const json_t *answer, const struct po_error *why)
{
	unlink_job(worker, job);
	job->answer(job->user, answer, why);
	job_free(job);
}

static struct worker *find(const struct workers *w, const char *module)
{
	for (size_t i = 0; i < w->count; i++)
		if (strcmp(w->items[i]->module, module) == 0)
			return w->items[i];
	return NULL;
}

static struct worker *add(struct workers *w, const char *module,
			  struct po_error *err)
{
	struct worker *worker;

	if (w->count == WORKERS_MAX) {
		(void)po_fail(err, PO_E_CONFIG, 0, "more than %d modules",
			      WORKERS_MAX);
		return NULL;
	}
	worker = calloc(1, sizeof(*worker));
	if (!worker || !(worker->module = text_dup(module))) {
		free(worker);
		(void)po_no_memory(err);
		return NULL;
	}
	channel_init(&worker->channel, -1);
	worker->respawn_ms = RESPAWN_FIRST_MS;
	w->items[w->count++] = worker;
	return worker;
}

/* ---- a worker's life ---------------------------------------------------- */

static bool is_running(const struct worker *worker)
{
	return worker->channel.fd >= 0;
}

/* What becomes of the jobs of a worker that is gone. One that left as it was
 * told had not begun those that it did not answer. */
static void settle_jobs(struct worker *worker, bool was_leaving,
			const struct po_error *why)
{
	struct job *job = worker->jobs;

	while (job) {
		struct job *next = job->next;

		if (job->was_sent && job->was_repeated && !was_leaving) {
			end_job(worker, job, NULL, why);
		} else if (job->was_sent) {
			job->was_repeated = job->was_repeated || !was_leaving;
			job->was_sent = false;
		}
		job = next;
	}
}

/* It is dead, or will be now. */
static void bury(struct workers *w, struct worker *worker, const char *cause)
{
	bool was_leaving = worker->retire_by_ms != 0;
	int64_t now_ms = clock_monotonic_ms(w->clock);
	struct po_error why = { 0 };
	char how[64];

	channel_close(&worker->channel);
	helper_end(w->helper, worker->pid, how, sizeof(how));
	worker->pid = 0;
	worker->retire_by_ms = 0;
	(void)po_fail(&why, PO_E_DEVICE, 0, "the worker of module '%s' %s (%s)",
		      worker->module, cause, how);
	if (!was_leaving) {
		log_warn("%s", why.text);
		worker->restarts++;
	}
	if (was_leaving || now_ms - worker->started_ms > HEALTHY_MS) {
		worker->respawn_ms = RESPAWN_FIRST_MS;
		worker->spawn_at_ms = 0;
	} else {
		worker->spawn_at_ms = now_ms + worker->respawn_ms;
		worker->respawn_ms *= 2;
		if (worker->respawn_ms > RESPAWN_MAX_MS)
			worker->respawn_ms = RESPAWN_MAX_MS;
	}
	settle_jobs(worker, was_leaving, &why);
	w->events.lost(w->events.user, worker->module, why.text);
}

/* One message for each, so that none is too long. */
static enum po_status tell_profiles(struct workers *w, struct worker *worker,
				    struct po_error *err)
{
	json_auto_t *profiles =
		w->events.profiles(w->events.user, worker->module);
	json_auto_t *ready = json_pack("{s:s}", "op", "ready");
	enum po_status st = profiles && ready ? PO_OK : po_no_memory(err);

	for (size_t i = 0; st == PO_OK && i < json_array_size(profiles); i++) {
		json_auto_t *message =
			json_pack("{s:s, s:O}", "op", "profile", "profile",
				  json_array_get(profiles, i));

		st = message ? channel_send(&worker->channel, message, err)
			     : po_no_memory(err);
	}
	return st == PO_OK ? channel_send(&worker->channel, ready, err) : st;
}

static enum po_status start(struct workers *w, struct worker *worker,
			    struct po_error *err)
{
	enum po_status st;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
		return po_fail(err, PO_E_INTERNAL, errno, "socketpair: %s",
			       strerror(errno));
	st = helper_spawn(w->helper, worker->module, pair[1], &worker->pid,
			  err);
	(void)close(pair[1]);
	if (st == PO_OK && fcntl(pair[0], F_SETFL, O_NONBLOCK) != 0)
		st = po_fail(err, PO_E_INTERNAL, errno, "fcntl: %s",
			     strerror(errno));
	if (st != PO_OK) {
		(void)close(pair[0]);
		return st;
	}
	channel_init(&worker->channel, pair[0]);
	worker->started_ms = clock_monotonic_ms(w->clock);
	worker->retire_by_ms = 0;
	st = tell_profiles(w, worker, err);
	if (st != PO_OK)
		bury(w, worker, "could not be told its profiles");
	return st;
}

static void send_jobs(struct workers *w, struct worker *worker)
{
	for (struct job *job = worker->jobs; job; job = job->next) {
		struct po_error why = { 0 };

		if (job->was_sent)
			continue;
		job->was_sent = true;
		if (channel_send(&worker->channel, job->message, &why) == PO_OK)
			continue;
		bury(w, worker, why.text);
		return;
	}
}

/* ---- what a worker says ------------------------------------------------- */

static struct job *job_of(const struct worker *worker, const json_t *message,
			  const char *name)
{
	json_int_t id = json_integer_value(json_object_get(message, name));

	for (struct job *job = worker->jobs; job; job = job->next)
		if (job->id == (uint64_t)id)
			return job;
	return NULL;
}

static void take_record(struct workers *w, struct worker *worker,
			const json_t *message)
{
	struct job *job = job_of(worker, message, "for");
	json_t *record = json_deep_copy(json_object_get(message, "record"));
	json_auto_t *answer = NULL;
	struct po_error why = { 0 };
	uint64_t seq = 0;
	enum po_status st = PO_E_INTERNAL;

	if (record && job)
		st = w->events.record(w->events.user,
				      json_object_get(job->message, "peer"),
				      record, &seq, &why);
	else
		json_decref(record);
	if (st == PO_OK)
		answer = json_pack("{s:O, s:I}", "recorded",
				   json_object_get(message, "record_id"), "seq",
				   (json_int_t)seq);
	else
		answer = json_pack("{s:O, s:o}", "recorded",
				   json_object_get(message, "record_id"),
				   "error", error_json(&why));
	if (!answer || channel_send(&worker->channel, answer, NULL) != PO_OK)
		log_warn("worker of module '%s': it does not listen",
			 worker->module);
}

static void take_answer(struct worker *worker, const json_t *message)
{
	const json_t *error = json_object_get(message, "error");
	struct job *job = job_of(worker, message, "re");
	struct po_error why = { 0 };

	if (!job || !job->was_sent)
		return;
	if (!error)
		end_job(worker, job, message, NULL);
	else if (error_from_json(error, &why))
		end_job(worker, job, message, &why);
}

static void retire(const struct workers *w, struct worker *worker)
{
	json_auto_t *leave = json_pack("{s:s}", "op", "leave");

	if (!is_running(worker) || worker->retire_by_ms)
		return;
	worker->retire_by_ms = clock_monotonic_ms(w->clock) + RETIRE_MS;
	if (!leave || channel_send(&worker->channel, leave, NULL) != PO_OK)
		worker->retire_by_ms = 1; /* overdue */
}

/* Its module leaks: what is under way ends, then its successor goes on. */
static void take_leave(const struct workers *w, struct worker *worker,
		       const char *what)
{
	log_warn("the worker of module '%s' leaks %s; it is replaced",
		 worker->module, what);
	worker->restarts++;
	retire(w, worker);
}

/* False: the worker is gone. */
static bool listen_to(struct workers *w, struct worker *worker)
{
	bool is_there = channel_fill(&worker->channel);

	for (;;) {
		json_auto_t *message = NULL;

		if (channel_next(&worker->channel, &message, NULL) != PO_OK)
			return false;
		if (!message)
			return is_there;
		if (json_object_get(message, "record"))
			take_record(w, worker, message);
		else if (json_text(message, "tired"))
			take_leave(w, worker, json_text(message, "tired"));
		else
			take_answer(worker, message);
	}
}

/* ---- the pool ----------------------------------------------------------- */

enum po_status workers_submit(struct workers *w, const char *module,
			      const struct worker_task *task,
			      struct po_error *err)
{
	struct worker *worker = find(w, module);
	struct job *job, **end;

	if (w->is_finishing)
		return po_fail(err, PO_E_AGENT, 0, "the agent is ending");
	if (!worker && !(worker = add(w, module, err)))
		return err ? err->status : PO_E_INTERNAL;
	if (worker->job_count >= WORKER_JOBS_MAX)
		return po_fail(err, PO_E_AGENT, 0,
			       "the agent has too much to do");
	job = calloc(1, sizeof(*job));
	if (!job ||
	    !(job->message = json_copy((json_t *)(uintptr_t)task->message))) {
		free(job);
		return po_no_memory(err);
	}
	job->id = ++w->last_id;
	if (json_object_set_new(job->message, "id",
				json_integer((json_int_t)job->id)) != 0) {
		job_free(job);
		return po_no_memory(err);
	}
	job->deadline_ms = clock_monotonic_ms(w->clock) + task->timeout_ms;
	job->answer = task->answer;
	job->user = task->user;
	for (end = &worker->jobs; *end; end = &(*end)->next)
		;
	*end = job;
	worker->job_count++;
	return PO_OK;
}

size_t workers_poll(const struct workers *w, struct pollfd *fds, size_t count,
		    size_t max)
{
	for (size_t i = 0; i < w->count && count < max; i++)
		if (is_running(w->items[i]))
			fds[count++] = (struct pollfd){
				.fd = w->items[i]->channel.fd,
				.events = w->items[i]->channel.out.len > 0
						  ? POLLIN | POLLOUT
						  : POLLIN,
			};
	return count;
}

/* A job that is overdue: its worker hangs, or never came to life. */
static bool has_overdue(const struct worker *worker, int64_t now_ms)
{
	for (const struct job *job = worker->jobs; job; job = job->next)
		if (now_ms >= job->deadline_ms)
			return true;
	return false;
}

static void end_overdue(struct worker *worker, int64_t now_ms)
{
	struct job *job = worker->jobs;
	struct po_error why = { 0 };

	(void)po_fail(&why, PO_E_DEVICE, ETIMEDOUT,
		      "the worker of module '%s' did not answer in time",
		      worker->module);
	while (job) {
		struct job *next = job->next;

		if (now_ms >= job->deadline_ms)
			end_job(worker, job, NULL, &why);
		job = next;
	}
}

static void start_if_due(struct workers *w, struct worker *worker,
			 int64_t now_ms)
{
	struct po_error why = { 0 };

	if (is_running(worker) || !worker->jobs || now_ms < worker->spawn_at_ms)
		return;
	if (start(w, worker, &why) == PO_OK)
		return;
	worker->spawn_at_ms = now_ms + RESPAWN_MAX_MS;
	while (worker->jobs)
		end_job(worker, worker->jobs, NULL, &why);
}

static void handle(struct workers *w, struct worker *worker)
{
	int64_t now_ms = clock_monotonic_ms(w->clock);

	if (is_running(worker) && !listen_to(w, worker))
		bury(w, worker, "ended");
	if (is_running(worker) &&
	    channel_flush(&worker->channel, NULL) != PO_OK)
		bury(w, worker, "ended");
	if (is_running(worker) && worker->retire_by_ms &&
	    now_ms > worker->retire_by_ms)
		bury(w, worker, "did not leave");
	if (has_overdue(worker, now_ms)) {
		end_overdue(worker, now_ms);
		if (is_running(worker))
			bury(w, worker, "hangs");
	}
	start_if_due(w, worker, now_ms);
	if (is_running(worker) && !worker->retire_by_ms)
		send_jobs(w, worker);
}

void workers_handle(struct workers *w)
{
	for (size_t i = 0; i < w->count; i++)
		handle(w, w->items[i]);
}

int64_t workers_next_ms(const struct workers *w)
{
	int64_t next_ms = INT64_MAX;

	for (size_t i = 0; i < w->count; i++) {
		const struct worker *worker = w->items[i];

		for (const struct job *j = worker->jobs; j; j = j->next)
			if (j->deadline_ms < next_ms)
				next_ms = j->deadline_ms;
		if (worker->jobs && !is_running(worker) &&
		    worker->spawn_at_ms < next_ms)
			next_ms = worker->spawn_at_ms;
		if (worker->retire_by_ms && worker->retire_by_ms < next_ms)
			next_ms = worker->retire_by_ms;
	}
	return next_ms;
}

void workers_retire(struct workers *w, const char *module)
{
	for (size_t i = 0; i < w->count; i++)
		if (!module || strcmp(w->items[i]->module, module) == 0)
			retire(w, w->items[i]);
}

bool workers_finish(struct workers *w, int64_t until_ms)
{
	bool is_late = clock_monotonic_ms(w->clock) >= until_ms;
	bool all_gone = true;

	w->is_finishing = true;
	workers_retire(w, NULL);
	for (size_t i = 0; i < w->count; i++) {
		struct worker *worker = w->items[i];

		if (is_running(worker) && (is_late || !listen_to(w, worker)))
			bury(w, worker, "ended");
		all_gone = all_gone && !is_running(worker);
	}
	return all_gone;
}

bool workers_is_busy(const struct workers *w, const char *module)
{
	const struct worker *worker = find(w, module);

	for (const struct job *j = worker ? worker->jobs : NULL; j; j = j->next)
		if (j->was_sent)
			return true;
	return false;
}

static const char *state_of(const struct worker *worker)
{
	if (!is_running(worker))
		return worker->jobs ? "starting" : "stopped";
	if (worker->retire_by_ms)
		return "leaving";
	return worker->jobs ? "busy" : "idle";
}

json_t *workers_status(const struct workers *w)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < w->count; i++) {
		const struct worker *worker = w->items[i];

		if (json_array_append_new(
			    list,
			    json_pack("{s:s, s:i, s:s, s:i, s:i}", "module",
				      worker->module, "pid", (int)worker->pid,
				      "state", state_of(worker), "jobs",
				      (int)worker->job_count, "restarts",
				      (int)worker->restarts)) != 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

void workers_free(struct workers *w)
{
	struct po_error why = { 0 };

	if (!w)
		return;
	w->is_finishing = true;
	(void)po_fail(&why, PO_E_AGENT, 0, "the agent is ending");
	for (size_t i = 0; i < w->count; i++) {
		struct worker *worker = w->items[i];

		if (is_running(worker))
			bury(w, worker, "ended");
		while (worker->jobs)
			end_job(worker, worker->jobs, NULL, &why);
		free(worker->module);
		free(worker);
	}
	free(w);
}
