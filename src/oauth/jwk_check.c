/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/jwk_check.h"

#include "base/base64url.h"
#include "base/text.h"
#include "key/alg.h"
#include "key/certificate.h"
#include "key/jwk.h"
#include "key/x5t.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#define KID_SHOWN 128                            /* bytes */
#define NUMBER_MAX (2 * PUBKEY_RSA_BITS_MAX / 8) /* bytes that are looked at */
#define WORD_SHOWN 32                            /* bytes of an alg or crv */

struct judge {
	struct findings *findings;
	const json_t *jwk;
	struct jwk_seen *seen;
	int64_t now_s;
};

#define WARN(j, check, remedy, ...) \
	findings_add((j)->findings, FINDING_WARNING, check, remedy, __VA_ARGS__)
#define FAIL(j, check, remedy, ...) \
	findings_add((j)->findings, FINDING_FAILED, check, remedy, __VA_ARGS__)

static bool is_word(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

/* The member; NULL when it is absent or null. */
static const json_t *member(const json_t *jwk, const char *name)
{
	const json_t *value = json_object_get(jwk, name);

	return json_is_null(value) ? NULL : value;
}

/* ---- its name ----------------------------------------------------------- */

static void name_it(struct judge *j, size_t index)
{
	const char *kid = json_text(j->jwk, "kid");
	struct jwk_seen *seen = j->seen;

	seen->kid = kid && *kid ? kid : NULL;
	j->findings->kid = seen->kid;
	if (seen->kid)
		(void)snprintf(seen->name, sizeof(seen->name), "kid '%.*s'",
			       KID_SHOWN, kid);
	else
		(void)snprintf(seen->name, sizeof(seen->name), "key %zu",
			       index + 1);
}

static void check_kid(const struct judge *j, const json_t *keys, size_t index)
{
	const struct jwk_seen *seen = j->seen;
	const json_t *kid = member(j->jwk, "kid");

	if (!seen->kid) {
		FAIL(j, "kid", "give each key a kid; p11oauth jwks does",
		     kid && !json_is_string(kid) ? "%s: its kid is no string"
						 : "%s has no kid",
		     seen->name);
		return;
	}
	for (size_t i = 0; i < index; i++)
		if (is_word(json_text(json_array_get(keys, i), "kid"),
			    seen->kid)) {
			FAIL(j, "kid", "give each key a kid of its own",
			     "%s is there more than once", seen->name);
			return;
		}
}

/* ---- what must not be there --------------------------------------------- */

/* Names the member, never its value. */
static void check_private(const struct judge *j)
{
	const char *name = jwk_private_member(j->jwk);

	if (is_word(json_text(j->jwk, "kty"), "oct"))
		FAIL(j, "private", JWK_IS_KNOWN, "%s is a symmetric key",
		     j->seen->name);
	else if (name)
		FAIL(j, "private", JWK_IS_KNOWN,
		     "%s has a private member, '%s'", j->seen->name, name);
}

/* ---- its numbers -------------------------------------------------------- */

static const char *const rsa_members[] = { "n", "e" };
static const char *const ec_members[] = { "x", "y" };
static const char *const curves[] = { "P-256", "P-384", "P-521", NULL };

/* The two numbers that its kind of key has; NULL: no kind that we know. */
static const char *const *members_of(const json_t *jwk)
{
	const char *kty = json_text(jwk, "kty");
	const char *crv = json_text(jwk, "crv");

	if (is_word(kty, "RSA"))
		return rsa_members;
	if (is_word(kty, "EC") && crv && text_word_index(crv, curves) >= 0)
		return ec_members;
	return NULL;
}

/* The number is there, spelt as RFC 7515 section 2 wants it. */
static bool check_number(const struct judge *j, const char *name,
			 bool is_integer)
{
	const char *text = json_text(j->jwk, name);
	uint8_t bytes[NUMBER_MAX];
	size_t len = 0;

	if (!text || !*text) {
		FAIL(j, "key", JWK_PUBLISH, "%s has no '%s'", j->seen->name,
		     name);
		return false;
	}
	if (strlen(text) > BASE64URL_LEN(NUMBER_MAX)) {
		FAIL(j, "key", JWK_PUBLISH, "%s: '%s' is too long",
		     j->seen->name, name);
		return false;
	}
	if (!base64url_decode(bytes, sizeof(bytes), text, strlen(text), &len)) {
		FAIL(j, "key", "write - and _ for + and /, no = and no space",
		     "%s: '%s' is not base64url", j->seen->name, name);
		return false;
	}
	if (is_integer && bytes[0] == 0) /* can be read all the same */
		FAIL(j, "key", JWK_PUBLISH,
		     "%s: '%s' begins with a zero octet (RFC 7518 section 2)",
		     j->seen->name, name);
	return true;
}

/* A kind that we do not know is no fault: others may (RFC 7517 section 5). */
static bool check_kind(const struct judge *j)
{
	const char *kty = json_text(j->jwk, "kty");
	const char *crv = json_text(j->jwk, "crv");

	if (members_of(j->jwk))
		return true;
	if (!kty)
		FAIL(j, "key", JWK_PUBLISH, "%s has no kty", j->seen->name);
	else if (is_word(kty, "EC") && !crv)
		FAIL(j, "key", JWK_PUBLISH, "%s has no crv", j->seen->name);
	else
		WARN(j, "key", "servers that do not know it pass it over",
		     "%s is of a kind that servers need not know: %.*s%s%.*s",
		     j->seen->name, WORD_SHOWN, kty, crv ? " " : "", WORD_SHOWN,
		     crv ? crv : "");
	return false;
}

static void read_key(const struct judge *j)
{
	const char *const *members = members_of(j->jwk);
	bool is_rsa = members == rsa_members;
	struct jwk_seen *seen = j->seen;
	struct po_error why = { 0 };
	bool ok = check_number(j, members[0], is_rsa);
	enum po_status st;

	if (!check_number(j, members[1], is_rsa) || !ok)
		return;
	st = jwk_to_pubkey(j->jwk, &seen->key, &why);
	if (st == PO_E_INTERNAL) /* no memory: there may be more to say */
		j->findings->is_full = true;
	else if (st != PO_OK)
		FAIL(j, "key", JWK_PUBLISH,
		     "%s: '%s' and '%s' make no %s key: %s", seen->name,
		     members[0], members[1],
		     is_rsa ? "RSA" : json_text(j->jwk, "crv"), why.text);
}

static void check_size(const struct judge *j)
{
	const struct pubkey *key = j->seen->key;

	if (pubkey_type(key) == PUBKEY_RSA &&
	    pubkey_bits(key) < PUBKEY_RSA_BITS_MIN)
		FAIL(j, "key", "make a larger one",
		     "%s is RSA of %u bits, and %d are the least (RFC 7518 "
		     "section 3.3)",
		     j->seen->name, pubkey_bits(key), PUBKEY_RSA_BITS_MIN);
}

/* ---- what it is for ----------------------------------------------------- */

static void not_for_signatures(const struct judge *j, const char *why)
{
	j->seen->is_for_signatures = false;
	WARN(j, "key", "servers verify no signature with it",
	     "%s is not for signatures (%s)", j->seen->name, why);
}

static bool has_word(const json_t *array, const char *word)
{
	for (size_t i = 0; i < json_array_size(array); i++)
		if (is_word(json_string_value(json_array_get(array, i)), word))
			return true;
	return false;
}

static void check_use(const struct judge *j)
{
	const json_t *ops = member(j->jwk, "key_ops");
	const json_t *use = member(j->jwk, "use");

	if (use && ops)
		WARN(j, "key", "leave one of them out",
		     "%s has both use and key_ops (RFC 7517 section 4.3)",
		     j->seen->name);
	if (use && !is_word(json_string_value(use), "sig"))
		not_for_signatures(j, "use");
	else if (ops && !has_word(ops, "verify"))
		not_for_signatures(j, "key_ops");
}

/* By kind and curve alone: what it lacks in size is said already. */
static bool alg_fits(enum alg alg, const struct pubkey *key)
{
	if (alg_kind(alg) == ALG_ECDSA)
		return alg == alg_default(key);
	return pubkey_type(key) == PUBKEY_RSA;
}

/* The algorithms of RFC 7518 section 4.1 that have a public key. */
static bool is_encryption(const char *alg, const struct pubkey *key)
{
	if (pubkey_type(key) == PUBKEY_RSA)
		return strncmp(alg, "RSA1_5", 6) == 0 ||
		       strncmp(alg, "RSA-OAEP", 8) == 0;
	return strncmp(alg, "ECDH-ES", 7) == 0;
}

static void check_alg(const struct judge *j)
{
	const json_t *value = member(j->jwk, "alg");
	const char *name = json_string_value(value);
	const struct pubkey *key = j->seen->key;
	enum alg alg;
	char type[16];

	if (!value)
		return;
	pubkey_describe(key, type);
	if (name && is_encryption(name, key))
		not_for_signatures(j, "alg");
	else if (!name || alg_parse(name, &alg, NULL) != PO_OK ||
		 !alg_fits(alg, key))
		FAIL(j, "key", "leave alg out, or publish what signs",
		     "%s: alg '%.*s' does not fit a key of type %s",
		     j->seen->name, WORD_SHOWN, name ? name : "(no string)",
		     type);
}

/* ---- its certificate ---------------------------------------------------- */

static struct certificate *first_of_x5c(const struct judge *j)
{
	const char *text = json_string_value(
		json_array_get(json_object_get(j->jwk, "x5c"), 0));
	struct certificate *cert = NULL;
	po_auto_buf der = { 0 };
	size_t len = text ? strlen(text) : 0;
	int n;

	buf_init(&der, CERTIFICATE_DER_MAX * 2);
	/* room for all of it: EVP_DecodeBlock() writes 3 for each 4 */
	if (len == 0 || len % 4 || len / 4 * 3 > CERTIFICATE_DER_MAX ||
	    !buf_add(&der, text, len))
		return NULL;
	n = EVP_DecodeBlock((unsigned char *)der.data,
			    (const unsigned char *)text, (int)len);
	if (n < 3)
		return NULL;
	n -= text[len - 1] == '=' ? 1 + (text[len - 2] == '=') : 0;
	if (certificate_from_der((const uint8_t *)der.data, (size_t)n, &cert,
				 NULL) != PO_OK)
		return NULL;
	return cert;
}

static void check_thumbprint(const struct judge *j, const char *name,
			     const char *want)
{
	const json_t *have = member(j->jwk, name);

	if (have && !is_word(json_string_value(have), want))
		FAIL(j, "x5c", JWK_PUBLISH,
		     "%s: %s is not that of the certificate in x5c",
		     j->seen->name, name);
}

static void check_dates(const struct judge *j, const struct certificate *cert)
{
	char date[32];

	if (j->now_s > certificate_not_after_s(cert)) {
		text_utc(date, certificate_not_after_s(cert));
		WARN(j, "x5c", "renew it, or leave x5c out",
		     "%s: the certificate in x5c expired on %s", j->seen->name,
		     date);
	} else if (j->now_s < certificate_not_before_s(cert)) {
		text_utc(date, certificate_not_before_s(cert));
		WARN(j, "x5c", "wait, or look at the clock",
		     "%s: the certificate in x5c is not valid before %s",
		     j->seen->name, date);
	}
}

static void check_x5c(const struct judge *j)
{
	char sha1[X5T_LEN + 1] = "", sha256[X5T_S256_LEN + 1] = "";
	po_auto(certificate) *cert = NULL;

	if (!member(j->jwk, "x5c"))
		return;
	cert = first_of_x5c(j);
	if (!cert) {
		FAIL(j, "x5c", JWK_PUBLISH,
		     "%s: x5c begins with no certificate in base64",
		     j->seen->name);
		return;
	}
	if (j->seen->key &&
	    !pubkey_equal(certificate_pubkey(cert), j->seen->key))
		FAIL(j, "x5c", JWK_PUBLISH,
		     "%s: the first certificate in x5c is of another key",
		     j->seen->name);
	if (x5t_sha1(cert, sha1, NULL) == PO_OK)
		check_thumbprint(j, "x5t", sha1);
	if (x5t_sha256(cert, sha256, NULL) == PO_OK)
		check_thumbprint(j, "x5t#S256", sha256);
	check_dates(j, cert);
}

/* ---- all of it ---------------------------------------------------------- */

static void check_object(const struct judge *j)
{
	if (is_word(json_text(j->jwk, "kty"), "oct") || !check_kind(j))
		return;
	read_key(j);
	check_use(j);
	if (j->seen->key) {
		check_size(j);
		check_alg(j);
	}
	check_x5c(j);
}

void jwk_check(const json_t *keys, size_t index, int64_t now_s,
	       struct findings *findings, struct jwk_seen *ret_seen)
{
	struct judge j = {
		.findings = findings,
		.jwk = json_array_get(keys, index),
		.seen = ret_seen,
		.now_s = now_s,
	};

	*ret_seen =
		(struct jwk_seen){ .jwk = j.jwk, .is_for_signatures = true };
	name_it(&j, index);
	check_private(&j);
	if (json_is_object(j.jwk)) {
		check_kid(&j, keys, index);
		check_object(&j);
	} else {
		FAIL(&j, "key", JWK_PUBLISH, "%s is no JSON object",
		     ret_seen->name);
	}
	findings->kid = NULL;
}

void jwk_seen_clear(struct jwk_seen *seen)
{
	pubkey_free(seen->key);
	*seen = (struct jwk_seen){ 0 };
}
