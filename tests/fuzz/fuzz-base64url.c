/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever decodes must encode back to the very same text. */
#include "fuzz.h"

#include "base/base64url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t out[256];
	char text[BASE64URL_LEN(sizeof(out)) + 1];
	size_t len;

	if (!base64url_decode(out, sizeof(out), (const char *)data, size, &len))
		return 0;
	base64url_encode(text, out, len);
	fuzz_require(strlen(text) == size && memcmp(text, data, size) == 0);
	return 0;
}
