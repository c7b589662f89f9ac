/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate file that parses gives certificates that parse again. */
#include "fuzz.h"

#include "key/certificate.h"
#include "key/x5t.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct certificate_list list = { 0 };
	struct po_error err = { 0 };
	enum po_status st =
		certificate_list_parse((const char *)data, size, &list, &err);

	if (st != PO_OK)
		fuzz_check_error(st, &err);
	else
		fuzz_require(list.count > 0);
	for (size_t i = 0; st == PO_OK && i < list.count; i++) {
		po_auto(certificate) *again = NULL;
		char x5t[2][X5T_LEN + 1];
		size_t len;
		const uint8_t *der = certificate_der(list.items[i], &len);

		fuzz_require(!certificate_from_der(der, len, &again, NULL));
		fuzz_require(!x5t_sha1(list.items[i], x5t[0], NULL));
		fuzz_require(!x5t_sha1(again, x5t[1], NULL));
		fuzz_require(strcmp(x5t[0], x5t[1]) == 0);
	}
	certificate_list_clear(&list);
	return 0;
}
