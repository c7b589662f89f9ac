/* SPDX-License-Identifier: Apache-2.0 */
/* JWKs: published keys and thumbprints, damaged ones, and sets. */
#include "key/jwk.h"

#include "test-data.h"
#include "unit.h"

#include <openssl/ec.h>
#include <string.h>

struct vector_row {
	const char *name;
	const char *file;
	const char *thumbprint; /* RFC 7638, SHA-256 */
	const char *members;    /* of the public JWK, in order */
};

static const struct vector_row vector_rows[] = {
	{ "RFC 7638 3.1", "rfc7638_3.1",
	  "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs", "e kty n" },
	{ "RFC 9449", "rfc9449", "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I",
	  "crv kty x y" },
	{ "RFC 7520 RSA", "rfc7520_4.1",
	  "9jg46WB3rR_AHD-EBXdN7cBkH1WOu0tA3M9fm21mqTI", "e kty n" },
	/* its x and y begin with zeros */
	{ "RFC 7520 P-521", "rfc7520_4.3",
	  "dHri3SADZkrush5HU_50AoRhcKFryN-PI6jPBtPL55M", "crv kty x y" },
	{ "SMART RS384", "smart_RS384",
	  "I99tVmIhN2uhvx12lO4Zrjk9OhGDH6LvIyYALIZivws", "e kty n" },
	{ "SMART ES384", "smart_ES384",
	  "gpusNZnFRvG96B1APEttC6NcJetjhM0q2LJagnlW6Tc", "crv kty x y" },
};

static json_t *load(const char *name)
{
	po_auto_buf path = { 0 };

	buf_init(&path, 100);
	assert_true(buf_addf(&path, "vectors/%s.json", name));
	return data_json(buf_text(&path));
}

/* The published numbers come back; nothing private does. */
ROWS(vector_rows, vector_row)
{
	json_auto_t *vector = load(row->file);
	json_auto_t *again = NULL;
	const json_t *jwk = vector_jwk(vector);
	po_auto(pubkey) *key = NULL;
	char thumbprint[JWK_THUMBPRINT_LEN + 1];
	const json_t *value;
	const char *name;
	po_auto_buf members = { 0 };

	assert_int_equal(jwk_to_pubkey(jwk, &key, NULL), PO_OK);
	assert_int_equal(jwk_from_pubkey(key, &again, NULL), PO_OK);
	assert_false(jwk_has_private_member(again));
	buf_init(&members, 100);
	json_object_foreach (again, name, value) {
		assert_true(buf_addf(&members, "%s%s", members.len ? " " : "",
				     name));
		assert_true(json_equal(value, json_object_get(jwk, name)));
	}
	assert_string_equal(buf_text(&members), row->members);
	assert_int_equal(jwk_thumbprint(key, thumbprint, NULL), PO_OK);
	assert_string_equal(thumbprint, row->thumbprint);
}

/* RFC 7517 B: the bare key is the one in its certificate. */
TEST(x5c_has_the_bare_key)
{
	json_auto_t *vector = data_json("vectors/rfc7517_B.json");
	const json_t *jwk = vector_jwk(vector);
	po_auto(pubkey) *key = NULL;
	struct certificate_list list;
	po_auto_buf pem = { 0 };

	buf_init(&pem, 10000);
	assert_int_equal(jwk_to_pubkey(jwk, &key, NULL), PO_OK);
	assert_true(buf_addf(
		&pem,
		"-----BEGIN CERTIFICATE-----\n%s\n-----END CERTIFICATE-----\n",
		json_string_value(
			json_array_get(json_object_get(jwk, "x5c"), 0))));
	assert_int_equal(certificate_list_parse(pem.data, pem.len, &list, NULL),
			 PO_OK);
	assert_int_equal(certificate_list_find(&list, key), 0);
	certificate_list_clear(&list);
}

struct bad_row {
	const char *name;
	const char *file;   /* a vector to damage */
	const char *member; /* that is replaced */
	const char *value;  /* NULL: removed; "+": a letter more */
};

