/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/access-token.h"

#include "agent/client.h"
#include "base/environment.h"
#include "base/log.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "conf/config_file.h"
#include "flow/env.h"
#include "flow/get_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MAX_S 3600 /* as retry-time has it */

struct wish {                   /* one access token, as it was asked for */
	struct cmd_context ctx; /* a copy, with a configuration of its own */
	const struct access_token_opts *opts;
	const char *name;     /* of the profile; NULL: none */
	struct profile *said; /* what options and environment say; owned */
	const char *other;    /* set there and not for the agent; NULL: none */
	bool is_read;         /* the configuration was looked at … */
	enum po_status read;  /* … with this end */
	struct po_error read_why;
	char nobody[AGENT_SOCKET_SIZE]; /* where no agent was; "": not asked */
};

static void wish_clear(struct wish *w)
{
	profile_free(w->said);
	config_free(w->ctx.config);
}

/* Read once, and only when something in it is needed. */
static enum po_status read_config(struct wish *w)
{
	if (w->is_read)
		return w->read;
	w->is_read = true;
	w->read = config_load(w->ctx.line->global.config, &w->ctx.config,
			      &w->read_why);
	return w->read;
}

static enum po_status config_fault(const struct wish *w, struct po_error *err)
{
	return po_fail(err, w->read, w->read_why.native, "%s",
		       w->read_why.text);
}

/* ---- what the agent may be asked ---------------------------------------- */

static enum po_status look_at_settings(struct wish *w, struct po_error *err)
{
	enum po_status st = commands_settings(&w->ctx, &w->said, err);

	for (size_t i = 0; st == PO_OK && i < profile_settings_count; i++) {
		const char *name = profile_settings[i].name;

		if (profile_chose(w->said, name) && strcmp(name, "scope") != 0)
			w->other = w->other ? w->other : name;
	}
	return st;
}

static enum po_status check_opts(const struct wish *w, struct po_error *err)
{
	const struct access_token_opts *o = w->opts;

	if (o->no_agent && (o->agent_only || o->socket))
		return po_fail(err, PO_E_USAGE, 0,
			       "--no-agent and --%s exclude each other",
			       o->agent_only ? "agent-only" : "socket");
	if (!o->agent_only)
		return PO_OK;
	if (!w->name)
		return po_fail(err, PO_E_USAGE, 0,
			       "--agent-only: no profile is named");
	if (w->other)
		return profile_fault(w->said, w->other, err,
				     "the agent takes no such setting from its "
				     "callers, and --agent-only is given");
	return PO_OK;
}

/* ---- the agent ---------------------------------------------------------- */

/* The configuration's word on the socket; a file that cannot be read matters
 * when the agent does not answer. */
static const char *configured_socket(struct wish *w)
{
	if (w->opts->socket || environment_get(AGENT_SOCKET_VARIABLE) ||
	    read_config(w) != PO_OK)
		return NULL;
	return w->ctx.config->agent.socket;
}

/* Errors of an agent say of which profile; those of the way to it do not. */
static enum po_status with_profile(const struct wish *w, enum po_status st,
				   struct po_error *err)
{
	static const char prefix[] = "profile '";

	if (!w->name || strncmp(err->text, prefix, strlen(prefix)) == 0)
		return st;
	return po_context(err, st, "profile '%s'", w->name);
}

static bool config_has_profile(struct wish *w)
{
	const struct profile *profile = NULL;

	return read_config(w) == PO_OK &&
	       config_find(w->ctx.config, w->name, &profile, NULL) == PO_OK;
}

/* Neither knows the profile: both say what they have. */
static enum po_status fail_unknown(struct wish *w, const struct po_error *why,
				   struct po_error *err)
{
	const struct profile *profile = NULL;
	struct po_error mine = { 0 };

	if (read_config(w) != PO_OK)
		mine = w->read_why;
	else if (config_find(w->ctx.config, w->name, &profile, &mine) == PO_OK)
		return po_fail(err, PO_E_INTERNAL, 0, "the profile is there");
	return po_fail(err, PO_E_CONFIG, why->native,
		       "the agent: %s; the configuration: %s", why->text,
		       mine.text);
}

/* True when the command goes on without the agent. */
static bool may_go_on(struct wish *w, const struct agent_client *agent)
{
	if (w->opts->agent_only)
		return false;
	switch (agent->trouble) {
	case AGENT_NOT_RUNNING: return true;
	case AGENT_NOT_FOR_US: return !agent->is_named;
	case AGENT_NO_PROFILE: return config_has_profile(w);
	case AGENT_NO_TROUBLE:
	case AGENT_FAILED: break;
	}
	return false;
}

/* PO_OK without a token: the agent is not the one to ask. */
static enum po_status ask_agent(struct wish *w, struct access_token **ret_token,
				struct po_error *err)
{
	const struct access_token_opts *o = w->opts;
	const struct agent_token_request request = {
		.profile = w->name,
		.scope = w->said->scope,
		.min_valid_s = o->min_valid_s,
		.wait_s = o->wait_s,
		.force_new = o->force_new,
	};
	struct po_error why = { 0 };
	struct agent_client agent;
	enum po_status st = agent_client_init(&agent, w->ctx.env, o->socket,
					      configured_socket(w), err);

