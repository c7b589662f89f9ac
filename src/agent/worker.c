/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/worker.h"

#include "agent/channel.h"
#include "agent/helper.h"
#include "agent/pins.h"
#include "agent/served.h"
#include "base/clock.h"
#include "base/error_json.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/sandbox.h"
#include "cryptoki/device.h"
#include "flow/get_token.h"
#include "flow/key_desk.h"
#include "http/http.h"

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
#define RULES_MAX 64

struct worker {
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
};

struct pending {
	struct pending *next;
	uint64_t id;
	json_t *answer; /* owned; NULL: not there yet */
};

struct job { /* in a thread of its own */
	struct worker *worker;
	json_t *message; /* owned */
	json_t *answer;  /* owned; what it gives */
	uint64_t id;
	struct served *served;
	struct po_env env;
};

/* ---- to the agent ------------------------------------------------------------------- */

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

static bool is_op(const struct job *job, const char *op)
{
	const char *named = json_text(job->message, "op");

	return named && strcmp(named, op) == 0;
}

/* No key is used before the agent says that the record stands. */
static enum po_status on_record(void *user, const struct profile *profile,
				json_t *record, uint64_t *ret_seq,
				struct po_error *err)
{
	struct job *job = user;
	struct worker *w = job->worker;
	struct pending p = { .answer = NULL };
	json_auto_t *question = NULL;
	json_auto_t *answer = NULL;
	struct po_error why = { 0 };

	*ret_seq = 0;
	/* a look ends where a PIN is asked for: that is no failure */
	if (is_op(job, "look") &&
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
			p->answer = json_incref(message);
	(void)pthread_cond_broadcast(&w->changed);
	(void)pthread_mutex_unlock(&w->lock);
}

/* ---- what is known of the key in use -------------------------------------------------- */

static bool set(json_t *object, const char *name, json_t *value)
{
	return value && json_object_set_new(object, name, value) == 0;
}

static void describe_certificate(const struct certificate *cert, json_t *answer)
{
	(void)set(answer, "certificate",
		  json_pack("{s:s, s:I}", "subject", certificate_subject(cert),
			    "not_after",
			    (json_int_t)certificate_not_after_s(cert)));
}

static void describe_key(const struct open_key *key, json_t *answer)
{
	const struct signer *s = key->signer;

	(void)set(answer, "token",
		  json_pack("{s:s, s:s}", "label", s->token_label, "serial",
			    s->token_serial));
	if (s->cert)
		describe_certificate(s->cert, answer);
}

/* At the end of each job that took the desk. */
static void describe(struct job *job, struct assertion_source *source)
{
	const struct open_key *key = assertion_source_open(source);

	if (key)
		describe_key(key, job->answer);
}

/* What a failure means for the PINs that are kept here. */
static void judge_failure(struct job *job, struct assertion_source *source,
			  const struct po_error *why)
{
	const struct open_key *key = assertion_source_open(source);
	bool is_about_pin =
		why->status == PO_E_PIN || why->status == PO_E_PIN_LOCKED;

	if (is_about_pin && served_wants_person(job->served))
		(void)set(job->answer, "locked", json_true());
	if (is_about_pin && key)
		(void)pins_forget(job->worker->pins, key->signer->token_label,
				  key->signer->token_serial);
	/* a card that was taken away is another one when it comes back */
	if (why->status == PO_E_TOKEN) {
		if (job->served->token_label[0])
			(void)pins_forget(job->worker->pins,
					  job->served->token_label,
					  job->served->token_serial);
		assertion_source_close(source);
		if (served_wants_person(job->served))
			(void)set(job->answer, "locked", json_true());
	}
}

static void remember_token(struct job *job)
{
	served_learn(job->served, job->answer, NULL);
}

/* ---- the jobs ---------------------------------------------------------------------------- */

static struct profile *profile_for(const struct job *job, struct po_error *err)
{
	static const struct origin origin = { .kind = ORIGIN_OPTION };
	struct profile *p = profile_copy(job->served->profile);
	const char *scope = json_text(job->message, "scope");

