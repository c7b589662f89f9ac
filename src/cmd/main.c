/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - from argv to a command, and from its error to one line and an exit
 * status.
 */
#include "base/environment.h"
#include "base/error_json.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "base/log.h"
#include "base/secret.h"
#include "base/text.h"
#include "cmd/help.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "conf/config_file.h"
#include "cryptoki/device.h"
#include "flow/env.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum po_status set_up_log(const struct global_options *global,
				 struct po_error *err)
{
	const char *areas = environment_get("P11OAUTH_DEBUG");

	if (areas && !log_enable(areas))
		return po_fail(err, PO_E_USAGE, 0,
			       "P11OAUTH_DEBUG: areas are cryptoki, http, "
			       "oauth, conf, all");
	if (global->verbose)
		(void)log_enable("all");
	log_set_quiet(global->quiet);
	output_show_chatter(log_area_is_on(LOG_CRYPTOKI));
	return PO_OK;
}

/* The profile that the needs and the operands speak of. */
static enum po_status prepare(struct cmd_context *ctx, struct po_error *err)
{
	const struct command_line *line = ctx->line;
	unsigned int needs = line->cmd->needs;
	const char *name = line->global.profile;
	enum po_status st = PO_OK;

	if (needs & CMD_NEEDS_LOCKED)
		process_lock();
	if (needs & CMD_MAY_ASK_AGENT)
		return PO_OK;
	if ((needs & CMD_NEEDS_PROFILE) && line->operand_count > 0)
		name = line->operands[0];
	/* a command that names no profile works without any file */
	if ((needs & (CMD_NEEDS_CONFIG | CMD_TAKES_PROFILES)) || name ||
	    environment_get("P11OAUTH_PROFILE"))
		st = config_load(line->global.config, &ctx->config, err);
	else if (needs & (CMD_NEEDS_PROFILE | CMD_PROFILE_OPTION))
		st = config_load_none(&ctx->config, err);
	if (st == PO_OK && (needs & (CMD_NEEDS_PROFILE | CMD_PROFILE_OPTION)))
		st = commands_profile(ctx, name, &ctx->profile, err);
	return st;
}

static enum po_status run_command(const struct command_line *line,
				  int *exit_status, struct po_error *err)
{
	struct cmd_context ctx = {
		.line = line,
		.opts = line->opts,
		.json = line->global.json,
		.exit_status = exit_status,
	};
	struct po_env env = { 0 };
	enum po_status st = po_env_init(&env, err);

	ctx.env = &env;
	if (st == PO_OK)
		st = prepare(&ctx, err);
	if (st == PO_OK)
		st = line->cmd->run(&ctx, err);
	if (st != PO_OK && ctx.profile && ctx.profile->name)
		st = po_context(err, st, "profile '%s'", ctx.profile->name);
	profile_free(ctx.profile);
	config_free(ctx.config);
	po_env_clear(&env);
	return po_context(err, st, "%s", line->cmd->name);
}

static enum po_status run(int argc, char **argv, struct command_line *line,
			  int *exit_status, struct po_error *err)
{
	enum po_status st = output_init(err);

	if (st == PO_OK)
		st = options_parse(argc, argv, line, err);
	if (st != PO_OK)
		return line->cmd ? po_context(err, st, "%s", line->cmd->name)
				 : st;
	if (line->global.dump_options)
		return help_dump_options(err);
	if (line->global.version)
		return cmd_version.run(&(struct cmd_context){ 0 }, err);
	if (line->global.help)
		return line->cmd ? help_command(line->cmd, err)
				 : help_overview(err);
	if (!line->cmd)
		return po_fail(err, PO_E_USAGE, 0,
			       "no command; 'p11oauth help' lists them");
	st = set_up_log(&line->global, err);
	return st == PO_OK ? run_command(line, exit_status, err) : st;
}

static void print_error_json(const struct po_error *err)
{
	json_auto_t *value = json_pack("{s:o}", "error", error_json(err));
	po_auto_buf text = { 0 };

	buf_init(&text, 65536);
	if (value && json_compact(&text, value))
		(void)fprintf(stderr, "%s\n", buf_text(&text));
}

/* The one line that a failure is worth. */
static void print_error(const struct po_error *err, bool as_json)
{
	po_auto_buf text = { 0 };

	buf_init(&text, 65536);
	if (as_json && text_is_utf8(err->text, strlen(err->text))) {
		print_error_json(err);
		return;
	}
	if (!text_add_printable(&text, err->text, strlen(err->text)))
		return;
	(void)fprintf(stderr, "p11oauth: %s\n", buf_text(&text));
}

/* A module that is stuck may hang the exit handlers, too. */
static int leave(int status)
{
	if (!device_was_lost())
		return status;
	(void)fflush(stderr);
	_exit(status);
}

int main(int argc, char **argv)
{
	static struct po_error err;
	struct command_line line = { 0 };
	int exit_status = 0; /* unless it follows from st */
	enum po_status st;
	bool as_json;

	process_begin();
	json_use_wiping_allocator();
	(void)secret_heap_init();

	st = run(argc, argv, &line, &exit_status, &err);
	as_json = line.global.json;
	options_clear(&line);
	if (st == PO_OK)
		return leave(EXIT_SUCCESS);
	if (err.status == PO_OK) /* a failure must not be silent */
		(void)po_fail(&err, st, 0, "failed (%s)", po_status_name(st));
	print_error(&err, as_json);
	interrupt_reraise();
	return leave(exit_status ? exit_status : -st);
}