	if (st != PO_OK)
		return st;
	st = agent_get_token(&agent, &request, ret_token, &why);
	if (st == PO_OK) {
		log_debug(LOG_HTTP, "the agent at '%s' gave an access token",
			  agent.socket);
		return PO_OK;
	}
	log_debug(LOG_HTTP, "%s", why.text);
	if (may_go_on(w, &agent)) {
		(void)snprintf(w->nobody, sizeof(w->nobody), "%s",
			       agent.socket);
		return PO_OK;
	}
	if (agent.trouble == AGENT_NO_PROFILE && !o->agent_only)
		return fail_unknown(w, &why, err);
	st = po_fail(err, st, why.native, "%s", why.text);
	return with_profile(w, st, err);
}

/* ---- without one -------------------------------------------------------- */

static enum po_status make_profile(struct wish *w, struct profile **ret_profile,
				   struct po_error *err)
{
	const struct profile *found = NULL;
	enum po_status st;

	if (w->name && read_config(w) != PO_OK)
		return config_fault(w, err);
	if (!w->name) {
		st = config_load_none(&w->ctx.config, err);
		if (st != PO_OK)
			return st;
	} else if (*w->nobody) {
		st = config_find(w->ctx.config, w->name, &found, err);
		if (st != PO_OK)
			return po_append(err, st, "; and no agent runs at '%s'",
					 w->nobody);
	}
	return commands_profile(&w->ctx, w->name, ret_profile, err);
}

/* --wait is the retry-time of this one request. */
static enum po_status apply_wait(const struct wish *w, struct profile *p,
				 struct po_error *err)
{
	const struct origin origin = { .kind = ORIGIN_OPTION };
	int64_t wait_s = w->opts->wait_s;
	char text[24];

	if (wait_s == 0 || profile_chose(w->said, "retry-time"))
		return PO_OK;
	(void)snprintf(text, sizeof(text), "%lld",
		       (long long)(wait_s < WAIT_MAX_S ? wait_s : WAIT_MAX_S));
	return profile_set(p, profile_setting("retry-time"), text, &origin,
			   err);
}

/* Whoever has the access token next has no business with the PIN. */
static void forget_pins(const struct profile *p)
{
	static const char env[] = "env:";

	for (size_t i = 0; p->pin_from[i]; i++)
		if (strncmp(p->pin_from[i], env, strlen(env)) == 0)
			(void)unsetenv(p->pin_from[i] + strlen(env));
}

static enum po_status do_it_ourselves(struct wish *w,
				      struct access_token **ret_token,
				      struct po_error *err)
{
	po_auto(profile) *profile = NULL;
	enum po_status st = make_profile(w, &profile, err);

	if (st != PO_OK || !profile)
		return st;
	st = apply_wait(w, profile, err);
	if (st == PO_OK)
		st = get_token(w->ctx.env, profile, ret_token, err);
	forget_pins(profile);
	return profile->name
		       ? po_context(err, st, "profile '%s'", profile->name)
		       : st;
}

/* ---- either ------------------------------------------------------------- */

static enum po_status check_life(const struct wish *w,
				 const struct access_token *token,
				 struct po_error *err)
{
	if (token->expires_in_s >= w->opts->min_valid_s)
		return PO_OK;
	return po_fail(err, PO_E_SERVER, 0,
		       "the server gives an access token for %lld s, and "
		       "--min-valid asks for %lld",
		       (long long)token->expires_in_s,
		       (long long)w->opts->min_valid_s);
}

static enum po_status get(struct wish *w, struct access_token **ret_token,
			  struct po_error *err)
{
	po_auto(access_token) *token = NULL;
	enum po_status st = look_at_settings(w, err);

	if (st != PO_OK || !w->said)
		return st;
	st = check_opts(w, err);
	if (st == PO_OK && w->name && !w->other && !w->opts->no_agent)
		st = ask_agent(w, &token, err);
	if (st == PO_OK && !token)
		st = do_it_ourselves(w, &token, err);
	if (st != PO_OK || !token)
		return st;
	st = check_life(w, token, err);
	if (st != PO_OK)
		return with_profile(w, st, err);
	*ret_token = po_steal(token);
	return PO_OK;
}

enum po_status access_token_get(const struct cmd_context *ctx,
				const struct access_token_opts *opts,
				struct access_token **ret_token,
				struct po_error *err)
{
	const struct command_line *line = ctx->line;
	struct wish w = {
		.ctx = *ctx,
		.opts = opts,
		.name = line->operand_count > 0
				? line->operands[0]
				: environment_get("P11OAUTH_PROFILE"),
	};
	enum po_status st = get(&w, ret_token, err);

	wish_clear(&w);
	return st;
}

enum po_status access_token_put(const struct access_token *token,
				enum token_format format, const char *path,
				struct po_error *err)
{
	const struct access_token_view view = {
		.value = secret_reveal(token->value),
		.answer = token->answer,
		.expires_at_s = token->expires_at_s,
		.expires_in_s = token->expires_in_s,
		.expiry_is_assumed = token->expiry_is_assumed,
	};
	po_auto(secret) *text = NULL;
	enum po_status st = token_format_print(format, &view, &text, err);

	if (st != PO_OK)
		return st;
	/* output_credential() ends the line itself */
	return output_credential(path, secret_reveal(text),
				 secret_len(text) - 1, err);
}
