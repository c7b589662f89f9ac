/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/setting-text.h"
#include "conf/config_file.h"
#include "flow/open_key.h"

#include <stdio.h>

static bool add_origin(struct buf *out, const struct origin *origin)
{
	switch (origin->kind) {
	case ORIGIN_FILE:
		return buf_addf(out, "  # %s:%d\n", origin->file, origin->line);
	case ORIGIN_SERVER:
		return buf_addf(out, "  # the server's rules, %s:%d\n",
				origin->file, origin->line);
	case ORIGIN_DISCOVERY: return buf_addf(out, "  # %s\n", origin->file);
	case ORIGIN_ENVIRONMENT: return buf_adds(out, "  # environment\n");
	case ORIGIN_OPTION: return buf_adds(out, "  # option\n");
	case ORIGIN_DEFAULT: break;
	}
	return buf_adds(out, "\n");
}

/* As the configuration file spells it; nothing when text is NULL. */
static bool add_word(struct buf *out, const char *key, const char *text)
{
	json_auto_t *quoted = text ? json_string(text) : NULL;

	return !text || (quoted && buf_addf(out, " %s = ", key) &&
			 json_compact(out, quoted));
}

static bool add_sink(struct buf *out, const struct sink *sink)
{
	return buf_adds(out, "  sink {") && add_word(out, "path", sink->path) &&
	       buf_addf(out, " mode = \"%04o\"", (unsigned int)sink->mode) &&
	       add_word(out, "owner", sink->owner) &&
	       add_word(out, "group", sink->group) &&
	       add_word(out, "format", sink->format) &&
	       buf_addf(out, " }  # %s:%d\n", sink->file, sink->line);
}

static json_t *sink_json(const struct sink *sink)
{
	char mode[16];

	if (snprintf(mode, sizeof(mode), "%04o", (unsigned int)sink->mode) < 0)
		return NULL;
	return json_pack("{s:s, s:s, s:s?, s:s?, s:s}", "path", sink->path,
			 "mode", mode, "owner", sink->owner, "group",
			 sink->group, "format",
			 sink->format ? sink->format : sink_formats[0]);
}

static bool add_profile(struct buf *out, const struct profile *p)
{
	if (!buf_addf(out, "profile %s: ok\n", p->name ? p->name : "(none)"))
		return false;
	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];

		if (p->origin[i].kind == ORIGIN_DEFAULT || setting_is_prose(s))
			continue;
		if (!buf_addf(out, "  %s = ", s->name) ||
		    !setting_add_value(p, s, out) ||
		    !add_origin(out, &p->origin[i]))
			return false;
	}
	for (size_t i = 0; i < p->sink_count; i++)
		if (!add_sink(out, &p->sinks[i]))
			return false;
	return true;
}

static bool set_profile(json_t *list, const struct profile *p)
{
	json_auto_t *settings = json_object();
	json_auto_t *sinks = json_array();

	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];

		if (p->origin[i].kind != ORIGIN_DEFAULT &&
		    !setting_is_prose(s) &&
		    json_object_set_new(settings, s->name, setting_json(p, s)))
			return false;
	}
	for (size_t i = 0; i < p->sink_count; i++)
		if (json_array_append_new(sinks, sink_json(&p->sinks[i])) != 0)
			return false;
	return json_array_append_new(list,
				     json_pack("{s:s?, s:b, s:O, s:O}", "name",
					       p->name, "ok", 1, "settings",
					       settings, "sinks", sinks)) == 0;
}

struct report {
	struct buf text;
	json_t *list; /* owned */
};

static enum po_status check(const struct cmd_context *ctx, const char *name,
			    struct report *report, struct po_error *err)
{
	po_auto(profile) *p = NULL;
	enum po_status st = commands_profile(ctx, name, &p, err);

	if (st == PO_OK)
		st = profile_check(p, err);
	if (st == PO_OK && !p->key[0])
		st = profile_missing(p, "key", err);
	if (st != PO_OK)
		return po_context(err, st, "profile '%s'", name);
	return add_profile(&report->text, p) && set_profile(report->list, p)
		       ? PO_OK
		       : po_no_memory(err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct command_line *line = ctx->line;
	struct report report = { .list = json_array() };
	enum po_status st = PO_OK;

	buf_init(&report.text, 16 * JSON_TEXT_MAX);
	for (int i = 0; st == PO_OK && i < line->operand_count; i++)
		st = check(ctx, line->operands[i], &report, err);
	if (line->operand_count == 0)
		for (size_t i = 0;
		     st == PO_OK && i < ctx->config->profiles.count; i++)
			st = check(ctx, ctx->config->profiles.items[i]->name,
				   &report, err);
	if (st == PO_OK)
		st = ctx->json ? output_json(report.list, err)
			       : output_text(buf_text(&report.text), err);
	json_decref(report.list);
	buf_clear(&report.text);
	return st;
}

const struct cmd cmd_profile_check = {
	.name = "profile check",
	.summary = "check profiles and show where each setting comes from",
	.operands = "[PROFILE...]",
	.operands_max = -1,
	.needs = CMD_NEEDS_CONFIG,
	.takes_json = true,
	.run = run,
};
