/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent-connect.h - for the commands that are nothing without an agent.
 */
#ifndef PO_CMD_AGENT_CONNECT_H
#define PO_CMD_AGENT_CONNECT_H

#include "agent/client.h"
#include "base/buf.h"
#include "cmd/commands.h"

/*
 * The agent at the path of --socket (NULL: not given), else where environment
 * and configuration say. Warns of a configuration that cannot be read.
 */
enum po_status agent_connect(const struct cmd_context *ctx, const char *socket,
			     struct agent_client *client,
			     struct po_error *err) PO_MUST_CHECK;

/* Appends a line; what the agent quotes of others stays on it. False: it does
 * not fit. */
bool agent_add_line(struct buf *out, const char *fmt, ...)
	PO_PRINTF(2, 3) PO_MUST_CHECK;

/* The string member name of object, or other when there is none. Borrowed. */
const char *agent_text(const json_t *object, const char *name,
		       const char *other);

/* The object of this name in a list of the agent; NULL: none. Borrowed. */
const json_t *agent_find(const json_t *list, const char *name);

#endif
