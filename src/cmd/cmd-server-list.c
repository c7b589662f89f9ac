/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/output.h"
#include "conf/config_file.h"

/* One of the program's that a file replaces is listed once, as the file's. */
static bool is_replaced(const struct config *config,
			const struct profile *server)
{
	return config_server(config, server->name) != server;
}

static bool add_json(json_t *list, const struct profile *s)
{
	return json_array_append_new(
		       list, json_pack("{s:s, s:s?, s:s?, s:s?}", "name",
				       s->name, "summary", s->summary, "source",
				       s->source, "unknown", s->unknown)) == 0;
}

static bool add_all(const struct config *config,
		    const struct profile_list *servers, struct buf *text,
		    json_t *list)
{
	for (size_t i = 0; i < servers->count; i++) {
		const struct profile *s = servers->items[i];

		if (is_replaced(config, s))
			continue;
		if (!buf_addf(text, "%-15s %s\n", s->name,
			      s->summary ? s->summary : "") ||
		    !add_json(list, s))
			return false;
	}
	return true;
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	json_auto_t *list = json_array();
	po_auto_buf text = { 0 };

	buf_init(&text, JSON_TEXT_MAX);
	if (!list ||
	    !add_all(ctx->config, &ctx->config->own_servers, &text, list) ||
	    !add_all(ctx->config, &ctx->config->servers, &text, list))
		return po_no_memory(err);
	return ctx->json ? output_json(list, err)
			 : output_text(buf_text(&text), err);
}

const struct cmd cmd_server_list = {
	.name = "server list",
	.summary = "show the kinds of authorization servers",
	.operands = "",
	.needs = CMD_NEEDS_CONFIG,
	.takes_json = true,
	.run = run,
};
