/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/verify.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "cmd/audit-path.h"
#include "cmd/output.h"
#include "flow/env.h"

#include <stdio.h>

#define SINCE_MAX_S ((int64_t)100 * 365 * 86400)
#define TIME_MAX_S 253402300799 /* the end of the year 9999 */

struct find_opts {
	const char *jti;
	const char *profile;
	const char *since;
};

static const struct opt opts[] = {
	{ "jti", 0, OPT_STRING, offsetof(struct find_opts, jti), "JTI",
	  "the assertion with this claim jti", NULL },
	{ "profile", 'p', OPT_STRING, offsetof(struct find_opts, profile),
	  "NAME", "the signatures of this profile", NULL },
	{ "since", 0, OPT_STRING, offsetof(struct find_opts, since), "TIME",
	  "the signatures since this time (RFC 3339), or so long ago (2h, 7d)",
	  NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* As the records have it: with milliseconds. */
static enum po_status parse_since(const struct po_clock *clock,
				  const char *since, char out[static 40],
				  struct po_error *err)
{
	char date[32];
	int64_t time_s, ago_s;

	if (text_to_seconds(since, SINCE_MAX_S, &ago_s))
		time_s = clock_now_s(clock) - ago_s;
	else if (!text_to_time(since, &time_s) || time_s < 0 ||
		 time_s > TIME_MAX_S)
		return po_fail(err, PO_E_USAGE, 0,
			       "--since: '%.64s' is neither a time such as "
			       "2026-11-25T08:00:00Z nor a duration such as "
			       "2h or 7d",
			       since);
	text_utc(date, time_s);
	date[sizeof("2026-11-25T08:00:00") - 1] = '\0';
	(void)snprintf(out, 40, "%s.000Z", date);
	return PO_OK;
}

struct printing {
	bool as_json;
	size_t count;
};

static enum po_status print(void *user, const char *line, size_t len,
			    const json_t *record, struct po_error *err)
{
	struct printing *p = user;
	po_auto_buf text = { 0 };
	const char *before = "";

	(void)record;
	if (p->as_json)
		before = p->count ? ",\n" : "[\n";
	buf_init(&text, LEDGER_RECORD_MAX + 8);
	p->count++;
	if (!buf_adds(&text, before) || !buf_add(&text, line, len) ||
	    (!p->as_json && !buf_adds(&text, "\n")))
		return po_no_memory(err);
	return output_text(buf_text(&text), err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct find_opts *o = ctx->opts;
	struct ledger_filter filter = { .jti = o->jti, .profile = o->profile };
	struct printing printing = { .as_json = ctx->json };
	char path[PATH_MAX], since[40], at[LEDGER_AT_MAX];
	const struct ledger ledger = { path, ctx->env->clock };
	enum po_status st = PO_OK;

	if (o->since) {
		st = parse_since(ctx->env->clock, o->since, since, err);
		filter.since = since;
	}
	if (st == PO_OK)
		st = audit_path(ctx, o->profile, path, err);
	if (st == PO_OK)
		st = ledger_find(&ledger, &filter, print, &printing, at, err);
	if (st != PO_OK)
		return st;
	if (at[0])
		log_warn("%s is not a record; 'p11oauth audit verify' looks "
			 "closer",
			 at);
	if (!ctx->json)
		return PO_OK;
	return output_text(printing.count ? "\n]\n" : "[]\n", err);
}

const struct cmd cmd_audit_find = {
	.name = "audit find",
	.summary = "find signatures in a ledger, and what came of them",
	.operands = "[FILE]",
	.operands_max = 1,
	.takes_json = true,
	.opts = opts,
	.opts_size = sizeof(struct find_opts),
	.run = run,
};
