/* SPDX-License-Identifier: Apache-2.0 */
/*
 * status.c - what the agent holds: for people, and for Prometheus (text format
 * 0.0.4). Neither has an access token or a PIN in it.
 */
#include "agent/agent_impl.h"

#include "agent/policy.h"
#include "audit/ledger.h"
#include "base/clock.h"
#include "config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PATIENCE_MS 1500 /* for workers that are asked about their tokens */
#define LOOKS_MAX 16     /* for one status; with more keys, not all are fresh */
#define METRICS_MAX (4 * 1024 * 1024)
#define DAY_S 86400

/* ---- the status, as JSON ------------------------------------------------ */

static const char *token_state_name(enum token_state state)
{
	static const char *const names[] = { "unknown", "present", "absent",
					     "failed" };

	return names[state];
}

static json_t *certificate_status(const struct served *s, int64_t now_s)
{
	int days = served_days_warning(s, now_s);
	int64_t left_s = s->not_after_s - now_s;

	if (!s->subject[0])
		return json_null();
	return json_pack("{s:s, s:I, s:I, s:o}", "subject", s->subject,
			 "not_after", (json_int_t)s->not_after_s, "days_left",
			 (json_int_t)(left_s > 0 ? left_s / DAY_S : 0),
			 "warning",
			 days < 0 ? json_null() : json_integer(days));
}

static const char *pin_source_kind(const struct served *s)
{
	const char *from = s->profile->pin_from[0];

	if (!served_wants_person(s))
		return "stored";
	return from && strcmp(from, "pinpad") == 0 ? "pinpad" : "prompt";
}

static json_t *profile_status(const struct agent *agent, const struct served *s,
			      const struct peer_ids *ids)
{
	int64_t now_s = clock_now_s(agent->env->clock);

	return json_pack("{s:s, s:b, s:b, s:s, s:{s:s, s:s, s:s}, s:o, s:o}",
			 "name", s->profile->name, "allowed",
			 policy_allows_peer(s->profile, ids), "locked",
			 s->is_held || s->is_locked, "pin_source",
			 pin_source_kind(s), "token", "label", s->token_label,
			 "serial", s->token_serial, "state",
			 token_state_name(s->token_state), "certificate",
			 certificate_status(s, now_s), "access_tokens",
			 broker_status(agent->broker, s->profile->name));
}

/* Of the ledger that profiles have unless they name another. */
static json_t *ledger_status(const struct agent *agent)
{
	struct ledger_place place = { 0 };
	char path[PATH_MAX];
	const struct ledger ledger = { path, agent->env->clock };

	if (ledger_default_path(path, NULL) != PO_OK ||
	    ledger_place_of(&ledger, &place, NULL) != PO_OK)
		return json_null();
	return json_pack("{s:s, s:I, s:s}", "path", path, "seq",
			 (json_int_t)place.seq, "hash", place.hash);
}

/* With the profiles that each works for. */
static json_t *worker_list(const struct agent *agent)
{
	json_t *list = workers_status(agent->workers);

	for (size_t i = 0; i < json_array_size(list); i++) {
		json_t *worker = json_array_get(list, i);
		json_t *names = json_array();

		for (size_t j = 0; j < agent->served.count; j++) {
			const struct served *s = agent->served.items[j];

			if (strcmp(s->module, json_text(worker, "module")) == 0)
				(void)json_array_append_new(
					names, json_string(s->profile->name));
		}
		(void)json_object_set_new(worker, "profiles", names);
	}
	return list;
}

static json_t *whole_status(const struct agent *agent,
			    const struct peer_ids *ids)
{
	json_t *profiles = json_array();
	int64_t up_ms =
		clock_boottime_ms(agent->env->clock) - agent->started_ms;

	for (size_t i = 0; profiles && i < agent->served.count; i++)
		(void)json_array_append_new(
			profiles,
			profile_status(agent, agent->served.items[i], ids));
	return json_pack("{s:s, s:i, s:I, s:i, s:o, s:o, s:o}", "version",
			 PACKAGE_VERSION, "pid", (int)getpid(), "uptime_s",
			 (json_int_t)(up_ms / 1000), "landlock",
			 agent->landlock_abi, "workers", worker_list(agent),
			 "profiles", profiles, "ledger", ledger_status(agent));
}

/* ---- … as soon as the workers have looked ------------------------------- */

