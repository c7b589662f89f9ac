/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys as a token, a certificate or a JWK Set may bring them. */
#include "key/pubkey.h"

#include "key/jwk.h"
#include "test-data.h"
#include "unit.h"

#include <openssl/ec.h>
#include <openssl/x509.h>
#include <string.h>

static const uint8_t oid_p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48,
				    0xce, 0x3d, 0x03, 0x01, 0x07 };
static const uint8_t oid_p384[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22 };
static const uint8_t oid_p521[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23 };
static const uint8_t oid_k256[] = { 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x0a };
static const uint8_t e_f4[] = { 1, 0, 1 };

struct ec_row {
	const char *name;
	const char *curve;
	const uint8_t *oid;
	size_t oid_len;
	enum pubkey_type type;
	unsigned int bits;
	size_t signature_len;
	uint8_t head[3]; /* DER in front of the point */
	size_t head_len;
};

static const struct ec_row ec_rows[] = {
	{ "P-256",
	  "P-256",
	  oid_p256,
	  sizeof(oid_p256),
	  PUBKEY_P256,
	  256,
	  64,
	  { 0x04, 0x41 },
	  2 },
	{ "P-384",
	  "P-384",
	  oid_p384,
	  sizeof(oid_p384),
	  PUBKEY_P384,
	  384,
	  96,
	  { 0x04, 0x61 },
	  2 },
	{ "P-521",
	  "P-521",
	  oid_p521,
	  sizeof(oid_p521),
	  PUBKEY_P521,
	  521,
	  132,
	  { 0x04, 0x81, 0x85 },
	  3 },
};

/* The same point raw and as a DER OCTET STRING is the same key. */
ROWS(ec_rows, ec_row)
{
	po_auto_t(EVP_PKEY) *evp = EVP_EC_gen(row->curve);
	po_auto(pubkey) *want = public_half(evp);
	po_auto(pubkey) *raw = NULL;
	po_auto(pubkey) *wrapped = NULL;
	uint8_t der[3 + 133 + 1];
	size_t len = 0;
	char text[16];

	assert_true(EVP_PKEY_get_octet_string_param(
		evp, "pub", der + row->head_len, 133, &len));
	memcpy(der, row->head, row->head_len);
	assert_int_equal(pubkey_from_ec(row->oid, row->oid_len,
					der + row->head_len, len, &raw, NULL),
			 PO_OK);
	assert_int_equal(pubkey_from_ec(row->oid, row->oid_len, der,
					len + row->head_len, &wrapped, NULL),
			 PO_OK);
	assert_true(pubkey_equal(want, raw));
	assert_true(pubkey_equal(want, wrapped));
	assert_int_equal(pubkey_type(raw), row->type);
	assert_int_equal(pubkey_bits(raw), row->bits);
	assert_int_equal(pubkey_signature_len(raw), row->signature_len);
	pubkey_describe(raw, text);
	assert_string_equal(text, row->name);
}

enum damage {
	CUT,
	TRAILING,
	OFF_CURVE,
	COMPRESSED,
	HYBRID,
	INFINITY_POINT,
	INFINITY_WRAPPED,
	NOTHING,
	WRONG_LENGTH,
	OTHER_CURVE,
	UNKNOWN_CURVE,
	NO_OID,
	CUT_OID,
};

struct damage_row {
	const char *name;
	enum damage damage;
};

static const struct damage_row damage_rows[] = {
	{ "point: cut", CUT },
	{ "point: a byte behind it", TRAILING },
	{ "point: not on the curve", OFF_CURVE },
	{ "point: compressed", COMPRESSED },
	{ "point: hybrid", HYBRID },
	{ "point: at infinity", INFINITY_POINT },
	{ "point: at infinity, wrapped", INFINITY_WRAPPED },
	{ "point: empty", NOTHING },
	{ "point: wrong length inside", WRONG_LENGTH },
	{ "params: of another curve", OTHER_CURVE },
	{ "params: secp256k1", UNKNOWN_CURVE },
	{ "params: no OID", NO_OID },
	{ "params: cut", CUT_OID },
};

