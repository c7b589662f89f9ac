/* SPDX-License-Identifier: Apache-2.0 */
/*
 * routes.c - what can be asked of the agent, and its answers. The JWK Set and
 * the access token are here; status.c and control.c have the rest.
 */
#include "agent/agent_impl.h"

#include "agent/policy.h"
#include "base/clock.h"
#include "base/error_json.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JSON_TYPE "application/json"
#define REPLY_MAX (2 * JSON_TEXT_MAX)
#define LOOK_TIME_MS 120000

/* ---- answers ------------------------------------------------------------ */

static void answer_value(struct server_request *request, unsigned int status,
			 const char *type, const json_t *value)
{
	struct server_reply reply = { .status = status, .type = type };
	po_auto_buf text = { 0 };

	buf_init(&text, REPLY_MAX);
	if (value && json_compact(&text, value) && buf_adds(&text, "\n"))
		reply.body = secret_from(text.data, text.len);
	if (!reply.body)
		reply.status = 500;
	server_answer(request, &reply);
}

void agent_answer_json(struct server_request *request, unsigned int status,
		       json_t *value)
{
	answer_value(request, status, JSON_TYPE, value);
	json_decref(value);
}

static unsigned int http_status_of(enum po_status st)
{
	switch (st) {
	case PO_E_USAGE: return 400;
	case PO_E_TOKEN:
	case PO_E_DEVICE:
	case PO_E_SERVER:
	case PO_E_AGENT: return 503;
	case PO_E_PIN:
	case PO_E_PIN_LOCKED: return 423;
	case PO_E_USER: return 504;
	case PO_E_NETWORK:
	case PO_E_REFUSED: return 502;
	case PO_E_POLICY: return 403;
	default: return 500;
	}
}

static void answer_failure(struct server_request *request, unsigned int status,
			   const struct po_error *why, int64_t retry_in_ms,
			   const char *allow)
{
	struct server_reply reply = { .status = status,
				      .type = JSON_TYPE,
				      .allow = allow };
	json_auto_t *value = json_pack("{s:o}", "error", error_json(why));
	json_t *error = json_object_get(value, "error");
	po_auto_buf text = { 0 };

	buf_init(&text, REPLY_MAX);
	if (retry_in_ms > 0) {
		reply.retry_after_s = (retry_in_ms + 999) / 1000;
		(void)json_object_set_new(error, "retry_after",
					  json_integer(reply.retry_after_s));
	}
	if (value && json_compact(&text, value) && buf_adds(&text, "\n"))
		reply.body = secret_from(text.data, text.len);
	server_answer(request, &reply);
}

void agent_answer_error(struct server_request *request,
			const struct po_error *why, int64_t retry_in_ms)
{
	answer_failure(request, http_status_of(why->status), why, retry_in_ms,
		       NULL);
}

void agent_answer_unknown(const struct agent *agent,
			  struct server_request *request, const char *name)
{
	struct po_error why = { 0 };

	(void)served_fail_unknown(&agent->served, name, &why);
	answer_failure(request, 404, &why, 0, NULL);
}

/* ---- /v1/token/PROFILE -------------------------------------------------- */

struct token_call {
	struct agent *agent;
	struct server_request *request;
	char *profile;
	char *scope; /* NULL: the profile's */
	int64_t min_valid_s, wait_s;
	bool force_new;
	unsigned int seen; /* parameters, by their bit */
	struct po_error fault;
};

static void token_call_free(struct token_call *c)
{
	free(c->profile);
	free(c->scope);
	free(c);
}

static bool take_seconds(struct token_call *c, const char *name,
			 const char *value, int64_t max_s, int64_t *ret_s)
{
	if (value && text_to_seconds(value, max_s, ret_s))
		return true;
	(void)po_fail(&c->fault, PO_E_USAGE, 0,
		      "%s is a number of seconds, 0 to %lld", name,
		      (long long)max_s);
	return false;
}

/* One blank between words, so that one scope is one entry of the cache. */
static bool take_scope(struct token_call *c, const char *value)
{
	char *out;

	for (const char *p = value; p && *p; p++)
		if (*p < ' ' || *p == '"' || *p == '\\' || *p > '~')
			value = NULL;
	if (value)
		value += strspn(value, " ");
	if (!value || !*value || strlen(value) > PROFILE_TEXT_MAX) {
		(void)po_fail(&c->fault, PO_E_USAGE, 0,
			      "scope is one or more words (RFC 6749, section "
			      "3.3)");
		return false;
	}
	c->scope = out = text_dup(value);
	if (!out) {
		(void)po_no_memory(&c->fault);
		return false;
	}
	for (const char *p = value; *p; p++)
		if (*p != ' ' || (p[1] && p[1] != ' '))
			*out++ = *p;
	*out = '\0';
	return true;
}

