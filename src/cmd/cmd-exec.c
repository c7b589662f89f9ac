/* SPDX-License-Identifier: Apache-2.0 */
#include "base/interrupt.h"
#include "cmd/access-token.h"
#include "cmd/options.h"
#include "cmd/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CANNOT_RUN 126 /* as env(1) and the shells have it */
#define NOT_FOUND 127
#define SUFFIX "_EXPIRES_AT"
#define TIME_ROOM 32 /* for a number of 64 bits and the signs around it */

struct exec_opts {
	struct access_token_opts token; /* first */
	const char *env;
};

static const struct opt opts[] = {
	{ "env", 0, OPT_STRING, offsetof(struct exec_opts, env), "NAME",
	  "the variable for the access token; ACCESS_TOKEN unless given",
	  NULL },
	ACCESS_TOKEN_ROWS,
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

struct variables {            /* of the command's environment */
	struct secret *token; /* owned; NAME=VALUE */
	char *expires_at;     /* owned; NAME_EXPIRES_AT=SECONDS */
	char **envp;          /* owned; borrows the rest */
};

static void variables_clear(struct variables *v)
{
	secret_free(v->token);
	free(v->expires_at);
	free((void *)v->envp);
}

/* "NAME=…" or "NAME_EXPIRES_AT=…" */
static bool is_ours(const char *variable, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(variable, name, len) != 0)
		return false;
	variable += len;
	if (strncmp(variable, SUFFIX, strlen(SUFFIX)) == 0)
		variable += strlen(SUFFIX);
	return *variable == '=';
}

static enum po_status make_token_variable(const struct access_token *t,
					  const char *name,
					  struct secret **ret_variable,
					  struct po_error *err)
{
	po_auto(secret) *v =
		secret_new(strlen(name) + 1 + secret_len(t->value));
	enum po_status st;

	if (!v)
		return po_no_memory(err);
	st = secret_append(v, name, strlen(name), err);
	if (st == PO_OK)
		st = secret_append(v, "=", 1, err);
	if (st == PO_OK)
		st = secret_append(v, secret_reveal(t->value),
				   secret_len(t->value), err);
	if (st == PO_OK)
		*ret_variable = po_steal(v);
	return st;
}

static enum po_status make_variables(const struct access_token *t,
				     const char *name, struct variables *v,
				     struct po_error *err)
{
	size_t room = strlen(name) + sizeof(SUFFIX) + TIME_ROOM;
	enum po_status st = make_token_variable(t, name, &v->token, err);
	size_t n = 0, count = 0;

	if (st != PO_OK)
		return st;
	while (environ[count])
		count++;
	v->expires_at = malloc(room);
	v->envp = (char **)calloc(count + 3, sizeof(char *));
	if (!v->expires_at || !v->envp)
		return po_no_memory(err);
	(void)snprintf(v->expires_at, room, "%s" SUFFIX "=%lld", name,
		       (long long)t->expires_at_s);
	for (size_t i = 0; i < count; i++)
		if (!is_ours(environ[i], name))
			v->envp[n++] = environ[i];
	/* execve() wants to be able to write to what it only reads */
	v->envp[n++] = (char *)(uintptr_t)secret_reveal(v->token);
	v->envp[n] = v->expires_at;
	return PO_OK;
}

static enum po_status become(const struct cmd_context *ctx,
			     const struct variables *v, struct po_error *err)
{
	char *const *command = ctx->line->command;
	enum po_status st = interrupt_check(err);

	if (st != PO_OK)
		return st;
	(void)process_become(command, v->envp);
	*ctx->exit_status = errno == ENOENT ? NOT_FOUND : CANNOT_RUN;
	return po_fail(err, PO_E_USAGE, errno, "cannot run '%s': %s",
		       command[0], strerror(errno));
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct exec_opts *o = ctx->opts;
	const char *name = o->env ? o->env : TOKEN_FORMAT_ENV_NAME;
	po_auto(access_token) *token = NULL;
	struct variables v = { 0 };
	enum po_status st;

	if (!ctx->line->command || !ctx->line->command[0])
		return po_fail(err, PO_E_USAGE, 0,
			       "no command; it comes after '--', as in "
			       "'p11oauth exec PROFILE -- COMMAND'");
	if (!token_format_is_env_name(name))
		return po_fail(err, PO_E_USAGE, 0,
			       "--env: '%s' is no name of an environment "
			       "variable",
			       name);
	process_note_descriptors();
	st = access_token_get(ctx, &o->token, &token, err);
	if (st == PO_OK && token)
		st = make_variables(token, name, &v, err);
	if (st == PO_OK)
		st = become(ctx, &v, err);
	variables_clear(&v);
	return st;
}

const struct cmd cmd_exec = {
	.name = "exec",
	.summary = "run a command with an access token in its environment",
	.operands = "[PROFILE] -- COMMAND [ARGUMENT...]",
	.operands_max = 1,
	.takes_command = true,
	.needs = CMD_MAY_ASK_AGENT | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY |
		    SETTING_FOR_ASSERTION | SETTING_FOR_EXCHANGE,
	.opts = opts,
	.opts_size = sizeof(struct exec_opts),
	.run = run,
};
