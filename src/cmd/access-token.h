/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access-token.h - an access token from a running agent, or without one.
 *
 * The agent is asked when it runs and knows the profile. Of the settings only
 * scope can be passed to it: any other from an option or the environment means
 * that the command does it all itself. What the agent refuses stands; asking
 * the token behind its back would make its policy void.
 */
#ifndef PO_CMD_ACCESS_TOKEN_H
#define PO_CMD_ACCESS_TOKEN_H

#include "cmd/commands.h"
#include "flow/format.h"
#include "oauth/access_token.h"

#include <stdint.h>

/* First in the options struct of each command that wants an access token. */
struct access_token_opts {
	bool no_agent;
	bool agent_only;
	bool force_new;
	const char *socket;
	int64_t min_valid_s;
	int64_t wait_s;
};

#define ACCESS_TOKEN_ROW(name, type, field, arg, help)                         \
	{                                                                      \
		name, 0, type, offsetof(struct access_token_opts, field), arg, \
			help, NULL                                             \
	}
#define ACCESS_TOKEN_ROWS                                                   \
	ACCESS_TOKEN_ROW("min-valid", OPT_SECONDS, min_valid_s, "SECONDS",  \
			 "how long the access token must live at least"),   \
		ACCESS_TOKEN_ROW("force-new", OPT_FLAG, force_new, NULL,    \
				 "a new one, even when the agent has one"), \
		ACCESS_TOKEN_ROW("wait", OPT_SECONDS, wait_s, "SECONDS",    \
				 "how long to wait for a server or agent "  \
				 "that cannot give one now"),               \
		ACCESS_TOKEN_ROW("no-agent", OPT_FLAG, no_agent, NULL,      \
				 "ask no agent"),                           \
		ACCESS_TOKEN_ROW("agent-only", OPT_FLAG, agent_only, NULL,  \
				 "fail when no agent can be asked"),        \
		ACCESS_TOKEN_ROW("socket", OPT_STRING, socket, "PATH",      \
				 "the agent's socket")

/*
 * One for the profile of the operand, or of P11OAUTH_PROFILE.
 * PO_E_SERVER: it does not live as long as min_valid_s asks.
 */
enum po_status access_token_get(const struct cmd_context *ctx,
				const struct access_token_opts *opts,
				struct access_token **ret_token,
				struct po_error *err) PO_MUST_CHECK;

/* To path, or to the output when path is NULL. */
enum po_status access_token_put(const struct access_token *token,
				enum token_format format, const char *path,
				struct po_error *err) PO_MUST_CHECK;

#endif
