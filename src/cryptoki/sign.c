/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/sign.h"

#include "cryptoki/ckr.h"
#include "cryptoki/device.h"

#include <openssl/rsa.h>
#include <string.h>

PO_DEFINE_AUTO_T(EVP_PKEY_CTX, EVP_PKEY_CTX_free);

struct hash {
	const char *md; /* OpenSSL's name */
	CK_MECHANISM_TYPE mechanism;
	CK_RSA_PKCS_MGF_TYPE mgf;
	uint8_t oid_end; /* last octet of 2.16.840.1.101.3.4.2.x */
};

static const struct hash hashes[] = {
	{ "SHA256", CKM_SHA256, CKG_MGF1_SHA256, 1 },
	{ "SHA384", CKM_SHA384, CKG_MGF1_SHA384, 2 },
	{ "SHA512", CKM_SHA512, CKG_MGF1_SHA512, 3 },
};

static const struct hash *hash_of(enum alg alg)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(hashes) - 1; i++)
		if (EVP_MD_is_a(alg_md(alg), hashes[i].md))
			return &hashes[i];
	return &hashes[PO_ARRAY_SIZE(hashes) - 1];
}

/* DER of SEQUENCE { SEQUENCE { OID, NULL }, OCTET STRING }, hash to follow. */
#define DIGEST_INFO_LEN 19

static void put_digest_info(uint8_t out[static DIGEST_INFO_LEN],
			    const struct hash *hash, uint8_t hash_len)
{
	const uint8_t head[DIGEST_INFO_LEN] = {
		0x30,          (uint8_t)(DIGEST_INFO_LEN - 2 + hash_len),
		0x30,          0x0d,
		0x06,          0x09,
		0x60,          0x86,
		0x48,          0x01,
		0x65,          0x03,
		0x04,          0x02,
		hash->oid_end, 0x05,
		0x00,          0x04,
		hash_len,
	};

	memcpy(out, head, sizeof(head));
}

_Static_assert(DIGEST_INFO_LEN + EVP_MAX_MD_SIZE <= SIGN_INPUT_MAX,
	       "a DigestInfo does not fit");

enum po_status sign_prepare(enum alg alg, const struct to_be_signed *in,
			    struct sign_operation *op, struct po_error *err)
{
	const struct hash *hash = hash_of(alg);
	unsigned int hash_len = 0;
	uint8_t digest[EVP_MAX_MD_SIZE];

	if (!EVP_Digest(in->data, in->len, digest, &hash_len, alg_md(alg),
			NULL))
		return po_fail(err, PO_E_INTERNAL, 0, "hashing failed");

	*op = (struct sign_operation){ .what = alg_name(alg) };
	switch (alg_kind(alg)) {
	case ALG_PKCS1:
		op->mechanism = CKM_RSA_PKCS;
		put_digest_info(op->input, hash, (uint8_t)hash_len);
		op->input_len = DIGEST_INFO_LEN;
		break;
	case ALG_PSS:
		op->pss = (CK_RSA_PKCS_PSS_PARAMS){ hash->mechanism, hash->mgf,
						    hash_len };
		op->mechanism = CKM_RSA_PKCS_PSS;
		break;
	case ALG_ECDSA: op->mechanism = CKM_ECDSA; break;
	}
	memcpy(op->input + op->input_len, digest, hash_len);
	op->input_len += hash_len;
	return PO_OK;
}

enum po_status sign_start(const struct session *session, CK_OBJECT_HANDLE key,
			  struct sign_operation *op, struct po_error *err)
{
	CK_MECHANISM mechanism = { op->mechanism, NULL, 0 };
	CK_RV rv;

	if (op->mechanism == CKM_RSA_PKCS_PSS) {
		mechanism.pParameter = &op->pss;
		mechanism.ulParameterLen = sizeof(op->pss);
	}
	rv = MODULE_CALL(session->module, C_SignInit, session->handle,
			 &mechanism, key);
	if (rv != CKR_OK)
		return po_context(err, ckr_fail(err, rv, "C_SignInit"), "%s",
				  op->what);
	return PO_OK;
}

enum po_status sign_finish(const struct session *session,
			   struct sign_operation *op, struct signature *ret_sig,
			   struct po_error *err)
{
	CK_ULONG len = sizeof(ret_sig->bytes);
	CK_RV rv = MODULE_CALL(session->module, C_Sign, session->handle,
			       op->input, op->input_len, ret_sig->bytes, &len);

	if (rv != CKR_OK)
		return po_context(err, ckr_fail(err, rv, "C_Sign"), "%s",
				  op->what);
	if (len > sizeof(ret_sig->bytes))
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the module claims a signature of %lu bytes",
			       len);
	ret_sig->len = len;
	return PO_OK;
}

/* ---- is it one? --------------------------------------------------------- */

/* What an RSA signature was made of, as far as padding tells it. */
static bool recovers(EVP_PKEY_CTX *ctx, int padding,
		     const struct sign_operation *op,
		     const struct signature *sig)
{
	uint8_t input[SIGN_INPUT_MAX];
	size_t len = sizeof(input);

	return EVP_PKEY_verify_recover_init(ctx) > 0 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0 &&
	       EVP_PKEY_verify_recover(ctx, input, &len, sig->bytes, sig->len) >
		       0 &&
	       len == op->input_len && memcmp(input, op->input, len) == 0;
}

static bool holds_pss(EVP_PKEY_CTX *ctx, const struct sign_operation *op,
		      const struct signature *sig)
{
	const char *md = NULL;

	for (size_t i = 0; i < PO_ARRAY_SIZE(hashes); i++)
		if (hashes[i].mechanism == op->pss.hashAlg &&
		    hashes[i].mgf == op->pss.mgf)
			md = hashes[i].md;
	return md && EVP_PKEY_verify_init(ctx) > 0 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_signature_md(ctx, EVP_get_digestbyname(md)) >
		       0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, (int)op->pss.sLen) > 0 &&
	       EVP_PKEY_verify(ctx, sig->bytes, sig->len, op->input,
			       op->input_len) == 1;
}

static bool holds_ecdsa(EVP_PKEY_CTX *ctx, const struct sign_operation *op,
			const struct signature *sig)
{
	size_t len = 0;
	uint8_t *der = signature_to_der(sig->bytes, sig->len, &len);
	bool holds =
		der && EVP_PKEY_verify_init(ctx) > 0 &&
		EVP_PKEY_verify(ctx, der, len, op->input, op->input_len) == 1;

	OPENSSL_free(der);
	return holds;
}

static bool holds(EVP_PKEY_CTX *ctx, const struct sign_operation *op,
		  const struct signature *sig)
{
	switch (op->mechanism) {
	case CKM_RSA_PKCS: return recovers(ctx, RSA_PKCS1_PADDING, op, sig);
	case CKM_RSA_X_509: return recovers(ctx, RSA_NO_PADDING, op, sig);
	case CKM_RSA_PKCS_PSS: return holds_pss(ctx, op, sig);
	case CKM_ECDSA: return holds_ecdsa(ctx, op, sig);
	default: return false;
	}
}

enum po_status sign_check(const struct pubkey *key,
			  const struct sign_operation *op,
			  const struct signature *sig, struct po_error *err)
{
	po_auto_t(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new(pubkey_evp(key), NULL);

	if (!ctx)
		return po_no_memory(err);
	if (sig->len == pubkey_signature_len(key) && holds(ctx, op, sig))
		return PO_OK;
	return po_fail(err, PO_E_CRYPTO, 0,
		       "what the device signed is not used: it does not verify "
		       "with the public key");
}
