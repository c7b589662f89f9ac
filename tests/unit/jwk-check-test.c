/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of one key of a published JWK Set. */
#include "oauth/jwks_check.h"

#include "base/base64url.h"
#include "jwk-set.h"
#include "unit.h"

struct row {
	const char *name;
	const char *kind; /* of the set; the first key is changed */
	const char *member;
	const char *value; /* JSON; NULL: taken out */
	enum severity severity;
	const char *check;
	const char *text;
	size_t bad; /* findings that are not ok; 0: one, or none when ok */
};

/* P-384 coordinates of the wrong width, and one that is elsewhere. */
#define BYTES_47 \
	"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\""
#define BYTES_48 \
	"\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB\""
#define USELESS 2 /* itself, and that no key is left */

static const struct row rows[] = {
	{ "good RSA", "rsa", "alg", "\"RS384\"", FINDING_OK, "set",
	  "1 key, 1 for", 0 },
	{ "good EC", "ec", "alg", "\"ES384\"", FINDING_OK, "set", "1 key", 0 },
	{ "PSS", "rsa", "alg", "\"PS256\"", FINDING_OK, "set", "1 key", 0 },
	{ "no alg", "rsa", "alg", "null", FINDING_OK, "set", "1 key", 0 },
	{ "no use", "rsa", "use", NULL, FINDING_OK, "set", "1 key", 0 },
	{ "two keys", "rsa ec", "alg", "\"RS256\"", FINDING_OK, "set",
	  "2 keys, 2 for", 0 },
	{ "an unknown member", "rsa", "x-note", "[{\"a\":1}]", FINDING_OK,
	  "set", "1 key", 0 },

	{ "no kid", "rsa", "kid", NULL, FINDING_FAILED, "kid",
	  "key 1 has no kid", 0 },
	{ "empty kid", "rsa", "kid", "\"\"", FINDING_FAILED, "kid",
	  "key 1 has no kid", 0 },
	{ "kid null", "rsa", "kid", "null", FINDING_FAILED, "kid",
	  "key 1 has no kid", 0 },
	{ "kid is a number", "rsa", "kid", "7", FINDING_FAILED, "kid",
	  "its kid is no string", 0 },
	{ "kid twice", "rsa ec", "kid", "\"ec\"", FINDING_FAILED, "kid",
	  "kid 'ec' is there more than once", 0 },
	{ "kid with control characters", "rsa", "kid", "\"a\\u001b[2J\"",
	  FINDING_OK, "set", "1 key", 0 },

	{ "private: d", "rsa", "d", "\"" SET_CANARY "\"", FINDING_FAILED,
	  "private", "kid 'rsa' has a private member, 'd'", 0 },
	{ "private: deep inside", "ec", "x-more",
	  "[{\"a\":[{\"dp\":\"" SET_CANARY "\"}]}]", FINDING_FAILED, "private",
	  "'dp'", 0 },
	{ "symmetric", "rsa ec", "kty", "\"oct\"", FINDING_FAILED, "private",
	  "kid 'rsa' is a symmetric key", 0 },

	{ "kty missing", "rsa ec", "kty", NULL, FINDING_FAILED, "key",
	  "has no kty", 0 },
	{ "kty unknown", "rsa ec", "kty", "\"OKP\"", FINDING_WARNING, "key",
	  "servers need not know: OKP", 0 },
	{ "kty in another case", "rsa ec", "kty", "\"rsa\"", FINDING_WARNING,
	  "key", "need not know: rsa", 0 },
	{ "no key that is known", "rsa", "kty", "\"OKP\"", FINDING_FAILED,
	  "set", "no key in it can verify", USELESS },
	{ "crv missing", "ec rsa", "crv", NULL, FINDING_FAILED, "key",
	  "has no crv", 0 },
	{ "crv unknown", "ec rsa", "crv", "\"secp256k1\"", FINDING_WARNING,
	  "key", "need not know: EC secp256k1", 0 },
	{ "crv of another", "ec rsa", "crv", "\"P-521\"", FINDING_FAILED, "key",
	  "make no P-521 key: the JWK's 'x' and 'y' are not 66 bytes wide", 0 },
	{ "n missing", "rsa ec", "n", NULL, FINDING_FAILED, "key", "has no 'n'",
	  0 },
	{ "e is a number", "rsa ec", "e", "65537", FINDING_FAILED, "key",
	  "has no 'e'", 0 },
	{ "e not minimal", "rsa", "e", "\"AAEAAQ\"", FINDING_FAILED, "key",
	  "'e' begins with a zero octet", 0 },
	{ "e even", "rsa ec", "e", "\"AQAA\"", FINDING_FAILED, "key",
	  "'n' and 'e' make no RSA key", 0 },
	{ "e padded", "rsa ec", "e", "\"AQAB====\"", FINDING_FAILED, "key",
	  "'e' is not base64url", 0 },
	{ "x missing", "ec rsa", "x", NULL, FINDING_FAILED, "key", "has no 'x'",
	  0 },
	{ "x in standard base64", "ec rsa", "x", "\"++//\"", FINDING_FAILED,
	  "key", "'x' is not base64url", 0 },
	{ "x not full width", "ec rsa", "x", BYTES_47, FINDING_FAILED, "key",
	  "not 48 bytes wide", 0 },
	{ "y off the curve", "ec rsa", "y", BYTES_48, FINDING_FAILED, "key",
	  "make no P-384 key: this is no EC public key", 0 },
	{ "RSA of 1024 bits", "small", "alg", "\"RS384\"", FINDING_FAILED,
	  "key", "RSA of 1024 bits", 0 },

	{ "use for encryption", "rsa ec", "use", "\"enc\"", FINDING_WARNING,
	  "key", "not for signatures (use)", 0 },
	{ "use is a number", "rsa ec", "use", "1", FINDING_WARNING, "key",
	  "not for signatures (use)", 0 },
	{ "only for encryption", "rsa", "use", "\"enc\"", FINDING_FAILED, "set",
	  "no key in it can verify", USELESS },
	{ "use and key_ops", "rsa", "key_ops", "[\"verify\"]", FINDING_WARNING,
	  "key", "both use and key_ops", 0 },
	{ "alg of another kind", "rsa", "alg", "\"ES384\"", FINDING_FAILED,
	  "key", "alg 'ES384' does not fit a key of type RSA-2048", 0 },
	{ "alg of RSA", "ec", "alg", "\"RS384\"", FINDING_FAILED, "key",
	  "alg 'RS384' does not fit a key of type P-384", 0 },
	{ "alg of another curve", "ec", "alg", "\"ES256\"", FINDING_FAILED,
	  "key", "alg 'ES256' does not fit a key of type P-384", 0 },
	{ "alg symmetric", "rsa", "alg", "\"HS256\"", FINDING_FAILED, "key",
	  "'HS256' does not fit", 0 },
	{ "alg none", "ec", "alg", "\"none\"", FINDING_FAILED, "key",
	  "'none' does not fit", 0 },
	{ "alg is no string", "ec", "alg", "[]", FINDING_FAILED, "key",
	  "'(no string)' does not fit", 0 },
	{ "alg for encryption, RSA", "rsa ec", "alg", "\"RSA-OAEP-256\"",
	  FINDING_WARNING, "key", "not for signatures (alg)", 0 },
	{ "alg for encryption, EC", "ec rsa", "alg", "\"ECDH-ES+A128KW\"",
	  FINDING_WARNING, "key", "not for signatures (alg)", 0 },

	{ "good x5c", "x5c", "x5t", "\"4pNenEBLv0JpLIdugWxQkOsZcK0\"",
	  FINDING_OK, "set", "1 key", 0 },
	{ "x5c null", "x5c", "x5c", "null", FINDING_OK, "set", "1 key", 0 },
	{ "x5c is a string", "x5c", "x5c", "\"AAAA\"", FINDING_FAILED, "x5c",
	  "begins with no certificate", 0 },
	{ "x5c is empty", "x5c", "x5c", "[]", FINDING_FAILED, "x5c",
	  "begins with no certificate", 0 },
	{ "x5c is none", "x5c", "x5c", "[\"AAAA\"]", FINDING_FAILED, "x5c",
	  "begins with no certificate", 0 },
	{ "x5c is base64url", "x5c", "x5c", "[\"--__\"]", FINDING_FAILED, "x5c",
	  "begins with no certificate", 0 },
	{ "x5c padding alone", "x5c", "x5c", "[\"====\"]", FINDING_FAILED,
	  "x5c", "begins with no certificate", 0 },
	{ "x5t of another", "x5c", "x5t", "\"kd_Uob1ueoByiUFZQaiS8tPdto4\"",
	  FINDING_FAILED, "x5c", "x5t is not that of", 0 },
	{ "x5t#S256 of another", "x5c", "x5t#S256",
	  "\"kd_Uob1ueoByiUFZQaiS8tPdto4\"", FINDING_FAILED, "x5c",
	  "x5t#S256 is not that of", 0 },
	{ "x5t is a number", "x5c", "x5t", "1", FINDING_FAILED, "x5c",
	  "x5t is not that of", 0 },
};

