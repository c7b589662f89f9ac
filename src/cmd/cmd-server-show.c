/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/setting-text.h"
#include "conf/config_file.h"

/* A section for the configuration file. */
static bool add_section(struct buf *out, const struct profile *p)
{
	if (!buf_addf(out, "server %s {\n", p->server))
		return false;
	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];

		if (p->origin[i].kind != ORIGIN_SERVER)
			continue;
		if (!buf_addf(out, "    %-15s = ", s->name) ||
		    !setting_add_value(p, s, out) || !buf_adds(out, "\n"))
			return false;
	}
	return buf_adds(out, "}\n");
}

static json_t *to_json(const struct profile *p)
{
	json_auto_t *object = json_pack("{s:s}", "name", p->server);

	for (size_t i = 0; object && i < profile_settings_count; i++)
		if (p->origin[i].kind == ORIGIN_SERVER &&
		    json_object_set_new(
			    object, profile_settings[i].name,
			    setting_json(p, &profile_settings[i])) != 0)
			return NULL;
	return po_steal(object);
}

/* What a profile would get that says nothing but the server's name. */
static enum po_status rules_of(const struct config *config, const char *name,
			       struct profile **ret_profile,
			       struct po_error *err)
{
	const struct origin origin = { .kind = ORIGIN_OPTION };
	po_auto(profile) *p = profile_new(NULL);
	enum po_status st;

	if (!p)
		return po_no_memory(err);
	st = profile_set(p, profile_setting("server"), name, &origin, err);
	if (st == PO_OK)
		st = config_apply_server(config, p, err);
	if (st == PO_OK)
		*ret_profile = po_steal(p);
	return st;
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct command_line *line = ctx->line;
	po_auto(profile) *p = NULL;
	po_auto_buf text = { 0 };
	enum po_status st;

	if (line->operand_count == 0)
		return po_fail(err, PO_E_USAGE, 0,
			       "which server? 'p11oauth server list' shows "
			       "those that there are");
	st = rules_of(ctx->config, line->operands[0], &p, err);
	if (st != PO_OK || !p)
		return st;
	if (ctx->json) {
		json_auto_t *object = to_json(p);

		return object ? output_json(object, err) : po_no_memory(err);
	}
	buf_init(&text, JSON_TEXT_MAX);
	if (!add_section(&text, p))
		return po_no_memory(err);
	return output_text(buf_text(&text), err);
}

const struct cmd cmd_server_show = {
	.name = "server show",
	.summary = "show the rules of a kind of authorization server",
	.operands = "SERVER",
	.operands_max = 1,
	.needs = CMD_NEEDS_CONFIG,
	.takes_json = true,
	.run = run,
};