ROWS(damage_rows, damage_row)
{
	po_auto_t(EVP_PKEY) *evp = EVP_EC_gen("P-256");
	po_auto(pubkey) *key = NULL;
	struct po_error err = { 0 };
	const uint8_t *oid = oid_p256;
	uint8_t der[2 + 65 + 1] = { 0x04, 0x41 };
	uint8_t *point = der + 2;
	size_t len = 0, oid_len = sizeof(oid_p256);

	assert_true(
		EVP_PKEY_get_octet_string_param(evp, "pub", point, 65, &len));
	switch (row->damage) {
	case CUT: len--; break;
	case TRAILING: len++; break;
	case OFF_CURVE: point[64] ^= 1; break;
	case COMPRESSED:
		point[0] = (uint8_t)(2 | (point[64] & 1));
		len = 33;
		break;
	case HYBRID: point[0] = (uint8_t)(6 | (point[64] & 1)); break;
	case INFINITY_POINT:
		point[0] = 0;
		len = 1;
		break;
	case INFINITY_WRAPPED:
		der[1] = 1;
		der[2] = 0;
		point = der;
		len = 3;
		break;
	case NOTHING: len = 0; break;
	case WRONG_LENGTH:
		der[1] = 0x40;
		point = der;
		len = 67;
		break;
	case OTHER_CURVE:
		oid = oid_p384;
		oid_len = sizeof(oid_p384);
		break;
	case UNKNOWN_CURVE:
		oid = oid_k256;
		oid_len = sizeof(oid_k256);
		break;
	case NO_OID: oid = point; break;
	case CUT_OID: oid_len--; break;
	}
	assert_int_equal(pubkey_from_ec(oid, oid_len, point, len, &key, &err),
			 PO_E_CRYPTO);
	assert_null(key);
	assert_true(err.text[0] != '\0');
}

static void fill_modulus(uint8_t *n, size_t len, uint8_t first)
{
	memset(n, 0xd3, len);
	n[0] = first;
}

/* A CKA_MODULUS with a leading zero is the same key, with the same `n`. */
TEST(rsa_leading_zero)
{
	static const uint8_t e[] = { 0, 0, 1, 0, 1 };
	po_auto(pubkey) *plain = NULL;
	po_auto(pubkey) *padded = NULL;
	json_auto_t *jwk = NULL;
	uint8_t n[257];

	fill_modulus(n + 1, 256, 0xc0);
	n[0] = 0;
	assert_int_equal(pubkey_from_rsa(n + 1, 256, e_f4, 3, &plain, NULL),
			 PO_OK);
	assert_int_equal(pubkey_from_rsa(n, 257, e, 5, &padded, NULL), PO_OK);
	assert_true(pubkey_equal(plain, padded));
	assert_int_equal(pubkey_bits(padded), 2048);
	assert_int_equal(pubkey_signature_len(padded), 256);
	assert_int_equal(jwk_from_pubkey(padded, &jwk, NULL), PO_OK);
	assert_int_equal(strlen(json_text(jwk, "n")), 342);
	assert_string_equal(json_text(jwk, "e"), "AQAB");
}

TEST(rsa_odd_sizes)
{
	po_auto(pubkey) *key = NULL;
	uint8_t n[257];
	char text[16];

	fill_modulus(n, 257, 0x01);
	assert_int_equal(pubkey_from_rsa(n, 257, e_f4, 3, &key, NULL), PO_OK);
	assert_int_equal(pubkey_bits(key), 2049);
	assert_int_equal(pubkey_signature_len(key), 257);
	pubkey_describe(key, text);
	assert_string_equal(text, "RSA-2049");
}

/* A key that is too weak to sign with can still be looked at. */
TEST(rsa_weak_can_be_shown)
{
	po_auto(pubkey) *key = NULL;
	uint8_t n[128];
	char text[16];

	fill_modulus(n, 128, 0xc0);
	assert_int_equal(pubkey_from_rsa(n, 128, e_f4, 3, &key, NULL), PO_OK);
	pubkey_describe(key, text);
	assert_string_equal(text, "RSA-1024");
}