ROWS(rows, key_row)
{
	po_auto_http_response answer = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make(row->kind);
	size_t bad = row->bad ? row->bad : row->severity != FINDING_OK;

	set_member(set_key(set, 0), row->member, row->value);
	set_answer(&answer, set);
	jwks_check(&answer, NULL, SET_NOW_S, &f, NULL);
	findings_must_be_sound(&f);
	(void)findings_must_have(&f, row->severity, row->check, row->text);
	assert_int_equal(findings_count_bad(&f), bad);
	assert_int_equal(findings_status(&f),
			 row->severity == FINDING_FAILED ? PO_E_SERVER : PO_OK);
}

TEST(key_ops_instead_of_use)
{
	static const struct {
		const char *text;
		bool ok;
	} ops[] = {
		{ "[\"verify\"]", true }, { "[\"sign\",\"verify\"]", true },
		{ "[\"sign\"]", false },  { "[\"encrypt\",1]", false },
		{ "[]", false },          { "\"verify\"", false },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(ops); i++) {
		po_auto_http_response r = { 0 };
		po_auto_findings f = { 0 };
		json_auto_t *set = set_make("rsa ec");

		set_member(set_key(set, 0), "use", NULL);
		set_member(set_key(set, 0), "key_ops", ops[i].text);
		set_answer(&r, set);
		jwks_check(&r, NULL, SET_NOW_S, &f, NULL);
		assert_int_equal(findings_count_bad(&f), ops[i].ok ? 0 : 1);
		if (!ops[i].ok)
			(void)findings_must_have(
				&f, FINDING_WARNING, "key",
				"not for signatures (key_ops)");
	}
}

