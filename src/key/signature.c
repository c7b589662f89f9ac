/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signature.c - verifying what a device signed.
 */
#include "key/signer.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

PO_DEFINE_AUTO_T(EVP_MD_CTX, EVP_MD_CTX_free);
PO_DEFINE_AUTO_T(ECDSA_SIG, ECDSA_SIG_free);

uint8_t *signature_to_der(const uint8_t *sig, size_t len, size_t *ret_len)
{
	po_auto_t(ECDSA_SIG) *pair = ECDSA_SIG_new();
	BIGNUM *r = BN_bin2bn(sig, (int)(len / 2), NULL);
	BIGNUM *s = BN_bin2bn(sig + len / 2, (int)(len / 2), NULL);
	uint8_t *der = NULL;
	int der_len;

	if (!pair || !r || !s || !ECDSA_SIG_set0(pair, r, s)) {
		BN_free(r);
		BN_free(s);
		return NULL;
	}
	der_len = i2d_ECDSA_SIG(pair, &der);
	if (der_len <= 0)
		return NULL;
	*ret_len = (size_t)der_len;
	return der;
}

static bool set_padding(EVP_PKEY_CTX *ctx, enum alg alg)
{
	if (alg_kind(alg) != ALG_PSS)
		return true;
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
	       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) >
		       0;
}

enum po_status signature_verify(const struct pubkey *key, enum alg alg,
				const void *data, size_t len,
				const struct signature *signature,
				struct po_error *err)
{
	const uint8_t *sig = signature->bytes;
	size_t sig_len = signature->len;
	po_auto_t(EVP_MD_CTX) *md = EVP_MD_CTX_new();
	enum po_status st = alg_check_key(alg, key, err);
	EVP_PKEY_CTX *ctx = NULL; /* belongs to md */
	uint8_t *der = NULL;
	bool ok;

	if (st != PO_OK)
		return st;
	if (!md)
		return po_no_memory(err);
	if (sig_len != pubkey_signature_len(key))
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the signature has %zu bytes instead of %zu",
			       sig_len, pubkey_signature_len(key));
	if (alg_kind(alg) == ALG_ECDSA) {
		der = signature_to_der(sig, sig_len, &sig_len);
		if (!der)
			return po_no_memory(err);
		sig = der;
	}
	ok = EVP_DigestVerifyInit(md, &ctx, alg_md(alg), NULL,
				  pubkey_evp(key)) > 0 &&
	     set_padding(ctx, alg) &&
	     EVP_DigestVerify(md, sig, sig_len, data, len) == 1;
	OPENSSL_free(der);
	return ok ? PO_OK
		  : po_fail(err, PO_E_CRYPTO, 0, "the signature does not hold");
}
