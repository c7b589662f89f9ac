/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/jwks_check.h"

#include "key/jwk.h"
#include "oauth/jwk_check.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define TEXT_SHOWN 256 /* bytes of a field */
#define KID_SHOWN 128  /* bytes */

struct judge {
	struct findings *findings;
	int64_t now_s;
	json_t *set;           /* owned; NULL: there is none */
	struct jwk_seen *seen; /* owned; its keys, which borrow from it */
	size_t count;
};

#define WARN(j, check, remedy, ...) \
	findings_add((j)->findings, FINDING_WARNING, check, remedy, __VA_ARGS__)
#define FAIL(j, check, remedy, ...) \
	findings_add((j)->findings, FINDING_FAILED, check, remedy, __VA_ARGS__)
#define OK(j, check, ...) \
	findings_add((j)->findings, FINDING_OK, check, NULL, __VA_ARGS__)

/* ---- the answer --------------------------------------------------------- */

static bool check_access(const struct judge *j, const struct http_response *r)
{
	bool is_ok = r->status == 200;
	bool asks = !is_ok && r->www_authenticate[0];

	if (r->status == 401 || r->status == 403 || asks)
		FAIL(j, "access", "let everybody read it, without credentials",
		     "it wants credentials (HTTP %ld%s%.*s)", r->status,
		     asks ? ", " : "", TEXT_SHOWN, r->www_authenticate);
	else if (r->status >= 300 && r->status < 400)
		FAIL(j, "access",
		     "register the URL that it redirects to, or serve it here; "
		     "if that is a login page, let everybody read it",
		     "it redirects to '%.*s' (HTTP %ld), and servers need not "
		     "follow",
		     TEXT_SHOWN, r->location[0] ? r->location : "nowhere",
		     r->status);
	else if (!is_ok)
		FAIL(j, "access",
		     r->status >= 500 ? "look at the log of its host"
				      : "look at the URL",
		     "HTTP %ld", r->status);
	else
		OK(j, "access", "readable without credentials");
	return is_ok;
}

/* The media type, whatever its parameters (RFC 9110 section 8.3.1). */
static bool has_type(const char *field, const char *type)
{
	size_t len = strcspn(field, "; \t");

	return len == strlen(type) && strncasecmp(field, type, len) == 0;
}

static void check_type(const struct judge *j, const struct http_response *r)
{
	static const char remedy[] = "serve it as application/json";
	const char *type = r->content_type;

	if (has_type(type, "application/json") ||
	    has_type(type, "application/jwk-set+json"))
		OK(j, "type", "%.*s", TEXT_SHOWN, type);
	else if (has_type(type, "text/html") ||
		 has_type(type, "application/xhtml+xml"))
		FAIL(j, "type", remedy,
		     "the content type is '%.*s': a page for people, such as "
		     "a login",
		     TEXT_SHOWN, type);
	else /* most servers do not look at it */
		WARN(j, "type", remedy,
		     "the content type is '%.*s', and some servers want "
		     "application/json",
		     TEXT_SHOWN, type[0] ? type : "none");
}

static void check_cache(const struct judge *j, const struct http_response *r)
{
	int64_t fresh_s = http_fresh_s(r, j->now_s);
	const char *field = r->cache_control;

	if (fresh_s > 0)
		OK(j, "cache", "may be kept for %lld s", (long long)fresh_s);
	else if (!field[0] && !r->expires[0])
		WARN(j, "cache", "send Cache-Control: max-age=3600, or so",
		     "no Cache-Control: servers keep it as long as they like");
	else if (field[0] && !strcasestr(field, "no-") &&
		 !strcasestr(field, "max-age"))
		WARN(j, "cache", "send Cache-Control: max-age=3600, or so",
		     "Cache-Control is '%.*s', without max-age: servers keep "
		     "it as long as they like",
		     TEXT_SHOWN, field);
	else
		WARN(j, "cache", "allow to keep it for some minutes",
		     "it may not be kept (%.*s): servers fetch it for each "
		     "request, or ignore that",
		     TEXT_SHOWN, field[0] ? field : r->expires);
}

