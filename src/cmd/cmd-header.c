/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/get_token.h"

struct header_opts {
	const char *output;
};

static const struct opt opts[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct header_opts, output),
	  "FILE", "write to FILE, readable by nobody else", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	static const char name[] = "Authorization: Bearer ";
	const struct header_opts *o = ctx->opts;
	po_auto(access_token) *token = NULL;
	enum po_status st = get_token(ctx->env, ctx->profile, &token, err);
	po_auto_buf line = { 0 };

	buf_init(&line, JSON_TEXT_MAX + sizeof(name));
	if (st != PO_OK)
		return st;
	if (!buf_adds(&line, name) ||
	    !buf_add(&line, secret_reveal(token->value),
		     secret_len(token->value)))
		return po_no_memory(err);
	return output_credential(o->output, buf_text(&line), line.len, err);
}

const struct cmd cmd_header = {
	.name = "header",
	.summary = "get an access token as a header, for curl -H @-",
	.operands = "[PROFILE]",
	.operands_max = 1,
	.needs = CMD_NEEDS_PROFILE | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY |
		    SETTING_FOR_ASSERTION | SETTING_FOR_EXCHANGE,
	.opts = opts,
	.opts_size = sizeof(struct header_opts),
	.run = run,
};
