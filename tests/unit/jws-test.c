/* SPDX-License-Identifier: Apache-2.0 */
/* Compact JWS: published ones verify, deterministic ones come out again. */
#include "jose/jws.h"

#include "base/base64url.h"
#include "base/text.h"
#include "freed.h"
#include "soft-signer.h"
#include "test-data.h"
#include "unit.h"

#include <openssl/ec.h>
#include <stdlib.h>
#include <string.h>

BEFORE_ALL
{
	freed_hook_openssl();
	json_use_wiping_allocator();
}

struct vector_row {
	const char *name;
	const char *file;
	enum alg alg;
	bool deterministic;
	const char *sha256; /* of the whole JWS, in hex; NULL: not published */
	size_t signature_len;
};

static const struct vector_row vector_rows[] = {
	{ "RFC 7515 A.2", "rfc7515_A.2", ALG_RS256, true, NULL, 256 },
	{ "RFC 7515 A.3", "rfc7515_A.3", ALG_ES256, false, NULL, 64 },
	{ "RFC 7515 A.4", "rfc7515_A.4", ALG_ES512, false, NULL, 132 },
	{ "RFC 7520 4.1", "rfc7520_4.1", ALG_RS256, true, NULL, 256 },
	{ "RFC 7520 4.2", "rfc7520_4.2", ALG_PS384, false, NULL, 256 },
	{ "RFC 7520 4.3", "rfc7520_4.3", ALG_ES512, false, NULL, 132 },
	{ "SMART RS384", "smart_RS384", ALG_RS384, true,
	  "5BB4C07AB1F68E457662D0EF39E9A2439FF52F7353F7A1F2CFAABC04CFF82CDB",
	  256 },
	{ "SMART ES384", "smart_ES384", ALG_ES384, false,
	  "0A43C26AFB3939803E58710A7B0E5B4D0120B31E32DC5E8F652A32F7A5C2AC1F",
	  96 },
};

static json_t *load(const char *name)
{
	po_auto_buf path = { 0 };

	buf_init(&path, 100);
	assert_true(buf_addf(&path, "vectors/%s.json", name));
	return data_json(buf_text(&path));
}

static struct jws *parse(const char *text)
{
	struct po_error err = { 0 };
	struct jws *jws = NULL;

	if (jws_parse(text, strlen(text), &jws, &err) != PO_OK)
		fail_msg("%s", err.text);
	return jws;
}

static struct pubkey *key_of(const json_t *vector)
{
	po_auto_t(EVP_PKEY) *key = private_key_of_jwk(vector_jwk(vector));

	return public_half(key);
}

ROWS(vector_rows, verify_row)
{
	json_auto_t *vector = load(row->file);
	const char *text = json_text(vector, "jws");
	const char *payload = json_text(vector, "payload");
	po_auto(pubkey) *key = key_of(vector);
	po_auto(jws) *jws = parse(text);
	struct po_error err = { 0 };
	char hex[65];
	uint8_t hash[32];

	if (jws_verify(jws, key, &err) != PO_OK)
		fail_msg("%s", err.text);
	assert_string_equal(json_text(jws->header, "alg"), alg_name(row->alg));
	assert_int_equal(jws->signature.len, row->signature_len);
	if (payload)
		assert_string_equal(secret_reveal(jws->payload), payload);
	assert_true(
		EVP_Digest(text, strlen(text), hash, NULL, EVP_sha256(), NULL));
	text_hex_upper(hex, hash, sizeof(hash));
	if (row->sha256)
		assert_string_equal(hex, row->sha256);
}

/* The published bytes signed again with the published key. */
ROWS(vector_rows, sign_row)
{
	json_auto_t *vector = load(row->file);
	const char *text = json_text(vector, "jws");
	po_auto_t(EVP_PKEY) *key = private_key_of_jwk(vector_jwk(vector));
	struct soft_signer *s = soft_signer_new(key, NULL);
	po_auto(jws) *published = parse(text);
	po_auto(jws) *again = NULL;
	po_auto(secret) *out = NULL;
	struct po_error err = { 0 };
	char header[1024] = "";
	size_t len = 0;

	assert_true(base64url_decode((uint8_t *)header, sizeof(header) - 1,
				     text, strcspn(text, "."), &len));
	if (jws_sign(&s->signer, row->alg, header,
		     secret_reveal(published->payload), &out, &err) != PO_OK)
		fail_msg("%s", err.text);
	assert_int_equal(s->signs, 1);
	again = parse(secret_reveal(out));
	assert_string_equal(again->signing_input, published->signing_input);
	assert_int_equal(again->signature.len, row->signature_len);
	assert_int_equal(jws_verify(again, s->signer.pubkey, NULL), PO_OK);
	assert_int_equal(strcmp(secret_reveal(out), text) == 0,
			 row->deterministic);
	signer_free(&s->signer);
}

