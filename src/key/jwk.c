/* SPDX-License-Identifier: Apache-2.0 */
#include "key/jwk.h"

#include "base/base64url.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <string.h>

#define NUMBER_MAX (PUBKEY_RSA_BITS_MAX / 8 + 1) /* bytes */

PO_DEFINE_AUTO_T(BIGNUM, BN_free);

static const struct {
	enum pubkey_type type;
	const char *crv;
	size_t field;    /* bytes */
	uint8_t oid[10]; /* DER, as CKA_EC_PARAMS has it */
	size_t oid_len;
} curves[] = {
	{ PUBKEY_P256,
	  "P-256",
	  32,
	  { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07 },
	  10 },
	{ PUBKEY_P384,
	  "P-384",
	  48,
	  { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 },
	  7 },
	{ PUBKEY_P521,
	  "P-521",
	  66,
	  { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23 },
	  7 },
};

/*
 * One number of the key in base64url: minimal octets when width is 0 (RFC 7518
 * section 2), else exactly width of them (section 6.2.1.2).
 */
static bool set_number(json_t *jwk, const char *name, const struct pubkey *key,
		       const char *param, size_t width)
{
	po_auto_t(BIGNUM) *bn = NULL;
	char text[BASE64URL_LEN(NUMBER_MAX) + 1];
	uint8_t bytes[NUMBER_MAX];
	size_t len;

	if (!EVP_PKEY_get_bn_param(pubkey_evp(key), param, &bn))
		return false;
	len = width ? width : (size_t)BN_num_bytes(bn);
	if (len > sizeof(bytes) || BN_bn2binpad(bn, bytes, (int)len) < 0)
		return false;
	base64url_encode(text, bytes, len);
	return json_object_set_new(jwk, name, json_string(text)) == 0;
}

static bool set_text(json_t *jwk, const char *name, const char *value)
{
	return json_object_set_new(jwk, name, json_string(value)) == 0;
}

enum po_status jwk_from_pubkey(const struct pubkey *key, json_t **ret_jwk,
			       struct po_error *err)
{
	json_auto_t *jwk = json_object();
	bool ok = false;

	if (!jwk)
		return po_no_memory(err);
	if (pubkey_type(key) == PUBKEY_RSA)
		ok = set_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E, 0) &&
		     set_text(jwk, "kty", "RSA") &&
		     set_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
	for (size_t i = 0; i < PO_ARRAY_SIZE(curves); i++)
		if (curves[i].type == pubkey_type(key))
			ok = set_text(jwk, "crv", curves[i].crv) &&
			     set_text(jwk, "kty", "EC") &&
			     set_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X,
					curves[i].field) &&
			     set_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y,
					curves[i].field);
	if (!ok)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "the key cannot be written as a JWK");
	*ret_jwk = po_steal(jwk);
	return PO_OK;
}

/* Decodes a member; 0 bytes when it is absent or no base64url. */
static size_t get_number(const json_t *jwk, const char *name,
			 uint8_t out[static NUMBER_MAX])
{
	const char *text = json_text(jwk, name);
	size_t len = 0;

	if (!text ||
	    !base64url_decode(out, NUMBER_MAX, text, strlen(text), &len))
		return 0;
	return len;
}

static enum po_status rsa_to_pubkey(const json_t *jwk, struct pubkey **ret_key,
				    struct po_error *err)
{
	uint8_t n[NUMBER_MAX], e[NUMBER_MAX];
	size_t n_len = get_number(jwk, "n", n);
	size_t e_len = get_number(jwk, "e", e);

	if (!n_len || !e_len)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the JWK has no usable 'n' and 'e'");
	return pubkey_from_rsa(n, n_len, e, e_len, ret_key, err);
}

static enum po_status ec_to_pubkey(const json_t *jwk, struct pubkey **ret_key,
				   struct po_error *err)
{
	const char *crv = json_text(jwk, "crv");
	uint8_t x[NUMBER_MAX], y[NUMBER_MAX], point[1 + 2 * PUBKEY_FIELD_MAX];
	size_t x_len = get_number(jwk, "x", x);
	size_t y_len = get_number(jwk, "y", y);