static const struct bad_row bad_rows[] = {
	{ "bad: no kty", "rfc7638_3.1", "kty", NULL },
	{ "bad: symmetric", "rfc7638_3.1", "kty", "oct" },
	{ "bad: OKP", "rfc7638_3.1", "kty", "OKP" },
	{ "bad: kty in another case", "rfc7638_3.1", "kty", "rsa" },
	{ "bad: RSA without n", "rfc7638_3.1", "n", NULL },
	{ "bad: RSA without e", "rfc7638_3.1", "e", NULL },
	{ "bad: RSA with empty n", "rfc7638_3.1", "n", "" },
	{ "bad: RSA with even e", "rfc7638_3.1", "e", "AQAA" },
	{ "bad: RSA with e = 1", "rfc7638_3.1", "e", "AQ" },
	{ "bad: RSA with padding in e", "rfc7638_3.1", "e", "AQAB====" },
	{ "bad: EC without crv", "rfc9449", "crv", NULL },
	{ "bad: EC without x", "rfc9449", "x", NULL },
	{ "bad: EC without y", "rfc9449", "y", NULL },
	{ "bad: EC on another curve", "rfc9449", "crv", "P-384" },
	{ "bad: EC on an unknown curve", "rfc9449", "crv", "secp256k1" },
	{ "bad: EC, x too short", "rfc9449", "x", "AAAA" },
	{ "bad: EC, not on the curve", "rfc9449", "x",
	  "9VE4jf_Ok_o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA" },
	{ "bad: EC, standard base64", "rfc9449", "y",
	  "9VE4jf/Ok/o64zbTTlcuNJajHmt6v9TDVrU0CdvGRDA=" },
};

ROWS(bad_rows, bad_row)
{
	json_auto_t *vector = load(row->file);
	json_t *jwk = json_object_get(vector, "jwk");
	po_auto(pubkey) *key = NULL;
	struct po_error err = { 0 };

	if (row->value)
		assert_int_equal(json_object_set_new(jwk, row->member,
						     json_string(row->value)),
				 0);
	else
		assert_int_equal(json_object_del(jwk, row->member), 0);
	assert_int_equal(jwk_to_pubkey(jwk, &key, &err), PO_E_CRYPTO);
	assert_null(key);
	assert_true(err.text[0] != '\0');
}

struct private_row {
	const char *name;
	const char *text;
	bool private;
};

static const struct private_row private_rows[] = {
	{ "private: none", "{\"kty\":\"RSA\",\"n\":\"x\",\"e\":\"x\"}", false },
	{ "private: d", "{\"d\":\"x\"}", true },
	{ "private: p", "{\"p\":\"x\"}", true },
	{ "private: q", "{\"q\":\"x\"}", true },
	{ "private: dp", "{\"dp\":\"x\"}", true },
	{ "private: dq", "{\"dq\":\"x\"}", true },
	{ "private: qi", "{\"qi\":\"x\"}", true },
	{ "private: oth", "{\"oth\":[]}", true },
	{ "private: k", "{\"k\":\"x\"}", true },
	{ "private: in the second of a set",
	  "{\"keys\":[{\"n\":\"x\"},{\"d\":\"x\"}]}", true },
	{ "private: deep", "{\"a\":{\"b\":[[{\"c\":{\"k\":null}}]]}}", true },
	{ "private: only a value", "{\"keys\":[{\"use\":\"d\"}]}", false },
};

ROWS(private_rows, private_row)
{
	json_auto_t *value = NULL;

	assert_int_equal(
		json_parse_object(row->text, strlen(row->text), &value, NULL),
		PO_OK);
	assert_int_equal(jwk_has_private_member(value), row->private);
}

/* {"keys":[…]} of the two SMART keys with kid "rsa" and "ec". */
static json_t *make_set(const char *kid1, const char *kid2)
{
	json_t *set = json_object(), *keys = json_array();
	const char *names[] = { "smart_RS384", "smart_ES384" };
	const char *kids[] = { kid1, kid2 };

	for (size_t i = 0; i < 2; i++) {
		json_auto_t *vector = load(names[i]);
		json_t *jwk =
			json_copy((json_t *)(uintptr_t)vector_jwk(vector));

		(void)json_object_del(jwk, "kid");
		if (kids[i])
			(void)json_object_set_new(jwk, "kid",
						  json_string(kids[i]));
		assert_int_equal(json_array_append_new(keys, jwk), 0);
	}
	assert_int_equal(json_object_set_new(set, "keys", keys), 0);
	return set;
}

struct set_row {
	const char *name;
	const char *kid1, *kid2; /* of the RSA and of the EC key */
	size_t keep;             /* keys left in the set */
	const char *wanted;
	enum po_status status;
	enum pubkey_type type;
};