/* A zero octet too many is named, and the key is read all the same. */
TEST(n_with_a_zero_octet)
{
	po_auto_http_response r = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("rsa");
	json_auto_t *keys = NULL;
	const char *n = json_text(set_key(set, 0), "n");
	uint8_t bytes[1 + 256] = { 0 };
	char text[BASE64URL_LEN(sizeof(bytes)) + 1];
	size_t len = 0;

	assert_true(base64url_decode(bytes + 1, 256, n, strlen(n), &len));
	base64url_encode(text, bytes, len + 1);
	assert_int_equal(
		json_object_set_new(set_key(set, 0), "n", json_string(text)),
		0);
	set_answer(&r, set);
	jwks_check(&r, NULL, SET_NOW_S, &f, &keys);
	(void)findings_must_have(&f, FINDING_FAILED, "key",
				 "'n' begins with a zero octet");
	assert_int_equal(findings_count_bad(&f), 1);
	assert_string_equal(json_text(json_array_get(keys, 0), "type"),
			    "RSA-2048");
}

TEST(numbers_at_max_and_one_more)
{
	static const size_t lengths[] = { 5462, 5463 };

	for (size_t i = 0; i < PO_ARRAY_SIZE(lengths); i++) {
		po_auto_http_response r = { 0 };
		po_auto_findings f = { 0 };
		json_auto_t *set = set_make("rsa ec");
		char text[6000];

		memset(text, 'Q', lengths[i]);
		text[lengths[i]] = '\0';
		assert_int_equal(json_object_set_new(set_key(set, 0), "n",
						     json_string(text)),
				 0);
		set_answer(&r, set);
		jwks_check(&r, NULL, SET_NOW_S, &f, NULL);
		(void)findings_must_have(&f, FINDING_FAILED, "key",
					 i ? "'n' is too long"
					   : "make no RSA key");
	}
}

TEST(x5c_of_another_key)
{
	po_auto_http_response r = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("x5c rsa");

	assert_int_equal(
		json_object_set(set_key(set, 1), "x5c",
				json_object_get(set_key(set, 0), "x5c")),
		0);
	set_answer(&r, set);
	jwks_check(&r, NULL, SET_NOW_S, &f, NULL);
	(void)findings_must_have(
		&f, FINDING_FAILED, "x5c",
		"kid 'rsa': the first certificate in x5c is of another "
		"key");
	assert_int_equal(findings_count_bad(&f), 1);
}

TEST(x5c_out_of_date)
{
	static const struct {
		int64_t now_s;
		const char *text;
	} dates[] = {
		{ 1534285756, "expired on 2018-08-14T22:29:15Z" },
		{ 1361489354, "not valid before 2013-02-21T23:29:15Z" },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(dates); i++) {
		po_auto_http_response r = { 0 };
		po_auto_findings f = { 0 };
		json_auto_t *set = set_make("x5c");

		set_answer(&r, set);
		jwks_check(&r, NULL, dates[i].now_s, &f, NULL);
		(void)findings_must_have(&f, FINDING_WARNING, "x5c",
					 dates[i].text);
		assert_int_equal(findings_count_bad(&f), 1);
	}
}