	if (!p) {
		(void)po_no_memory(err);
		return NULL;
	}
	if (scope && profile_set(p, profile_setting("scope"), scope, &origin,
				 err) != PO_OK) {
		profile_free(p);
		return NULL;
	}
	return p;
}

static enum po_status put_token(struct job *job,
				const struct access_token *token, uint64_t seq,
				struct po_error *err)
{
	json_auto_t *members = json_copy(token->answer);

	if (members)
		(void)json_object_del(members, "access_token");
	if (members && token->expiry_is_assumed &&
	    !set(members, "expires_in_assumed", json_true()))
		return po_no_memory(err);
	if (members &&
	    set(job->answer, "access_token",
		json_string(secret_reveal(token->value))) &&
	    json_object_set(job->answer, "answer", members) == 0 &&
	    set(job->answer, "life_s", json_integer(token->expires_in_s)) &&
	    set(job->answer, "asked_ms", json_integer(token->asked_ms)) &&
	    set(job->answer, "sign_seq", json_integer((json_int_t)seq)))
		return PO_OK;
	return po_no_memory(err);
}

static void after_token(struct job *job, const struct profile *profile,
			const struct po_error *why)
{
	struct assertion_source *source =
		key_desk_look(job->worker->desk, profile);

	if (source && why->status != PO_OK)
		judge_failure(job, source, why);
	if (source)
		describe(job, source);
	remember_token(job);
	key_desk_give(job->worker->desk);
	if (why->status == PO_OK && served_wants_person(job->served))
		(void)set(job->answer, "locked", json_false());
}

static enum po_status do_token(struct job *job, struct po_error *err)
{
	po_auto(access_token) *token = NULL;
	po_auto(profile) *profile = profile_for(job, err);
	uint64_t seq = 0;
	enum po_status st;

	if (!profile)
		return err->status;
	st = get_token_unissued(&job->env, profile, &token, &seq, err);
	after_token(job, profile, err);
	return st == PO_OK ? put_token(job, token, seq, err) : st;
}

/* Reaches the key: publicly, or with what PIN there is. */
static enum po_status reach(struct job *job, struct assertion_source *source,
			    bool login, struct po_error *err)
{
	struct open_key *key = NULL;
	enum po_status st = assertion_source_check(source, err);

	if (st != PO_OK)
		po_error_clear(err);
	st = login ? assertion_source_key(source, &key, err)
		   : assertion_source_public(source, &key, err);
	if (st != PO_OK)
		judge_failure(job, source, err);
	describe(job, source);
	remember_token(job);
	return st;
}

/* True when the open key is logged in and another's: it is not closed for a
 * look. */
static bool is_in_use(struct job *job)
{
	struct assertion_source *mine =
		key_desk_look(job->worker->desk, job->served->profile);
	const struct identity *id;
	bool in_use = false;

	if (!mine) {
		key_desk_give(job->worker->desk);
		mine = key_desk_look(job->worker->desk, NULL);
		in_use = mine && assertion_source_last(mine, &id) != NULL;
	}
	key_desk_give(job->worker->desk);
	return in_use;
}

/*
 * Where a person types the PIN, a login is tried without one: it ends where the
 * PIN is asked for, and tells whether there is need of one.
 */
static enum po_status do_look(struct job *job, struct po_error *err)
{
	bool wants_person = served_wants_person(job->served);
	struct assertion_source *source = NULL;
	enum po_status st;

	if (is_in_use(job))
		return PO_OK;
	st = key_desk_take(job->worker->desk, &job->env, job->served->profile,
			   &source, err);
	if (st != PO_OK)
		return st;
	st = reach(job, source, wants_person, err);
	if (st == PO_OK && wants_person)
		(void)set(job->answer, "locked", json_false());
	key_desk_give(job->worker->desk);
	if (wants_person && st == PO_E_PIN) { /* that was the question */
		po_error_clear(err);
		return PO_OK;
	}
	return st;
}

static enum po_status do_unlock(struct job *job, struct po_error *err)
{
	const char *text = json_text(job->message, "pin");
	struct secret *pin = text ? secret_from(text, strlen(text)) : NULL;
	struct worker *w = job->worker;
	struct assertion_source *source = NULL;
	enum po_status st = key_desk_take(w->desk, &job->env,
					  job->served->profile, &source, err);

