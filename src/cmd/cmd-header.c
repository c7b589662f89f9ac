/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/access-token.h"
#include "cmd/options.h"

struct header_opts {
	struct access_token_opts token; /* first */
	const char *output;
};

static const struct opt opts[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct header_opts, output),
	  "FILE", "write to FILE, readable by nobody else", NULL },
	ACCESS_TOKEN_ROWS,
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct header_opts *o = ctx->opts;
	po_auto(access_token) *token = NULL;
	enum po_status st = access_token_get(ctx, &o->token, &token, err);

	if (st != PO_OK || !token)
		return st;
	return access_token_put(token, FORMAT_HEADER, o->output, err);
}

const struct cmd cmd_header = {
	.name = "header",
	.summary = "get an access token as a header, for curl -H @-",
	.operands = "[PROFILE]",
	.operands_max = 1,
	.needs = CMD_MAY_ASK_AGENT | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY |
		    SETTING_FOR_ASSERTION | SETTING_FOR_EXCHANGE,
	.opts = opts,
	.opts_size = sizeof(struct header_opts),
	.run = run,
};
