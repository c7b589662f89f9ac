/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/worker.h"

#include "agent/helper.h"
#include "agent/worker_impl.h"
#include "base/clock.h"
#include "base/error_json.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "cryptoki/device.h"
#include "http/curl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LEAVE_MS 15000 /* for jobs that are under way */

struct pending {
	struct pending *next;
	uint64_t id;
	json_t *answer; /* owned; NULL: not there yet */
};

/* ---- to the agent ------------------------------------------------------- */

static void say(struct worker *w, const json_t *message)
{
	(void)pthread_mutex_lock(&w->lock);
	if (!w->is_alone && channel_send(&w->channel, message, NULL) != PO_OK)
		w->is_alone = true;
	(void)pthread_mutex_unlock(&w->lock);
}

static void unlink_pending(struct worker *w, struct pending *p)
{
	struct pending **at = &w->pending;

	while (*at != p)
		at = &(*at)->next;
	*at = p->next;
}

/* The agent's word on a record; NULL: it is gone. Under the lock. */
static json_t *wait_for_record(struct worker *w, struct pending *p)
{
	while (!p->answer && !w->is_alone)
		(void)pthread_cond_wait(&w->changed, &w->lock);
	unlink_pending(w, p);
	return p->answer;
}

/* No key is used before the agent says that the record stands. */
static enum po_status on_record(void *user, const struct po_clock *clock,
				const struct profile *profile, json_t *record,
				uint64_t *ret_seq, struct po_error *err)
{
	struct job *job = user;
	struct worker *w = job->worker;
	struct pending p = { .answer = NULL };
	json_auto_t *question = NULL;
	json_auto_t *answer = NULL;
	struct po_error why = { 0 };

	(void)clock; /* the agent puts its own time to it */
	*ret_seq = 0;
	/* a look ends where a PIN is asked for: that is no failure */
	if (job_is(job, "look") &&
	    json_is_false(json_object_get(record, "sent"))) {
		json_decref(record);
		return PO_OK;
	}
	(void)json_object_set_new(record, "worker_profile",
				  json_string(profile->name));
	(void)pthread_mutex_lock(&w->lock);
	p.id = ++w->last_record;
	p.next = w->pending;
	w->pending = &p;
	question =
		json_pack("{s:o, s:I, s:I}", "record", record, "for",
			  (json_int_t)job->id, "record_id", (json_int_t)p.id);
	if (!question || channel_send(&w->channel, question, NULL) != PO_OK)
		w->is_alone = true;
	answer = wait_for_record(w, &p);
	(void)pthread_mutex_unlock(&w->lock);
	if (!answer)
		return po_fail(err, PO_E_AGENT, 0, "the agent is gone");
	if (error_from_json(json_object_get(answer, "error"), &why))
		return po_fail(err, why.status, why.native, "%s", why.text);
	*ret_seq = (uint64_t)json_integer_value(json_object_get(answer, "seq"));
	return PO_OK;
}

static void take_recorded(struct worker *w, json_t *message)
{
	json_int_t id =
		json_integer_value(json_object_get(message, "recorded"));

	(void)pthread_mutex_lock(&w->lock);
	for (struct pending *p = w->pending; p; p = p->next)
		if (p->id == (uint64_t)id)
			p->answer = json_deep_copy(message);
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
}

/* ---- a module that leaks ------------------------------------------------ */

/* Neither figure is exact; what counts is growth without end. */
static size_t resident_bytes(void)
{
	char text[128];
	uint64_t pages = 0;
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : 0;
	char *second;

	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	second = strchr(text, ' '); /* size, resident, … (proc(5)) */
	if (!second)
		return 0;
	second++;
	second[strcspn(second, " ")] = '\0';
	if (!text_to_uint(second, UINT32_MAX, &pages))
		return 0;
	return (size_t)pages * (size_t)sysconf(_SC_PAGESIZE);
}

/* The lowest number that is free: with few files open it is small. */
static int lowest_free_fd(void)
{
	int fd = fcntl(WORKER_FD, F_DUPFD_CLOEXEC, 0);

	if (fd >= 0)
		(void)close(fd);
	return fd < 0 ? WORKER_FILES_MAX : fd;
}

