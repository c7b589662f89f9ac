/* SPDX-License-Identifier: Apache-2.0 */
/* Signing: the algorithm fits, one operation, and no bad signature leaves. */
#include "key/signer.h"

#include "soft-signer.h"
#include "test-data.h"
#include "unit.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

static const char message[] = "what is signed";

enum which { RSA_2048, RSA_1024, P256, P384, P521, N_KEYS };

static EVP_PKEY *keys[N_KEYS];

struct good_row {
	const char *name;
	enum alg alg;
	enum which key;
	size_t len;
};

static const struct good_row good_rows[] = {
	{ "RS256", ALG_RS256, RSA_2048, 256 },
	{ "RS384", ALG_RS384, RSA_2048, 256 },
	{ "RS512", ALG_RS512, RSA_2048, 256 },
	{ "PS256", ALG_PS256, RSA_2048, 256 },
	{ "PS384", ALG_PS384, RSA_2048, 256 },
	{ "PS512", ALG_PS512, RSA_2048, 256 },
	{ "ES256", ALG_ES256, P256, 64 },
	{ "ES384", ALG_ES384, P384, 96 },
	{ "ES512", ALG_ES512, P521, 132 },
};

ROWS(good_rows, good_row)
{
	struct soft_signer *s = soft_signer_new(keys[row->key], NULL);
	struct signature sig = { .len = 0 };
	struct po_error err = { 0 };

	if (signer_sign(&s->signer, row->alg, message, strlen(message), &sig,
			&err) != PO_OK)
		fail_msg("%s", err.text);
	assert_int_equal(sig.len, row->len);
	assert_int_equal(s->unlocks, 1);
	assert_int_equal(s->signs, 1);
	assert_int_equal(
		signer_sign(&s->signer, row->alg, message, 1, &sig, NULL),
		PO_OK);
	assert_int_equal(s->unlocks, 1); /* not again */
	assert_int_equal(s->signs, 2);
	signer_free(&s->signer);
}

