/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/get_token.h"

struct assertion_opts {
	const char *output;
};

static const struct opt opts[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct assertion_opts, output),
	  "FILE", "write to FILE, readable by nobody else", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct assertion_opts *o = ctx->opts;
	po_auto(secret) *jwt = NULL;
	enum po_status st = get_assertion(ctx->env, ctx->profile, &jwt, err);

	if (st != PO_OK)
		return st;
	return output_credential(o->output, secret_reveal(jwt), secret_len(jwt),
				 err);
}

const struct cmd cmd_assertion = {
	.name = "assertion",
	.summary = "sign a client assertion, without any server",
	.operands = "[PROFILE]",
	.operands_max = 1,
	.needs = CMD_NEEDS_PROFILE | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY |
		    SETTING_FOR_ASSERTION,
	.opts = opts,
	.opts_size = sizeof(struct assertion_opts),
	.run = run,
};
