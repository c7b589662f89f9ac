/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A published JWK Set: whatever is in it is judged, with a cause, and nothing
 * private is ever told.
 */
#include "fuzz.h"

#include "oauth/jwks_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	po_auto_http_response response;
	po_auto_findings findings = { 0 };
	json_t *keys = NULL;

	http_response_init(&response);
	if (!buf_add(&response.body, data, size))
		return 0;
	response.status = 200;
	jwks_check(&response, NULL, 1800000000, &findings, &keys);
	fuzz_require(findings.count > 0);
	for (size_t i = 0; i < findings.count; i++)
		fuzz_require(findings.items[i].text[0] &&
			     findings.items[i].check);
	fuzz_require(json_is_array(keys));
	json_decref(keys);
	return 0;
}
