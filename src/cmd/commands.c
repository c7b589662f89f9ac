/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "base/environment.h"
#include "base/text.h"
#include "cmd/options.h"
#include "conf/config_file.h"

#include <stdio.h>
#include <string.h>

const struct cmd *const commands[] = {
	&cmd_token,         &cmd_header,
	&cmd_exec,          &cmd_assertion,
	&cmd_status,        &cmd_unlock,
	&cmd_lock,          &cmd_keys,
	&cmd_cert,          &cmd_jwks,
	&cmd_jwks_check,    &cmd_jwt_inspect,
	&cmd_jwt_verify,    &cmd_profile_list,
	&cmd_profile_check, &cmd_server_list,
	&cmd_server_show,   &cmd_doctor,
	&cmd_agent,         &cmd_agent_helper,
	&cmd_agent_worker,  &cmd_audit_verify,
	&cmd_audit_find,    &cmd_audit_rotate,
	&cmd_completion,    &cmd_version,
	&cmd_help,          NULL,
};

static const struct cmd *find(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	return NULL;
}

const struct cmd *commands_find(int argc, char *const *argv, int *ret_words)
{
	const struct cmd *cmd = NULL;
	char two[64];

	/* "jwks check" before "jwks" */
	if (argc > 1 && snprintf(two, sizeof(two), "%s %s", argv[0], argv[1]) <
				(int)sizeof(two))
		cmd = find(two);
	*ret_words = cmd ? 2 : 1;
	return cmd ? cmd : find(argv[0]);
}

/* The second words of "jwt …", when name is such a first word. */
static bool add_verbs(const char *name, struct buf *out)
{
	size_t len = strlen(name);

	for (size_t i = 0; commands[i]; i++)
		if (strncmp(commands[i]->name, name, len) == 0 &&
		    commands[i]->name[len] == ' ' &&
		    !buf_addf(out, "%s%s", out->len ? ", " : "",
			      commands[i]->name))
			return false;
	return out->len > 0;
}

enum po_status commands_unknown(const char *name, struct po_error *err)
{
	const char *names[PO_ARRAY_SIZE(commands)] = { NULL };
	const char *near;
	po_auto_buf verbs = { 0 };

	buf_init(&verbs, 512);
	if (*name && add_verbs(name, &verbs))
		return po_fail(err, PO_E_USAGE, 0, "'%s' is one of: %s", name,
			       buf_text(&verbs));
	for (size_t i = 0; commands[i]; i++)
		names[i] = commands[i]->name;
	near = text_nearest(name, names);
	if (near)
		return po_fail(err, PO_E_USAGE, 0,
			       "no such command '%.64s'; did you mean '%s'?",
			       name, near);
	return po_fail(err, PO_E_USAGE, 0,
		       "no such command '%.64s'; 'p11oauth help' lists them",
		       name);
}

static enum po_status apply_options(const struct command_line *line,
				    struct profile *profile,
				    struct po_error *err)
{
	const struct origin origin = { .kind = ORIGIN_OPTION };
	enum po_status st = PO_OK;

	for (size_t i = 0; st == PO_OK && i < line->given_count; i++)
		st = profile_set(profile, line->given[i].setting,
				 line->given[i].value, &origin, err);
	return st;
}

enum po_status commands_settings(const struct cmd_context *ctx,
				 struct profile **ret_profile,
				 struct po_error *err)
{
	po_auto(profile) *profile = profile_new(NULL);
	enum po_status st;

	if (!profile)
		return po_no_memory(err);
	st = profile_apply_environment(profile, err);
	if (st == PO_OK)
		st = apply_options(ctx->line, profile, err);
	if (st == PO_OK)
		*ret_profile = po_steal(profile);
	return st;
}

enum po_status commands_profile(const struct cmd_context *ctx, const char *name,
				struct profile **ret_profile,
				struct po_error *err)
{
	po_auto(profile) *profile = NULL;
	const struct profile *from = NULL;
	enum po_status st = PO_OK;

	if (!name)
		name = environment_get("P11OAUTH_PROFILE");
	if (name) {
		st = config_find(ctx->config, name, &from, err);
		if (st != PO_OK)
			return st;
		profile = profile_copy(from);
	} else {
		profile = profile_new(NULL);
	}
	if (!profile)
		return po_no_memory(err);
	st = profile_apply_environment(profile, err);
	if (st == PO_OK)
		st = apply_options(ctx->line, profile, err);
	if (st == PO_OK)
		st = config_apply_server(ctx->config, profile, err);
	if (st == PO_OK)
		*ret_profile = po_steal(profile);
	return st;
}