struct status_call {
	struct status_call *next;
	struct agent *agent;
	struct server_request *request; /* NULL: answered already */
	int64_t until_ms;
	unsigned int asked; /* workers that have not answered yet */
};

static void unlink_call(struct status_call *call)
{
	struct status_call **at = &call->agent->status_calls;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	free(call);
}

static void answer_call(struct status_call *call)
{
	struct server_request *request = call->request;

	call->request = NULL;
	agent_answer_json(request, 200,
			  whole_status(call->agent, server_peer_ids(request)));
}

static void on_looked(void *user)
{
	struct status_call *call = user;

	if (--call->asked > 0)
		return;
	if (call->request)
		answer_call(call);
	unlink_call(call);
}

/* Profiles with the same key know the same: the first of them is asked
 * about. */
static bool is_first_of_key(const struct agent *agent,
			    const struct served *candidate)
{
	const struct served *s = agent->served.items[0];

	for (size_t i = 0; s != candidate; s = agent->served.items[++i])
		if (served_has_same_key(s, candidate))
			return false;
	return true;
}

void agent_route_status(struct agent *agent, struct server_request *request)
{
	struct status_call *call = calloc(1, sizeof(*call));

	if (!call) {
		agent_answer_json(request, 500, NULL);
		return;
	}
	*call = (struct status_call){
		.next = agent->status_calls,
		.agent = agent,
		.request = request,
		.until_ms = clock_boottime_ms(agent->env->clock) + PATIENCE_MS,
		.asked = 1, /* so that it lives until all are asked */
	};
	agent->status_calls = call;
	for (size_t i = 0; i < agent->served.count; i++) {
		const struct served *s = agent->served.items[i];

		if (call->asked <= LOOKS_MAX && is_first_of_key(agent, s) &&
		    !workers_is_busy(agent->workers, s->module) &&
		    agent_look(agent, s, on_looked, call))
			call->asked++;
	}
	on_looked(call);
}

void agent_status_handle(struct agent *agent)
{
	int64_t now_ms = clock_boottime_ms(agent->env->clock);

	for (struct status_call *c = agent->status_calls; c; c = c->next)
		if (c->request && now_ms >= c->until_ms)
			answer_call(c);
}

int64_t agent_status_next_ms(const struct agent *agent)
{
	int64_t next_ms = INT64_MAX;

	for (const struct status_call *c = agent->status_calls; c; c = c->next)
		if (c->request && c->until_ms < next_ms)
			next_ms = c->until_ms;
	return next_ms;
}

/* ---- /v1/profiles ------------------------------------------------------- */

void agent_route_profiles(struct agent *agent, struct server_request *request)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < agent->served.count; i++) {
		const struct served *s = agent->served.items[i];
		const struct profile *p = s->profile;

		(void)json_array_append_new(
			list,
			json_pack(
				"{s:s, s:s?, s:s?, s:s?, s:b, s:b}", "name",
				p->name, "client_id", p->client_id,
				"token_endpoint", p->token_endpoint, "scope",
				p->scope, "allowed",
				policy_allows_peer(p, server_peer_ids(request)),
				"locked", s->is_held || s->is_locked));
	}
	agent_answer_json(request, 200, json_pack("{s:o}", "profiles", list));
}

/* ---- /metrics ----------------------------------------------------------- */

static bool add_head(struct buf *out, const char *name, const char *type,
		     const char *help)
{
	return buf_addf(out, "# HELP p11oauth_%s %s\n# TYPE p11oauth_%s %s\n",
			name, help, name, type);
}

static bool add_number(struct buf *out, const char *name, const char *type,
		       const char *help, uint64_t value)
{
	return add_head(out, name, type, help) &&
	       buf_addf(out, "p11oauth_%s %llu\n", name,
			(unsigned long long)value);
}

