/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.c - the agent's loop, and its beginning and end.
 */
#include "agent/agent_impl.h"

#include "agent/sinks.h"
#include "agent/systemd.h"
#include "base/clock.h"
#include "base/log.h"
#include "config.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define FILES_WANTED 4096
#define END_MS 15000 /* for workers to finish what is under way */
#define POLL_MAX (WORKERS_MAX + 8)

/* ---- sinks -------------------------------------------------------------- */

static void on_changed(void *user, const struct served *served,
		       const struct cached_token *token)
{
	struct agent *agent = user;
	const struct po_clock *clock = agent->env->clock;
	json_auto_t *answer = NULL;
	struct po_error why = { 0 };
	struct access_token_view view;
	int64_t left_s;

	if (served->profile->sink_count == 0)
		return;
	if (!token) {
		sinks_remove(served->profile);
		return;
	}
	left_s = (token->expires_ms - clock_boottime_ms(clock)) / 1000;
	answer = agent_token_answer(token, clock);
	view = (struct access_token_view){
		.value = secret_reveal(token->value),
		.answer = answer,
		.expires_in_s = left_s,
		.expires_at_s = clock_now_s(clock) + left_s,
	};
	if (sinks_write(served->profile, &view, &why) != PO_OK)
		log_warn("profile '%s': %s", served->profile->name, why.text);
}

void agent_fill_sinks(struct agent *agent)
{
	for (size_t i = 0; i < agent->served.count; i++)
		if (agent->served.items[i]->profile->sink_count > 0)
			broker_keep(agent->broker, agent->served.items[i]);
}

static bool has_sink(const struct served_list *list, const char *path)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct profile *p = list->items[i]->profile;

		for (size_t j = 0; j < p->sink_count; j++)
			if (strcmp(p->sinks[j].path, path) == 0)
				return true;
	}
	return false;
}

/* Files that nobody would renew or remove any more. */
static void remove_orphans(const struct served_list *old,
			   const struct served_list *fresh)
{
	for (size_t i = 0; i < old->count; i++) {
		const struct profile *p = old->items[i]->profile;

		for (size_t j = 0; j < p->sink_count; j++)
			if (!has_sink(fresh, p->sinks[j].path))
				(void)unlink(p->sinks[j].path);
	}
}

/* ---- workers and peers -------------------------------------------------- */

static json_t *on_profiles(void *user, const char *module)
{
	const struct agent *agent = user;

	return served_for_worker(&agent->served, module);
}

static void on_lost(void *user, const char *module, const char *why)
{
	struct agent *agent = user;

	log_debug(LOG_CRYPTOKI, "%s", why);
	if (agent->is_ending)
		return;
	for (size_t i = 0; i < agent->served.count; i++) {
		struct served *s = agent->served.items[i];

		if (strcmp(s->module, module) != 0)
			continue;
		s->token_state = TOKEN_UNKNOWN;
		s->is_locked = false; /* as far as is known: the look says */
		if (served_wants_person(s))
			(void)agent_look(agent, s, NULL, NULL);
	}
}

static void on_look(void *user, struct requester *peer)
{
	struct agent *agent = user;

	helper_look(&agent->helper, peer);
}

/* ---- signals ------------------------------------------------------------ */

static enum po_status watch_signals(struct agent *agent, struct po_error *err)
{
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGINT);
	(void)sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL) != 0 ||
	    (agent->signal_fd =
		     signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
		return po_fail(err, PO_E_INTERNAL, errno, "signalfd: %s",
			       strerror(errno));
	return PO_OK;
}

/* The one line of "systemctl status". */
static bool describe(const struct agent *agent, struct buf *out)
{
	int64_t now_s = clock_now_s(agent->env->clock);
	size_t locked = 0, absent = 0, ending = 0;

	for (size_t i = 0; i < agent->served.count; i++) {
		const struct served *s = agent->served.items[i];

		locked += s->is_held || s->is_locked;
		absent += s->token_state == TOKEN_ABSENT;
		ending += served_days_warning(s, now_s) >= 0;
	}
	return buf_addf(out, "serving %zu profile%s", agent->served.count,
			agent->served.count == 1 ? "" : "s") &&
	       (!locked || buf_addf(out, ", %zu locked", locked)) &&
	       (!absent || buf_addf(out, ", %zu without token", absent)) &&
	       (!ending ||
		buf_addf(out, ", %zu whose certificate ends soon", ending));
}

