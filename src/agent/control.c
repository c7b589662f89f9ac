/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control.c - unlock and lock. A PIN passes through here on its way to the
 * worker, which alone keeps it.
 */
#include "agent/agent_impl.h"

#include "agent/policy.h"
#include "cryptoki/pin.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNLOCK_TIME_MS 180000 /* a reader's keys, or a slow token */

struct control {
	struct agent *agent;
	struct server_request *request;
	char *profile; /* NULL: all */
};

static void control_free(struct control *c)
{
	free(c->profile);
	free(c);
}

/* ---- the body ----------------------------------------------------------- */

static bool has_only(const json_t *body, const char *const *names,
		     struct po_error *err)
{
	const char *name;
	const json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)body, name, value) {
		size_t i = 0;

		while (names[i] && strcmp(names[i], name) != 0)
			i++;
		if (!names[i] || !json_is_string(value)) {
			(void)po_fail(err, PO_E_USAGE, 0,
				      "member '%.32s' is not known, or not a "
				      "string",
				      name);
			return false;
		}
	}
	return true;
}

static enum po_status read_body(struct server_request *request,
				const char *const *names, json_t **ret_body,
				struct po_error *err)
{
	po_auto(secret) *text = server_take_body(request);
	enum po_status st;

	if (!text || secret_len(text) == 0) {
		*ret_body = json_object();
		return *ret_body ? PO_OK : po_no_memory(err);
	}
	st = json_parse_object(secret_reveal(text), secret_len(text), ret_body,
			       err);
	if (st != PO_OK) {
		if (err)
			err->status = PO_E_USAGE;
		return po_context(err, PO_E_USAGE, "the body");
	}
	return has_only(*ret_body, names, err) ? PO_OK : PO_E_USAGE;
}

/* ---- who may ------------------------------------------------------------ */

static bool may_control(struct agent *agent, struct server_request *request,
			const struct served *s, const char *what)
{
	const struct requester *peer = server_peer(request);
	struct po_error why = { 0 };

	if (policy_may_control(s->profile, server_peer_ids(request), geteuid()))
		return true;
	(void)po_fail(&why, PO_E_POLICY, 0, "uid %u may not %s profile '%s'",
		      (unsigned int)peer->uid, what, s->profile->name);
	agent->counts.refused++;
	(void)agent_record(agent, "refuse", s, peer,
			   json_pack("{s:s}", "reason", why.text), NULL);
	agent_answer_error(request, &why, 0);
	return false;
}

/* ---- unlock ------------------------------------------------------------- */

/* A PIN unlocks a token, and with it all profiles whose keys are there. */
static bool shares_token(const struct served *a, const struct served *b)
{
	if (served_has_same_key(a, b))
		return true;
	return strcmp(a->module, b->module) == 0 && a->token_label[0] &&
	       strcmp(a->token_label, b->token_label) == 0 &&
	       strcmp(a->token_serial, b->token_serial) == 0;
}

static void set_unlocked(struct agent *agent, struct served *s)
{
	s->is_held = false;
	for (size_t i = 0; i < agent->served.count; i++) {
		struct served *other = agent->served.items[i];

		if (other != s && !shares_token(s, other))
			continue;
		other->is_locked = false;
		broker_retry(agent->broker, other->profile->name);
	}
	agent_fill_sinks(agent);
	agent_state_changed(agent);
}

static void on_unlocked(void *user, const json_t *answer,
			const struct po_error *why)
{
	struct control *c = user;
	struct agent *agent = c->agent;
	struct served *s = served_find(&agent->served, c->profile);
	const json_t *token = json_object_get(answer, "token");

	agent_learned(agent, c->profile, answer, why);
	if (s)
		(void)agent_record(
			agent, "unlock", s, server_peer(c->request),
			json_pack("{s:s, s:O?}", "status",
				  why ? po_status_name(why->status) : "ok",
				  "token", (json_t *)(uintptr_t)token),
			NULL);
	if (why) {
		agent_answer_error(c->request, why, 0);
	} else {
		agent->counts.unlocked++;
		if (s)
			set_unlocked(agent, s);
		agent_answer_json(c->request, 200,
				  json_pack("{s:s, s:O?}", "profile",
					    c->profile, "token",
					    (json_t *)(uintptr_t)token));
	}
	control_free(c);
}

static enum po_status check_pin(const struct served *s, const char *pin,
				struct po_error *err)
{
	if (pin && !served_wants_person(s))
		return po_fail(err, PO_E_USAGE, 0,
			       "the PIN of profile '%s' comes from where its "
			       "pin-from says; none is taken",
			       s->profile->name);
	if (!pin || (*pin && strlen(pin) <= PIN_MAX))
		return PO_OK;
	return po_fail(err, PO_E_USAGE, 0, "a PIN has 1 to %d bytes", PIN_MAX);
}