	if (st != PO_OK) {
		secret_free(pin);
		return st;
	}
	pins_offer(w->pins, pin);
	st = reach(job, source, true, err);
	if (st == PO_OK) {
		const json_t *token = json_object_get(job->answer, "token");
		const char *label = json_text(token, "label");
		const char *serial = json_text(token, "serial");

		if (label && serial)
			pins_keep(w->pins, label, serial);
		(void)set(job->answer, "locked", json_false());
	}
	pins_withdraw(w->pins);
	key_desk_give(w->desk);
	return st;
}

static enum po_status do_jwks(struct job *job, struct po_error *err)
{
	struct assertion_source *source = NULL;
	struct open_key *key = NULL;
	json_auto_t *jwk = NULL;
	struct identity id;
	enum po_status st = key_desk_take(job->worker->desk, &job->env,
					  job->served->profile, &source, err);

	if (st != PO_OK)
		return st;
	st = assertion_source_public(source, &key, err);
	if (st == PO_OK && !key->signer->pubkey)
		st = assertion_source_key(source, &key, err);
	if (st == PO_OK)
		st = identity_of(key, &id, err);
	if (st == PO_OK) {
		st = identity_jwk(key, &id, &jwk, err);
		identity_clear(&id);
	}
	describe(job, source);
	key_desk_give(job->worker->desk);
	if (st == PO_OK &&
	    !set(job->answer, "jwks", json_pack("{s:[O]}", "keys", jwk)))
		return po_no_memory(err);
	return st;
}

static const struct {
	const char *op;
	enum po_status (*run)(struct job *job, struct po_error *err);
} ops[] = {
	{ "token", do_token },
	{ "look", do_look },
	{ "unlock", do_unlock },
	{ "jwks", do_jwks },
};

static enum po_status check_profile(struct job *job, struct po_error *err)
{
	const char *name = json_text(job->message, "profile");
	const char *digest = json_text(job->message, "digest");

	job->served = name ? served_find(&job->worker->served, name) : NULL;
	if (job->served && digest && strcmp(digest, job->served->digest) == 0)
		return PO_OK;
	return po_fail(err, PO_E_CONFIG, 0,
		       "the configuration has changed since the agent read it; "
		       "have the agent read it again (SIGHUP)");
}

static enum po_status run(struct job *job, struct po_error *err)
{
	enum po_status st = check_profile(job, err);

	for (size_t i = 0; st == PO_OK && i < PO_ARRAY_SIZE(ops); i++)
		if (is_op(job, ops[i].op))
			return ops[i].run(job, err);
	return st == PO_OK ? po_fail(err, PO_E_INTERNAL, 0, "no such job") : st;
}

/* ---- a thread for each ----------------------------------------------------------------------- */

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
		(void)set(job->answer, "error", error_json(why));
	}
	(void)set(job->answer, "re", json_integer((json_int_t)job->id));
	say(w, job->answer);
	leave_if_lost(w);
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
	enum po_status st = po_env_init(&job->env, &why);

	job->env.audit = (struct audit_trail){ on_record, job };
	job->env.asker = pins_asker(job->worker->pins);
	job->env.desk = job->worker->desk;
	if (st == PO_OK)
		st = run(job, &why);
	if (st != PO_OK && why.status == PO_OK)
		(void)po_fail(&why, st, 0, "failed (%s)", po_status_name(st));
	job_end(job, &why);
	return NULL;
}

