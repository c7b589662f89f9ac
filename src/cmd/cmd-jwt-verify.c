/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"
#include "base/fs.h"
#include "cmd/commands.h"
#include "cmd/jwt-input.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/open_key.h"

#include <string.h>

struct verify_opts {
	const char *jwks;
	const char *audience;
	int64_t clock_skew_s;
	bool ignore_time;
};

static const struct opt opts[] = {
	{ "jwks", 0, OPT_STRING, offsetof(struct verify_opts, jwks), "FILE",
	  "verify with a JWK Set, by kid", NULL },
	{ "audience", 0, OPT_STRING, offsetof(struct verify_opts, audience),
	  "TEXT", "the claim aud must be this", NULL },
	{ "clock-skew", 0, OPT_SECONDS,
	  offsetof(struct verify_opts, clock_skew_s), "SECONDS",
	  "allow for clocks that differ this much", NULL },
	{ "ignore-time", 0, OPT_FLAG, offsetof(struct verify_opts, ignore_time),
	  NULL, "do not look at exp, nbf and iat", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static enum po_status key_of_jwks(const char *path, const struct jws *jws,
				  struct pubkey **ret_key, struct po_error *err)
{
	json_auto_t *set = NULL;
	po_auto_buf text = { 0 };
	enum po_status st;

	buf_init(&text, JSON_TEXT_MAX);
	st = fs_read(path, &text, err);
	if (st != PO_OK)
		return st;
	st = json_parse_object(buf_text(&text), text.len, &set, err);
	if (st != PO_OK) { /* a file of ours, not an answer of a server */
		if (err)
			err->status = PO_E_CONFIG;
		return po_context(err, PO_E_CONFIG, "'%s'", path);
	}
	return po_context(
		err,
		jwk_set_find(set, json_text(jws->header, "kid"), ret_key, err),
		"'%s'", path);
}

/* A file with several certificates: the one that the header's x5t names. */
static enum po_status key_of_file(const char *path, const struct jws *jws,
				  struct pubkey **ret_key, struct po_error *err)
{
	const char *x5t = json_text(jws->header, "x5t");
	struct certificate_list list = { 0 };
	const struct certificate *cert;
	po_auto_buf text = { 0 };
	enum po_status st;

	buf_init(&text, CERTIFICATE_PEM_MAX);
	st = fs_read(path, &text, err);
	if (st == PO_OK)
		st = po_context(err,
				certificate_list_parse(buf_text(&text),
						       text.len, &list, err),
				"'%s'", path);
	if (st != PO_OK)
		return st;
	cert = list.items[0];
	for (size_t i = 0; x5t && i < list.count; i++) {
		char print[X5T_LEN + 1];

		if (x5t_sha1(list.items[i], print, NULL) == PO_OK &&
		    strcmp(print, x5t) == 0)
			cert = list.items[i];
	}
	*ret_key = pubkey_ref(certificate_pubkey(cert));
	certificate_list_clear(&list);
	return PO_OK;
}

static enum po_status key_of_token(const struct cmd_context *ctx,
				   struct pubkey **ret_key,
				   struct po_error *err)
{
	po_auto(open_key) *key = NULL;
	enum po_status st =
		open_key(ctx->env, ctx->profile, 0, NULL, &key, err);

	if (st == PO_OK && !key->signer->pubkey)
		st = open_key_unlock(key, err);
	if (st == PO_OK)
		*ret_key = pubkey_ref(key->signer->pubkey);
	return st;
}

static enum po_status find_key(const struct cmd_context *ctx,
			       const struct jws *jws, struct pubkey **ret_key,
			       struct po_error *err)
{
	const struct verify_opts *o = ctx->opts;
	const struct profile *p = ctx->profile;

	if (o->jwks)
		return key_of_jwks(o->jwks, jws, ret_key, err);
	if (p->key[0])
		return key_of_token(ctx, ret_key, err);
	if (p->certificate_file)
		return key_of_file(p->certificate_file, jws, ret_key, err);
	return po_fail(err, PO_E_USAGE, 0,
		       "nothing to verify with; give --jwks, "
		       "--certificate-file or --profile");
}

static enum po_status check_claims(const struct cmd_context *ctx,
				   const struct jws *jws, struct po_error *err)
{
	const struct verify_opts *o = ctx->opts;
	json_auto_t *claims = NULL;
	struct jwt_times times;
	const char *aud;
	enum po_status st = jwt_claims(jws, &claims, err);

	if (st == PO_OK)
		st = jwt_read_times(claims, &times, err);
	if (st == PO_OK && !o->ignore_time)
		st = jwt_check_times(&times, clock_now_s(ctx->env->clock),
				     o->clock_skew_s, err);
	if (st != PO_OK || !o->audience)
		return st;
	aud = json_text(claims, "aud");
	if (!aud || strcmp(aud, o->audience) != 0)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the claim aud is '%s', not '%s'",
			       aud ? aud : "(not one string)", o->audience);
	return PO_OK;
}

static enum po_status print_json(const struct jws *jws, struct po_error *err)
{
	json_auto_t *value =
		json_pack("{s:b, s:O}", "valid", 1, "header", jws->header);

	return value ? output_json(value, err) : po_no_memory(err);
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	po_auto(jws) *jws = NULL;
	po_auto(pubkey) *key = NULL;
	enum po_status st = jwt_input(ctx, &jws, err);

	if (st == PO_OK)
		st = find_key(ctx, jws, &key, err);
	if (st == PO_OK)
		st = jws_verify(jws, key, err);
	if (st == PO_OK)
		st = check_claims(ctx, jws, err);
	if (st != PO_OK)
		return st;
	return ctx->json ? print_json(jws, err) : output_text("valid\n", err);
}

const struct cmd cmd_jwt_verify = {
	.name = "jwt verify",
	.summary = "verify a JWT with a certificate, a JWK Set or the token",
	.operands = "[FILE]",
	.operands_max = 1,
	.needs = CMD_PROFILE_OPTION | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY,
	.takes_json = true,
	.opts = opts,
	.opts_size = sizeof(struct verify_opts),
	.run = run,
};
