/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/ledger_file.h"
#include "audit/verify.h"
#include "base/log.h"
#include "cmd/audit-path.h"
#include "cmd/output.h"
#include "flow/env.h"

struct verify_opts {
	const char *head;
	const char *profile;
};

static const struct opt opts[] = {
	{ "head", 0, OPT_STRING, offsetof(struct verify_opts, head), "HASH",
	  "a record with this hash must be in the chain", NULL },
	{ "profile", 'p', OPT_STRING, offsetof(struct verify_opts, profile),
	  "NAME", "the ledger of this profile", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static enum po_status print_json(const struct ledger_report *r,
				 struct po_error *err)
{
	json_auto_t *value = json_pack(
		"{s:b, s:I, s:I, s:I, s:I, s:s, s:b, s:o}", "ok", 1, "records",
		(json_int_t)r->records, "first_seq", (json_int_t)r->first_seq,
		"last_seq", (json_int_t)r->last_seq, "files",
		(json_int_t)r->files, "head", r->head, "older_removed",
		r->older_removed, "unfinished",
		r->unfinished[0] ? json_string(r->unfinished) : json_null());

	return value ? output_json(value, err) : po_no_memory(err);
}

static enum po_status print(const struct ledger_report *r, struct po_error *err)
{
	po_auto_buf text = { 0 };

	buf_init(&text, 1024);
	if (!buf_addf(&text,
		      "valid: %llu record%s, %llu to %llu, in %zu file%s\n",
		      (unsigned long long)r->records,
		      r->records == 1 ? "" : "s",
		      (unsigned long long)r->first_seq,
		      (unsigned long long)r->last_seq, r->files,
		      r->files == 1 ? "" : "s") ||
	    (r->older_removed &&
	     !buf_addf(&text,
		       "older files, with records 1 to %llu, were "
		       "removed\n",
		       (unsigned long long)r->first_seq - 1)) ||
	    (r->head[0] && !buf_addf(&text, "head %s\n", r->head)))
		return po_no_memory(err);
	return output_text(buf_text(&text), err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct verify_opts *o = ctx->opts;
	struct ledger_report report;
	char path[PATH_MAX];
	const struct ledger ledger = { path, ctx->env->clock };
	enum po_status st;

	if (o->head && !ledger_is_hash(o->head))
		return po_fail(err, PO_E_USAGE, 0,
			       "--head: a hash has %d hexadecimal digits, in "
			       "lower case",
			       LEDGER_HASH_LEN);
	st = audit_path(ctx, o->profile, path, err);
	if (st == PO_OK)
		st = ledger_verify(&ledger, o->head, &report, err);
	if (st != PO_OK)
		return st;
	if (report.unfinished[0])
		log_warn("%s: the last line is unfinished: a process was ended "
			 "while it wrote it",
			 report.unfinished);
	return ctx->json ? print_json(&report, err) : print(&report, err);
}

const struct cmd cmd_audit_verify = {
	.name = "audit verify",
	.summary = "verify the chain of a ledger",
	.operands = "[FILE]",
	.operands_max = 1,
	.takes_json = true,
	.opts = opts,
	.opts_size = sizeof(struct verify_opts),
	.run = run,
};
