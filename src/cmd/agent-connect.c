/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/agent-connect.h"

#include "base/environment.h"
#include "base/log.h"
#include "base/text.h"
#include "cmd/options.h"
#include "conf/config_file.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define LINE_MAX_BYTES 4096

enum po_status agent_connect(const struct cmd_context *ctx, const char *socket,
			     struct agent_client *client, struct po_error *err)
{
	po_auto(config) *config = NULL;
	struct po_error why = { 0 };

	if (!socket && !environment_get(AGENT_SOCKET_VARIABLE) &&
	    config_load(ctx->line->global.config, &config, &why) != PO_OK)
		log_warn("%s", why.text);
	return agent_client_init(client, ctx->env, socket,
				 config ? config->agent.socket : NULL, err);
}

bool agent_add_line(struct buf *out, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	return n >= 0 && text_add_printable(out, line, strlen(line)) &&
	       buf_adds(out, "\n");
}

const char *agent_text(const json_t *object, const char *name,
		       const char *other)
{
	const char *text = json_text(object, name);

	return text && *text ? text : other;
}

const json_t *agent_find(const json_t *list, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (strcmp(agent_text(one, "name", ""), name) == 0)
			return one;
	}
	return NULL;
}
