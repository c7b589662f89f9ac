/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/ledger.h"
#include "cmd/audit-path.h"
#include "cmd/output.h"
#include "flow/env.h"

struct rotate_opts {
	const char *profile;
};

static const struct opt opts[] = {
	{ "profile", 'p', OPT_STRING, offsetof(struct rotate_opts, profile),
	  "NAME", "the ledger of this profile", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct rotate_opts *o = ctx->opts;
	char path[PATH_MAX], old[PATH_MAX];
	const struct ledger ledger = { path, ctx->env->clock };
	po_auto_buf text = { 0 };
	enum po_status st = audit_path(ctx, o->profile, path, err);

	if (st == PO_OK)
		st = ledger_rotate(&ledger, old, err);
	if (st != PO_OK)
		return st;
	buf_init(&text, PATH_MAX + 1);
	if (!buf_addf(&text, "%s\n", old))
		return po_no_memory(err);
	return output_text(buf_text(&text), err);
}

const struct cmd cmd_audit_rotate = {
	.name = "audit rotate",
	.summary = "begin a new file of a ledger",
	.operands = "[FILE]",
	.operands_max = 1,
	.opts = opts,
	.opts_size = sizeof(struct rotate_opts),
	.run = run,
};
