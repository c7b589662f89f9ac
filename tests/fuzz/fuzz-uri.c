/* SPDX-License-Identifier: Apache-2.0 */
/* A PKCS #11 URI that is accepted is still accepted when written anew. */
#include "fuzz.h"

#include "cryptoki/uri.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	po_auto_t(P11KitUri) *uri = NULL;
	po_auto_t(P11KitUri) *again = NULL;
	struct po_error err = { 0 };
	char text[1024]; /* may grow threefold when it is written anew */
	char *written = NULL;
	enum po_status st;

	if (size >= sizeof(text))
		return 0;
	memcpy(text, data, size);
	text[size] = '\0';
	st = uri_parse(text, &uri, &err);
	if (st != PO_OK) {
		fuzz_check_error(st, &err);
		return 0;
	}
	if (strstr(text, "%20"))
		return 0; /* a padded field of spaces alone is written empty */
	fuzz_require(p11_kit_uri_format(uri, P11_KIT_URI_FOR_ANY, &written) ==
		     P11_KIT_URI_OK);
	fuzz_require(uri_parse(written, &again, NULL) == PO_OK);
	free(written);
	return 0;
}