/* ---- the set ------------------------------------------------------------ */

/* A file of another kind was uploaded; what is in it is not shown. */
static bool is_private_pem(const struct http_response *r)
{
	const char *text = buf_text(&r->body);

	return strstr(text, "-----BEGIN ") && strstr(text, "PRIVATE KEY-----");
}

/* What is private beside the keys: it has no kid. */
static void check_beside(const struct judge *j)
{
	json_auto_t *rest = json_copy(j->set);
	const char *name;

	(void)json_object_del(rest, "keys");
	name = jwk_private_member(rest);
	if (name)
		FAIL(j, "private", JWK_IS_KNOWN,
		     "beside \"keys\" there is a private member, '%s'", name);
}

static const json_t *keys_of(const struct judge *j)
{
	const json_t *keys = json_object_get(j->set, "keys");

	if (!keys && json_object_get(j->set, "kty"))
		FAIL(j, "set", JWK_PUBLISH,
		     "it is a single JWK, not a set: there is no array "
		     "\"keys\" in it");
	else if (!json_is_array(keys))
		FAIL(j, "set", JWK_PUBLISH, "there is no array \"keys\" in it");
	else if (json_array_size(keys) == 0)
		FAIL(j, "set", JWK_PUBLISH, "it has no key");
	else if (json_array_size(keys) > JWK_SET_KEYS_MAX)
		FAIL(j, "set", "take out old keys", "more than %d keys",
		     JWK_SET_KEYS_MAX);
	else
		return keys;
	return NULL;
}

static void check_keys(struct judge *j, const json_t *keys)
{
	size_t n = json_array_size(keys), useful = 0;

	j->seen = calloc(n, sizeof(*j->seen));
	if (!j->seen) {
		j->findings->is_full = true;
		return;
	}
	j->count = n;
	for (size_t i = 0; i < n; i++) {
		jwk_check(keys, i, j->now_s, j->findings, &j->seen[i]);
		useful += j->seen[i].key && j->seen[i].is_for_signatures;
	}
	if (useful > 0)
		OK(j, "set", "%zu key%s, %zu for signatures", n,
		   n == 1 ? "" : "s", useful);
	else
		FAIL(j, "set", JWK_PUBLISH,
		     "no key in it can verify a signature");
}

static void check_set(struct judge *j, const struct http_response *r)
{
	struct po_error why = { 0 };
	const json_t *keys;

	if (json_parse_object(buf_text(&r->body), r->body.len, &j->set, &why) !=
	    PO_OK) {
		if (is_private_pem(r))
			FAIL(j, "private", JWK_IS_KNOWN,
			     "there is a private key in PEM form");
		FAIL(j, "set", JWK_PUBLISH, "it is no JWK Set: %s", why.text);
		return;
	}
	check_beside(j);
	keys = keys_of(j);
	if (keys)
		check_keys(j, keys);
}

/* ---- ours --------------------------------------------------------------- */

/* Our key in the set: under our kid, or else under another one. */
struct match {
	const struct jwk_seen *ours;      /* our key and our kid */
	const struct jwk_seen *elsewhere; /* our key */
	const struct jwk_seen *other;     /* our kid */
};

static void find(const struct judge *j, const struct jwks_expected *e,
		 struct match *m)
{
	*m = (struct match){ 0 };
	for (size_t i = 0; i < j->count; i++) {
		const struct jwk_seen *seen = &j->seen[i];
		bool is_kid = seen->kid && strcmp(seen->kid, e->kid) == 0;
		bool is_key = seen->key && pubkey_equal(seen->key, e->key);

		if (is_kid && is_key)
			m->ours = seen;
		else if (is_key)
			m->elsewhere = seen;
		else if (is_kid)
			m->other = seen;
	}
}

static void fail_ours(const struct judge *j, enum po_status st,
		      const char *remedy, const char *fmt, ...) PO_PRINTF(4, 5);

static void fail_ours(const struct judge *j, enum po_status st,
		      const char *remedy, const char *fmt, ...)
{
	struct po_error why = { 0 };
	va_list ap;

	va_start(ap, fmt);
	(void)po_vfail(&why, st, 0, fmt, ap);
	va_end(ap);
	findings_fail(j->findings, "ours", &why, remedy);
}

