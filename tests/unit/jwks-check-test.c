/* SPDX-License-Identifier: Apache-2.0 */
/* What is said of a published JWK Set: of the answer, the whole, and ours. */
#include "oauth/jwks_check.h"

#include "base/text.h"
#include "jwk-set.h"
#include "key/jwk.h"
#include "unit.h"

/* ---- the answer --------------------------------------------------------- */

struct answer_row {
	const char *name;
	long status;
	const char *type;
	const char *cache;
	const char *more; /* WWW-Authenticate, Location or Expires */
	const char *body; /* NULL: a good set */
	enum severity severity;
	const char *check;
	const char *text;
};

#define GOOD SET_TYPE, "max-age=60", ""
#define OF_TYPE(type) 200, type, "max-age=60", "", NULL
#define OF_CACHE(cache, expires) 200, SET_TYPE, cache, expires, NULL
#define OF_BODY(body) 200, GOOD, body

static const struct answer_row answer_rows[] = {
	{ "good", 200, GOOD, NULL, FINDING_OK, "access", "readable" },
	{ "401", 401, SET_TYPE, "", "Basic realm=x", "", FINDING_FAILED,
	  "access", "wants credentials (HTTP 401, Basic realm=x)" },
	{ "403", 403, SET_TYPE, "", "", "", FINDING_FAILED, "access",
	  "wants credentials (HTTP 403)" },
	{ "challenge with 400", 400, SET_TYPE, "", "Bearer", "", FINDING_FAILED,
	  "access", "wants credentials (HTTP 400, Bearer)" },
	{ "challenge that is not needed", 200, SET_TYPE, "max-age=60",
	  "Negotiate", NULL, FINDING_OK, "access", "readable" },
	{ "redirect", 302, NULL, "", "https://login.example/", "",
	  FINDING_FAILED, "access", "redirects to 'https://login.example/'" },
	{ "redirect to nowhere", 304, NULL, "", "", "", FINDING_FAILED,
	  "access", "redirects to 'nowhere' (HTTP 304)" },
	{ "404", 404, "text/html", "", "", "<html>", FINDING_FAILED, "access",
	  "HTTP 404" },
	{ "503", 503, NULL, "", "", "", FINDING_FAILED, "access", "HTTP 503" },
	{ "204", 204, NULL, "", "", "", FINDING_FAILED, "access", "HTTP 204" },
	{ "redirect with control characters", 301, NULL, "", "x\x1b[2J\xff", "",
	  FINDING_FAILED, "access", "'x\\x1b[2J\\xff'" },

	{ "type: JWK Set", OF_TYPE("application/jwk-set+json"), FINDING_OK,
	  "type", "application/jwk-set+json" },
	{ "type: parameters", OF_TYPE("Application/JSON; charset=utf-8"),
	  FINDING_OK, "type", "Application/JSON" },
	{ "type: another JSON", OF_TYPE("application/fhir+json"),
	  FINDING_WARNING, "type", "application/fhir+json" },
	{ "type: shorter", OF_TYPE("application/j"), FINDING_WARNING, "type",
	  "application/j" },
	{ "type: longer", OF_TYPE("application/json-seq"), FINDING_WARNING,
	  "type", "application/json-seq" },
	{ "type: text", OF_TYPE("text/plain"), FINDING_WARNING, "type",
	  "text/plain" },
	{ "type: none", OF_TYPE(NULL), FINDING_WARNING, "type", "'none'" },
	{ "type: octets", OF_TYPE("application/octet-stream"), FINDING_WARNING,
	  "type", "octet-stream" },
	{ "type: HTML", OF_TYPE("text/html;charset=utf-8"), FINDING_FAILED,
	  "type", "a page for people" },

	{ "cache: none", OF_CACHE("", ""), FINDING_WARNING, "cache",
	  "no Cache-Control" },
	{ "cache: max-age", OF_CACHE("public, max-age=3600", ""), FINDING_OK,
	  "cache", "3600 s" },
	{ "cache: Expires", OF_CACHE("", "Tue, 13 May 2014 16:54:20 GMT"),
	  FINDING_OK, "cache", "60 s" },
	{ "cache: expired", OF_CACHE("", "0"), FINDING_WARNING, "cache",
	  "may not be kept (0)" },
	{ "cache: no-store", OF_CACHE("no-store", ""), FINDING_WARNING, "cache",
	  "may not be kept (no-store)" },
	{ "cache: no-cache", OF_CACHE("no-cache", ""), FINDING_WARNING, "cache",
	  "may not be kept" },
	{ "cache: max-age=0", OF_CACHE("max-age=0", ""), FINDING_WARNING,
	  "cache", "may not be kept" },
	{ "cache: public alone", OF_CACHE("public", ""), FINDING_WARNING,
	  "cache", "without max-age" },

	{ "set: empty body", OF_BODY(""), FINDING_FAILED, "set", "not JSON" },
	{ "set: not JSON", OF_BODY("{\"keys\":"), FINDING_FAILED, "set",
	  "not JSON" },
	{ "set: an array", OF_BODY("[]"), FINDING_FAILED, "set",
	  "not an object" },
	{ "set: a member twice", OF_BODY("{\"keys\":[],\"keys\":[]}"),
	  FINDING_FAILED, "set", "repeated member" },
	{ "set: no keys", OF_BODY("{}"), FINDING_FAILED, "set", "no array" },
	{ "set: keys are no array", OF_BODY("{\"keys\":{}}"), FINDING_FAILED,
	  "set", "no array" },
	{ "set: no key", OF_BODY("{\"keys\":[]}"), FINDING_FAILED, "set",
	  "no key" },
	{ "set: a single JWK", OF_BODY("{\"kty\":\"EC\",\"x\":\"AA\"}"),
	  FINDING_FAILED, "set", "single JWK" },
};

