/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/findings-text.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/check_jwks.h"

/* The profile's key and its kid; nothing private is needed, so no login unless
 * the token shows nothing without. */
static enum po_status open_expected(const struct cmd_context *ctx,
				    struct open_key **ret_key,
				    struct identity *id, struct po_error *err)
{
	enum po_status st =
		open_key(ctx->env, ctx->profile, 0, NULL, ret_key, err);

	if (st == PO_OK && !(*ret_key)->signer->pubkey)
		st = open_key_unlock(*ret_key, err);
	return st == PO_OK ? identity_of(*ret_key, id, err) : st;
}

static enum po_status print_json(const char *url,
				 const struct findings *findings,
				 const struct jwks_verdict *verdict,
				 struct po_error *err)
{
	json_auto_t *value =
		json_pack("{s:s, s:b, s:o, s:O?}", "url", url, "ok",
			  findings_status(findings) == PO_OK, "findings",
			  findings_json(findings), "keys", verdict->keys);

	return value ? output_json(value, err) : po_no_memory(err);
}

static enum po_status check(const struct cmd_context *ctx, const char *url,
			    const struct jwks_expected *expected,
			    struct po_error *err)
{
	po_auto_findings findings = { 0 };
	struct jwks_verdict verdict;
	po_auto_buf text = { 0 };
	enum po_status st = PO_OK;

	check_jwks(ctx->env, ctx->profile, url, expected, &findings, &verdict);
	buf_init(&text, JSON_TEXT_MAX);
	if (ctx->json)
		st = print_json(url, &findings, &verdict, err);
	else if (findings_add_text(&findings, &text))
		st = output_text(buf_text(&text), err);
	else
		st = po_no_memory(err);
	json_decref(verdict.keys);
	return st == PO_OK ? findings_fail_first(&findings, err) : st;
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct command_line *line = ctx->line;
	const struct profile *p = ctx->profile;
	const char *url = line->operand_count ? line->operands[0] : p->jwks_url;
	po_auto(open_key) *key = NULL;
	struct identity id = { 0 };
	struct jwks_expected expected = { 0 };
	enum po_status st = PO_OK;

	if (!url)
		return po_fail(err, PO_E_USAGE, 0,
			       "which URL? give it, or a profile with "
			       "jwks-url");
	if (p->key[0])
		st = open_expected(ctx, &key, &id, err);
	if (st != PO_OK)
		return st;
	if (key) {
		expected.key = key->signer->pubkey;
		expected.kid = id.kid;
	}
	st = check(ctx, url, key ? &expected : NULL, err);
	identity_clear(&id);
	return st;
}

const struct cmd cmd_jwks_check = {
	.name = "jwks check",
	.summary = "check a published JWK Set as servers will read it",
	.operands = "[URL]",
	.operands_max = 1,
	.needs = CMD_PROFILE_OPTION | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY |
		    SETTING_FOR_FETCH | SETTING_FOR_CHECKS,
	.takes_json = true,
	.run = run,
};
