/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/get_token.h"

struct token_opts {
	const char *output;
};

static const struct opt opts[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct token_opts, output),
	  "FILE", "write to FILE, readable by nobody else", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* The server's answer as it came, and what it leaves to be worked out. */
static enum po_status print_json(const struct access_token *token,
				 const char *path, struct po_error *err)
{
	json_auto_t *answer = json_copy(token->answer);
	po_auto_buf text = { 0 };

	buf_init(&text, 2 * JSON_TEXT_MAX);
	if (!answer ||
	    json_object_set_new(answer, "expires_at",
				json_integer(token->expires_at_s)) != 0 ||
	    (token->expiry_is_assumed &&
	     json_object_set_new(answer, "expires_in_assumed", json_true()) !=
		     0) ||
	    !json_compact(&text, answer))
		return po_no_memory(err);
	return output_credential(path, buf_text(&text), text.len, err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct token_opts *o = ctx->opts;
	po_auto(access_token) *token = NULL;
	enum po_status st = get_token(ctx->env, ctx->profile, &token, err);

	if (st != PO_OK)
		return st;
	if (ctx->json)
		return print_json(token, o->output, err);
	return output_credential(o->output, secret_reveal(token->value),
				 secret_len(token->value), err);
}

const struct cmd cmd_token = {
	.name = "token",
	.summary = "get an access token",
	.operands = "[PROFILE]",
	.operands_max = 1,
	.needs = CMD_NEEDS_PROFILE | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY |
		    SETTING_FOR_ASSERTION | SETTING_FOR_EXCHANGE,
	.takes_json = true,
	.opts = opts,
	.opts_size = sizeof(struct token_opts),
	.run = run,
};
