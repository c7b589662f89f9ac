/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd-unlock.c - gives the agent the PINs that a person has.
 *
 * Each token's PIN is asked for once. One that was refused is not sent again,
 * for whichever profile.
 */
#include "base/environment.h"
#include "base/log.h"
#include "cmd/agent-connect.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cryptoki/pin.h"

#include <stdlib.h>
#include <string.h>

#define TOKENS_MAX 64

struct unlock_opts {
	const char *pin_from;
	const char *socket;
};

static const struct opt opts[] = {
	{ "pin-from", 0, OPT_STRING, offsetof(struct unlock_opts, pin_from),
	  "SOURCE", "where the PIN comes from; prompt unless given", NULL },
	{ "socket", 0, OPT_STRING, offsetof(struct unlock_opts, socket), "PATH",
	  "the agent's socket", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

struct unlocking {
	const struct unlock_opts *opts;
	struct agent_client agent;
	struct token_pin { /* of a token that has a serial number */
		const char *label, *serial; /* borrowed from the status */
		struct secret *pin;         /* owned; NULL: it was refused */
	} tokens[TOKENS_MAX];
	size_t count;
};

static void unlocking_clear(struct unlocking *u)
{
	for (size_t i = 0; i < u->count; i++)
		secret_free(u->tokens[i].pin);
}

/* ---- the PIN ------------------------------------------------------------ */

static struct token_pin *find_token(struct unlocking *u, const json_t *profile)
{
	const json_t *token = json_object_get(profile, "token");
	const char *serial = json_text(token, "serial");
	const char *label = agent_text(token, "label", "");

	for (size_t i = 0; serial && *serial && i < u->count; i++)
		if (strcmp(u->tokens[i].serial, serial) == 0 &&
		    strcmp(u->tokens[i].label, label) == 0)
			return &u->tokens[i];
	return NULL;
}

/* Takes pin, NULL for one that was refused. */
static void keep_token(struct unlocking *u, const json_t *profile,
		       struct secret *pin)
{
	const json_t *token = json_object_get(profile, "token");
	const char *serial = json_text(token, "serial");

	if (!serial || !*serial || u->count == TOKENS_MAX ||
	    find_token(u, profile)) {
		secret_free(pin);
		return;
	}
	u->tokens[u->count++] = (struct token_pin){
		.label = agent_text(token, "label", ""),
		.serial = serial,
		.pin = pin,
	};
}

/* True when the agent has the PIN itself, or the token's keys take it. */
static bool needs_no_pin(const struct unlocking *u, const json_t *profile)
{
	if (u->opts->pin_from)
		return pin_source_is_pinpad(u->opts->pin_from);
	return strcmp(agent_text(profile, "pin_source", "prompt"), "prompt") !=
	       0;
}

static enum po_status ask_pin(const struct unlocking *u, const json_t *profile,
			      struct secret **ret_pin, struct po_error *err)
{
	const json_t *token = json_object_get(profile, "token");
	const struct pin_purpose purpose = { .profile = json_text(profile,
								  "name") };
	const struct pin_request request = {
		.from = u->opts->pin_from,
		.pinentry = environment_get("P11OAUTH_PINENTRY"),
		.purpose = &purpose,
	};
	const struct pin_token shown = {
		.manufacturer = "",
		.label = agent_text(token, "label", "?"),
		.serial = agent_text(token, "serial", "not known yet"),
	};

	return pin_read(&request, &shown, ret_pin, err);
}

/* ---- one profile -------------------------------------------------------- */

static enum po_status print(const json_t *answer, struct po_error *err)
{
	const json_t *token = json_object_get(answer, "token");
	po_auto_buf text = { 0 };

	buf_init(&text, JSON_TEXT_MAX);
	if (!agent_add_line(&text, "unlocked: %s (token '%s', serial %s)",
			    agent_text(answer, "profile", "?"),
			    agent_text(token, "label", "?"),
			    agent_text(token, "serial", "?")))
		return po_no_memory(err);
	return output_text(buf_text(&text), err);
}

static enum po_status send_pin(struct unlocking *u, const json_t *profile,
			       const struct secret *pin, struct po_error *err)
{
	json_auto_t *answer = NULL;
	enum po_status st = agent_unlock(&u->agent, json_text(profile, "name"),
					 pin, &answer, err);

	return st == PO_OK ? print(answer, err) : st;
}

static enum po_status unlock(struct unlocking *u, const json_t *profile,
			     struct po_error *err)
{
	const struct token_pin *known = find_token(u, profile);
	po_auto(secret) *pin = NULL;
	enum po_status st;

	if (needs_no_pin(u, profile))
		return send_pin(u, profile, NULL, err);
	if (known && !known->pin)
		return po_fail(err, PO_E_PIN, 0,
			       "the PIN of its token was refused and is not "
			       "sent again");
	if (known)
		return send_pin(u, profile, known->pin, err);
	st = agent_is_trusted(&u->agent, err); /* before a person types it */
	if (st == PO_OK)
		st = ask_pin(u, profile, &pin, err);
	if (st != PO_OK)
		return st;
	st = send_pin(u, profile, pin, err);
	if (st == PO_OK)
		keep_token(u, profile, po_steal(pin));
	else if (st == PO_E_PIN || st == PO_E_PIN_LOCKED)
		keep_token(u, profile, NULL);
	return st;
}

static enum po_status unlock_named(struct unlocking *u, const json_t *profile,
				   struct po_error *err)
{
	const char *name = json_text(profile, "name");
	struct po_error why = { 0 };
	enum po_status st = unlock(u, profile, &why);

	if (st == PO_OK)
		return PO_OK;
	st = po_fail(err, st, why.native, "%s", why.text);
	if (strncmp(why.text, "profile '", strlen("profile '")) == 0)
		return st;
	return po_context(err, st, "profile '%s'", name);
}

/* ---- one or all --------------------------------------------------------- */

static enum po_status fail_unknown(const json_t *profiles, const char *name,
				   struct po_error *err)
{
	po_auto_buf names = { 0 };

	buf_init(&names, PO_ERROR_TEXT_MAX / 2);
	for (size_t i = 0; i < json_array_size(profiles); i++)
		if (!buf_addf(&names, "%s%s", i ? ", " : "",
			      agent_text(json_array_get(profiles, i), "name",
					 "?")))
			break; /* the first of many are enough of a hint */
	return po_fail(err, PO_E_CONFIG, 0,
		       "the agent has no profile '%s'; there is: %s", name,
		       names.len ? buf_text(&names) : "none");
}

static enum po_status unlock_one(struct unlocking *u, const json_t *profiles,
				 const char *name, struct po_error *err)
{
	const json_t *profile = agent_find(profiles, name);
	po_auto_buf text = { 0 };

	if (!profile)
		return fail_unknown(profiles, name, err);
	if (!json_is_false(json_object_get(profile, "locked")))
		return unlock_named(u, profile, err);
	buf_init(&text, JSON_TEXT_MAX);
	if (!agent_add_line(&text, "not locked: %s", name))
		return po_no_memory(err);
	return output_text(buf_text(&text), err);
}

static bool is_for_us(const json_t *profile)
{
	return json_is_true(json_object_get(profile, "locked")) &&
	       !json_is_false(json_object_get(profile, "allowed"));
}

/* A source of one PIN is not for several tokens: each would lose a try. */
static enum po_status check_source(const struct unlocking *u,
				   const json_t *profiles, struct po_error *err)
{
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(profiles); i++)
		count += is_for_us(json_array_get(profiles, i));
	if (count < 2 || !u->opts->pin_from ||
	    pin_source_is_prompt(u->opts->pin_from) ||
	    pin_source_is_pinpad(u->opts->pin_from))
		return PO_OK;
	return po_fail(err, PO_E_USAGE, 0,
		       "--pin-from has one PIN, and %zu profiles are locked; "
		       "name one",
		       count);
}

/* The first failure is the command's; the others are told. */
static enum po_status unlock_all(struct unlocking *u, const json_t *profiles,
				 struct po_error *err)
{
	enum po_status first = check_source(u, profiles, err);
	size_t count = 0;

	for (size_t i = 0; first != PO_E_USER && first != PO_E_USAGE &&
			   i < json_array_size(profiles);
	     i++) {
		const json_t *profile = json_array_get(profiles, i);
		struct po_error why = { 0 };
		enum po_status st;

		if (!is_for_us(profile))
			continue;
		count++;
		st = unlock_named(u, profile, &why);
		if (st == PO_OK)
			continue;
		if (first != PO_OK)
			log_warn("%s", why.text);
		else
			first = po_fail(err, st, why.native, "%s", why.text);
	}
	if (first != PO_OK || count > 0)
		return first;
	return output_text("nothing is locked\n", err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct unlock_opts *o = ctx->opts;
	const char *name = ctx->line->operands[0]; /* NULL: all of them */
	struct unlocking u = { .opts = o };
	json_auto_t *status = NULL;
	const json_t *profiles;
	enum po_status st = PO_OK;

	if (o->pin_from)
		st = po_context(err, pin_source_check(o->pin_from, err),
				"--pin-from");
	if (st == PO_OK)
		st = agent_connect(ctx, o->socket, &u.agent, err);
	if (st == PO_OK)
		st = agent_get_status(&u.agent, &status, err);
	if (st != PO_OK)
		return st;
	profiles = json_object_get(status, "profiles");
	st = name ? unlock_one(&u, profiles, name, err)
		  : unlock_all(&u, profiles, err);
	unlocking_clear(&u);
	return st;
}

const struct cmd cmd_unlock = {
	.name = "unlock",
	.summary = "give the agent the PIN of a profile's token",
	.operands = "[PROFILE]",
	.operands_max = 1,
	.needs = CMD_NEEDS_LOCKED,
	.opts = opts,
	.opts_size = sizeof(struct unlock_opts),
	.run = run,
};