/* prefix: what else there is to say, with its newline. */
static void notify_serving(const struct agent *agent, const char *prefix)
{
	po_auto_buf text = { 0 };

	buf_init(&text, SYSTEMD_NOTIFY_MAX / 2);
	if (describe(agent, &text))
		systemd_notify("%sSTATUS=%s", prefix, buf_text(&text));
}

void agent_state_changed(const struct agent *agent)
{
	if (!agent->is_ending)
		notify_serving(agent, "");
}

/* Drops the cards and reads the configuration again; a wrong one changes
 * nothing but a line in the log. */
static void reload(struct agent *agent)
{
	struct served_list fresh = { 0 };
	struct po_error why = { 0 };
	int64_t now_ms = clock_monotonic_ms(agent->env->clock);
	enum po_status st;

	systemd_notify("RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading the "
		       "configuration",
		       (long long)now_ms * 1000);
	st = served_load(agent->options->config, &agent->served, &fresh, &why);
	if (st != PO_OK) {
		log_warn("the configuration is not taken: %s", why.text);
	} else {
		struct served_list old = agent->served;

		agent->served = fresh;
		broker_reload(agent->broker);
		remove_orphans(&old, &agent->served);
		served_clear(&old);
		agent_fill_sinks(agent);
		/* their successors read it as well, which they could not if it
		 * were wrong */
		workers_retire(agent->workers, NULL);
		agent->next_look_ms = 0;
	}
	notify_serving(agent, "READY=1\n");
}

static void begin_end(struct agent *agent)
{
	if (agent->is_ending)
		return;
	systemd_notify("STOPPING=1\nSTATUS=ending");
	agent->is_ending = true;
	agent->end_by_ms = clock_monotonic_ms(agent->env->clock) + END_MS;
}

static void take_signals(struct agent *agent)
{
	struct signalfd_siginfo info;

	while (read(agent->signal_fd, &info, sizeof(info)) == sizeof(info)) {
		if (info.ssi_signo == SIGHUP)
			reload(agent);
		else
			begin_end(agent);
	}
}

/* ---- the loop ----------------------------------------------------------- */

static void ping(struct agent *agent)
{
	int64_t now_ms = clock_monotonic_ms(agent->env->clock);

	if (agent->ping_ms == 0 || now_ms < agent->next_ping_ms)
		return;
	systemd_notify("WATCHDOG=1");
	agent->next_ping_ms = now_ms + agent->ping_ms;
}

static int64_t earlier(int64_t timeout_ms, int64_t when_ms, int64_t now_ms)
{
	int64_t left_ms = when_ms > now_ms ? when_ms - now_ms : 0;

	if (when_ms == INT64_MAX)
		return timeout_ms;
	return left_ms < timeout_ms ? left_ms : timeout_ms;
}

static int timeout_ms(const struct agent *agent)
{
	int64_t boot_ms = clock_boottime_ms(agent->env->clock);
	int64_t mono_ms = clock_monotonic_ms(agent->env->clock);
	int64_t ms = 60000;
	int64_t server_ms = server_timeout_ms(agent->server);

	ms = earlier(ms, workers_next_ms(agent->workers), mono_ms);
	ms = earlier(ms, broker_next_ms(agent->broker), boot_ms);
	ms = earlier(ms, agent_status_next_ms(agent), boot_ms);
	ms = earlier(ms, agent->next_look_ms, boot_ms);
	if (agent->ping_ms)
		ms = earlier(ms, agent->next_ping_ms, mono_ms);
	if (agent->is_ending)
		ms = earlier(ms, agent->end_by_ms, mono_ms);
	if (server_ms >= 0 && server_ms < ms)
		ms = server_ms;
	return (int)ms;
}

static void wait_for_events(const struct agent *agent)
{
	struct pollfd fds[POLL_MAX] = {
		{ .fd = agent->signal_fd, .events = POLLIN },
		{ .fd = server_poll_fd(agent->server), .events = POLLIN },
		{ .fd = agent->helper.fd, .events = POLLIN },
	};
	size_t count = workers_poll(agent->workers, fds, 3, POLL_MAX);

	(void)poll(fds, count, timeout_ms(agent));
}