/* It is there; will servers take it for what we sign? */
static void check_match(const struct judge *j, const struct jwks_expected *e,
			const struct jwk_seen *seen)
{
	const char *alg = json_text(seen->jwk, "alg");

	if (!seen->is_for_signatures)
		fail_ours(j, PO_E_SERVER, JWK_PUBLISH,
			  "our key, %s, is there, but not for signatures",
			  seen->name);
	else if (alg && e->alg && strcmp(alg, e->alg) != 0)
		fail_ours(j, PO_E_SERVER, JWK_PUBLISH ", or set algorithm",
			  "our key, %s, is there for %.32s, and assertions are "
			  "signed with %s",
			  seen->name, alg, e->alg);
	else if (e->kid[0])
		OK(j, "ours", "our key is there, as %s", seen->name);
	else
		WARN(j, "ours", "set kid",
		     "our key is there, as %s, and assertions have no kid",
		     seen->name);
}

static void check_ours(const struct judge *j, const struct jwks_expected *e)
{
	struct match m;

	find(j, e, &m);
	j->findings->kid = e->kid[0] ? e->kid : NULL;
	if (m.ours || (m.elsewhere && !e->kid[0]))
		check_match(j, e, m.ours ? m.ours : m.elsewhere);
	else if (m.other && !m.other->key)
		fail_ours(j, PO_E_SERVER, JWK_PUBLISH,
			  "%s is our kid, but its key cannot be read",
			  m.other->name);
	else if (m.other)
		fail_ours(j, PO_E_CRYPTO, JWK_PUBLISH,
			  "%s names another key than ours%s%s", m.other->name,
			  m.elsewhere ? ", which is there as " : "",
			  m.elsewhere ? m.elsewhere->name : "");
	else if (m.elsewhere)
		fail_ours(j, PO_E_NOT_FOUND, JWK_PUBLISH ", or set kid",
			  "our key is there as %s, but assertions name it "
			  "'%.*s'",
			  m.elsewhere->name, KID_SHOWN, e->kid);
	else
		fail_ours(j, PO_E_NOT_FOUND, JWK_PUBLISH,
			  "neither kid '%.*s' nor our key is in the set",
			  KID_SHOWN, e->kid);
	j->findings->kid = NULL;
}

/* ---- all of it ---------------------------------------------------------- */

/* Keys that cannot be read are told, too, as far as that goes. */
static json_t *tell(const struct jwk_seen *seen)
{
	char type[16] = "", thumbprint[JWK_THUMBPRINT_LEN + 1] = "";

	if (seen->key) {
		pubkey_describe(seen->key, type);
		if (jwk_thumbprint(seen->key, thumbprint, NULL) != PO_OK)
			return NULL;
	}
	return json_pack("{s:s?, s:s?, s:s?, s:s?, s:s?}", "kid", seen->kid,
			 "type", type[0] ? type : NULL, "alg",
			 json_text(seen->jwk, "alg"), "use",
			 json_text(seen->jwk, "use"), "thumbprint",
			 thumbprint[0] ? thumbprint : NULL);
}

static json_t *tell_all(const struct judge *j)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; i < j->count; i++)
		if (json_array_append_new(list, tell(&j->seen[i])) != 0)
			j->findings->is_full = true;
	return po_steal(list);
}

static void clear(struct judge *j)
{
	for (size_t i = 0; i < j->count; i++)
		jwk_seen_clear(&j->seen[i]);
	free(j->seen);
	json_decref(j->set);
}

void jwks_check(const struct http_response *response,
		const struct jwks_expected *expected, int64_t now_s,
		struct findings *findings, json_t **ret_keys)
{
	struct judge j = { .findings = findings, .now_s = now_s };

	if (check_access(&j, response)) {
		check_type(&j, response);
		check_cache(&j, response);
		check_set(&j, response);
	}
	for (; j.count > 0 && expected; expected = expected->next)
		check_ours(&j, expected);
	if (ret_keys)
		*ret_keys = tell_all(&j);
	clear(&j);
}
