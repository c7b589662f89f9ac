/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "cmd/commands.h"
#include "cmd/findings-text.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/doctor.h"

#define CAUSES_SHOWN 3
#define INDENT "                       "

struct doctor_opts {
	bool no_sign;
};

static const struct opt opts[] = {
	{ "no-sign", 0, OPT_FLAG, offsetof(struct doctor_opts, no_sign), NULL,
	  "make no signature, and so no request for an access token", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static json_t *causes_json(const struct causes *causes)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < causes->count; i++) {
		const struct cause *c = &causes->items[i];

		if (json_array_append_new(list,
					  json_pack("{s:s, s:i, s:s, s:s}",
						    "cause", c->name, "weight",
						    c->weight, "text", c->text,
						    "remedy", c->remedy)) != 0)
			return NULL;
	}
	return po_steal(list);
}

static enum po_status print_json(const struct findings *findings,
				 const struct causes *causes,
				 struct po_error *err)
{
	json_auto_t *value = json_pack("{s:b, s:o, s:o}", "ok",
				       findings_status(findings) == PO_OK,
				       "findings", findings_json(findings),
				       "causes", causes_json(causes));

	return value ? output_json(value, err) : po_no_memory(err);
}

static bool add_causes(const struct causes *causes, struct buf *out)
{
	if (causes->count > 0 && !buf_adds(out, "likely causes\n"))
		return false;
	for (size_t i = 0; i < causes->count && i < CAUSES_SHOWN; i++)
		if (!buf_addf(out, "%zu. %s\n   -> %s\n", i + 1,
			      causes->items[i].text, causes->items[i].remedy))
			return false;
	return true;
}

static enum po_status print_text(const struct findings *findings,
				 const struct causes *causes,
				 struct po_error *err)
{
	po_auto_buf out = { 0 };

	buf_init(&out, FINDINGS_TEXT_MAX);
	if (!findings_add_text(findings, &out) || !add_causes(causes, &out))
		return po_no_memory(err);
	return output_text(buf_text(&out), err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct doctor_opts *o = ctx->opts;
	const struct doctor_request request = {
		.env = ctx->env,
		.profile = ctx->profile,
		.no_sign = o->no_sign,
	};
	po_auto_findings findings = { 0 };
	struct causes causes = { .count = 0 };
	enum po_status st;

	if (!o->no_sign)
		log_say("the token will be asked for one signature, and the "
			"server for one access token (--no-sign: neither)");
	log_hold_warnings(true);
	doctor(&request, &findings, &causes);
	log_hold_warnings(false);
	st = ctx->json ? print_json(&findings, &causes, err)
		       : print_text(&findings, &causes, err);
	return st == PO_OK ? findings_fail_first(&findings, err) : st;
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.summary = "look at every step, and name cause and remedy",
	.operands = "[PROFILE]",
	.operands_max = 1,
	.needs = CMD_NEEDS_PROFILE | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY |
		    SETTING_FOR_ASSERTION | SETTING_FOR_EXCHANGE |
		    SETTING_FOR_CHECKS,
	.takes_json = true,
	.opts = opts,
	.opts_size = sizeof(struct doctor_opts),
	.run = run,
};