static const struct set_row set_rows[] = {
	{ "set: the first", "a", "b", 2, "a", PO_OK, PUBKEY_RSA },
	{ "set: the second", "a", "b", 2, "b", PO_OK, PUBKEY_P384 },
	{ "set: none of two", "a", "b", 2, "c", PO_E_NOT_FOUND, 0 },
	{ "set: kid in another case", "a", "b", 2, "A", PO_E_NOT_FOUND, 0 },
	{ "set: two, and no kid wanted", "a", "b", 2, NULL, PO_E_NOT_FOUND, 0 },
	{ "set: two with the same kid", "a", "a", 2, "a", PO_E_CRYPTO, 0 },
	{ "set: two without kid", NULL, NULL, 2, "a", PO_E_NOT_FOUND, 0 },
	{ "set: only one, other kid", "a", "b", 1, "c", PO_OK, PUBKEY_RSA },
	{ "set: only one, no kid wanted", "a", "b", 1, NULL, PO_OK,
	  PUBKEY_RSA },
	{ "set: empty", "a", "b", 0, "a", PO_E_NOT_FOUND, 0 },
};

ROWS(set_rows, set_row)
{
	json_auto_t *set = make_set(row->kid1, row->kid2);
	json_t *keys = json_object_get(set, "keys");
	po_auto(pubkey) *key = NULL;

	while (json_array_size(keys) > row->keep)
		assert_int_equal(json_array_remove(keys, row->keep), 0);
	assert_int_equal(jwk_set_find(set, row->wanted, &key, NULL),
			 row->status);
	assert_int_equal(key != NULL, row->status == PO_OK);
	if (key)
		assert_int_equal(pubkey_type(key), row->type);
}

TEST(set_at_max_and_one_more)
{
	json_auto_t *set = make_set("a", "b");
	json_t *keys = json_object_get(set, "keys");
	po_auto(pubkey) *key = NULL;
	po_auto(pubkey) *none = NULL;

	while (json_array_size(keys) < JWK_SET_KEYS_MAX)
		assert_int_equal(json_array_append_new(keys, json_object()), 0);
	assert_int_equal(jwk_set_find(set, "b", &key, NULL), PO_OK);
	assert_int_equal(json_array_append_new(keys, json_object()), 0);
	assert_int_equal(jwk_set_find(set, "b", &none, NULL), PO_E_CRYPTO);
}

TEST(set_of_odd_shape)
{
	static const char *const texts[] = {
		"{\"keys\":null}",
		"{\"keys\":{}}",
		"{\"keys\":\"x\"}",
		"{\"keys\":[1]}",
		"{\"keys\":[null]}",
		"{\"keys\":[[]]}",
		"{}",
		"{\"keys\":[{\"kty\":1}]}",
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(texts); i++) {
		json_auto_t *set = NULL;
		po_auto(pubkey) *key = NULL;

		assert_int_equal(json_parse_object(texts[i], strlen(texts[i]),
						   &set, NULL),
				 PO_OK);
		assert_int_equal(jwk_set_find(set, "a", &key, NULL),
				 PO_E_CRYPTO);
		assert_null(key);
	}
}

TEST(a_single_jwk_is_a_set)
{
	json_auto_t *vector = load("rfc9449");
	po_auto(pubkey) *key = NULL;

	assert_int_equal(jwk_set_find(vector_jwk(vector), "any", &key, NULL),
			 PO_OK);
	assert_int_equal(pubkey_type(key), PUBKEY_P256);
}

/*
 * A coordinate that begins with zeros keeps them: 1 of 256 keys has one, so
 * among so many there are some.
 */
/* One in 256 begins with a zero byte, which stays. */
static void keeps_its_width(const char *coordinate)
{
	bool is_short = false;

	for (int tries = 0; tries < 100000 && !is_short; tries++) {
		po_auto_t(EVP_PKEY) *evp = EVP_EC_gen("P-256");
		po_auto(pubkey) *key = public_half(evp);
		po_auto(pubkey) *again = NULL;
		json_auto_t *jwk = NULL;

		assert_int_equal(jwk_from_pubkey(key, &jwk, NULL), PO_OK);
		assert_int_equal(strlen(json_text(jwk, "x")), 43);
		assert_int_equal(strlen(json_text(jwk, "y")), 43);
		/* 6 bits of the first character, 2 of the second */
		is_short = strncmp(json_text(jwk, coordinate), "A", 1) == 0 &&
			   strchr("ABCDEFGHIJKLMNOP",
				  json_text(jwk, coordinate)[1]);
		assert_int_equal(jwk_to_pubkey(jwk, &again, NULL), PO_OK);
		assert_true(pubkey_equal(key, again));
	}
	assert_true(is_short);
}

TEST(a_short_x_keeps_its_width)
{
	keeps_its_width("x");
}

TEST(a_short_y_keeps_its_width)
{
	keeps_its_width("y");
}
