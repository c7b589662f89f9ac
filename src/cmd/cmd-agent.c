/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd-agent.c - the agent, and the two commands by which it starts its own
 * processes.
 */
#include "agent/agent.h"
#include "agent/helper.h"
#include "agent/worker.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "flow/env.h"

struct agent_opts {
	const char *socket;
};

static const struct opt opts[] = {
	{ "socket", 0, OPT_STRING, offsetof(struct agent_opts, socket), "PATH",
	  "serve at this unix socket", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct agent_opts *o = ctx->opts;
	const struct agent_options options = {
		.config = ctx->line->global.config,
		.socket = o->socket,
	};

	return agent_run(&options, ctx->env, err);
}

const struct cmd cmd_agent = {
	.name = "agent",
	.summary = "serve access tokens to jobs, over a unix socket",
	.operands = "",
	.needs = CMD_NEEDS_LOCKED,
	.opts = opts,
	.opts_size = sizeof(struct agent_opts),
	.run = run,
};

static enum po_status run_helper(const struct cmd_context *ctx,
				 struct po_error *err)
{
	return helper_main(ctx->env->clock, err);
}

const struct cmd cmd_agent_helper = {
	.name = "agent-helper",
	.summary = "the agent's own",
	.operands = "",
	.needs = CMD_NEEDS_LOCKED,
	.is_hidden = true,
	.run = run_helper,
};

static enum po_status run_worker(const struct cmd_context *ctx,
				 struct po_error *err)
{
	const char *module = ctx->line->operand_count > 0
				     ? ctx->line->operands[0]
				     : "default";

	return worker_main(ctx->env->clock, module, err);
}

const struct cmd cmd_agent_worker = {
	.name = "agent-worker",
	.summary = "the agent's own",
	.operands = "[MODULE]",
	.operands_max = 1,
	.needs = CMD_NEEDS_LOCKED,
	.is_hidden = true,
	.run = run_worker,
};
