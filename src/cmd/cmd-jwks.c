/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/open_key.h"

#include <string.h>

static enum po_status jwk_of(const struct po_env *env,
			     const struct profile *profile, size_t index,
			     json_t **ret_jwk, struct po_error *err)
{
	po_auto(open_key) *key = NULL;
	struct identity id;
	enum po_status st = open_key(env, profile, index, NULL, &key, err);

	if (st == PO_OK && !key->signer->pubkey)
		st = open_key_unlock(key, err);
	if (st == PO_OK)
		st = identity_of(key, &id, err);
	if (st != PO_OK)
		return st;
	st = identity_jwk(key, &id, ret_jwk, err);
	identity_clear(&id);
	return st;
}

/* A kid names one key of a set (SMART App Launch 2.2; RFC 7517 section 4.5). */
static enum po_status check_kid(const json_t *keys, const json_t *jwk,
				struct po_error *err)
{
	const char *kid = json_text(jwk, "kid");

	for (size_t i = 0; kid && i < json_array_size(keys); i++) {
		const char *other = json_text(json_array_get(keys, i), "kid");

		if (other && strcmp(kid, other) == 0)
			return po_fail(err, PO_E_USAGE, 0,
				       "two keys of the set would have kid "
				       "'%s'",
				       kid);
	}
	return PO_OK;
}

/* The same key twice, such as on two HSMs, is one key of the set. */
static bool is_there(const json_t *keys, json_t *jwk)
{
	for (size_t i = 0; i < json_array_size(keys); i++)
		if (json_equal(json_array_get(keys, i), jwk))
			return true;
	return false;
}

static enum po_status add_key(const struct cmd_context *ctx,
			      const struct profile *profile, size_t index,
			      json_t *keys, struct po_error *err)
{
	json_auto_t *jwk = NULL;
	enum po_status st = jwk_of(ctx->env, profile, index, &jwk, err);

	if (st != PO_OK || is_there(keys, jwk))
		return st;
	st = check_kid(keys, jwk, err);
	if (st == PO_OK && json_array_append(keys, jwk) != 0)
		st = po_no_memory(err);
	return st;
}

static enum po_status add(const struct cmd_context *ctx, const char *name,
			  json_t *keys, struct po_error *err)
{
	po_auto(profile) *profile = NULL;
	enum po_status st = commands_profile(ctx, name, &profile, err);
	size_t i = 0;

	while (st == PO_OK && (i == 0 || profile->key[i]))
		st = add_key(ctx, profile, i++, keys, err);
	return name ? po_context(err, st, "profile '%s'", name) : st;
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct command_line *line = ctx->line;
	json_auto_t *set = json_pack("{s:[]}", "keys");
	json_t *keys = json_object_get(set, "keys"); /* belongs to set */
	enum po_status st = PO_OK;

	if (!keys)
		return po_no_memory(err);
	if (line->operand_count == 0)
		st = add(ctx, NULL, keys, err);
	for (int i = 0; st == PO_OK && i < line->operand_count; i++)
		st = add(ctx, line->operands[i], keys, err);
	return st == PO_OK ? output_json(set, err) : st;
}

const struct cmd cmd_jwks = {
	.name = "jwks",
	.summary = "show the public JWK Set to register or publish",
	.operands = "[PROFILE...]",
	.operands_max = -1,
	.needs = CMD_TAKES_PROFILES | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY,
	.takes_json = true,
	.run = run,
};