/* Waits while too many are under way. */
static void start_job(struct worker *w, json_t *message)
{
	struct job *job = calloc(1, sizeof(*job));
	pthread_t thread;

	if (!job || !(job->answer = json_object())) {
		free(job);
		return;
	}
	job->worker = w;
	job->message = json_incref(message);
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

/* ---- the main thread --------------------------------------------------------------------------- */

struct queue {           /* what does not fit into WORKER_THREADS_MAX */
	json_t *waiting; /* owned; an array */
};

static void start_waiting(struct worker *w, struct queue *q)
{
	for (;;) {
		json_auto_t *message = NULL;
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

/* False: the agent is gone, or wants us to be. */
static bool take_messages(struct worker *w, struct queue *q)
{
	bool is_there = channel_fill(&w->channel);

	for (;;) {
		json_auto_t *message = NULL;
		const char *op;

		if (channel_next(&w->channel, &message, NULL) != PO_OK)
			return false;
		if (!message)
			return is_there;
		op = json_text(message, "op");
		if (json_object_get(message, "recorded"))
			take_recorded(w, message);
		else if (op && strcmp(op, "leave") == 0)
			return false;
		else
			(void)json_array_append(q->waiting, message);
	}
}

/* What is under way may end; the agent still answers for records. */
static void finish(struct worker *w, struct queue *q)
{
	int64_t until_ms = clock_monotonic_ms() + LEAVE_MS;
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
		if (clock_monotonic_ms() > until_ms)
			_exit(-PO_E_DEVICE);
		if (!is_there)
			interrupt_request();
		p.fd = is_there ? w->channel.fd : -1;
		if (poll(&p, 1, 50) > 0)
			is_there = take_messages(w, q);
	}
}

static enum po_status confine(const struct worker *w, const char *module,
			      struct po_error *err)
{
	static const char *const read[] = { "/usr", "/lib",  "/lib64",
					    "/etc", "/proc", "/sys" };
	struct sandbox_rule rules[RULES_MAX];
	struct sandbox sandbox = { .rules = rules, .deny_bind = true };
	int abi = 0;

	for (size_t i = 0; i < PO_ARRAY_SIZE(read); i++)
		rules[sandbox.count++] =
			(struct sandbox_rule){ read[i],
					       SANDBOX_READ | SANDBOX_EXECUTE };
	rules[sandbox.count++] =
		(struct sandbox_rule){ "/dev", SANDBOX_READ | SANDBOX_WRITE };
	for (size_t i = 0; i < w->served.count; i++) {
		const struct served *s = w->served.items[i];
		char *const *paths = s->profile->module_paths;

		for (; strcmp(s->module, module) == 0 && *paths &&
		       sandbox.count < RULES_MAX;
		     paths++)
			rules[sandbox.count++] = (struct sandbox_rule){
				*paths,
				SANDBOX_READ | SANDBOX_WRITE | SANDBOX_EXECUTE
			};
	}
	if (sandbox.count == PO_ARRAY_SIZE(read) + 1) {
		log_debug(LOG_CRYPTOKI,
			  "worker of module '%s': not confined; its profiles "
			  "name no module-paths",
			  module);
		return PO_OK;
	}
	return sandbox_enter(&sandbox, &abi, err);
}

static enum po_status set_up(struct worker *w, const char *config,
			     const char *module, struct po_error *err)
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
	st = served_load(config, NULL, &w->served, err);
	if (st == PO_OK)
		st = confine(w, module, err);
	w->pins = pins_new();
	w->desk = key_desk_new();
	if (st == PO_OK && (!w->pins || !w->desk))
		st = po_no_memory(err);
	return st;
}

enum po_status worker_main(const char *config, const char *module,
			   const struct po_env *env, struct po_error *err)
{
	struct worker w = { .channel = { .fd = -1 } };
	struct queue queue = { json_array() };
	enum po_status st = set_up(&w, config, module, err);

	(void)env;
	if (st == PO_OK && !queue.waiting)
		st = po_no_memory(err);
	while (st == PO_OK) {
		struct pollfd p = { .fd = w.channel.fd, .events = POLLIN };
		bool goes_on = true;

		/* a thread that ends makes room, and does not wake us */
		if (poll(&p, 1, json_array_size(queue.waiting) ? 20 : -1) > 0)
			goes_on = take_messages(&w, &queue);
		if (!goes_on)
			break;
		start_waiting(&w, &queue);
	}
	if (st == PO_OK)
		finish(&w, &queue);
	key_desk_free(w.desk);
	pins_free(w.pins);
	served_clear(&w.served);
	json_decref(queue.waiting);
	channel_close(&w.channel);
	return st;
}