	for (size_t i = 0; crv && i < PO_ARRAY_SIZE(curves); i++) {
		size_t field = curves[i].field;

		if (strcmp(curves[i].crv, crv) != 0)
			continue;
		if (x_len != field || y_len != field)
			return po_fail(err, PO_E_CRYPTO, 0,
				       "the JWK's 'x' and 'y' are not %zu "
				       "bytes wide",
				       field);
		point[0] = 0x04;
		memcpy(point + 1, x, field);
		memcpy(point + 1 + field, y, field);
		return pubkey_from_ec(curves[i].oid, curves[i].oid_len, point,
				      1 + 2 * field, ret_key, err);
	}
	return po_fail(err, PO_E_CRYPTO, 0,
		       "the JWK's 'crv' is none of P-256, P-384, P-521");
}

enum po_status jwk_to_pubkey(const json_t *jwk, struct pubkey **ret_key,
			     struct po_error *err)
{
	const char *kty = json_text(jwk, "kty");

	if (kty && strcmp(kty, "RSA") == 0)
		return rsa_to_pubkey(jwk, ret_key, err);
	if (kty && strcmp(kty, "EC") == 0)
		return ec_to_pubkey(jwk, ret_key, err);
	return po_fail(err, PO_E_CRYPTO, 0, "the JWK's 'kty' is not RSA or EC");
}

enum po_status jwk_thumbprint(const struct pubkey *key,
			      char out[static JWK_THUMBPRINT_LEN + 1],
			      struct po_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int digest_len = 0;
	json_auto_t *jwk = NULL;
	po_auto_buf text = { 0 };
	enum po_status st = jwk_from_pubkey(key, &jwk, err);

	buf_init(&text, 8192);
	if (st != PO_OK)
		return st;
	/* jwk_from_pubkey() puts the members into the order of RFC 7638 */
	if (!json_compact(&text, jwk) ||
	    !EVP_Digest(text.data, text.len, digest, &digest_len, EVP_sha256(),
			NULL))
		return po_fail(err, PO_E_INTERNAL, 0, "hashing the JWK failed");
	base64url_encode(out, digest, digest_len);
	return PO_OK;
}

const char *jwk_private_member(const json_t *jwk_or_set)
{
	static const char *const names[] = { "d",  "p",  "q",   "dp",
					     "dq", "qi", "oth", "k" };
	json_t *walk = (json_t *)(uintptr_t)jwk_or_set;
	const char *name, *found = NULL;
	const json_t *value;
	size_t i;

	/* jansson's iterators take no const; nothing is changed */
	for (i = 0; i < PO_ARRAY_SIZE(names); i++)
		if (json_object_get(walk, names[i]))
			return names[i];
	json_object_foreach (walk, name, value)
		if ((found = jwk_private_member(value)))
			return found;
	json_array_foreach (walk, i, value)
		if ((found = jwk_private_member(value)))
			return found;
	return NULL;
}

bool jwk_has_private_member(const json_t *jwk_or_set)
{
	return jwk_private_member(jwk_or_set) != NULL;
}

/* The key with this kid; NULL: none. *ret_count: how many have it. */
static const json_t *key_with_kid(const json_t *keys, const char *kid,
				  size_t *ret_count)
{
	const json_t *found = NULL;

	*ret_count = 0;
	for (size_t i = 0; i < json_array_size(keys); i++) {
		const json_t *jwk = json_array_get(keys, i);
		const char *have = json_text(jwk, "kid");

		if (kid && have && strcmp(kid, have) == 0) {
			found = jwk;
			++*ret_count;
		}
	}
	return found;
}

enum po_status jwk_set_find(const json_t *set, const char *kid,
			    struct pubkey **ret_key, struct po_error *err)
{
	const json_t *keys = json_object_get(set, "keys");
	const json_t *jwk;
	size_t count = 0;

	if (!keys) /* a single JWK is as good as a set of one */
		return jwk_to_pubkey(set, ret_key, err);
	if (!json_is_array(keys) || json_array_size(keys) > JWK_SET_KEYS_MAX)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the JWK Set has no array of at most %d keys",
			       JWK_SET_KEYS_MAX);
	jwk = key_with_kid(keys, kid, &count);
	if (count > 1)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "several keys of the JWK Set have kid '%s'",
			       kid);
	if (!jwk && json_array_size(keys) == 1)
		jwk = json_array_get(keys, 0);
	if (!jwk)
		return po_fail(err, PO_E_NOT_FOUND, 0,
			       kid ? "no key of the JWK Set has kid '%s'"
				   : "the JWK Set has several keys, and the "
				     "JWT has no kid%s",
			       kid ? kid : "");
	return jwk_to_pubkey(jwk, ret_key, err);
}