static bool take_parameter(void *user, const char *name, const char *value)
{
	static const char *const names[] = { "min_valid", "wait", "scope",
					     "force_new", NULL };
	struct token_call *c = user;
	int i = text_word_index(name, names);

	if (i < 0 || c->seen & (1U << i)) {
		(void)po_fail(
			&c->fault, PO_E_USAGE, 0,
			"parameter '%.32s' %s; there are min_valid, wait, "
			"scope and force_new",
			name, i < 0 ? "is not known" : "is there twice");
		return false;
	}
	c->seen |= 1U << i;
	switch (i) {
	case 0:
		return take_seconds(c, name, value, BROKER_MIN_VALID_MAX_S,
				    &c->min_valid_s);
	case 1:
		return take_seconds(c, name, value, BROKER_WAIT_MAX_S,
				    &c->wait_s);
	case 2: return take_scope(c, value);
	default: break;
	}
	if (value && text_to_bool(value, &c->force_new))
		return true;
	(void)po_fail(&c->fault, PO_E_USAGE, 0, "force_new is 1 or 0");
	return false;
}

json_t *agent_token_answer(const struct cached_token *token,
			   const struct po_clock *clock)
{
	int64_t left_s = (token->expires_ms - clock_boottime_ms(clock)) / 1000;
	json_t *value =
		json_pack("{s:s}", "access_token", secret_reveal(token->value));

	if (value && json_object_update(value, token->answer) == 0 &&
	    json_object_set_new(value, "expires_in", json_integer(left_s)) ==
		    0 &&
	    json_object_set_new(value, "expires_at",
				json_integer(clock_now_s(clock) + left_s)) == 0)
		return value;
	json_decref(value);
	return NULL;
}

static enum po_status record_issue(const struct token_call *c,
				   const struct served *s,
				   const struct cached_token *token,
				   struct po_error *err)
{
	const struct po_clock *clock = c->agent->env->clock;
	const char *scope = c->scope ? c->scope : s->profile->scope;
	int64_t left_s = (token->expires_ms - clock_boottime_ms(clock)) / 1000;
	int64_t expires_at_s = clock_now_s(clock) + left_s;
	json_t *record = json_pack("{s:I, s:s?, s:I}", "of",
				   (json_int_t)token->sign_seq, "scope", scope,
				   "expires_at", (json_int_t)expires_at_s);

	return agent_record(c->agent, "issue", s, server_peer(c->request),
			    record, err);
}

static void on_token(void *user, const struct cached_token *token,
		     const struct po_error *why, int64_t retry_ms)
{
	struct token_call *c = user;
	const struct served *s = served_find(&c->agent->served, c->profile);
	const struct po_clock *clock = c->agent->env->clock;
	struct po_error fault = { 0 };

	if (token && !s)
		(void)served_fail_unknown(&c->agent->served, c->profile,
					  &fault);
	else if (token)
		(void)record_issue(c, s, token, &fault);
	if (fault.status != PO_OK)
		why = &fault;
	if (why && why->status == PO_E_TOKEN && s)
		agent_look_again(c->agent, c->profile);
	if (why || !token)
		agent_answer_error(
			c->request, why ? why : &fault,
			retry_ms ? retry_ms - clock_boottime_ms(clock) : 0);
	else
		agent_answer_json(c->request, 200,
				  agent_token_answer(token, clock));
	token_call_free(c);
}

/* Who may have which scope; a refusal is on record. */
static bool is_allowed(struct token_call *c, const struct served *s)
{
	const struct requester *peer = server_peer(c->request);
	struct po_error why = { 0 };
	const char *word = NULL;
	size_t len = 0;

	if (!policy_allows_peer(s->profile, server_peer_ids(c->request)))
		(void)po_fail(&why, PO_E_POLICY, 0,
			      "uid %u may not have access tokens of profile "
			      "'%s' (allow-uid, allow-gid)",
			      (unsigned int)peer->uid, c->profile);
	else if (c->scope &&
		 !policy_allows_scope(s->profile, c->scope, &word, &len))
		(void)po_fail(&why, PO_E_POLICY, 0,
			      "scope '%.*s' may not be had of profile '%s' "
			      "(allow-scope)",
			      (int)len, word, c->profile);
	else
		return true;
	c->agent->counts.refused++;
	(void)agent_record(
		c->agent, "refuse", s, peer,
		json_pack("{s:s, s:s?}", "reason", why.text, "scope", c->scope),
		NULL);
	agent_answer_error(c->request, &why, 0);
	return false;
}

