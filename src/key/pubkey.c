/* SPDX-License-Identifier: Apache-2.0 */
#include "key/pubkey.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

PO_DEFINE_AUTO_T(BIGNUM, BN_free);
PO_DEFINE_AUTO_T(OSSL_PARAM, OSSL_PARAM_free);
PO_DEFINE_AUTO_T(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free);
PO_DEFINE_AUTO_T(EVP_PKEY_CTX, EVP_PKEY_CTX_free);
PO_DEFINE_AUTO_T(ASN1_OBJECT, ASN1_OBJECT_free);

struct pubkey {
	atomic_int refs;
	enum pubkey_type type;
	unsigned int bits;
	EVP_PKEY *evp;
};

struct curve {
	int nid;
	enum pubkey_type type;
	const char *group; /* OpenSSL's name */
	const char *name;  /* JOSE's name */
	unsigned int bits;
};

static const struct curve curves[] = {
	{ NID_X9_62_prime256v1, PUBKEY_P256, SN_X9_62_prime256v1, "P-256",
	  256 },
	{ NID_secp384r1, PUBKEY_P384, SN_secp384r1, "P-384", 384 },
	{ NID_secp521r1, PUBKEY_P521, SN_secp521r1, "P-521", 521 },
};

static const struct curve *curve_of_group(const char *group)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(curves); i++)
		if (strcmp(curves[i].group, group) == 0)
			return &curves[i];
	return NULL;
}

static const struct curve *curve_of_nid(int nid)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(curves); i++)
		if (curves[i].nid == nid)
			return &curves[i];
	return NULL;
}

static enum po_status classify(struct pubkey *key, struct po_error *err)
{
	const struct curve *curve;
	char group[64] = "";

	if (EVP_PKEY_is_a(key->evp, "RSA")) {
		key->type = PUBKEY_RSA;
		key->bits = (unsigned int)EVP_PKEY_get_bits(key->evp);
		if (key->bits > PUBKEY_RSA_BITS_MAX)
			return po_fail(err, PO_E_CRYPTO, 0,
				       "an RSA key of %u bits is too large",
				       key->bits);
		return PO_OK;
	}
	if (!EVP_PKEY_is_a(key->evp, "EC"))
		return po_fail(err, PO_E_CRYPTO, 0,
			       "%s keys cannot sign an assertion",
			       EVP_PKEY_get0_type_name(key->evp)
				       ? EVP_PKEY_get0_type_name(key->evp)
				       : "such");
	if (!EVP_PKEY_get_group_name(key->evp, group, sizeof(group), NULL))
		group[0] = '\0';
	curve = curve_of_group(group);
	if (!curve)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "curve '%s' is none of P-256, P-384, P-521",
			       group);
	key->type = curve->type;
	key->bits = curve->bits;
	return PO_OK;
}

enum po_status pubkey_from_evp(EVP_PKEY *evp, struct pubkey **ret_key,
			       struct po_error *err)
{
	po_auto(pubkey) *key = calloc(1, sizeof(*key));
	enum po_status st;

	if (!key || !EVP_PKEY_up_ref(evp))
		return po_no_memory(err);
	atomic_init(&key->refs, 1);
	key->evp = evp;
	st = classify(key, err);
	if (st != PO_OK)
		return st;
	*ret_key = po_steal(key);
	return PO_OK;
}

static enum po_status from_params(const char *type, OSSL_PARAM_BLD *builder,
				  struct pubkey **ret_key, struct po_error *err)
{
	po_auto_t(EVP_PKEY_CTX) *ctx =
		EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	po_auto_t(OSSL_PARAM) *params = OSSL_PARAM_BLD_to_param(builder);
	po_auto_t(EVP_PKEY) *evp = NULL;

	if (!ctx || !params)
		return po_no_memory(err);
	if (EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &evp, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		return po_fail(err, PO_E_CRYPTO, 0, "this is no %s public key",
			       type);
	return pubkey_from_evp(evp, ret_key, err);
}

enum po_status pubkey_from_rsa(const uint8_t *n, size_t n_len, const uint8_t *e,
			       size_t e_len, struct pubkey **ret_key,
			       struct po_error *err)
{
	po_auto_t(OSSL_PARAM_BLD) *builder = OSSL_PARAM_BLD_new();
	po_auto_t(BIGNUM) *modulus = NULL;
	po_auto_t(BIGNUM) *exponent = NULL;

