/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/jwt-input.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/env.h"

#define TEXT_MAX (4 * JWS_TEXT_MAX)

static int add_chunk(const char *data, size_t len, void *out)
{
	return buf_add(out, data, len) ? 0 : -1;
}

static bool add_json(struct buf *out, const char *title, const json_t *value)
{
	return buf_addf(out, "%s ", title) &&
	       json_dump_callback(value, add_chunk, out,
				  JSON_INDENT(2) | JSON_ENSURE_ASCII) == 0 &&
	       buf_adds(out, "\n");
}

static bool add_time(struct buf *out, const char *title, int64_t time_s,
		     int64_t now_s)
{
	int64_t ahead_s;
	char date[32];

	if (__builtin_sub_overflow(time_s, now_s, &ahead_s) ||
	    ahead_s == INT64_MIN)
		return buf_addf(out, "%s out of range\n", title);
	text_utc(date, time_s);
	return buf_addf(out, "%s %s (%lld s %s)\n", title, date,
			(long long)(ahead_s < 0 ? -ahead_s : ahead_s),
			ahead_s < 0 ? "ago" : "ahead");
}

static enum po_status print_text(const struct jws *jws, const json_t *claims,
				 const struct jwt_times *t, int64_t now_s,
				 struct po_error *err)
{
	po_auto_buf out = { 0 };
	bool ok;

	buf_init(&out, TEXT_MAX);
	ok = add_json(&out, "header", jws->header) &&
	     add_json(&out, "claims", claims);
	if (t->has_iat)
		ok = ok && add_time(&out, "issued", t->iat_s, now_s);
	if (t->has_nbf)
		ok = ok && add_time(&out, "not before", t->nbf_s, now_s);
	if (t->has_exp)
		ok = ok &&
		     add_time(&out, t->exp_s <= now_s ? "expired" : "expires",
			      t->exp_s, now_s);
	ok = ok && buf_addf(&out, "signature %zu bytes, not verified\n",
			    jws->signature.len);
	return ok ? output_text(buf_text(&out), err) : po_no_memory(err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	int64_t now_s = clock_now_s(ctx->env->clock);
	po_auto(jws) *jws = NULL;
	json_auto_t *claims = NULL;
	json_auto_t *value = NULL;
	struct jwt_times times;
	enum po_status st = jwt_input(ctx, &jws, err);

	if (st == PO_OK)
		st = jwt_claims(jws, &claims, err);
	if (st == PO_OK)
		st = jwt_read_times(claims, &times, err);
	if (st != PO_OK)
		return st;
	if (!ctx->json)
		return print_text(jws, claims, &times, now_s, err);
	value = json_pack("{s:O, s:O, s:I, s:b}", "header", jws->header,
			  "claims", claims, "signature_bytes",
			  (json_int_t)jws->signature.len, "expired",
			  times.has_exp && times.exp_s <= now_s);
	return value ? output_json(value, err) : po_no_memory(err);
}

const struct cmd cmd_jwt_inspect = {
	.name = "jwt inspect",
	.summary = "show what is in a JWT, without verifying it",
	.operands = "[FILE]",
	.operands_max = 1,
	.needs = CMD_NEEDS_LOCKED,
	.takes_json = true,
	.run = run,
};
