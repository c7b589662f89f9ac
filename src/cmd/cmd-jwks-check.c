/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"
#include "cmd/commands.h"
#include "cmd/findings-text.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/check_jwks.h"
#include "flow/open_key.h"

#include <string.h>

/* What the profile signs with: of several keys any may, when others are
 * away. */
struct own_keys {
	struct own_key {
		struct pubkey *pubkey; /* owned */
		char kid[KID_LEN_MAX + 1];
		struct jwks_expected expected;
	} items[PROFILE_LIST_MAX];
	size_t count;
};

static void own_keys_clear(struct own_keys *own)
{
	for (size_t i = 0; i < own->count; i++)
		pubkey_free(own->items[i].pubkey);
	own->count = 0;
}

/* One key on two devices is one key of the set. */
static void add(struct own_keys *own, const struct open_key *key,
		const struct identity *id)
{
	struct own_key *o = &own->items[own->count];

	for (size_t i = 0; i < own->count; i++)
		if (pubkey_equal(own->items[i].pubkey, key->signer->pubkey) &&
		    strcmp(own->items[i].kid, id->kid) == 0)
			return;
	o->pubkey = pubkey_ref(key->signer->pubkey);
	memcpy(o->kid, id->kid, sizeof(o->kid));
	o->expected = (struct jwks_expected){
		.key = o->pubkey,
		.kid = o->kid,
		/* unless it is set, the server has a word in it */
		.alg = key->profile->algorithm,
	};
	if (own->count > 0)
		own->items[own->count - 1].expected.next = &o->expected;
	own->count++;
}

/* Only public objects are read, so there is no login unless the token shows
 * nothing without. */
static enum po_status read_key(const struct cmd_context *ctx, size_t index,
			       struct own_keys *own, struct po_error *err)
{
	po_auto(open_key) *key = NULL;
	struct identity id;
	enum po_status st =
		open_key(ctx->env, ctx->profile, index, NULL, &key, err);

	if (st == PO_OK && !key->signer->pubkey)
		st = open_key_unlock(key, err);
	if (st == PO_OK)
		st = identity_of(key, &id, err);
	if (st != PO_OK)
		return st;
	add(own, key, &id);
	identity_clear(&id);
	return PO_OK;
}

static enum po_status print_json(const char *url,
				 const struct findings *findings,
				 const struct jwks_verdict *verdict,
				 struct po_error *err)
{
	json_auto_t *keys =
		verdict->keys ? json_incref(verdict->keys) : json_array();
	json_auto_t *value = NULL;
	po_auto_buf shown = { 0 };

	buf_init(&shown, 4 * strlen(url)); /* it need not be UTF-8 */
	if (!text_add_printable(&shown, url, strlen(url)))
		return po_no_memory(err);
	value = json_pack("{s:s, s:b, s:o, s:O}", "url", buf_text(&shown), "ok",
			  findings_status(findings) == PO_OK, "findings",
			  findings_json(findings), "keys", keys);
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
	buf_init(&text, FINDINGS_TEXT_MAX);
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
	struct own_keys own = { .count = 0 };
	enum po_status st = PO_OK;

	if (!url)
		return po_fail(err, PO_E_USAGE, 0,
			       "which URL? give it, or a profile with "
			       "jwks-url");
	for (size_t i = 0; st == PO_OK && p->key[i]; i++)
		st = read_key(ctx, i, &own, err);
	if (st == PO_OK)
		st = check(ctx, url, own.count ? &own.items[0].expected : NULL,
			   err);
	own_keys_clear(&own);
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
