/* SPDX-License-Identifier: Apache-2.0 */
#include "test-data.h"

#include "base/base64url.h"
#include "base/fs.h"
#include "key/jwk.h"
#include "unit.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

PO_DEFINE_AUTO_T(BIGNUM, BN_free);
PO_DEFINE_AUTO_T(BIO, BIO_free_all);
PO_DEFINE_AUTO_T(OSSL_PARAM, OSSL_PARAM_free);
PO_DEFINE_AUTO_T(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free);
PO_DEFINE_AUTO_T(EVP_PKEY_CTX, EVP_PKEY_CTX_free);

void data_read(const char *name, struct buf *out)
{
	const char *top = getenv("top_srcdir");
	struct po_error err = { 0 };
	po_auto_buf path = { 0 };

	buf_init(&path, 4096);
	assert_true(buf_addf(&path, "%s/tests/data/%s", top ? top : ".", name));
	if (fs_read(buf_text(&path), out, &err) != PO_OK)
		fail_msg("%s (is top_srcdir set?)", err.text);
}

json_t *data_json(const char *name)
{
	struct po_error err = { 0 };
	json_t *value = NULL;
	po_auto_buf text = { 0 };

	buf_init(&text, JSON_TEXT_MAX);
	data_read(name, &text);
	if (json_parse_object(text.data, text.len, &value, &err) != PO_OK)
		fail_msg("%s: %s", name, err.text);
	return value;
}

struct certificate *data_certificate(const char *name)
{
	struct certificate_list list;
	struct po_error err = { 0 };
	struct certificate *cert;
	po_auto_buf text = { 0 };

	buf_init(&text, CERTIFICATE_PEM_MAX);
	data_read(name, &text);
	if (certificate_list_parse(text.data, text.len, &list, &err) != PO_OK)
		fail_msg("%s: %s", name, err.text);
	cert = po_steal(list.items[0]);
	certificate_list_clear(&list);
	return cert;
}

EVP_PKEY *data_private_key(const char *name)
{
	po_auto_t(BIO) *bio = NULL;
	EVP_PKEY *key;
	po_auto_buf text = { 0 };

	buf_init(&text, CERTIFICATE_PEM_MAX);
	data_read(name, &text);
	bio = BIO_new_mem_buf(text.data, (int)text.len);
	key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
	assert_non_null(key);
	return key;
}

const json_t *vector_jwk(const json_t *vector)
{
	const json_t *jwk = json_object_get(vector, "jwk");
	const json_t *set = json_object_get(vector, "jwks_private");
	const json_t *keys = json_object_get(set, "keys");

	for (size_t i = 0; !jwk && i < json_array_size(keys); i++)
		if (json_object_get(json_array_get(keys, i), "d"))
			jwk = json_array_get(keys, i);
	assert_non_null(jwk);
	return jwk;
}

static BIGNUM *number(const json_t *jwk, const char *name)
{
	const char *text = json_text(jwk, name);
	uint8_t bytes[PUBKEY_RSA_BITS_MAX / 8];
	size_t len = 0;

	assert_non_null(text);
	assert_true(base64url_decode(bytes, sizeof(bytes), text, strlen(text),
				     &len));
	return BN_bin2bn(bytes, (int)len, NULL);
}

EVP_PKEY *private_key_of_jwk(const json_t *jwk)
{
	po_auto_t(OSSL_PARAM_BLD) *builder = OSSL_PARAM_BLD_new();
	bool rsa = strcmp(json_text(jwk, "kty"), "RSA") == 0;
	po_auto_t(EVP_PKEY_CTX) *ctx =
		EVP_PKEY_CTX_new_from_name(NULL, rsa ? "RSA" : "EC", NULL);
	po_auto_t(OSSL_PARAM) *params = NULL;
	po_auto_t(BIGNUM) *d = number(jwk, "d");
	po_auto_t(BIGNUM) *a = number(jwk, rsa ? "n" : "x");
	po_auto_t(BIGNUM) *b = number(jwk, rsa ? "e" : "y");
	uint8_t point[1 + 2 * PUBKEY_FIELD_MAX] = { 0x04 };
	EVP_PKEY *key = NULL;

	if (rsa) {
		assert_true(OSSL_PARAM_BLD_push_BN(builder, "n", a));
		assert_true(OSSL_PARAM_BLD_push_BN(builder, "e", b));
		assert_true(OSSL_PARAM_BLD_push_BN(builder, "d", d));
	} else {
		po_auto(pubkey) *pub = NULL;
		int field;

		assert_int_equal(jwk_to_pubkey(jwk, &pub, NULL), PO_OK);
		field = (int)pubkey_signature_len(pub) / 2;
		assert_true(BN_bn2binpad(a, point + 1, field) > 0);
		assert_true(BN_bn2binpad(b, point + 1 + field, field) > 0);
		assert_true(OSSL_PARAM_BLD_push_utf8_string(
			builder, OSSL_PKEY_PARAM_GROUP_NAME,
			json_text(jwk, "crv"), 0));
		assert_true(OSSL_PARAM_BLD_push_octet_string(
			builder, OSSL_PKEY_PARAM_PUB_KEY, point,
			1 + 2 * (size_t)field));
		assert_true(OSSL_PARAM_BLD_push_BN(
			builder, OSSL_PKEY_PARAM_PRIV_KEY, d));
	}
	params = OSSL_PARAM_BLD_to_param(builder);
	assert_true(EVP_PKEY_fromdata_init(ctx) > 0);
	assert_true(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) > 0);
	return key;
}

struct pubkey *public_half(EVP_PKEY *key)
{
	struct pubkey *pub = NULL;
	uint8_t *der = NULL;
	int len = i2d_PUBKEY(key, &der);

	assert_true(len > 0);
	assert_int_equal(pubkey_from_spki(der, (size_t)len, &pub, NULL), PO_OK);
	OPENSSL_free(der);
	return pub;
}