static bool add_counters(struct buf *out, const struct agent *agent)
{
	struct broker_counts c = broker_count(agent->broker);
	int64_t up_ms =
		clock_boottime_ms(agent->env->clock) - agent->started_ms;

	return add_number(out, "uptime_seconds", "gauge",
			  "Since the agent started.", (uint64_t)up_ms / 1000) &&
	       add_number(out, "requests_total", "counter", "HTTP requests.",
			  agent->counts.requests) &&
	       add_number(out, "refused_total", "counter",
			  "Requests that policy refused.",
			  agent->counts.refused) &&
	       add_number(out, "unlocks_total", "counter",
			  "Successful unlocks.", agent->counts.unlocked) &&
	       add_number(out, "access_tokens_minted_total", "counter",
			  "Access tokens that servers gave.", c.minted) &&
	       add_number(out, "access_tokens_failed_total", "counter",
			  "Tries that gave none.", c.failed) &&
	       add_number(out, "access_tokens_cached_total", "counter",
			  "Requests answered from the cache.", c.from_cache) &&
	       add_number(out, "access_tokens", "gauge",
			  "Access tokens that are kept now.", c.kept) &&
	       add_number(out, "waiting_requests", "gauge",
			  "Requests that wait for an access token.", c.waiting);
}

/* Profile names have no character that a label must escape. */
static bool add_profiles(struct buf *out, const struct agent *agent,
			 const char *name, const char *help,
			 bool (*value)(const struct agent *agent,
				       const struct served *s, int64_t *ret))
{
	bool ok = add_head(out, name, "gauge", help);

	for (size_t i = 0; ok && i < agent->served.count; i++) {
		const struct served *s = agent->served.items[i];
		int64_t n = 0;

		if (value(agent, s, &n))
			ok = buf_addf(out, "p11oauth_%s{profile=\"%s\"} %lld\n",
				      name, s->profile->name, (long long)n);
	}
	return ok;
}

static bool not_after(const struct agent *agent, const struct served *s,
		      int64_t *ret)
{
	(void)agent;
	*ret = s->not_after_s;
	return s->subject[0] != '\0';
}

static bool locked(const struct agent *agent, const struct served *s,
		   int64_t *ret)
{
	(void)agent;
	*ret = s->is_held || s->is_locked;
	return true;
}

static bool present(const struct agent *agent, const struct served *s,
		    int64_t *ret)
{
	(void)agent;
	*ret = s->token_state == TOKEN_PRESENT;
	return s->token_state != TOKEN_UNKNOWN;
}

static bool expires_in(const struct agent *agent, const struct served *s,
		       int64_t *ret)
{
	const struct cached_token *c = broker_peek(agent->broker, s);

	if (!c || !c->value)
		return false;
	*ret = (c->expires_ms - clock_boottime_ms(agent->env->clock)) / 1000;
	return true;
}

static bool failures(const struct agent *agent, const struct served *s,
		     int64_t *ret)
{
	const struct cached_token *c = broker_peek(agent->broker, s);

	*ret = c ? c->failures : 0;
	return true;
}

static bool add_states(struct buf *out, const struct agent *agent)
{
	return add_profiles(out, agent, "certificate_not_after_seconds",
			    "End of the profile's certificate, since the "
			    "epoch.",
			    not_after) &&
	       add_profiles(out, agent, "locked",
			    "1 while the profile wants to be unlocked.",
			    locked) &&
	       add_profiles(out, agent, "token_present",
			    "1 while the profile's PKCS #11 token is there.",
			    present) &&
	       add_profiles(out, agent, "access_token_expires_in_seconds",
			    "What is left of the access token of the "
			    "profile's own scope.",
			    expires_in) &&
	       add_profiles(out, agent, "failures",
			    "Tries in a row that gave the profile none.",
			    failures);
}

static bool add_workers(struct buf *out, const struct agent *agent)
{
	json_auto_t *list = workers_status(agent->workers);
	bool ok = list && add_head(out, "worker_restarts_total", "counter",
				   "Workers that died or hung.");

	for (size_t i = 0; ok && i < json_array_size(list); i++) {
		const json_t *w = json_array_get(list, i);

		ok = buf_addf(out,
			      "p11oauth_worker_restarts_total{worker=\"%zu\"} "
			      "%lld\n",
			      i,
			      (long long)json_integer_value(
				      json_object_get(w, "restarts")));
	}
	return ok;
}

void agent_route_metrics(struct agent *agent, struct server_request *request)
{
	struct server_reply reply = {
		.status = 200,
		.type = "text/plain; version=0.0.4",
	};
	po_auto_buf out = { 0 };

	buf_init(&out, METRICS_MAX);
	if (add_counters(&out, agent) && add_states(&out, agent) &&
	    add_workers(&out, agent))
		reply.body = secret_from(out.data, out.len);
	if (!reply.body)
		reply.status = 500;
	server_answer(request, &reply);
}
