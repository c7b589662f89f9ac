/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/jwks_check.h"

#include "base/base64url.h"
#include "base/text.h"
#include "key/alg.h"
#include "key/certificate.h"
#include "key/jwk.h"
#include "key/x5t.h"

#include <openssl/evp.h>
#include <string.h>
#include <strings.h>

#define NAME_MAX_SHOWN 128

struct judge {
	const struct jwks_expected *expected; /* NULL: nothing */
	int64_t now_s;
	struct findings *findings;
	const json_t *keys;             /* all of them */
	json_t *seen;                   /* owned; what is told of them */
	const json_t *jwk;              /* the one that is looked at … */
	char name[NAME_MAX_SHOWN + 16]; /* … "kid 'x'" or "key 2" */
	bool our_kid_is_there, our_key_is_there;
	char our_other_kid[NAME_MAX_SHOWN];
};

#define PUBLISH "publish the output of 'p11oauth jwks'"

#define WARN(j, check, remedy, ...) \
	findings_add((j)->findings, FINDING_WARNING, check, remedy, __VA_ARGS__)
#define FAIL(j, check, remedy, ...) \
	findings_add((j)->findings, FINDING_FAILED, check, remedy, __VA_ARGS__)
#define OK(j, check, ...) \
	findings_add((j)->findings, FINDING_OK, check, NULL, __VA_ARGS__)

/* ---- the answer ---------------------------------------------------------------- */

static bool check_access(const struct judge *j, const struct http_response *r)
{
	if (r->status == 401 || r->status == 403)
		FAIL(j, "access", "let everybody read it, without credentials",
		     "it wants credentials (HTTP %ld)", r->status);
	else if (r->status >= 300 && r->status < 400)
		FAIL(j, "access",
		     "register the URL that it redirects to, or serve it here",
		     "it redirects to '%.256s' (HTTP %ld); servers do not "
		     "follow",
		     r->location, r->status);
	else if (r->status != 200)
		FAIL(j, "access", "look at the URL", "HTTP %ld", r->status);
	else
		OK(j, "access", "readable without credentials");
	return r->status == 200;
}

static bool has_type(const char *type, const char *want)
{
	size_t len = strlen(want);

	return strncasecmp(type, want, len) == 0 &&
	       (!type[len] || type[len] == ';' || type[len] == ' ');
}

static void check_type(const struct judge *j, const struct http_response *r)
{
	const char *type = r->content_type;

	if (has_type(type, "application/json") ||
	    has_type(type, "application/jwk-set+json"))
		OK(j, "type", "%.64s", type);
	else
		FAIL(j, "type", "serve it as application/json",
		     "the content type is '%.64s', not application/json",
		     type[0] ? type : "none");
}

static void check_cache(const struct judge *j, const struct http_response *r)
{
	int64_t fresh_s = http_fresh_s(r, j->now_s);

	if (!r->cache_control[0] && !r->expires[0])
		WARN(j, "cache", "send Cache-Control: max-age=3600, or so",
		     "no Cache-Control: servers keep it as long as they like");
	else if (fresh_s == 0)
		WARN(j, "cache", "allow to keep it for some minutes",
		     "it may not be kept: servers fetch it for each request, "
		     "or ignore that");
	else
		OK(j, "cache", "may be kept for %lld s", (long long)fresh_s);
}

static const json_t *keys_of(const struct judge *j, const json_t *set)
{
	const json_t *keys = json_object_get(set, "keys");

	if (!json_is_array(keys))
		FAIL(j, "set", PUBLISH, "there is no array \"keys\" in it");
	else if (json_array_size(keys) == 0)
		FAIL(j, "set", PUBLISH, "it has no key");
	else if (json_array_size(keys) > JWK_SET_KEYS_MAX)
		FAIL(j, "set", "take out old keys", "more than %d keys",
		     JWK_SET_KEYS_MAX);
	else
		return keys;
	return NULL;
}

/* ---- one key --------------------------------------------------------------------- */

static bool is_text(const json_t *jwk, const char *name, const char *value)
{
	const char *text = json_text(jwk, name);

	return text && strcmp(text, value) == 0;
}

static void check_kid(struct judge *j, size_t index)
{
	const char *kid = json_text(j->jwk, "kid");
	size_t twins = 0;

	if (!kid) {
		(void)snprintf(j->name, sizeof(j->name), "key %zu", index + 1);
		FAIL(j, "kid", "give each key a kid; p11oauth jwks does",
		     "%s has no kid", j->name);
		return;
	}
	(void)snprintf(j->name, sizeof(j->name), "kid '%.*s'", NAME_MAX_SHOWN,
		       kid);
	for (size_t i = 0; i < index; i++)
		if (is_text(json_array_get(j->keys, i), "kid", kid))
			twins++;
	if (twins > 0)
		FAIL(j, "kid", "give each key a kid of its own",
		     "%s is there more than once", j->name);
}

