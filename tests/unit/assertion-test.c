/* SPDX-License-Identifier: Apache-2.0 */
/* The header and the claims of an assertion, byte for byte; signing it. */
#include "oauth/assertion.h"

#include "jose/jwt.h"
#include "soft-signer.h"
#include "unit.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

#define URL "https://as.example/token"

static const struct assertion_request plain = {
	.alg = ALG_RS384,
	.typ = "JWT",
	.kid = "k1",
	.issuer = "me",
	.subject = "me",
	.audience = URL,
	.jti = "j1",
	.now_s = 1700000000,
	.lifetime_s = 240,
	.send_iat = true,
};

#define HEADER "{\"alg\":\"RS384\",\"kid\":\"k1\",\"typ\":\"JWT\"}"
#define CLAIMS_TO_JTI                                         \
	"{\"iss\":\"me\",\"sub\":\"me\",\"aud\":\"" URL "\"," \
	"\"exp\":1700000240,\"jti\":\"j1\""

static void build(const struct assertion_request *req, const char *header,
		  const char *claims)
{
	po_auto_buf h = { 0 }, c = { 0 };

	buf_init(&h, 65536);
	buf_init(&c, 65536);
	assert_int_equal(assertion_build(req, &h, &c, NULL), PO_OK);
	assert_string_equal(buf_text(&h), header);
	assert_string_equal(buf_text(&c), claims);
}

TEST(plain_is_exact)
{
	build(&plain, HEADER, CLAIMS_TO_JTI ",\"iat\":1700000000}");
}

TEST(everything_in_order)
{
	struct assertion_request req = plain;
	json_auto_t *x5c = json_pack("[s, s]", "MII+/w==", "MIIB");

	req.alg = ALG_ES384;
	req.x5t = "thumb1";
	req.x5t_s256 = "thumb256";
	req.x5c = x5c;
	req.jku = "https://me.example/jwks";
	req.send_nbf = true;
	build(&req,
	      "{\"alg\":\"ES384\",\"kid\":\"k1\",\"typ\":\"JWT\","
	      "\"x5t\":\"thumb1\",\"x5t#S256\":\"thumb256\","
	      "\"x5c\":[\"MII+/w==\",\"MIIB\"],"
	      "\"jku\":\"https://me.example/jwks\"}",
	      CLAIMS_TO_JTI ",\"iat\":1700000000,\"nbf\":1700000000}");
	/* still the caller's */
	assert_int_equal(json_array_size(x5c), 2);
}

TEST(members_that_are_left_out)
{
	struct assertion_request req = plain;

	req.kid = NULL;
	req.typ = NULL;
	req.send_iat = false;
	build(&req, "{\"alg\":\"RS384\"}", CLAIMS_TO_JTI "}");
}

TEST(further_claims)
{
	struct assertion_request req = plain;
	json_auto_t *extensions =
		json_pack("{s:{s:s}}", "hl7-b2b", "version", "1");

	req.subject = NULL;
	req.scope = "a b";
	req.extensions = extensions;
	build(&req, HEADER,
	      "{\"iss\":\"me\",\"aud\":\"" URL "\",\"exp\":1700000240,"
	      "\"jti\":\"j1\",\"iat\":1700000000,\"scope\":\"a b\","
	      "\"extensions\":{\"hl7-b2b\":{\"version\":\"1\"}}}");
}

/* The length is known before the signature, whatever the time. */
TEST(length_is_foreseen)
{
	po_auto_t(EVP_PKEY) *key = EVP_EC_gen("P-384");
	struct signer *signer = &soft_signer_new(key, NULL)->signer;
	struct assertion_request req = plain;
	po_auto(secret) *jwt = NULL;
	size_t len;

	req.alg = ALG_ES384;
	len = assertion_length(&req, signer->pubkey);
	req.now_s = 1999999999;
	assert_int_equal(assertion_sign(&req, signer, &jwt, NULL), PO_OK);
	assert_int_equal(len, secret_len(jwt));
	req.jti = "";
	assert_int_equal(assertion_length(&req, signer->pubkey), 0);
	signer_free(signer);
}

TEST(texts_are_escaped)
{
	struct assertion_request req = plain;

	req.issuer = "a\"b\\c";
	req.subject = "\xc3\xa4/\n";
	build(&req, HEADER,
	      "{\"iss\":\"a\\\"b\\\\c\",\"sub\":\"\xc3\xa4/\\n\","
	      "\"aud\":\"" URL "\",\"exp\":1700000240,\"jti\":\"j1\","
	      "\"iat\":1700000000}");
}