/*
 * One bit more or less anywhere in header, payload or signature: it no longer
 * parses, or it does not verify.
 */
ROWS(vector_rows, flip_row)
{
	json_auto_t *vector = load(row->file);
	po_auto(pubkey) *key = key_of(vector);
	char *text = text_dup(json_text(vector, "jws"));

	for (size_t i = 0; i < strlen(text); i += 3) {
		po_auto(jws) *jws = NULL;
		char was = text[i];

		text[i] = was == 'A' ? 'B' : 'A';
		if (jws_parse(text, strlen(text), &jws, NULL) == PO_OK)
			assert_int_equal(jws_verify(jws, key, NULL),
					 PO_E_CRYPTO);
		text[i] = was;
	}
	free(text);
}

/* The right signature under the wrong key. */
ROWS(vector_rows, other_key_row)
{
	json_auto_t *vector = load(row->file);
	po_auto(jws) *jws = parse(json_text(vector, "jws"));

	for (size_t i = 0; i < PO_ARRAY_SIZE(vector_rows); i++) {
		json_auto_t *other = load(vector_rows[i].file);
		po_auto(pubkey) *key = key_of(other);
		bool same =
			json_equal(json_object_get(vector_jwk(vector), "n"),
				   json_object_get(vector_jwk(other), "n")) ||
			json_equal(json_object_get(vector_jwk(vector), "x"),
				   json_object_get(vector_jwk(other), "x"));

		assert_int_equal(jws_verify(jws, key, NULL),
				 same ? PO_OK : PO_E_CRYPTO);
	}
}

struct form_row {
	const char *name;
	const char *header; /* JSON; NULL: text is the whole */
	const char *text;   /* what follows the header */
	bool ok;
};

static const struct form_row form_rows[] = {
	{ "form: three parts", "{}", ".e30.AA", true },
	{ "form: empty payload and signature", "{}", "..", true },
	{ "form: newline behind", "{}", ".e30.AA\n", true },
	{ "form: CRLF and blanks behind", "{}", ".e30.AA \t\r\n", true },
	{ "form: payload need not be JSON", "{}", ".UGF5bG9hZA.AA", true },
	{ "form: empty", NULL, "", false },
	{ "form: white space", NULL, " \n", false },
	{ "form: blank in front", NULL, " e30.e30.AA", false },
	{ "form: one part", "{}", "", false },
	{ "form: two parts", "{}", ".e30", false },
	{ "form: four parts", "{}", ".e30.AA.AA", false },
	{ "form: a dot at the end", "{}", ".e30.AA.", false },
	{ "form: five parts (JWE)", "{}", ".AA.AA.AA.AA", false },
	{ "form: dots only", NULL, "..", false },
	{ "form: JSON serialization", NULL, "{\"payload\":\"\"}", false },
	{ "form: newline inside", "{}", ".e3\n0.AA", false },
	{ "form: padding in the payload", "{}", ".e30=.AA", false },
	{ "form: padding in the signature", "{}", ".e30.AA==", false },
	{ "form: loose bits in the payload", "{}", ".e31.AA", false },
	{ "form: loose bits in the signature", "{}", ".e30.AB", false },
	{ "form: standard alphabet", "{}", ".e30.+/+/", false },
	{ "form: header with padding", NULL, "e30=.e30.AA", false },
	{ "form: header is an array", "[]", ".e30.AA", false },
	{ "form: header is text", "\"x\"", ".e30.AA", false },
	{ "form: header is no JSON", "{", ".e30.AA", false },
	{ "form: header is two objects", "{}{}", ".e30.AA", false },
	{ "form: header repeats a member",
	  "{\"alg\":\"ES256\",\"alg\":\"ES256\"}", ".e30.AA", false },
	{ "form: header is not UTF-8", "{\"a\":\"\xff\"}", ".e30.AA", false },
};