static bool check_private(const struct judge *j)
{
	if (is_text(j->jwk, "kty", "oct"))
		FAIL(j, "private", "replace this key, it is known to everybody",
		     "%s is a symmetric key", j->name);
	else if (jwk_has_private_member(j->jwk))
		FAIL(j, "private", "replace this key, it is known to everybody",
		     "%s has a private member", j->name);
	else
		return true;
	return false;
}

static void check_use(const struct judge *j)
{
	const json_t *ops = json_object_get(j->jwk, "key_ops");
	const char *use = json_text(j->jwk, "use");

	if (use && strcmp(use, "sig") != 0)
		FAIL(j, "key", "use is sig", "%s is not for signatures (use)",
		     j->name);
	if (use && ops)
		WARN(j, "key", "leave one of them out",
		     "%s has both use and key_ops", j->name);
	for (size_t i = 0; i < json_array_size(ops); i++)
		if (json_is_string(json_array_get(ops, i)) &&
		    strcmp(json_string_value(json_array_get(ops, i)),
			   "verify") == 0)
			return;
	if (ops)
		FAIL(j, "key", "key_ops has verify",
		     "%s is not for signatures (key_ops)", j->name);
}

/* The bytes of a member; 0: none, or no base64url. */
static size_t member_len(const json_t *jwk, const char *name, uint8_t *first)
{
	uint8_t bytes[PUBKEY_RSA_BITS_MAX / 8 + 1];
	const char *text = json_text(jwk, name);
	size_t len = 0;

	if (!text ||
	    !base64url_decode(bytes, sizeof(bytes), text, strlen(text), &len))
		return 0;
	*first = bytes[0];
	return len;
}

static void check_integers(const struct judge *j)
{
	static const char *const names[] = { "n", "e" };
	uint8_t first = 1;

	for (size_t i = 0; i < PO_ARRAY_SIZE(names); i++)
		if (member_len(j->jwk, names[i], &first) > 0 && first == 0)
			FAIL(j, "key", PUBLISH,
			     "%s: %s begins with a zero octet", j->name,
			     names[i]);
}

static void check_coordinates(const struct judge *j, const struct pubkey *key)
{
	static const char *const names[] = { "x", "y" };
	size_t width = pubkey_signature_len(key) / 2;
	uint8_t first;

	for (size_t i = 0; i < PO_ARRAY_SIZE(names); i++)
		if (member_len(j->jwk, names[i], &first) != width)
			FAIL(j, "key", PUBLISH, "%s: %s is not %zu octets wide",
			     j->name, names[i], width);
}

static void check_alg(const struct judge *j, const struct pubkey *key)
{
	const char *name = json_text(j->jwk, "alg");
	struct po_error why = { 0 };
	enum alg alg = alg_default(key);

	if (name && alg_parse(name, &alg, NULL) != PO_OK)
		WARN(j, "key", "alg may be left out",
		     "%s is for the algorithm '%.32s', which p11oauth does not "
		     "have",
		     j->name, name);
	else if (alg_check_key(alg, key, &why) != PO_OK)
		FAIL(j, "key", PUBLISH, "%s: %.512s", j->name, why.text);
}

/* ---- its certificate --------------------------------------------------------- */

static struct certificate *first_of_x5c(const struct judge *j)
{
	const char *text = json_string_value(
		json_array_get(json_object_get(j->jwk, "x5c"), 0));
	struct certificate *cert = NULL;
	po_auto_buf der = { 0 };
	size_t len = text ? strlen(text) : 0;
	int n;

	buf_init(&der, CERTIFICATE_DER_MAX + 4);
	/* room for all of it: EVP_DecodeBlock() writes 3 for each 4 */
	if (len == 0 || len % 4 || len / 4 * 3 > CERTIFICATE_DER_MAX ||
	    !buf_add(&der, text, len))
		return NULL;
	n = EVP_DecodeBlock((unsigned char *)der.data,
			    (const unsigned char *)text, (int)len);
	if (n < 0)
		return NULL;
	n -= text[len - 1] == '=' ? 1 + (text[len - 2] == '=') : 0;
	if (certificate_from_der((const uint8_t *)der.data, (size_t)n, &cert,
				 NULL) != PO_OK)
		return NULL;
	return cert;
}

static void check_thumbprints(const struct judge *j,
			      const struct certificate *cert)
{
	const char *x5t = json_text(j->jwk, "x5t");
	const char *x5t_s256 = json_text(j->jwk, "x5t#S256");
	char sha1[X5T_LEN + 1] = "", sha256[X5T_S256_LEN + 1] = "";

	if (x5t_sha1(cert, sha1, NULL) != PO_OK ||
	    x5t_sha256(cert, sha256, NULL) != PO_OK)
		return;
	if ((x5t && strcmp(x5t, sha1) != 0) ||
	    (x5t_s256 && strcmp(x5t_s256, sha256) != 0))
		FAIL(j, "x5c", PUBLISH,
		     "%s: x5t is of another certificate than x5c", j->name);
}

