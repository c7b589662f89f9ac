/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"
#include "cmd/help.h"
#include "cmd/options.h"
#include "cmd/output.h"

#include <stdio.h>

#define HELP_MAX 65536 /* bytes of one text */

static bool add_row(const struct option_row *row, void *data)
{
	char left[64];
	int n = snprintf(
		left, sizeof(left), "%s%c%s--%s%s%s", row->letter ? "-" : "  ",
		row->letter ? row->letter : ' ', row->letter ? ", " : " ",
		row->name, row->arg ? "=" : "", row->arg ? row->arg : "");

	if (n < 0 || (size_t)n >= sizeof(left))
		return false;
	return buf_addf(data, "  %-32s %s\n", left, row->help);
}

enum po_status help_overview(struct po_error *err)
{
	po_auto_buf text = { 0 };
	bool ok;

	buf_init(&text, HELP_MAX);
	ok = buf_adds(&text,
		      "usage: p11oauth [OPTION...] COMMAND [OPTION...] "
		      "[OPERAND...]\n\n"
		      "OAuth 2.0 access tokens with a private key that stays "
		      "on its PKCS #11 token.\n\ncommands:\n");
	for (size_t i = 0; ok && commands[i]; i++)
		ok = commands[i]->is_hidden ||
		     buf_addf(&text, "  %-16s %s\n", commands[i]->name,
			      commands[i]->summary);
	ok = ok && buf_adds(&text, "\noptions:\n") &&
	     options_each(NULL, add_row, &text) &&
	     buf_adds(&text, "\n'p11oauth help COMMAND' shows a command's "
			     "options; p11oauth(1) has the rest.\n");
	return ok ? output_text(buf_text(&text), err) : po_no_memory(err);
}

enum po_status help_command(const struct cmd *cmd, struct po_error *err)
{
	po_auto_buf text = { 0 };
	bool ok;

	buf_init(&text, HELP_MAX);
	ok = buf_addf(&text,
		      "usage: p11oauth %s [OPTION...] %s\n\n%s\n\n"
		      "options:\n",
		      cmd->name, cmd->operands, cmd->summary) &&
	     options_each(cmd, add_row, &text);
	return ok ? output_text(buf_text(&text), err) : po_no_memory(err);
}

struct dump {
	struct buf *text;
	const char *command;
};

static bool dump_row(const struct option_row *row, void *data)
{
	const struct dump *d = data;

	return buf_addf(d->text, "%s\t--%s\t%s\t%s\n", d->command, row->name,
			row->arg ? row->arg : "", row->help);
}

enum po_status help_dump_options(struct po_error *err)
{
	po_auto_buf text = { 0 };
	bool ok = true;

	buf_init(&text, HELP_MAX);
	for (size_t i = 0; ok && commands[i]; i++) {
		struct dump d = { &text, commands[i]->name };

		if (commands[i]->is_hidden)
			continue;
		ok = options_each(commands[i], dump_row, &d);
	}
	return ok ? output_text(buf_text(&text), err) : po_no_memory(err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct command_line *line = ctx->line;
	const struct cmd *cmd;
	int words = 0;

	if (line->operand_count == 0)
		return help_overview(err);
	cmd = commands_find(line->operand_count, line->operands, &words);
	if (!cmd || words != line->operand_count)
		return commands_unknown(line->operands[0], err);
	return help_command(cmd, err);
}

const struct cmd cmd_help = {
	.name = "help",
	.summary = "show what a command does and takes",
	.operands = "[COMMAND]",
	.operands_max = 2,
	.run = run,
};