static enum po_status submit_unlock(struct agent *agent,
				    struct server_request *request,
				    const struct served *s, const json_t *body,
				    struct po_error *err)
{
	const char *pin = json_text(body, "pin");
	struct control *c = calloc(1, sizeof(*c));
	json_auto_t *job = json_pack("{s:s, s:s, s:s, s:s?, s:o}", "op",
				     "unlock", "profile", s->profile->name,
				     "digest", s->digest, "pin", pin, "peer",
				     requester_json(server_peer(request)));
	const struct worker_task task = { job, UNLOCK_TIME_MS, on_unlocked, c };
	enum po_status st = check_pin(s, pin, err);

	if (c) {
		*c = (struct control){ agent, request,
				       strdup(s->profile->name) };
	}
	if (st == PO_OK && (!c || !c->profile || !job))
		st = po_no_memory(err);
	if (st == PO_OK)
		st = workers_submit(agent->workers, s->module, &task, err);
	if (st != PO_OK && c)
		control_free(c);
	return st;
}

void agent_route_unlock(struct agent *agent, struct server_request *request)
{
	static const char *const names[] = { "profile", "pin", NULL };
	json_auto_t *body = NULL;
	struct po_error why = { 0 };
	enum po_status st = read_body(request, names, &body, &why);
	const char *name = st == PO_OK ? json_text(body, "profile") : NULL;
	const struct served *s =
		name ? served_find(&agent->served, name) : NULL;

	if (st == PO_OK && !name)
		(void)po_fail(&why, PO_E_USAGE, 0,
			      "the body names no profile; it is "
			      "{\"profile\":\"NAME\",\"pin\":\"…\"}");
	else if (st == PO_OK && !s)
		agent_answer_unknown(agent, request, name);
	else if (st == PO_OK && !may_control(agent, request, s, "unlock"))
		return;
	else if (st == PO_OK)
		(void)submit_unlock(agent, request, s, body, &why);
	if (why.status != PO_OK)
		agent_answer_error(request, &why, 0);
}

/* ---- lock --------------------------------------------------------------- */

/* What it means at once, whatever the worker still has to do. */
static void hold(struct agent *agent, struct served *s,
		 const struct requester *peer)
{
	struct po_error why = { 0 };

	(void)po_fail(
		&why, PO_E_PIN, 0,
		"profile '%s' was locked; 'p11oauth unlock %s' unlocks it",
		s->profile->name, s->profile->name);
	s->is_held = true;
	broker_drop(agent->broker, s->profile->name, &why);
	for (size_t i = 0; i < agent->served.count; i++) {
		struct served *other = agent->served.items[i];

		if (served_wants_person(other) && shares_token(s, other))
			other->is_locked = true;
	}
	/* the worker leaves, and with it its PINs and logins */
	workers_retire(agent->workers, s->module);
	(void)agent_record(agent, "lock", s, peer, json_object(), NULL);
}

void agent_route_lock(struct agent *agent, struct server_request *request)
{
	static const char *const names[] = { "profile", NULL };
	json_auto_t *body = NULL;
	json_t *locked = json_array();
	struct po_error why = { 0 };
	enum po_status st = read_body(request, names, &body, &why);
	const char *name = st == PO_OK ? json_text(body, "profile") : NULL;

	if (st == PO_OK && name && !served_find(&agent->served, name)) {
		json_decref(locked);
		agent_answer_unknown(agent, request, name);
		return;
	}
	/* all or none: who may not lock one of them locks nothing */
	for (size_t i = 0; why.status == PO_OK && i < agent->served.count;
	     i++) {
		const struct served *s = agent->served.items[i];

		if ((!name || strcmp(name, s->profile->name) == 0) &&
		    !may_control(agent, request, s, "lock")) {
			json_decref(locked);
			return;
		}
	}
	for (size_t i = 0; why.status == PO_OK && i < agent->served.count;
	     i++) {
		struct served *s = agent->served.items[i];

		if (name && strcmp(name, s->profile->name) != 0)
			continue;
		hold(agent, s, server_peer(request));
		(void)json_array_append_new(locked,
					    json_string(s->profile->name));
	}
	if (why.status != PO_OK) {
		json_decref(locked);
		agent_answer_error(request, &why, 0);
		return;
	}
	agent_state_changed(agent);
	agent_answer_json(request, 200, json_pack("{s:o}", "locked", locked));
}