ROWS(form_rows, form_row)
{
	po_auto(jws) *jws = NULL;
	struct po_error err = { 0 };
	char text[512] = "";
	enum po_status st;

	if (row->header)
		base64url_encode(text, (const uint8_t *)row->header,
				 strlen(row->header));
	memcpy(text + strlen(text), row->text, strlen(row->text) + 1);
	st = jws_parse(text, strlen(text), &jws, &err);
	assert_int_equal(st, row->ok ? PO_OK : PO_E_CRYPTO);
	assert_int_equal(jws != NULL, row->ok);
	assert_int_equal(err.text[0] != '\0', !row->ok);
}

TEST(size_at_max_and_one_more)
{
	char *text = malloc(JWS_TEXT_MAX + 1);
	po_auto(jws) *jws = NULL;
	po_auto(jws) *none = NULL;

	assert_non_null(text);
	/* e30. AAA… . and an empty signature */
	memcpy(text, "e30.", 4);
	memset(text + 4, 'A', JWS_TEXT_MAX - 4);
	text[JWS_TEXT_MAX - 1] = '.';
	assert_int_equal(jws_parse(text, JWS_TEXT_MAX, &jws, NULL), PO_OK);
	/* one more, but its form is good: 262140 letters are whole groups */
	text[JWS_TEXT_MAX - 1] = 'A';
	text[JWS_TEXT_MAX] = '.';
	assert_int_equal(jws_parse(text, JWS_TEXT_MAX + 1, &none, NULL),
			 PO_E_CRYPTO);
	assert_null(none);
	free(text);
}

/* A signature longer than any that a key here can make. */
TEST(signature_is_limited)
{
	char text[4 + BASE64URL_LEN(SIGNATURE_MAX + 1) + 2] = "e30..";
	uint8_t sig[SIGNATURE_MAX + 1] = { 0 };
	po_auto(jws) *jws = NULL;
	po_auto(jws) *none = NULL;

	base64url_encode(text + 5, sig, SIGNATURE_MAX);
	assert_int_equal(jws_parse(text, strlen(text), &jws, NULL), PO_OK);
	base64url_encode(text + 5, sig, SIGNATURE_MAX + 1);
	assert_int_equal(jws_parse(text, strlen(text), &none, NULL),
			 PO_E_CRYPTO);
}

struct header_row {
	const char *name;
	const char *header;
	const char *says; /* NULL: verifies */
};

static const struct header_row header_rows[] = {
	{ "header: ES256", "{\"alg\":\"ES256\"}", NULL },
	{ "header: unknown members",
	  "{\"alg\":\"ES256\",\"x\":{},\"typ\":\"JWT\"}", NULL },
	{ "header: no alg", "{\"typ\":\"JWT\"}", "alg" },
	{ "header: alg null", "{\"alg\":null}", "alg" },
	{ "header: alg a number", "{\"alg\":256}", "alg" },
	{ "header: alg a list", "{\"alg\":[\"ES256\"]}", "alg" },
	{ "header: none", "{\"alg\":\"none\"}", "'none'" },
	{ "header: None", "{\"alg\":\"None\"}", "'None'" },
	{ "header: HS256", "{\"alg\":\"HS256\"}", "'HS256'" },
	{ "header: EdDSA", "{\"alg\":\"EdDSA\"}", "'EdDSA'" },
	{ "header: lower case", "{\"alg\":\"es256\"}", "'es256'" },
	{ "header: escape sequence", "{\"alg\":\"\\u001b[31m\"}", "\\x1b" },
	{ "header: of RSA", "{\"alg\":\"RS256\"}", "P-256" },
	{ "header: of another curve", "{\"alg\":\"ES384\"}", "P-256" },
	{ "header: crit", "{\"alg\":\"ES256\",\"crit\":[\"b64\"]}", "crit" },
	{ "header: empty crit", "{\"alg\":\"ES256\",\"crit\":[]}", "crit" },
	{ "header: null crit", "{\"alg\":\"ES256\",\"crit\":null}", "crit" },
};