	if (n_len > PUBKEY_RSA_BITS_MAX / 8 + 1 || e_len > 64)
		return po_fail(err, PO_E_CRYPTO, 0, "the RSA key is too large");
	modulus = BN_bin2bn(n, (int)n_len, NULL);
	exponent = BN_bin2bn(e, (int)e_len, NULL);
	if (!builder || !modulus || !exponent)
		return po_no_memory(err);
	/* no prime is even, no exponent is below three */
	if (!BN_is_odd(modulus) || !BN_is_odd(exponent) ||
	    BN_is_one(exponent) || BN_num_bits(modulus) < 512)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "this is no RSA public key");
	if (!OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) ||
	    !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent))
		return po_no_memory(err);
	return from_params("RSA", builder, ret_key, err);
}

/* The bare point, taken out of its OCTET STRING where it is in one. */
static void unwrap_point(size_t field, const uint8_t **point, size_t *len)
{
	size_t bare = 1 + 2 * field;
	const uint8_t *p = *point;

	if (*len == bare + 2 && p[0] == 0x04 && p[1] == bare) {
		*point = p + 2;
		*len = bare;
	} else if (*len == bare + 3 && p[0] == 0x04 && p[1] == 0x81 &&
		   p[2] == bare) {
		*point = p + 3;
		*len = bare;
	}
}

enum po_status pubkey_from_ec(const uint8_t *params, size_t params_len,
			      const uint8_t *point, size_t point_len,
			      struct pubkey **ret_key, struct po_error *err)
{
	po_auto_t(OSSL_PARAM_BLD) *builder = OSSL_PARAM_BLD_new();
	const uint8_t *der = params;
	po_auto_t(ASN1_OBJECT) *oid =
		d2i_ASN1_OBJECT(NULL, &der, (long)params_len);
	const struct curve *curve;
	size_t field;

	if (!builder)
		return po_no_memory(err);
	curve = oid ? curve_of_nid(OBJ_obj2nid(oid)) : NULL;
	if (!curve)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the key's curve is none of P-256, P-384, "
			       "P-521");
	field = (curve->bits + 7) / 8;
	unwrap_point(field, &point, &point_len);
	/* OpenSSL takes compressed points, too, and the one at infinity */
	if (point_len != 1 + 2 * field || point[0] != 0x04)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "this is no uncompressed %s point", curve->name);
	if (!OSSL_PARAM_BLD_push_utf8_string(
		    builder, OSSL_PKEY_PARAM_GROUP_NAME, curve->group, 0) ||
	    !OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY,
					      point, point_len))
		return po_no_memory(err);
	return from_params("EC", builder, ret_key, err);
}

enum po_status pubkey_from_spki(const uint8_t *der, size_t len,
				struct pubkey **ret_key, struct po_error *err)
{
	const uint8_t *end = der;
	po_auto_t(EVP_PKEY) *evp = d2i_PUBKEY(NULL, &end, (long)len);

	if (!evp || end != der + len)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "this is no SubjectPublicKeyInfo");
	return pubkey_from_evp(evp, ret_key, err);
}

void pubkey_free(struct pubkey *key)
{
	if (!key || atomic_fetch_sub(&key->refs, 1) > 1)
		return;
	EVP_PKEY_free(key->evp);
	free(key);
}

struct pubkey *pubkey_ref(const struct pubkey *key)
{
	/* the count is the one thing in it that is not immutable */
	struct pubkey *shared = (struct pubkey *)(uintptr_t)key;

	atomic_fetch_add(&shared->refs, 1);
	return shared;
}

enum pubkey_type pubkey_type(const struct pubkey *key)
{
	return key->type;
}

bool pubkey_equal(const struct pubkey *a, const struct pubkey *b)
{
	return a->type == b->type && EVP_PKEY_eq(a->evp, b->evp) == 1;
}

unsigned int pubkey_bits(const struct pubkey *key)
{
	return key->bits;
}

size_t pubkey_signature_len(const struct pubkey *key)
{
	size_t bytes = (key->bits + 7) / 8;

	return key->type == PUBKEY_RSA ? bytes : 2 * bytes;
}

void pubkey_describe(const struct pubkey *key, char out[static 16])
{
	const char *text = "";

	for (size_t i = 0; i < PO_ARRAY_SIZE(curves); i++)
		if (curves[i].type == key->type)
			text = curves[i].name;
	if (key->type == PUBKEY_RSA)
		(void)snprintf(out, 16, "RSA-%u", key->bits % 100000);
	else
		(void)snprintf(out, 16, "%s", text);
}

enum po_status pubkey_spki_sha256(const struct pubkey *key,
				  uint8_t hash[static PUBKEY_SHA256_LEN],
				  struct po_error *err)
{
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key->evp, &der);
	bool ok = len > 0 &&
		  EVP_Digest(der, (size_t)len, hash, NULL, EVP_sha256(), NULL);

	OPENSSL_free(der);
	return ok ? PO_OK
		  : po_fail(err, PO_E_INTERNAL, 0, "hashing the key failed");
}

EVP_PKEY *pubkey_evp(const struct pubkey *key)
{
	return key->evp;
}