static void check_x5c(const struct judge *j, const struct pubkey *key)
{
	po_auto(certificate) *cert = NULL;
	char date[32];

	if (!json_object_get(j->jwk, "x5c"))
		return;
	cert = first_of_x5c(j);
	if (!cert) {
		FAIL(j, "x5c", PUBLISH,
		     "%s: x5c begins with no certificate in base64", j->name);
		return;
	}
	if (!pubkey_equal(certificate_pubkey(cert), key))
		FAIL(j, "x5c", PUBLISH,
		     "%s: the certificate in x5c is of another key", j->name);
	check_thumbprints(j, cert);
	text_utc(date, certificate_not_after_s(cert));
	if (j->now_s > certificate_not_after_s(cert))
		WARN(j, "x5c", "renew it, or leave x5c out",
		     "%s: the certificate in x5c expired on %s", j->name, date);
}

/* ---- ours ------------------------------------------------------------------------ */

static void compare(struct judge *j, const struct pubkey *key)
{
	const struct jwks_expected *e = j->expected;
	const char *kid = json_text(j->jwk, "kid");
	bool is_our_key = e && pubkey_equal(key, e->key);
	bool is_our_kid = e && kid && strcmp(kid, e->kid) == 0;
	struct po_error why = { 0 };

	if (is_our_kid && !is_our_key) {
		(void)po_fail(&why, PO_E_CRYPTO, 0, "%s names another key",
			      j->name);
		findings_fail(j->findings, "ours", &why, PUBLISH);
	}
	if (is_our_key && !is_our_kid && !j->our_other_kid[0])
		(void)snprintf(j->our_other_kid, sizeof(j->our_other_kid), "%s",
			       kid ? kid : "(none)");
	j->our_kid_is_there |= is_our_kid;
	j->our_key_is_there |= is_our_kid && is_our_key;
}

static void conclude(struct judge *j)
{
	struct po_error why = { 0 };

	if (!j->expected || (j->our_kid_is_there && !j->our_key_is_there))
		return;
	if (j->our_key_is_there) {
		OK(j, "ours", "our key is there, as kid '%.128s'",
		   j->expected->kid);
		return;
	}
	if (j->our_other_kid[0])
		(void)po_fail(&why, PO_E_NOT_FOUND, 0,
			      "our key is there as kid '%s', but assertions "
			      "name it '%.128s'",
			      j->our_other_kid, j->expected->kid);
	else
		(void)po_fail(&why, PO_E_NOT_FOUND, 0,
			      "neither kid '%.128s' nor our key is in the set",
			      j->expected->kid);
	findings_fail(j->findings, "ours", &why, PUBLISH);
}

/* ---- all of it --------------------------------------------------------------------- */

static void tell(struct judge *j, const struct pubkey *key)
{
	char type[16], thumbprint[JWK_THUMBPRINT_LEN + 1] = "";

	pubkey_describe(key, type);
	if (jwk_thumbprint(key, thumbprint, NULL) != PO_OK)
		return;
	(void)json_array_append_new(
		j->seen,
		json_pack("{s:s?, s:s, s:s?, s:s?, s:s}", "kid",
			  json_text(j->jwk, "kid"), "type", type, "alg",
			  json_text(j->jwk, "alg"), "use",
			  json_text(j->jwk, "use"), "thumbprint", thumbprint));
}

static void look_at(struct judge *j, size_t index)
{
	po_auto(pubkey) *key = NULL;
	struct po_error why = { 0 };
	bool is_public;

	j->jwk = json_array_get(j->keys, index);
	check_kid(j, index);
	is_public = check_private(j);
	if (jwk_to_pubkey(j->jwk, &key, &why) != PO_OK) {
		if (is_public)
			WARN(j, "key", "other kinds of keys may stay",
			     "%s cannot be used: %.512s", j->name, why.text);
		return;
	}
	check_use(j);
	check_integers(j);
	if (pubkey_type(key) != PUBKEY_RSA)
		check_coordinates(j, key);
	check_alg(j, key);
	check_x5c(j, key);
	compare(j, key);
	tell(j, key);
}

void jwks_check(const struct http_response *response,
		const struct jwks_expected *expected, int64_t now_s,
		struct findings *findings, json_t **ret_keys)
{
	struct judge j = { .expected = expected,
			   .now_s = now_s,
			   .findings = findings,
			   .seen = json_array() };
	json_auto_t *set = NULL;
	struct po_error why = { 0 };

	if (!check_access(&j, response)) {
		json_decref(j.seen);
		return;
	}
	check_type(&j, response);
	check_cache(&j, response);
	if (json_parse_object(buf_text(&response->body), response->body.len,
			      &set, &why) != PO_OK)
		FAIL(&j, "set", PUBLISH, "it is no JWK Set: %.512s", why.text);
	else
		j.keys = keys_of(&j, set);
	for (size_t i = 0; i < json_array_size(j.keys); i++)
		look_at(&j, i);
	if (j.keys)
		conclude(&j);
	if (ret_keys)
		*ret_keys = j.seen;
	else
		json_decref(j.seen);
}
