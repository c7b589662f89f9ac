/* SPDX-License-Identifier: Apache-2.0 */
/* A JWS that parses has exactly one spelling, white space at its end apart. */
#include "fuzz.h"

#include "base/base64url.h"
#include "jose/jws.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	po_auto(jws) *jws = NULL;
	struct po_error err = { 0 };
	enum po_status st = jws_parse((const char *)data, size, &jws, &err);
	char signature[BASE64URL_LEN(SIGNATURE_MAX) + 1];
	size_t len;

	if (st != PO_OK) {
		fuzz_check_error(st, &err);
		return 0;
	}
	base64url_encode(signature, jws->signature.bytes, jws->signature.len);
	len = strlen(jws->signing_input);
	fuzz_require(json_is_object(jws->header));
	fuzz_require(size >= len + 1 + strlen(signature));
	fuzz_require(memcmp(data, jws->signing_input, len) == 0);
	fuzz_require(data[len] == '.');
	fuzz_require(memcmp(data + len + 1, signature, strlen(signature)) == 0);
	return 0;
}
