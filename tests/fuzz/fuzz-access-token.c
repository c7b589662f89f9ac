/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first byte picks the HTTP status, the rest is the body. An access token
 * that is accepted can stand in a header; a refusal can stand on a terminal.
 */
#include "fuzz.h"

#include "oauth/access_token.h"

static const long statuses[] = { 200, 201, 302, 400, 401, 404, 429, 500, 503 };
#define STATUS_COUNT (sizeof(statuses) / sizeof(statuses[0]))
#define NOW_S 1800000000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	po_auto(access_token) *token = NULL;
	po_auto_http_response response;
	struct po_error err = { 0 };
	enum po_status st;

	http_response_init(&response);
	if (size == 0 || !buf_add(&response.body, data + 1, size - 1))
		return 0;
	response.status = statuses[data[0] % STATUS_COUNT];
	st = access_token_read(&response, NOW_S, &token, &err);
	if (st != PO_OK) {
		fuzz_check_error(st, &err);
		for (const char *c = err.text; *c; c++)
			fuzz_require((unsigned char)*c >= ' ' && *c != '\x7f');
		return 0;
	}
	fuzz_require(response.status < 300);
	fuzz_require(secret_len(token->value) > 0);
	for (const char *c = secret_reveal(token->value); *c; c++)
		fuzz_require(*c > ' ' && *c < '\x7f');
	fuzz_require(token->expires_in_s >= 0 &&
		     token->expires_in_s <= ACCESS_TOKEN_EXPIRY_MAX_S);
	fuzz_require(token->expires_at_s == NOW_S + token->expires_in_s);
	(void)access_token_grants(token, "system/*.read launch");
	return 0;
}
