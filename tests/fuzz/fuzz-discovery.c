/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte picks the kind of metadata, the rest is the document. What is
 * taken has a token endpoint and, for an issuer, that issuer.
 */
#include "fuzz.h"

#include "oauth/discovery.h"

#define BASE "https://as.example/fhir"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	po_auto(server_metadata) *metadata = NULL;
	enum discovery_kind kind;
	po_auto_http_response response;
	struct po_error err = { 0 };
	enum po_status st;

	http_response_init(&response);
	if (size == 0 || !buf_add(&response.body, data + 1, size - 1))
		return 0;
	response.status = 200;
	kind = (enum discovery_kind)(data[0] % 3);
	st = discovery_read(kind, BASE, &response, &metadata, &err);
	if (st != PO_OK) {
		fuzz_check_error(st, &err);
		return 0;
	}
	fuzz_require(metadata->token_endpoint && *metadata->token_endpoint);
	fuzz_require(kind == DISCOVERY_SMART ||
		     strcmp(metadata->issuer, BASE) == 0);
	/* absolute; whether it may be used is http_check_url()'s to say */
	fuzz_require(kind != DISCOVERY_SMART ||
		     strchr(metadata->token_endpoint, ':'));
	(void)server_metadata_lists(
		server_metadata_list(metadata, "grant_types_supported"), "x");
	return 0;
}