static void route_token(struct agent *agent, struct server_request *request,
			const char *name)
{
	struct served *s = served_find(&agent->served, name);
	struct token_call *c = calloc(1, sizeof(*c));

	if (c) {
		c->agent = agent;
		c->request = request;
		c->profile = text_dup(name);
		server_each_parameter(request, take_parameter, c);
	}
	if (!c || !c->profile) {
		agent_answer_json(request, 500, NULL);
	} else if (!s) {
		agent_answer_unknown(agent, request, name);
	} else if (c->fault.status != PO_OK) {
		agent_answer_error(request, &c->fault, 0);
	} else if (is_allowed(c, s)) {
		const struct broker_request ask = {
			.served = s,
			/* the profile's own, by whatever name */
			.scope = c->scope && s->profile->scope &&
						 strcmp(c->scope,
							s->profile->scope) == 0
					 ? NULL
					 : c->scope,
			.min_valid_s = c->min_valid_s,
			.wait_s = c->wait_s,
			.force_new = c->force_new,
			.peer = server_peer(request),
		};

		broker_ask(agent->broker, &ask, on_token, c);
		return;
	}
	if (c)
		token_call_free(c);
}

/* ---- /v1/jwks/PROFILE --------------------------------------------------- */

static void on_jwks(void *user, const json_t *answer,
		    const struct po_error *why)
{
	struct server_request *request = user;

	if (why)
		agent_answer_error(request, why, 0);
	else
		answer_value(request, 200, "application/jwk-set+json",
			     json_object_get(answer, "jwks"));
}

static void route_jwks(struct agent *agent, struct server_request *request,
		       const char *name)
{
	const struct served *s = served_find(&agent->served, name);
	json_auto_t *job = NULL;
	struct worker_task task = { .timeout_ms = LOOK_TIME_MS,
				    .answer = on_jwks,
				    .user = request };
	struct po_error why = { 0 };

	if (!s) {
		agent_answer_unknown(agent, request, name);
		return;
	}
	job = json_pack("{s:s, s:s, s:s}", "op", "jwks", "profile", name,
			"digest", s->digest);
	if (!job)
		(void)po_no_memory(&why);
	task.message = job;
	if (!job ||
	    workers_submit(agent->workers, s->module, &task, &why) != PO_OK)
		agent_answer_error(request, &why, 0);
}

/* ---- the table ---------------------------------------------------------- */

static void route_health(struct agent *agent, struct server_request *request)
{
	const struct server_reply reply = {
		.status = 200,
		.type = "text/plain",
		.body = secret_from("ok\n", 3),
	};

	(void)agent;
	server_answer(request, &reply);
}

static const struct route {
	const char *method;
	const char *path;
	void (*plain)(struct agent *agent, struct server_request *request);
	void (*named)(struct agent *agent, struct server_request *request,
		      const char *name); /* a profile's name follows */
} routes[] = {
	{ "GET", "/v1/token/", NULL, route_token },
	{ "GET", "/v1/jwks/", NULL, route_jwks },
	{ "GET", "/v1/profiles", agent_route_profiles, NULL },
	{ "GET", "/v1/status", agent_route_status, NULL },
	{ "POST", "/v1/unlock", agent_route_unlock, NULL },
	{ "POST", "/v1/lock", agent_route_lock, NULL },
	{ "GET", "/metrics", agent_route_metrics, NULL },
	{ "GET", "/healthz", route_health, NULL },
};

static const struct route *find_route(const char *path)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(routes); i++) {
		size_t len = strlen(routes[i].path);

		if (routes[i].named
			    ? strncmp(path, routes[i].path, len) == 0 &&
				      path[len] && !strchr(path + len, '/')
			    : strcmp(path, routes[i].path) == 0)
			return &routes[i];
	}
	return NULL;
}

void agent_route(void *user, struct server_request *request)
{
	const char *path = server_path(request);
	const struct route *route = find_route(path);
	struct agent *agent = user;
	struct po_error why = { 0 };

	agent->counts.requests++;
	if (!route) {
		(void)po_fail(
			&why, PO_E_USAGE, 0,
			"there is no '%.128s' here; see p11oauth-agent(1)",
			path);
		answer_failure(request, 404, &why, 0, NULL);
	} else if (strcmp(server_method(request), route->method) != 0) {
		(void)po_fail(&why, PO_E_USAGE, 0, "'%.128s' takes %s only",
			      path, route->method);
		answer_failure(request, 405, &why, 0, route->method);
	} else if (route->plain) {
		route->plain(agent, request);
	} else {
		route->named(agent, request, path + strlen(route->path));
	}
}
