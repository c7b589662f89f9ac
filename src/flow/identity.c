/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.c - the names of a key: kid, x5t, x5t#S256, x5c, thumbprint, JWK.
 */
#include "flow/open_key.h"

#include <string.h>

static enum po_status name_certificate(const struct open_key *key,
				       struct identity *id,
				       struct po_error *err)
{
	const struct certificate *cert = key->signer->cert;
	const char *x5c = key->profile->x5c;
	enum po_status st;

	if (!cert) {
		if (key->profile->x5t || key->profile->x5t_s256 ||
		    (x5c && strcmp(x5c, "none") != 0))
			return po_fail(err, PO_E_NOT_FOUND, 0,
				       "x5t and x5c need a certificate, and "
				       "there is none beside the key; name a "
				       "certificate-file");
		return PO_OK;
	}
	st = x5t_sha1(cert, id->x5t, err);
	if (st == PO_OK)
		st = x5t_sha256(cert, id->x5t_s256, err);
	if (st == PO_OK)
		st = x5t_sha1_hex(cert, id->x5t_hex, err);
	if (st == PO_OK && x5c && strcmp(x5c, "leaf") == 0)
		st = x5t_chain(cert, NULL, &id->x5c, err);
	if (st == PO_OK && x5c && strcmp(x5c, "chain") == 0)
		st = x5t_chain(cert, &key->extra, &id->x5c, err);
	return st;
}

static enum po_status name_kid(const struct open_key *key, struct identity *id,
			       struct po_error *err)
{
	const struct profile *p = key->profile;
	struct kid_rule rule = { .style = KID_JWK_THUMBPRINT };
	const struct kid_source source = {
		.pubkey = key->signer->pubkey,
		.cert = key->signer->cert,
		.id = key->signer->id,
		.id_len = key->signer->id_len,
	};
	enum po_status st = PO_OK;

	if (p->kid)
		st = kid_rule_parse(p->kid, &rule, err);
	if (st == PO_OK)
		st = kid_derive(&rule, &source, id->kid, err);
	return st;
}

/* The profile's, else the first that server and key share; when there is none,
 * what SMART asks for. */
static enum po_status choose_alg(const struct profile *p,
				 const struct pubkey *pubkey, enum alg *ret_alg,
				 struct po_error *err)
{
	enum alg alg = alg_default(pubkey);

	if (p->algorithm)
		return alg_parse(p->algorithm, ret_alg, err);
	*ret_alg = alg;
	for (size_t i = 0; p->algorithms[i]; i++)
		if (alg_parse(p->algorithms[i], &alg, NULL) == PO_OK &&
		    alg_check_key(alg, pubkey, NULL) == PO_OK) {
			*ret_alg = alg;
			break;
		}
	return PO_OK;
}

static enum po_status fill(const struct open_key *key, struct identity *id,
			   struct po_error *err)
{
	const struct pubkey *pubkey = key->signer->pubkey;
	enum po_status st = choose_alg(key->profile, pubkey, &id->alg, err);

	if (st == PO_OK)
		st = alg_check_key(id->alg, pubkey, err);
	if (st == PO_OK)
		st = jwk_thumbprint(pubkey, id->thumbprint, err);
	if (st == PO_OK)
		st = name_certificate(key, id, err);
	return st == PO_OK ? name_kid(key, id, err) : st;
}

enum po_status identity_of(const struct open_key *key, struct identity *ret_id,
			   struct po_error *err)
{
	enum po_status st;

	*ret_id = (struct identity){ 0 };
	if (!key->signer->pubkey)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "the public key is not known yet");
	st = fill(key, ret_id, err);
	if (st != PO_OK)
		identity_clear(ret_id);
	return st;
}

void identity_clear(struct identity *id)
{
	json_decref(id->x5c);
	id->x5c = NULL;
}

static bool add_text(json_t *object, const char *name, const char *value)
{
	return json_object_set_new(object, name, json_string(value)) == 0;
}

enum po_status identity_jwk(const struct open_key *key,
			    const struct identity *id, json_t **ret_jwk,
			    struct po_error *err)
{
	const struct profile *p = key->profile;
	json_auto_t *jwk = NULL;
	enum po_status st = jwk_from_pubkey(key->signer->pubkey, &jwk, err);

	if (st != PO_OK)
		return st;
	if ((id->kid[0] && !add_text(jwk, "kid", id->kid)) ||
	    !add_text(jwk, "use", "sig") ||
	    !add_text(jwk, "alg", alg_name(id->alg)) ||
	    (p->x5t && !add_text(jwk, "x5t", id->x5t)) ||
	    (p->x5t_s256 && !add_text(jwk, "x5t#S256", id->x5t_s256)) ||
	    (id->x5c && json_object_set(jwk, "x5c", id->x5c) != 0))
		return po_no_memory(err);
	*ret_jwk = po_steal(jwk);
	return PO_OK;
}