/* It answers when it is asked; otherwise it is silent or gone. */
static bool is_helper_there(struct agent *agent)
{
	struct pollfd p = { .fd = agent->helper.fd, .events = POLLIN };

	return agent->helper.fd >= 0 && poll(&p, 1, 0) == 0;
}

static enum po_status serve(struct agent *agent, struct po_error *err)
{
	for (;;) {
		take_signals(agent);
		server_run(agent->server);
		if (agent->is_ending) {
			if (workers_finish(agent->workers, agent->end_by_ms))
				return PO_OK;
		} else {
			broker_handle(agent->broker);
			agent_look_handle(agent);
			workers_handle(agent->workers);
			broker_handle(agent->broker);
		}
		agent_status_handle(agent);
		ping(agent);
		if (!is_helper_there(agent))
			return po_fail(err, PO_E_INTERNAL, 0,
				       "the agent's helper process is gone");
		wait_for_events(agent);
	}
}

/* ---- beginning and end -------------------------------------------------- */

static void raise_limits(void)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) != 0 ||
	    files.rlim_cur >= FILES_WANTED)
		return;
	files.rlim_cur =
		files.rlim_max < FILES_WANTED ? files.rlim_max : FILES_WANTED;
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static enum po_status begin(struct agent *agent, struct po_error *err)
{
	const struct workers_events worker_events = { agent_worker_record,
						      on_profiles, on_lost,
						      agent };
	const struct broker_events broker_events = { on_changed, agent_learned,
						     agent };
	const struct server_events server_events = { on_look, agent_route,
						     agent };
	enum po_status st =
		served_load(agent->options->config, NULL, &agent->served, err);

	if (st == PO_OK)
		st = watch_signals(agent, err);
	if (st == PO_OK)
		st = listener_open(agent->options->socket,
				   &agent->served.config->agent,
				   &agent->listener, err);
	if (st == PO_OK)
		st = helper_start(agent->env->clock, &agent->helper, err);
	if (st != PO_OK)
		return st;
	agent->workers =
		workers_new(agent->env->clock, &agent->helper, &worker_events);
	if (agent->workers)
		agent->broker = broker_new(agent->env->clock, agent->workers,
					   &agent->served, &broker_events);
	if (!agent->broker)
		return po_no_memory(err);
	return server_new(agent->listener.fd, &server_events, &agent->server,
			  err);
}

static void end(struct agent *agent)
{
	agent->is_ending = true;
	/* the jobs that are left belong to the broker; and the last answers go
	 * out before their server does */
	workers_free(agent->workers);
	broker_free(agent->broker);
	server_free(agent->server);
	listener_close(&agent->listener);
	helper_stop(&agent->helper);
	if (agent->signal_fd >= 0)
		(void)close(agent->signal_fd);
	served_clear(&agent->served);
}

enum po_status agent_run(const struct agent_options *options,
			 const struct po_env *env, struct po_error *err)
{
	struct agent agent = {
		.options = options,
		.env = env,
		.helper = { .fd = -1 },
		.listener = { .fd = -1, .lock_fd = -1 },
		.signal_fd = -1,
		.started_ms = clock_boottime_ms(env->clock),
		.ping_ms = systemd_watchdog_ms(),
	};
	enum po_status st;

	raise_limits();
	st = begin(&agent, err);
	if (st == PO_OK) {
		/* the connection to the manager is made before the sandbox */
		systemd_notify("STATUS=starting");
		st = agent_confine(&agent, err);
	}
	if (st == PO_OK) {
		(void)agent_record(&agent, "start", NULL, NULL,
				   json_pack("{s:s, s:i}", "version",
					     PACKAGE_VERSION, "pid",
					     (int)getpid()),
				   NULL);
		log_say("agent: serving %zu profile%s at %s",
			agent.served.count, agent.served.count == 1 ? "" : "s",
			agent.listener.path[0] ? agent.listener.path
					       : "the socket it was given");
		agent_fill_sinks(&agent);
		notify_serving(&agent, "READY=1\n");
		st = serve(&agent, err);
		(void)agent_record(
			&agent, "stop", NULL, NULL,
			json_pack("{s:s}", "status", po_status_name(st)), NULL);
	}
	end(&agent);
	return st;
}
