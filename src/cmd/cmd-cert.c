/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/key-json.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "flow/open_key.h"

#define TEXT_MAX (2 * CERTIFICATE_DER_MAX)

static enum po_status print_text(const struct open_key *key,
				 const struct identity *id,
				 struct po_error *err)
{
	const struct certificate *cert = key->signer->cert;
	po_auto_buf text = { 0 };
	enum po_status st;

	buf_init(&text, TEXT_MAX);
	if (!buf_addf(&text, "kid             %s\n", id->kid) ||
	    !buf_addf(&text, "x5t             %s\n", id->x5t) ||
	    !buf_addf(&text, "x5t#S256        %s\n", id->x5t_s256) ||
	    !buf_addf(&text, "SHA-1 (hex)     %s\n", id->x5t_hex) ||
	    !buf_addf(&text, "JWK thumbprint  %s\n", id->thumbprint) ||
	    !buf_addf(&text, "algorithm       %s\n", alg_name(id->alg)) ||
	    !buf_addf(&text, "key             %s\n", key->signer->uri) ||
	    !buf_addf(&text, "subject         %s\n",
		      certificate_subject(cert)) ||
	    !buf_addf(&text, "issuer          %s\n",
		      certificate_issuer(cert)) ||
	    !buf_addf(&text, "serial          %s\n",
		      certificate_serial(cert)) ||
	    !buf_adds(&text, "valid           ") ||
	    !certificate_add_validity(cert, key->now_s, &text) ||
	    !buf_adds(&text, "\n"))
		return po_no_memory(err);
	st = certificate_add_pem(cert, &text, err);
	return st == PO_OK ? output_text(buf_text(&text), err) : st;
}

static enum po_status print_json(const struct open_key *key,
				 const struct identity *id,
				 struct po_error *err)
{
	const struct certificate *cert = key->signer->cert;
	json_auto_t *value = NULL;
	po_auto_buf pem = { 0 };
	enum po_status st;

	buf_init(&pem, TEXT_MAX);
	st = certificate_add_pem(cert, &pem, err);
	if (st != PO_OK)
		return st;
	value = json_pack(
		"{s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:s}", "kid", id->kid,
		"x5t", id->x5t, "x5t#S256", id->x5t_s256, "x5t_hex",
		id->x5t_hex, "jwk_thumbprint", id->thumbprint, "algorithm",
		alg_name(id->alg), "uri", key->signer->uri, "certificate",
		certificate_json(cert, key->now_s), "pem", buf_text(&pem));
	return value ? output_json(value, err) : po_no_memory(err);
}

/* A certificate that only a login shows is worth a login. */
static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	po_auto(open_key) *key = NULL;
	struct identity id;
	enum po_status st =
		open_key(ctx->env, ctx->profile, 0, NULL, &key, err);

	if (st == PO_OK && !key->signer->cert)
		st = open_key_unlock(key, err);
	if (st == PO_OK && !key->signer->cert)
		st = po_fail(err, PO_E_NOT_FOUND, 0,
			     "there is no certificate beside the key '%s'",
			     key->signer->uri);
	if (st == PO_OK)
		st = identity_of(key, &id, err);
	if (st != PO_OK)
		return st;
	st = ctx->json ? print_json(key, &id, err) : print_text(key, &id, err);
	identity_clear(&id);
	return st;
}

const struct cmd cmd_cert = {
	.name = "cert",
	.summary = "show the certificate to register, with its thumbprints",
	.operands = "[PROFILE]",
	.operands_max = 1,
	.needs = CMD_NEEDS_PROFILE | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY,
	.takes_json = true,
	.run = run,
};