/* Each bit of it counts, and so does each bit of what was signed. */
ROWS(good_rows, flip_row)
{
	struct soft_signer *s = soft_signer_new(keys[row->key], NULL);
	char text[sizeof(message)];
	struct signature sig = { .len = 0 };

	assert_int_equal(signer_sign(&s->signer, row->alg, message,
				     strlen(message), &sig, NULL),
			 PO_OK);
	for (size_t bit = 0; bit < 8 * sig.len; bit += 7) {
		sig.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_int_equal(signature_verify(s->signer.pubkey, row->alg,
						  message, strlen(message),
						  &sig, NULL),
				 PO_E_CRYPTO);
		sig.bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	for (size_t i = 0; i < strlen(message); i++) {
		memcpy(text, message, sizeof(message));
		text[i] ^= 0x40;
		assert_int_equal(signature_verify(s->signer.pubkey, row->alg,
						  text, strlen(message), &sig,
						  NULL),
				 PO_E_CRYPTO);
	}
	assert_int_equal(signature_verify(s->signer.pubkey, row->alg, message,
					  strlen(message), &sig, NULL),
			 PO_OK);
	signer_free(&s->signer);
}

struct lie_row {
	const char *name;
	enum soft_lie lie;
	enum alg alg;
	enum which key;
	enum po_status status;
	const char *says;
};

static const struct lie_row lie_rows[] = {
	{ "RSA, a flipped bit", SOFT_FLIPPED, ALG_RS384, RSA_2048, PO_E_CRYPTO,
	  "does not verify" },
	{ "PSS, a flipped bit", SOFT_FLIPPED, ALG_PS256, RSA_2048, PO_E_CRYPTO,
	  "does not verify" },
	{ "ECDSA, a flipped bit", SOFT_FLIPPED, ALG_ES384, P384, PO_E_CRYPTO,
	  "does not verify" },
	{ "ECDSA, DER", SOFT_DER, ALG_ES256, P256, PO_E_CRYPTO,
	  "instead of 64" },
	{ "RSA, short", SOFT_SHORT, ALG_RS256, RSA_2048, PO_E_CRYPTO,
	  "255 bytes instead of 256" },
	{ "RSA, long", SOFT_LONG, ALG_RS256, RSA_2048, PO_E_CRYPTO,
	  "257 bytes instead of 256" },
	{ "ECDSA, short", SOFT_SHORT, ALG_ES384, P384, PO_E_CRYPTO,
	  "95 bytes instead of 96" },
	{ "ECDSA, long", SOFT_LONG, ALG_ES512, P521, PO_E_CRYPTO,
	  "133 bytes instead of 132" },
	{ "nothing", SOFT_EMPTY, ALG_ES256, P256, PO_E_CRYPTO,
	  "0 bytes instead of 64" },
	{ "RSA, another key", SOFT_OTHER_KEY, ALG_RS384, RSA_2048, PO_E_CRYPTO,
	  "does not verify" },
	{ "ECDSA, another key", SOFT_OTHER_KEY, ALG_ES384, P384, PO_E_CRYPTO,
	  "does not verify" },
	{ "other data", SOFT_OTHER_DATA, ALG_RS384, RSA_2048, PO_E_CRYPTO,
	  "does not verify" },
	{ "failure", SOFT_FAILS, ALG_RS384, RSA_2048, PO_E_DEVICE,
	  "the device failed" },
};

ROWS(lie_rows, lie_row)
{
	struct soft_signer *s = soft_signer_new(keys[row->key], NULL);
	struct signature sig = { .len = 4711 };
	struct po_error err = { 0 };

	s->lie = row->lie;
	assert_int_equal(signer_sign(&s->signer, row->alg, message,
				     strlen(message), &sig, &err),
			 row->status);
	if (!strstr(err.text, row->says))
		fail_msg("'%s' does not say '%s'", err.text, row->says);
	assert_int_equal(sig.len, 4711); /* not set */
	assert_int_equal(s->signs, 1);   /* and not tried again */
	signer_free(&s->signer);
}

struct misfit_row {
	const char *name;
	enum alg alg;
	enum which key;
	const char *says;
};

static const struct misfit_row misfit_rows[] = {
	{ "ES384 with P-256", ALG_ES384, P256, "P-384" },
	{ "ES256 with P-384", ALG_ES256, P384, "P-256" },
	{ "RS256 with P-256", ALG_RS256, P256, "RSA" },
	{ "ES256 with RSA", ALG_ES256, RSA_2048, "P-256" },
	{ "RS384 with RSA-1024", ALG_RS384, RSA_1024, "2048" },
	{ "PS256 with RSA-1024", ALG_PS256, RSA_1024, "2048" },
};

ROWS(misfit_rows, misfit_row)
{
	struct soft_signer *s = soft_signer_new(keys[row->key], NULL);
	struct signature sig = { .len = 0 };
	struct po_error err = { 0 };

	assert_int_equal(signer_sign(&s->signer, row->alg, message,
				     strlen(message), &sig, &err),
			 PO_E_CRYPTO);
	assert_non_null(strstr(err.text, row->says));
	assert_int_equal(s->signs, 0); /* the device was not asked */
	sig.len = pubkey_signature_len(s->signer.pubkey);
	assert_int_equal(signature_verify(s->signer.pubkey, row->alg, message,
					  1, &sig, NULL),
			 PO_E_CRYPTO);
	signer_free(&s->signer);
}

TEST(wrong_pin)
{
	struct soft_signer *s = soft_signer_new(keys[P256], NULL);
	struct signature sig = { .len = 0 };

	s->lie = SOFT_STAYS_SHUT;
	assert_int_equal(
		signer_sign(&s->signer, ALG_ES256, message, 1, &sig, NULL),
		PO_E_PIN);
	assert_false(s->signer.unlocked);
	assert_int_equal(s->signs, 0);
	signer_free(&s->signer);
	signer_free(NULL);
}

/* Unlocking must leave a public key, or nothing could be verified. */
TEST(no_public_key)
{
	struct soft_signer *s = soft_signer_new(keys[P256], NULL);

	pubkey_free(s->signer.pubkey);
	s->signer.pubkey = NULL;
	assert_int_equal(signer_unlock(&s->signer, NULL), PO_E_INTERNAL);
	assert_false(s->signer.unlocked);
	signer_free(&s->signer);
}

/* The certificate is what the server knows: its key is the one that counts. */
TEST(certificate_of_another_key)
{
	struct soft_signer *s = soft_signer_new(
		keys[RSA_2048], data_certificate("sandbox/cert.pem"));
	struct signature sig = { .len = 0 };
	struct po_error err = { 0 };

	assert_int_equal(
		signer_sign(&s->signer, ALG_RS384, message, 1, &sig, &err),
		PO_E_CRYPTO);
	assert_non_null(strstr(err.text, "certificate"));
	assert_int_equal(s->signs, 0);
	signer_free(&s->signer);
}

TEST(certificate_of_this_key)
{
	po_auto_t(EVP_PKEY) *key = data_private_key("sandbox/key.pem");
	struct soft_signer *s =
		soft_signer_new(key, data_certificate("sandbox/cert.pem"));
	struct signature sig = { .len = 0 };
	struct po_error err = { 0 };

	assert_int_equal(
		signer_sign(&s->signer, ALG_RS384, message, 1, &sig, NULL),
		PO_OK);
	s->lie = SOFT_FLIPPED;
	assert_int_equal(
		signer_sign(&s->signer, ALG_RS384, message, 1, &sig, &err),
		PO_E_CRYPTO);
	assert_non_null(strstr(err.text,
			       "does not verify with the public key of the "
			       "certificate"));
	signer_free(&s->signer);
}

/* A salt of another length than the hash is not RFC 7518's PSS. */
TEST(pss_salt_is_as_long_as_the_hash)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	po_auto(pubkey) *pub = public_half(keys[RSA_2048]);
	EVP_PKEY_CTX *ctx = NULL;
	struct signature sig = { .len = SIGNATURE_MAX };

	assert_true(EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL,
				       keys[RSA_2048]) > 0);
	assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) >
		    0);
	assert_true(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 20) > 0);
	assert_true(EVP_DigestSign(md, sig.bytes, &sig.len,
				   (const uint8_t *)message,
				   strlen(message)) > 0);
	assert_int_equal(signature_verify(pub, ALG_PS256, message,
					  strlen(message), &sig, NULL),
			 PO_E_CRYPTO);
	EVP_MD_CTX_free(md);
}