ROWS(answer_rows, answer_row)
{
	po_auto_http_response r = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("rsa");
	json_auto_t *keys = NULL;
	bool read_on = row->status == 200;

	response_make(&r, row->status, row->type, row->body ? row->body : "",
		      row->body ? strlen(row->body) : 0);
	if (!row->body)
		assert_true(json_compact(&r.body, set));
	(void)snprintf(r.cache_control, sizeof(r.cache_control), "%s",
		       row->cache);
	(void)snprintf(r.www_authenticate, sizeof(r.www_authenticate), "%s",
		       row->status < 300 || row->status >= 400 ? row->more
							       : "");
	(void)snprintf(r.location, sizeof(r.location), "%s", row->more);
	(void)snprintf(r.expires, sizeof(r.expires), "%s", row->more);
	jwks_check(&r, NULL, SET_NOW_S, &f, &keys);
	findings_must_be_sound(&f);
	(void)findings_must_have(&f, row->severity, row->check, row->text);
	assert_int_equal(findings_count_bad(&f), row->severity != FINDING_OK);
	assert_int_equal(findings_status(&f),
			 row->severity == FINDING_FAILED ? PO_E_SERVER : PO_OK);
	assert_int_equal(json_array_size(keys), read_on && !row->body);
}

/* ---- the set ------------------------------------------------------------ */

TEST(an_entry_that_is_no_object)
{
	po_auto_http_response r = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("rsa");

	assert_int_equal(
		json_array_append_new(json_object_get(set, "keys"),
				      json_pack("[{s:s}]", "d", SET_CANARY)),
		0);
	set_answer(&r, set);
	jwks_check(&r, NULL, SET_NOW_S, &f, NULL);
	findings_must_be_sound(&f);
	(void)findings_must_have(&f, FINDING_FAILED, "key",
				 "key 2 is no JSON object");
	(void)findings_must_have(&f, FINDING_FAILED, "private",
				 "key 2 has a private member, 'd'");
}

TEST(private_beside_the_keys)
{
	static const char pem[] = "-----BEGIN RSA PRIVATE KEY-----\n" SET_CANARY
				  "\n-----END RSA PRIVATE KEY-----\n";
	po_auto_http_response r = { 0 };
	po_auto_http_response file = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("rsa");

	assert_int_equal(
		json_object_set_new(set, "backup",
				    json_pack("{s:s}", "qi", SET_CANARY)),
		0);
	set_answer(&r, set);
	jwks_check(&r, NULL, SET_NOW_S, &f, NULL);
	findings_must_be_sound(&f);
	(void)findings_must_have(
		&f, FINDING_FAILED, "private",
		"beside \"keys\" there is a private member, 'qi'");
	assert_int_equal(findings_count_bad(&f), 1);

	findings_clear(&f);
	response_make(&file, 200, SET_TYPE, pem, strlen(pem));
	jwks_check(&file, NULL, SET_NOW_S, &f, NULL);
	findings_must_be_sound(&f);
	(void)findings_must_have(&f, FINDING_FAILED, "private", "in PEM form");
}

/* For machines: the kid as it is, though the text is made printable. */
TEST(findings_have_the_kid)
{
	po_auto_http_response r = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("rsa ec");
	const struct finding *found;

	set_member(set_key(set, 0), "kid", "\"\\u202ea\\n\"");
	set_member(set_key(set, 0), "d", "\"" SET_CANARY "\"");
	set_member(set_key(set, 1), "kid", NULL);
	set_answer(&r, set);
	jwks_check(&r, NULL, SET_NOW_S, &f, NULL);
	findings_must_be_sound(&f);
	found = findings_must_have(&f, FINDING_FAILED, "private",
				   "kid '\\xe2\\x80\\xaea\\x0a' has");
	assert_string_equal(found->kid, "\xe2\x80\xae"
					"a\n");
	found = findings_must_have(&f, FINDING_FAILED, "kid",
				   "key 2 has no kid");
	assert_string_equal(found->kid, "");
	found = findings_must_have(&f, FINDING_OK, "type", SET_TYPE);
	assert_string_equal(found->kid, "");
}