/* Tells the agent, once, that another worker should take over. */
static void check_health(struct worker *w)
{
	size_t bytes = resident_bytes();
	int fd = lowest_free_fd();
	json_auto_t *message = NULL;

	(void)pthread_mutex_lock(&w->lock);
	if (w->first_bytes == 0)
		w->first_bytes = bytes;
	if (!w->is_tired &&
	    (fd >= WORKER_FILES_MAX ||
	     bytes > w->first_bytes + WORKER_GROWTH_MAX_BYTES)) {
		w->is_tired = true;
		message = json_pack("{s:s}", "tired",
				    fd >= WORKER_FILES_MAX ? "open files"
							   : "memory");
	}
	(void)pthread_mutex_unlock(&w->lock);
	if (message)
		say(w, message);
}

/* ---- a thread for each -------------------------------------------------- */

/* The thread of the module still runs in there: no way back. */
static void leave_if_lost(struct worker *w)
{
	if (!device_was_lost())
		return;
	log_debug(LOG_CRYPTOKI, "the worker ends: its module is stuck");
	(void)shutdown(w->channel.fd, SHUT_RDWR);
	_exit(-PO_E_DEVICE);
}

static void job_end(struct job *job, const struct po_error *why)
{
	struct worker *w = job->worker;

	if (why->status != PO_OK) {
		(void)json_object_del(job->answer, "access_token");
		(void)json_object_set_new(job->answer, "error",
					  error_json(why));
	}
	(void)json_object_set_new(job->answer, "re",
				  json_integer((json_int_t)job->id));
	say(w, job->answer);
	leave_if_lost(w);
	check_health(w);
	if (job->env.http)
		job->env.http->free(job->env.http);
	json_decref(job->answer);
	json_decref(job->message);
	free(job);
	(void)pthread_mutex_lock(&w->lock);
	w->busy--;
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
}

static void *job_main(void *arg)
{
	struct job *job = arg;
	struct po_error why = { 0 };
	const struct worker *w = job->worker;
	enum po_status st;

	job->env = (struct po_env){ .clock = w->clock,
				    .audit = { on_record, job },
				    .asker = pins_asker(w->pins),
				    .desk = w->desk };
	st = curl_client_new(w->clock, &job->env.http, &why);
	if (st == PO_OK)
		st = job_run(job, &why);
	if (st != PO_OK && why.status == PO_OK)
		(void)po_fail(&why, st, 0, "failed (%s)", po_status_name(st));
	job_end(job, &why);
	return NULL;
}

/* Takes over message, so that no two threads count its references. */
static void start_job(struct worker *w, json_t *message)
{
	struct job *job = calloc(1, sizeof(*job));
	pthread_t thread;

	if (!job || !(job->answer = json_object())) {
		json_decref(message);
		free(job);
		return;
	}
	job->worker = w;
	job->message = message;
	job->id = (uint64_t)json_integer_value(json_object_get(message, "id"));
	(void)pthread_mutex_lock(&w->lock);
	w->busy++;
	(void)pthread_mutex_unlock(&w->lock);
	if (pthread_create(&thread, NULL, job_main, job) == 0) {
		(void)pthread_detach(thread);
		return;
	}
	job_end(job, &(struct po_error){ .status = PO_E_INTERNAL,
					 .text = "no thread can be started" });
}

/* ---- the main thread ---------------------------------------------------- */

struct queue {           /* what does not fit into WORKER_THREADS_MAX */
	json_t *waiting; /* owned; an array */
};

static void start_waiting(struct worker *w, struct queue *q)
{
	for (;;) {
		json_t *message;
		bool is_free;

		(void)pthread_mutex_lock(&w->lock);
		is_free = w->busy < WORKER_THREADS_MAX;
		(void)pthread_mutex_unlock(&w->lock);
		if (!is_free || json_array_size(q->waiting) == 0)
			return;
		message = json_incref(json_array_get(q->waiting, 0));
		(void)json_array_remove(q->waiting, 0);
		start_job(w, message);
	}
}

/* Whole messages out of what was read. False: the agent wants us to leave, or
 * talks nonsense. */
