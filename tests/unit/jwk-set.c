/* SPDX-License-Identifier: Apache-2.0 */
#include "jwk-set.h"

#include "base/text.h"
#include "key/jwk.h"
#include "test-data.h"
#include "unit.h"

/* ---- sets --------------------------------------------------------------- */

json_t *set_make_jwk(const char *kind)
{
	json_auto_t *vector = NULL;
	po_auto(certificate) *cert = NULL;
	po_auto(pubkey) *key = NULL;
	json_t *jwk = NULL;

	if (strcmp(kind, "small") == 0) {
		cert = data_certificate("certs/rsa1024.pem");
		key = pubkey_ref(certificate_pubkey(cert));
	} else {
		vector = data_json(
			strcmp(kind, "rsa") == 0  ? "vectors/smart_RS384.json"
			: strcmp(kind, "ec") == 0 ? "vectors/smart_ES384.json"
						  : "vectors/rfc7517_B.json");
		assert_int_equal(jwk_to_pubkey(vector_jwk(vector), &key, NULL),
				 PO_OK);
	}
	assert_int_equal(jwk_from_pubkey(key, &jwk, NULL), PO_OK);
	assert_int_equal(json_object_set_new(jwk, "kid", json_string(kind)), 0);
	assert_int_equal(json_object_set_new(jwk, "use", json_string("sig")),
			 0);
	if (strcmp(kind, "x5c") == 0)
		assert_int_equal(
			json_object_set(
				jwk, "x5c",
				json_object_get(vector_jwk(vector), "x5c")),
			0);
	return jwk;
}

json_t *set_make(const char *kinds)
{
	json_t *set = json_pack("{s:[]}", "keys");
	char kind[16];

	while (*kinds) {
		size_t len = strcspn(kinds, " ");

		assert_true(len < sizeof(kind));
		memcpy(kind, kinds, len);
		kind[len] = '\0';
		assert_int_equal(
			json_array_append_new(json_object_get(set, "keys"),
					      set_make_jwk(kind)),
			0);
		kinds += len + (kinds[len] ? 1 : 0);
	}
	return set;
}

json_t *set_key(json_t *set, size_t index)
{
	return json_array_get(json_object_get(set, "keys"), index);
}

void set_member(json_t *object, const char *name, const char *value)
{
	json_t *parsed;

	if (!value) {
		assert_int_equal(json_object_del(object, name), 0);
		return;
	}
	parsed = json_loads(value, JSON_DECODE_ANY, NULL);
	assert_non_null(parsed);
	assert_int_equal(json_object_set_new(object, name, parsed), 0);
}

void set_answer(struct http_response *r, const json_t *set)
{
	response_make(r, 200, SET_TYPE, "", 0);
	assert_true(json_compact(&r->body, set));
	(void)snprintf(r->cache_control, sizeof(r->cache_control),
		       "max-age=60");
}

/* ---- findings ----------------------------------------------------------- */

size_t findings_count_bad(const struct findings *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->count; i++)
		n += f->items[i].severity != FINDING_OK;
	return n;
}

static bool is_printable(const char *text)
{
	for (const char *c = text; *c; c++)
		if ((unsigned char)*c < ' ' || *c == 0x7f)
			return false;
	return text_is_utf8(text, strlen(text));
}

void findings_must_be_sound(const struct findings *f)
{
	assert_true(f->count > 0);
	assert_false(f->is_full);
	assert_null(f->kid);
	for (size_t i = 0; i < f->count; i++) {
		const struct finding *item = &f->items[i];

		assert_true(item->text[0] && is_printable(item->text));
		assert_true(is_printable(item->remedy));
		assert_int_equal(item->remedy[0] != '\0',
				 item->severity != FINDING_OK);
		assert_int_equal(item->status != PO_OK,
				 item->severity == FINDING_FAILED);
		assert_null(strstr(item->text, SET_CANARY));
		assert_null(strstr(item->remedy, SET_CANARY));
	}
}

const struct finding *findings_must_have(const struct findings *f,
					 enum severity severity,
					 const char *check, const char *text)
{
	for (size_t i = 0; i < f->count; i++)
		if (f->items[i].severity == severity &&
		    strcmp(f->items[i].check, check) == 0 &&
		    strstr(f->items[i].text, text))
			return &f->items[i];
	for (size_t i = 0; i < f->count; i++)
		print_message("# %s %s: %s\n",
			      severity_name(f->items[i].severity),
			      f->items[i].check, f->items[i].text);
	fail_msg("no '%s %s' with '%s'", severity_name(severity), check, text);
	return NULL;
}
