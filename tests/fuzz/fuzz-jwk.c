/* SPDX-License-Identifier: Apache-2.0 */
/* A public key out of a JWK Set is the same key after a round trip. */
#include "fuzz.h"

#include "base/json.h"
#include "key/jwk.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_auto_t *set = NULL;
	json_auto_t *jwk = NULL;
	po_auto(pubkey) *key = NULL;
	po_auto(pubkey) *again = NULL;
	struct po_error err = { 0 };
	enum po_status st;
	char thumbprint[2][JWK_THUMBPRINT_LEN + 1];

	st = json_parse_object((const char *)data, size, &set, &err);
	if (st == PO_OK)
		st = jwk_set_find(set, NULL, &key, &err);
	if (st != PO_OK) {
		fuzz_check_error(st, &err);
		return 0;
	}
	fuzz_require(!jwk_from_pubkey(key, &jwk, NULL));
	fuzz_require(!jwk_has_private_member(jwk));
	fuzz_require(!jwk_to_pubkey(jwk, &again, NULL));
	fuzz_require(!jwk_thumbprint(key, thumbprint[0], NULL));
	fuzz_require(!jwk_thumbprint(again, thumbprint[1], NULL));
	fuzz_require(strcmp(thumbprint[0], thumbprint[1]) == 0);
	return 0;
}