/* A good ES256 signature over each header: only the header can be at fault. */
ROWS(header_rows, header_row)
{
	po_auto_t(EVP_PKEY) *key = EVP_EC_gen("P-256");
	struct soft_signer *s = soft_signer_new(key, NULL);
	po_auto(secret) *out = NULL;
	po_auto(jws) *jws = NULL;
	struct po_error err = { 0 };

	assert_int_equal(
		jws_sign(&s->signer, ALG_ES256, row->header, "{}", &out, NULL),
		PO_OK);
	jws = parse(secret_reveal(out));
	assert_int_equal(jws_verify(jws, s->signer.pubkey, &err),
			 row->says ? PO_E_CRYPTO : PO_OK);
	if (row->says && !strstr(err.text, row->says))
		fail_msg("'%s' does not say '%s'", err.text, row->says);
	signer_free(&s->signer);
}

TEST(signing_failures)
{
	static const enum soft_lie lies[] = { SOFT_FLIPPED, SOFT_DER,
					      SOFT_SHORT, SOFT_EMPTY,
					      SOFT_OTHER_KEY };
	po_auto_t(EVP_PKEY) *key = EVP_EC_gen("P-384");
	struct soft_signer *s = soft_signer_new(key, NULL);
	struct secret *out = NULL;

	for (size_t i = 0; i < PO_ARRAY_SIZE(lies); i++) {
		s->lie = lies[i];
		assert_int_equal(
			jws_sign(&s->signer, ALG_ES384, "{}", "{}", &out, NULL),
			PO_E_CRYPTO);
	}
	assert_int_equal(s->signs, PO_ARRAY_SIZE(lies));
	assert_int_equal(
		jws_sign(&s->signer, ALG_RS384, "{}", "{}", &out, NULL),
		PO_E_CRYPTO);
	assert_int_equal(s->signs, PO_ARRAY_SIZE(lies));
	assert_null(out);
	signer_free(&s->signer);
}

TEST(signing_limits)
{
	static char big[JWS_TEXT_MAX / 4 + 2];
	po_auto_t(EVP_PKEY) *key = EVP_EC_gen("P-256");
	struct soft_signer *s = soft_signer_new(key, NULL);
	po_auto(secret) *out = NULL;
	po_auto(secret) *none = NULL;
	po_auto(jws) *jws = NULL;

	memset(big, ' ', JWS_TEXT_MAX / 4);
	memcpy(big, "{}", 2);
	assert_int_equal(jws_sign(&s->signer, ALG_ES256, big, big, &out, NULL),
			 PO_OK);
	jws = parse(secret_reveal(out));
	assert_int_equal(secret_len(jws->payload), JWS_TEXT_MAX / 4);
	big[JWS_TEXT_MAX / 4] = ' ';
	assert_int_equal(
		jws_sign(&s->signer, ALG_ES256, big, "{}", &none, NULL),
		PO_E_USAGE);
	assert_int_equal(
		jws_sign(&s->signer, ALG_ES256, "{}", big, &none, NULL),
		PO_E_USAGE);
	assert_null(none);
	assert_int_equal(s->signs, 1);
	signer_free(&s->signer);
}

#define CANARY "canary-7d1f30fa"

/* Claims, and their base64url, are gone with the JWS. */
TEST(nothing_is_left_behind)
{
	static const char payload[] = "{\"jti\":\"" CANARY "\"}";
	char encoded[BASE64URL_LEN(sizeof(payload)) + 1];
	po_auto_t(EVP_PKEY) *key = EVP_EC_gen("P-256");
	struct soft_signer *s = soft_signer_new(key, NULL);
	char text[1024];

	base64url_encode(encoded, (const uint8_t *)payload, strlen(payload));
	for (int round = 0; round < 2; round++) {
		struct secret *out = NULL;
		struct jws *jws;

		if (round == 0)
			freed_look_for(CANARY, strlen(CANARY));
		else
			freed_look_for(encoded, strlen(encoded));
		assert_int_equal(jws_sign(&s->signer, ALG_ES256,
					  "{\"alg\":\"ES256\"}", payload, &out,
					  NULL),
				 PO_OK);
		jws = parse(secret_reveal(out));
		assert_int_equal(jws_verify(jws, s->signer.pubkey, NULL),
				 PO_OK);
		jws_free(jws);
		memcpy(text, secret_reveal(out), secret_len(out) + 1);
		secret_free(out);
		text[strlen(text) - 1] = '?'; /* and when it is refused */
		jws = NULL;
		assert_int_equal(jws_parse(text, strlen(text), &jws, NULL),
				 PO_E_CRYPTO);
		assert_int_equal(freed_with_canary(), 0);
	}
	signer_free(&s->signer);
}