static bool take_messages(struct worker *w, struct queue *q)
{
	for (;;) {
		json_auto_t *message = NULL;
		const char *op;

		if (channel_next(&w->channel, &message, NULL) != PO_OK)
			return false;
		if (!message)
			return true;
		op = json_text(message, "op");
		if (json_object_get(message, "recorded"))
			take_recorded(w, message);
		else if (op && strcmp(op, "leave") == 0)
			return false;
		else
			(void)json_array_append(q->waiting, message);
	}
}

/* False also when the agent is gone. */
static bool listen_to_agent(struct worker *w, struct queue *q)
{
	bool is_there = channel_fill(&w->channel);

	return take_messages(w, q) && is_there;
}

/* What is under way may end; the agent still answers for records. */
static void finish(struct worker *w, struct queue *q)
{
	int64_t until_ms = clock_monotonic_ms(w->clock) + LEAVE_MS;
	struct pollfd p = { .fd = w->channel.fd, .events = POLLIN };
	bool is_there = true;

	for (;;) {
		bool is_busy;

		(void)pthread_mutex_lock(&w->lock);
		is_busy = w->busy > 0;
		w->is_alone = w->is_alone || !is_there;
		(void)pthread_cond_broadcast(&w->changed);
		(void)pthread_mutex_unlock(&w->lock);
		if (!is_busy)
			return;
		if (clock_monotonic_ms(w->clock) > until_ms)
			_exit(-PO_E_DEVICE);
		if (!is_there)
			interrupt_request();
		p.fd = is_there ? w->channel.fd : -1;
		if (poll(&p, 1, 50) > 0)
			is_there = listen_to_agent(w, q);
	}
}

/* Until "ready". PO_E_AGENT: the agent is gone before. */
static enum po_status take_profiles(struct worker *w, struct po_error *err)
{
	enum po_status st = PO_OK;

	while (st == PO_OK) {
		json_auto_t *message = NULL;
		const json_t *profile;

		st = channel_next(&w->channel, &message, err);
		profile = json_object_get(message, "profile");
		if (st == PO_OK && profile) {
			st = served_add(&w->served, profile, err);
			if (json_array_append(w->told, message) != 0)
				st = po_no_memory(err);
		} else if (st == PO_OK && message) {
			return PO_OK;
		} else if (st == PO_OK && !channel_fill(&w->channel)) {
			st = po_fail(err, PO_E_AGENT, 0, "the agent is gone");
		}
	}
	return st;
}

static enum po_status set_up(struct worker *w, const char *module,
			     struct po_error *err)
{
	enum po_status st;

	if (fcntl(WORKER_FD, F_SETFD, FD_CLOEXEC) != 0)
		return po_fail(err, PO_E_USAGE, errno,
			       "this command is the agent's own");
	/* the agent says when it is time to end */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	channel_init(&w->channel, WORKER_FD);
	(void)pthread_mutex_init(&w->lock, NULL);
	(void)pthread_cond_init(&w->changed, NULL);
	w->told = json_array();
	st = w->told ? take_profiles(w, err) : po_no_memory(err);
	if (st == PO_OK)
		st = worker_confine(&w->served, module, err);
	w->pins = pins_new();
	w->desk = key_desk_new();
	if (st == PO_OK && (!w->pins || !w->desk))
		st = po_no_memory(err);
	return st;
}

enum po_status worker_main(const struct po_clock *clock, const char *module,
			   struct po_error *err)
{
	struct worker w = { .clock = clock, .channel = { .fd = -1 } };
	struct queue queue = { json_array() };
	enum po_status st = set_up(&w, module, err);
	bool goes_on;

	if (st == PO_OK && !queue.waiting)
		st = po_no_memory(err);
	/* what came behind "ready" is here already */
	goes_on = st == PO_OK && take_messages(&w, &queue);
	while (goes_on) {
		struct pollfd p = { .fd = w.channel.fd, .events = POLLIN };

		start_waiting(&w, &queue);
		/* a thread that ends makes room, and does not wake us */
		if (poll(&p, 1, json_array_size(queue.waiting) ? 20 : -1) > 0)
			goes_on = listen_to_agent(&w, &queue);
	}
	if (st == PO_OK)
		finish(&w, &queue);
	key_desk_free(w.desk);
	pins_free(w.pins);
	served_clear(&w.served);
	json_decref(w.told);
	json_decref(queue.waiting);
	channel_close(&w.channel);
	return st;
}