/* Zeros would verify anything in a verifier that forgets to look. */
TEST(zero_signatures)
{
	struct signature sig = { .len = 64 };
	po_auto(pubkey) *ec = public_half(keys[P256]);
	po_auto(pubkey) *rsa = public_half(keys[RSA_2048]);

	assert_int_equal(
		signature_verify(ec, ALG_ES256, message, 1, &sig, NULL),
		PO_E_CRYPTO);
	sig.bytes[31] = sig.bytes[63] = 1;
	assert_int_equal(
		signature_verify(ec, ALG_ES256, message, 1, &sig, NULL),
		PO_E_CRYPTO);
	sig = (struct signature){ .len = 256 };
	assert_int_equal(
		signature_verify(rsa, ALG_RS256, message, 1, &sig, NULL),
		PO_E_CRYPTO);
	sig.len = 0;
	assert_int_equal(
		signature_verify(rsa, ALG_PS256, message, 1, &sig, NULL),
		PO_E_CRYPTO);
}

/* R or S with leading zeros, RSA too: always the full width. */
TEST(many_keep_their_width)
{
	struct soft_signer *s = soft_signer_new(keys[P256], NULL);
	unsigned int with_zero = 0;
	struct signature sig = { .len = 0 };

	for (int i = 0; i < 1500; i++) {
		assert_int_equal(signer_sign(&s->signer, ALG_ES256, &i,
					     sizeof(i), &sig, NULL),
				 PO_OK);
		assert_int_equal(sig.len, 64);
		with_zero += sig.bytes[0] == 0 || sig.bytes[32] == 0;
	}
	assert_true(with_zero > 0);
	signer_free(&s->signer);
}

BEFORE_ALL
{
	keys[RSA_2048] = EVP_RSA_gen(2048);
	keys[RSA_1024] = EVP_RSA_gen(1024);
	keys[P256] = EVP_EC_gen("P-256");
	keys[P384] = EVP_EC_gen("P-384");
	keys[P521] = EVP_EC_gen("P-521");
}

AFTER_ALL
{
	for (size_t i = 0; i < N_KEYS; i++)
		EVP_PKEY_free(keys[i]);
}
