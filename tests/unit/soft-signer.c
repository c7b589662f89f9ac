/* SPDX-License-Identifier: Apache-2.0 */
#include "soft-signer.h"

#include "test-data.h"
#include "unit.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

PO_DEFINE_AUTO_T(EVP_MD_CTX, EVP_MD_CTX_free);
PO_DEFINE_AUTO_T(ECDSA_SIG, ECDSA_SIG_free);

static struct soft_signer *soft_of(struct signer *s)
{
	return (struct soft_signer *)s;
}

static enum po_status soft_unlock(struct signer *s, struct po_error *err)
{
	soft_of(s)->unlocks++;
	if (soft_of(s)->lie == SOFT_STAYS_SHUT)
		return po_fail(err, PO_E_PIN, 0, "wrong PIN");
	return PO_OK;
}

/* R || S, each as wide as the field, out of DER. */
static size_t to_pair(const struct pubkey *key, uint8_t *sig, size_t len)
{
	const uint8_t *der = sig;
	po_auto_t(ECDSA_SIG) *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
	size_t width = pubkey_signature_len(key) / 2;

	assert_non_null(pair);
	assert_true(BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig, (int)width) > 0);
	assert_true(BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig + width,
				 (int)width) > 0);
	return 2 * width;
}

static size_t sign_with(struct soft_signer *s, EVP_PKEY *key, enum alg alg,
			const void *data, size_t len, uint8_t *sig)
{
	po_auto_t(EVP_MD_CTX) *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL; /* belongs to md */
	size_t sig_len = SIGNATURE_MAX;

	assert_true(EVP_DigestSignInit(md, &ctx, alg_md(alg), NULL, key) > 0);
	if (alg_kind(alg) == ALG_PSS) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(
				    ctx, RSA_PKCS1_PSS_PADDING) > 0);
		assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(
				    ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	assert_true(EVP_DigestSign(md, sig, &sig_len, data, len) > 0);
	if (alg_kind(alg) == ALG_ECDSA && s->lie != SOFT_DER)
		sig_len = to_pair(s->signer.pubkey, sig, sig_len);
	return sig_len;
}

static EVP_PKEY *another_key(const struct pubkey *key)
{
	char name[16];
	EVP_PKEY *other;

	pubkey_describe(key, name);
	other = pubkey_type(key) == PUBKEY_RSA ? EVP_RSA_gen(pubkey_bits(key))
					       : EVP_EC_gen(name);
	assert_non_null(other);
	return other;
}

/* What some lies do to a signature of n bytes; the new length. */
static size_t tamper(enum soft_lie lie, uint8_t *sig, size_t n)
{
	if (lie == SOFT_FLIPPED)
		sig[n - 1] ^= 1;
	if (lie == SOFT_SHORT)
		memmove(sig, sig + 1, --n);
	if (lie == SOFT_LONG) {
		memmove(sig + 1, sig, n++);
		sig[0] = 0;
	}
	return n;
}

static enum po_status soft_sign(struct signer *signer, enum alg alg,
				const void *data, size_t len,
				struct signature *ret_signature,
				struct po_error *err)
{
	struct soft_signer *s = soft_of(signer);
	po_auto_t(EVP_PKEY) *other = NULL;
	size_t n = 0;

	s->signs++;
	if (s->lie == SOFT_FAILS)
		return po_fail(err, PO_E_DEVICE, 0x30, "the device failed");
	if (s->lie == SOFT_OTHER_KEY)
		other = another_key(signer->pubkey);
	if (s->lie == SOFT_OTHER_DATA)
		len--;
	if (s->lie != SOFT_EMPTY)
		n = sign_with(s, other ? other : s->key, alg, data, len,
			      ret_signature->bytes);
	ret_signature->len = tamper(s->lie, ret_signature->bytes, n);
	return PO_OK;
}

static void soft_free(struct signer *signer)
{
	struct soft_signer *s = soft_of(signer);

	EVP_PKEY_free(s->key);
	pubkey_free(signer->pubkey);
	certificate_free(signer->cert);
	free(s);
}

static const struct signer_ops soft_ops = {
	.unlock = soft_unlock,
	.sign = soft_sign,
	.free = soft_free,
};

struct soft_signer *soft_signer_new(EVP_PKEY *key, struct certificate *cert)
{
	struct soft_signer *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	assert_true(EVP_PKEY_up_ref(key));
	s->key = key;
	s->signer.ops = &soft_ops;
	s->signer.cert = cert;
	s->signer.pubkey = public_half(key);
	return s;
}