/* However long a kid is, the cause stays in the text. */
TEST(long_kids_are_cut)
{
	po_auto_http_response r = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("rsa");
	const struct finding *found;
	po_auto_buf kid = { 0 };

	buf_init(&kid, 10000);
	for (int i = 0; i < 1001; i++)
		assert_true(buf_adds(&kid, "\xc3\xa4"));
	assert_int_equal(json_object_set_new(set_key(set, 0), "kid",
					     json_string(buf_text(&kid))),
			 0);
	set_member(set_key(set, 0), "d", "\"" SET_CANARY "\"");
	set_answer(&r, set);
	jwks_check(&r, NULL, SET_NOW_S, &f, NULL);
	findings_must_be_sound(&f);
	found = findings_must_have(&f, FINDING_FAILED, "private",
				   "has a private member");
	assert_true(text_is_utf8(found->kid, strlen(found->kid)));
	assert_int_equal(strlen(found->kid), FINDING_TEXT_MAX - 2);
}

TEST(as_many_keys_as_may_be)
{
	for (size_t more = 0; more < 2; more++) {
		po_auto_http_response r = { 0 };
		po_auto_findings f = { 0 };
		json_auto_t *set = set_make("x5c");
		json_t *keys = json_object_get(set, "keys");
		json_t *jwk = set_key(set, 0);
		size_t n = JWK_SET_KEYS_MAX + more;

		/* everything is wrong with each of them */
		set_member(jwk, "d", "1");
		set_member(jwk, "e", "\"AAEAAQ\"");
		set_member(jwk, "key_ops", "[]");
		set_member(jwk, "use", "\"enc\"");
		set_member(jwk, "alg", "\"ES256\"");
		set_member(jwk, "x5t", "1");
		set_member(jwk, "x5t#S256", "1");
		while (json_array_size(keys) < n)
			assert_int_equal(json_array_append(keys, jwk), 0);
		set_answer(&r, set);
		jwks_check(&r, NULL, SET_NOW_S + 400000000, &f, NULL);
		findings_must_be_sound(&f);
		if (more)
			(void)findings_must_have(&f, FINDING_FAILED, "set",
						 "more than 100 keys");
		else
			assert_true(f.count > 9 * JWK_SET_KEYS_MAX);
	}
}

TEST(keys_are_told)
{
	po_auto_http_response r = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("rsa ec");
	json_auto_t *keys = NULL;
	const json_t *told;

	set_member(set_key(set, 0), "alg", "\"RS384\"");
	set_member(set_key(set, 1), "y", NULL);
	set_answer(&r, set);
	jwks_check(&r, NULL, SET_NOW_S, &f, &keys);
	assert_int_equal(json_array_size(keys), 2);
	told = json_array_get(keys, 0);
	assert_int_equal(json_object_size(told), 5);
	assert_string_equal(json_text(told, "kid"), "rsa");
	assert_string_equal(json_text(told, "type"), "RSA-2048");
	assert_string_equal(json_text(told, "alg"), "RS384");
	assert_string_equal(json_text(told, "use"), "sig");
	assert_string_equal(json_text(told, "thumbprint"),
			    "I99tVmIhN2uhvx12lO4Zrjk9OhGDH6LvIyYALIZivws");
	told = json_array_get(keys, 1);
	assert_string_equal(json_text(told, "kid"), "ec");
	assert_true(json_is_null(json_object_get(told, "type")));
	assert_true(json_is_null(json_object_get(told, "thumbprint")));
}

/* ---- ours --------------------------------------------------------------- */

struct ours_row {
	const char *name;
	const char *kind;   /* of our key */
	const char *kid;    /* ours */
	const char *alg;    /* ours */
	const char *member; /* of the RSA key, which is the first, then EC */
	const char *value;
	enum po_status status;
	const char *text;
	enum severity severity;
};

