/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/output.h"
#include "conf/config_file.h"

static enum po_status print_json(const struct config *config,
				 struct po_error *err)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < config->profiles.count; i++) {
		const struct profile *p = config->profiles.items[i];

		if (json_array_append_new(
			    list, json_pack("{s:s, s:s?, s:s?}", "name",
					    p->name, "client-id", p->client_id,
					    "token-endpoint",
					    p->token_endpoint)) != 0)
			return po_no_memory(err);
	}
	return list ? output_json(list, err) : po_no_memory(err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct config *config = ctx->config;
	po_auto_buf text = { 0 };

	if (ctx->json)
		return print_json(config, err);
	buf_init(&text, JSON_TEXT_MAX);
	for (size_t i = 0; i < config->profiles.count; i++)
		if (!buf_addf(&text, "%s\n", config->profiles.items[i]->name))
			return po_no_memory(err);
	return output_text(buf_text(&text), err);
}

const struct cmd cmd_profile_list = {
	.name = "profile list",
	.summary = "show the names of the profiles",
	.operands = "",
	.needs = CMD_NEEDS_CONFIG,
	.takes_json = true,
	.run = run,
};
