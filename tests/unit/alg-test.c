/* SPDX-License-Identifier: Apache-2.0 */
/* Algorithms: their names, and which key each may use (RFC 7518 3.3-3.5). */
#include "key/alg.h"

#include "test-data.h"
#include "unit.h"

#include <openssl/ec.h>
#include <string.h>

enum which { RSA_1024, RSA_2047, RSA_2048, P256, P384, P521, N_KEYS };

static struct pubkey *keys[N_KEYS];

struct row {
	const char *name;
	enum alg alg;
	enum alg_kind kind;
	const char *hash;
	enum which fits;
};

static const struct row rows[] = {
	{ "RS256", ALG_RS256, ALG_PKCS1, "SHA256", RSA_2048 },
	{ "RS384", ALG_RS384, ALG_PKCS1, "SHA384", RSA_2048 },
	{ "RS512", ALG_RS512, ALG_PKCS1, "SHA512", RSA_2048 },
	{ "PS256", ALG_PS256, ALG_PSS, "SHA256", RSA_2048 },
	{ "PS384", ALG_PS384, ALG_PSS, "SHA384", RSA_2048 },
	{ "PS512", ALG_PS512, ALG_PSS, "SHA512", RSA_2048 },
	{ "ES256", ALG_ES256, ALG_ECDSA, "SHA256", P256 },
	{ "ES384", ALG_ES384, ALG_ECDSA, "SHA384", P384 },
	{ "ES512", ALG_ES512, ALG_ECDSA, "SHA512", P521 },
};

ROWS(rows, name_row)
{
	enum alg alg;

	assert_int_equal(alg_parse(row->name, &alg, NULL), PO_OK);
	assert_int_equal(alg, row->alg);
	assert_string_equal(alg_name(row->alg), row->name);
	assert_string_equal(alg_names[row->alg], row->name);
	assert_int_equal(alg_kind(row->alg), row->kind);
	assert_true(EVP_MD_is_a(alg_md(row->alg), row->hash));
}

ROWS(rows, key_row)
{
	for (enum which i = 0; i < N_KEYS; i++) {
		struct po_error err = { 0 };
		enum po_status st = alg_check_key(row->alg, keys[i], &err);
		char have[16];

		assert_int_equal(st, i == row->fits ? PO_OK : PO_E_CRYPTO);
		if (st == PO_OK)
			continue;
		pubkey_describe(keys[i], have);
		assert_non_null(strstr(err.text, row->name));
		assert_non_null(strstr(err.text, have));
	}
}

TEST(none_and_hmac_do_not_exist)
{
	static const char *const bad[] = { "none",  "None",  "NONE",   "HS256",
					   "HS384", "HS512", "EdDSA",  "ES256K",
					   "rs256", "",      "RS256 ", "RS1" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(bad); i++) {
		struct po_error err = { 0 };
		enum alg alg = ALG_PS512;

		assert_int_equal(alg_parse(bad[i], &alg, &err), PO_E_USAGE);
		assert_int_equal(alg, ALG_PS512);
		for (int j = 0; alg_names[j]; j++)
			assert_non_null(strstr(err.text, alg_names[j]));
	}
	assert_int_equal(PO_ARRAY_SIZE(rows), ALG_ES512 + 1);
	assert_null(alg_names[ALG_ES512 + 1]);
}

TEST(defaults)
{
	assert_int_equal(alg_default(keys[RSA_2048]), ALG_RS384);
	assert_int_equal(alg_default(keys[P256]), ALG_ES256);
	assert_int_equal(alg_default(keys[P384]), ALG_ES384);
	assert_int_equal(alg_default(keys[P521]), ALG_ES512);
}

/* What a person reads says what is there and what is needed. */
TEST(refusals_are_clear)
{
	struct po_error err = { 0 };

	assert_int_equal(alg_check_key(ALG_RS384, keys[RSA_1024], &err),
			 PO_E_CRYPTO);
	assert_non_null(strstr(err.text, "2048"));
	assert_non_null(strstr(err.text, "RSA-1024"));
	po_error_clear(&err);
	assert_int_equal(alg_check_key(ALG_PS256, keys[RSA_2047], &err),
			 PO_E_CRYPTO);
	assert_non_null(strstr(err.text, "RSA-2047"));
	po_error_clear(&err);
	assert_int_equal(alg_check_key(ALG_ES384, keys[P256], &err),
			 PO_E_CRYPTO);
	assert_non_null(strstr(err.text, "P-384"));
	assert_non_null(strstr(err.text, "P-256"));
}

/* An odd number of that many bits; nobody needs its factors here. */
static struct pubkey *rsa_of(unsigned int bits)
{
	static const uint8_t e[] = { 1, 0, 1 };
	struct pubkey *key = NULL;
	uint8_t n[256];
	size_t len = (bits + 7) / 8;

	memset(n, 0x5b, sizeof(n));
	n[0] = (uint8_t)(1U << ((bits - 1) % 8));
	assert_int_equal(pubkey_from_rsa(n, len, e, sizeof(e), &key, NULL),
			 PO_OK);
	assert_int_equal(pubkey_bits(key), bits);
	return key;
}

static struct pubkey *ec_of(const char *curve)
{
	po_auto_t(EVP_PKEY) *evp = EVP_EC_gen(curve);

	assert_non_null(evp);
	return public_half(evp);
}

BEFORE_ALL
{
	keys[RSA_1024] = rsa_of(1024);
	keys[RSA_2047] = rsa_of(2047);
	keys[RSA_2048] = rsa_of(2048);
	keys[P256] = ec_of("P-256");
	keys[P384] = ec_of("P-384");
	keys[P521] = ec_of("P-521");
}

AFTER_ALL
{
	for (size_t i = 0; i < N_KEYS; i++)
		pubkey_free(keys[i]);
}