TEST(rsa_at_max_and_one_more)
{
	po_auto(pubkey) *key = NULL;
	po_auto(pubkey) *none = NULL;
	json_auto_t *jwk = NULL;
	uint8_t n[PUBKEY_RSA_BITS_MAX / 8 + 2] = { 0 };
	size_t max = PUBKEY_RSA_BITS_MAX / 8;
	char text[16], thumbprint[JWK_THUMBPRINT_LEN + 1];

	fill_modulus(n + 1, max, 0x80);
	assert_int_equal(pubkey_from_rsa(n, max + 1, e_f4, 3, &key, NULL),
			 PO_OK);
	pubkey_describe(key, text);
	assert_string_equal(text, "RSA-16384");
	assert_int_equal(jwk_from_pubkey(key, &jwk, NULL), PO_OK);
	assert_int_equal(jwk_thumbprint(key, thumbprint, NULL), PO_OK);
	n[0] = 1;
	assert_int_equal(pubkey_from_rsa(n, max + 1, e_f4, 3, &none, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(pubkey_from_rsa(n, max + 2, e_f4, 3, &none, NULL),
			 PO_E_CRYPTO);
	assert_null(none);
}

TEST(rsa_nonsense)
{
	static const uint8_t one[] = { 1 }, even[] = { 2 }, zero[] = { 0 };
	po_auto(pubkey) *key = NULL;
	uint8_t n[256], big[65] = { 1 };

	big[64] = 1;
	fill_modulus(n, 256, 0xc0);
	assert_int_equal(pubkey_from_rsa(n, 256, one, 1, &key, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(pubkey_from_rsa(n, 256, even, 1, &key, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(pubkey_from_rsa(n, 256, zero, 1, &key, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(pubkey_from_rsa(n, 256, n, 0, &key, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(pubkey_from_rsa(n, 256, big, 65, &key, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(pubkey_from_rsa(n, 0, e_f4, 3, &key, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(pubkey_from_rsa(n, 63, e_f4, 3, &key, NULL),
			 PO_E_CRYPTO);
	n[255] = 0x10;
	assert_int_equal(pubkey_from_rsa(n, 256, e_f4, 3, &key, NULL),
			 PO_E_CRYPTO);
	assert_null(key);
}

TEST(spki)
{
	po_auto(pubkey) *key = NULL;
	po_auto(pubkey) *none = NULL;
	po_auto_t(EVP_PKEY) *evp = EVP_EC_gen("P-384");
	uint8_t *der = NULL, want[32], hash[PUBKEY_SHA256_LEN];
	size_t len = (size_t)i2d_PUBKEY(evp, &der);
	uint8_t more[256];

	memcpy(more, der, len);
	more[len] = 0;
	assert_int_equal(pubkey_from_spki(der, len, &key, NULL), PO_OK);
	assert_int_equal(EVP_PKEY_eq(pubkey_evp(key), evp), 1);
	assert_true(EVP_Digest(der, len, want, NULL, EVP_sha256(), NULL));
	assert_int_equal(pubkey_spki_sha256(key, hash, NULL), PO_OK);
	assert_memory_equal(hash, want, sizeof(want));
	assert_int_equal(pubkey_from_spki(der, len - 1, &none, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(pubkey_from_spki(more, len + 1, &none, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(pubkey_from_spki(der, 0, &none, NULL), PO_E_CRYPTO);
	assert_null(none);
	OPENSSL_free(der);
}

TEST(other_kinds_are_refused)
{
	po_auto_t(EVP_PKEY) *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	po_auto_t(EVP_PKEY) *k256 = EVP_EC_gen("secp256k1");
	po_auto(pubkey) *key = NULL;
	struct po_error err = { 0 };

	assert_int_equal(pubkey_from_evp(ed, &key, &err), PO_E_CRYPTO);
	assert_non_null(strstr(err.text, "ED25519"));
	po_error_clear(&err);
	assert_int_equal(pubkey_from_evp(k256, &key, &err), PO_E_CRYPTO);
	assert_non_null(strstr(err.text, "secp256k1"));
	assert_non_null(strstr(err.text, "P-256, P-384, P-521"));
	assert_null(key);
}

TEST(references)
{
	po_auto_t(EVP_PKEY) *evp = EVP_EC_gen("P-256");
	po_auto_t(EVP_PKEY) *other = EVP_EC_gen("P-256");
	struct pubkey *a = public_half(evp);
	struct pubkey *b = pubkey_ref(a);
	po_auto(pubkey) *c = public_half(other);

	assert_ptr_equal(a, b);
	pubkey_free(a);
	assert_true(pubkey_equal(b, b)); /* still there */
	assert_false(pubkey_equal(b, c));
	pubkey_free(b);
	pubkey_free(NULL);
}
