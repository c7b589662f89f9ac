/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A published JWK Set: whatever is in it is judged, with a cause that can stand
 * on a terminal; a private member is found at any depth; and a key that is in
 * it is found there.
 */
#include "fuzz.h"

#include "base/text.h"
#include "key/jwk.h"
#include "oauth/jwks_check.h"

#define NOW_S 1800000000

static void check_text(const char *text)
{
	for (const char *c = text; *c; c++)
		fuzz_require((unsigned char)*c >= ' ' && *c != '\x7f');
	fuzz_require(text_is_utf8(text, strlen(text)));
}

static const struct finding *find(const struct findings *findings,
				  const char *check)
{
	for (size_t i = 0; i < findings->count; i++)
		if (strcmp(findings->items[i].check, check) == 0)
			return &findings->items[i];
	return NULL;
}

static void check_findings(const struct findings *findings)
{
	fuzz_require(findings->count > 0 && !findings->is_full);
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->items[i];
		bool failed = f->severity == FINDING_FAILED;

		fuzz_require(f->text[0] && failed == (f->status != PO_OK));
		fuzz_require((f->severity == FINDING_OK) == !f->remedy[0]);
		check_text(f->text);
		check_text(f->remedy);
		fuzz_require(text_is_utf8(f->kid, strlen(f->kid)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	po_auto_http_response response;
	po_auto_findings findings = { 0 };
	json_auto_t *set = NULL;
	json_auto_t *keys = NULL;
	po_auto(pubkey) *key = NULL;
	struct jwks_expected expected = { .kid = "" };
	const struct finding *ours;
	const json_t *list, *first;

	http_response_init(&response);
	if (!buf_add(&response.body, data, size))
		return 0;
	response.status = 200;
	if (json_parse_object((const char *)data, size, &set, NULL) != PO_OK)
		set = NULL;
	list = json_object_get(set, "keys");
	first = json_array_get(list, 0);
	if (jwk_to_pubkey(first, &key, NULL) == PO_OK) {
		expected.key = key;
		if (json_text(first, "kid"))
			expected.kid = json_text(first, "kid");
	}
	jwks_check(&response, key ? &expected : NULL, NOW_S, &findings, &keys);
	check_findings(&findings);
	fuzz_require(json_is_array(keys));
	if (set && json_array_size(list) <= JWK_SET_KEYS_MAX) {
		fuzz_require(!jwk_has_private_member(set) ||
			     find(&findings, "private"));
		ours = find(&findings, "ours");
		fuzz_require(!key || (ours && ours->status != PO_E_NOT_FOUND &&
				      ours->status != PO_E_CRYPTO));
	}
	return 0;
}
