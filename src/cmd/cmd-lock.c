/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/agent-connect.h"
#include "cmd/options.h"
#include "cmd/output.h"

struct lock_opts {
	const char *socket;
};

static const struct opt opts[] = {
	{ "socket", 0, OPT_STRING, offsetof(struct lock_opts, socket), "PATH",
	  "the agent's socket", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static enum po_status print(const json_t *answer, struct po_error *err)
{
	const json_t *locked = json_object_get(answer, "locked");
	po_auto_buf text = { 0 };

	buf_init(&text, JSON_TEXT_MAX);
	for (size_t i = 0; i < json_array_size(locked); i++) {
		const char *name = json_string_value(json_array_get(locked, i));

		if (name && !agent_add_line(&text, "locked: %s", name))
			return po_no_memory(err);
	}
	if (text.len == 0 && !buf_adds(&text, "nothing was unlocked\n"))
		return po_no_memory(err);
	return output_text(buf_text(&text), err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct lock_opts *o = ctx->opts;
	json_auto_t *answer = NULL;
	struct agent_client agent;
	enum po_status st = agent_connect(ctx, o->socket, &agent, err);

	/* no operand: operands[0] is NULL, and all are meant */
	if (st == PO_OK)
		st = agent_lock(&agent, ctx->line->operands[0], &answer, err);
	return st == PO_OK ? print(answer, err) : st;
}

const struct cmd cmd_lock = {
	.name = "lock",
	.summary = "have the agent forget a PIN and its access tokens",
	.operands = "[PROFILE]",
	.operands_max = 1,
	.opts = opts,
	.opts_size = sizeof(struct lock_opts),
	.run = run,
};