static const struct ours_row ours_rows[] = {
	{ "ours: there", "rsa", "rsa", NULL, "alg", "\"RS384\"", PO_OK,
	  "our key is there, as kid 'rsa'", FINDING_OK },
	{ "ours: the second", "ec", "ec", "ES384", "alg", "\"RS384\"", PO_OK,
	  "our key is there, as kid 'ec'", FINDING_OK },
	{ "ours: the same alg", "rsa", "rsa", "RS384", "alg", "\"RS384\"",
	  PO_OK, "our key is there", FINDING_OK },
	{ "ours: another alg", "rsa", "rsa", "RS384", "alg", "\"RS256\"",
	  PO_E_SERVER,
	  "is there for RS256, and assertions are signed with "
	  "RS384",
	  FINDING_FAILED },
	{ "ours: kid not there", "x5c", "new", NULL, "alg", "\"RS384\"",
	  PO_E_NOT_FOUND, "neither kid 'new' nor our key", FINDING_FAILED },
	{ "ours: kid in another case", "x5c", "RSA", NULL, "alg", "\"RS384\"",
	  PO_E_NOT_FOUND, "neither kid 'RSA'", FINDING_FAILED },
	{ "ours: under another kid", "rsa", "new", NULL, "alg", "\"RS384\"",
	  PO_E_NOT_FOUND, "as kid 'rsa', but assertions name it 'new'",
	  FINDING_FAILED },
	{ "ours: of another key", "x5c", "rsa", NULL, "alg", "\"RS384\"",
	  PO_E_CRYPTO, "kid 'rsa' names another key than ours",
	  FINDING_FAILED },
	{ "ours: exchanged", "ec", "rsa", NULL, "alg", "\"RS384\"", PO_E_CRYPTO,
	  "another key than ours, which is there as kid 'ec'", FINDING_FAILED },
	{ "ours: no kid in assertions", "rsa", "", NULL, "alg", "\"RS384\"",
	  PO_OK, "assertions have no kid", FINDING_WARNING },
	{ "ours: no kid, and not there", "x5c", "", NULL, "alg", "\"RS384\"",
	  PO_E_NOT_FOUND, "neither kid '' nor our key", FINDING_FAILED },
};

ROWS(ours_rows, ours_row)
{
	po_auto_http_response r = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("rsa ec");
	json_auto_t *own = set_make_jwk(row->kind);
	po_auto(pubkey) *key = NULL;
	struct jwks_expected expected = { .kid = row->kid, .alg = row->alg };
	const struct finding *found;

	assert_int_equal(jwk_to_pubkey(own, &key, NULL), PO_OK);
	expected.key = key;
	set_member(set_key(set, 0), row->member, row->value);
	set_answer(&r, set);
	jwks_check(&r, &expected, SET_NOW_S, &f, NULL);
	findings_must_be_sound(&f);
	found = findings_must_have(&f, row->severity, "ours", row->text);
	assert_int_equal(findings_count_bad(&f), row->severity != FINDING_OK);
	assert_int_equal(findings_status(&f), row->status);
	assert_string_equal(found->kid, row->kid);
}

/* What is said of the key itself comes before. */
TEST(ours_is_spoilt)
{
	static const struct {
		const char *member, *value, *text;
	} rows[] = {
		{ "use", "\"enc\"", "is there, but not for signatures" },
		{ "n", "\"+\"", "is our kid, but its key cannot be read" },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(rows); i++) {
		po_auto_http_response r = { 0 };
		po_auto_findings f = { 0 };
		json_auto_t *set = set_make("rsa ec");
		po_auto(pubkey) *key = NULL;
		struct jwks_expected expected = { .kid = "rsa" };

		assert_int_equal(jwk_to_pubkey(set_key(set, 0), &key, NULL),
				 PO_OK);
		expected.key = key;
		set_member(set_key(set, 0), rows[i].member, rows[i].value);
		set_answer(&r, set);
		jwks_check(&r, &expected, SET_NOW_S, &f, NULL);
		findings_must_be_sound(&f);
		(void)findings_must_have(&f, FINDING_FAILED, "ours",
					 rows[i].text);
		assert_int_equal(findings_status(&f), PO_E_SERVER);
	}
}

/* Each key that may sign must be there. */
TEST(several_of_ours)
{
	po_auto_http_response r = { 0 };
	po_auto_findings f = { 0 };
	json_auto_t *set = set_make("rsa ec");
	json_auto_t *absent = set_make_jwk("x5c");
	po_auto(pubkey) *a = NULL;
	po_auto(pubkey) *b = NULL;
	struct jwks_expected second = { .kid = "x5c" };
	struct jwks_expected first = { .kid = "ec", .next = &second };

	assert_int_equal(jwk_to_pubkey(set_key(set, 1), &a, NULL), PO_OK);
	assert_int_equal(jwk_to_pubkey(absent, &b, NULL), PO_OK);
	first.key = a;
	second.key = b;
	set_answer(&r, set);
	jwks_check(&r, &first, SET_NOW_S, &f, NULL);
	(void)findings_must_have(&f, FINDING_OK, "ours", "as kid 'ec'");
	(void)findings_must_have(&f, FINDING_FAILED, "ours",
				 "neither kid 'x5c'");
	assert_int_equal(findings_status(&f), PO_E_NOT_FOUND);
}