struct bad {
	const char *name;
	size_t member; /* offset of a const char * in the request */
	const char *value;
	int64_t lifetime_s;
	const char *said;
};

#define MEMBER(m) offsetof(struct assertion_request, m)

static const struct bad bads[] = {
	{ "no issuer", MEMBER(issuer), NULL, 240, "iss" },
	{ "empty issuer", MEMBER(issuer), "", 240, "iss" },
	{ "issuer not UTF-8", MEMBER(issuer), "\xff", 240, "iss" },
	{ "empty subject", MEMBER(subject), "", 240, "sub" },
	{ "subject not UTF-8", MEMBER(subject), "a\x80", 240, "sub" },
	{ "no audience", MEMBER(audience), NULL, 240, "aud" },
	{ "empty audience", MEMBER(audience), "", 240, "aud" },
	{ "audience not UTF-8", MEMBER(audience), "\xc3", 240, "aud" },
	{ "no jti", MEMBER(jti), NULL, 240, "jti" },
	{ "kid not UTF-8", MEMBER(kid), "\xff", 240, "kid" },
	{ "jku not UTF-8", MEMBER(jku), "\xff", 240, "jku" },
	{ "lifetime 0", MEMBER(kid), "k", 0, "lifetime" },
	{ "lifetime negative", MEMBER(kid), "k", -1, "lifetime" },
	{ "lifetime 301", MEMBER(kid), "k", 301, "lifetime" },
};

ROWS(bads, bad_row)
{
	struct assertion_request req = plain;
	struct po_error err = { 0 };
	po_auto_buf h = { 0 }, c = { 0 };

	buf_init(&h, 65536);
	buf_init(&c, 65536);
	req.lifetime_s = row->lifetime_s;
	memcpy((char *)&req + row->member, &row->value, sizeof(row->value));
	assert_int_equal(assertion_build(&req, &h, &c, &err), PO_E_USAGE);
	assert_non_null(strstr(err.text, row->said));
}

TEST(longest_and_shortest_life)
{
	static const int64_t lives[] = { 1, 300 };

	for (size_t i = 0; i < PO_ARRAY_SIZE(lives); i++) {
		struct assertion_request req = plain;
		po_auto_buf h = { 0 }, c = { 0 };

		buf_init(&h, 65536);
		buf_init(&c, 65536);
		req.lifetime_s = lives[i];
		assert_int_equal(assertion_build(&req, &h, &c, NULL), PO_OK);
	}
}

TEST(too_long_for_the_buffer)
{
	struct po_error err = { 0 };
	po_auto_buf h = { 0 }, c = { 0 };

	buf_init(&h, 8);
	buf_init(&c, 65536);
	assert_int_equal(assertion_build(&plain, &h, &c, &err), PO_E_INTERNAL);
}

TEST(signed_once_and_verifies)
{
	EVP_PKEY *key = EVP_RSA_gen(2048);
	struct soft_signer *soft = soft_signer_new(key, NULL);
	po_auto(secret) *jwt = NULL;
	po_auto(jws) *jws = NULL;
	po_auto_buf h = { 0 }, c = { 0 };

	buf_init(&h, 65536);
	buf_init(&c, 65536);
	assert_int_equal(assertion_build(&plain, &h, &c, NULL), PO_OK);
	assert_int_equal(assertion_sign(&plain, &soft->signer, &jwt, NULL),
			 PO_OK);
	assert_int_equal(soft->signs, 1);
	assert_int_equal(
		jws_parse(secret_reveal(jwt), secret_len(jwt), &jws, NULL),
		PO_OK);
	assert_int_equal(jws_verify(jws, soft->signer.pubkey, NULL), PO_OK);
	assert_string_equal(secret_reveal(jws->payload), buf_text(&c));
	assert_string_equal(json_text(jws->header, "kid"), "k1");
	signer_free(&soft->signer);
	EVP_PKEY_free(key);
}

/* A request that cannot be built must not cost a private-key operation. */
TEST(device_is_not_asked_in_vain)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	struct soft_signer *soft = soft_signer_new(key, NULL);
	struct assertion_request req = plain;
	struct secret *jwt = NULL;

	req.alg = ALG_ES256;
	req.audience = "";
	assert_int_equal(assertion_sign(&req, &soft->signer, &jwt, NULL),
			 PO_E_USAGE);
	assert_null(jwt);
	assert_int_equal(soft->signs, 0);
	signer_free(&soft->signer);
	EVP_PKEY_free(key);
}
