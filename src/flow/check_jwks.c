/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/check_jwks.h"

#include <openssl/x509_vfy.h>
#include <string.h>

/* Only the leaf came, and no one we trust has issued it. */
static bool is_chain_incomplete(const struct http_verify *verify)
{
	return verify->depth == 0 &&
	       (verify->error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
		verify->error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE);
}

static enum set_state fail_transport(const struct http_response *r,
				     const struct po_error *why,
				     struct findings *findings)
{
	if (r->failure == HTTP_FAILED_TLS && is_chain_incomplete(&r->verify)) {
		findings_fail(findings, "chain", why,
			      "let its host send the intermediate "
			      "certificates, too: servers do not look for "
			      "them");
		return SET_CHAIN_INCOMPLETE;
	}
	findings_fail(
		findings, r->failure == HTTP_FAILED_TLS ? "tls" : "access", why,
		r->failure == HTTP_FAILED_TLS ? "servers trust public CAs only"
					      : "look at the URL and its host");
	return SET_UNREACHABLE;
}

/* What the findings of jwks_check() mean, those from the first-th on. */
static enum set_state state_of(const struct findings *findings, size_t first)
{
	enum set_state state = SET_GOOD;

	for (size_t i = first; i < findings->count; i++) {
		const struct finding *f = &findings->items[i];

		if (f->severity != FINDING_FAILED)
			continue;
		if (strcmp(f->check, "ours") == 0)
			return f->status == PO_E_CRYPTO ? SET_WITH_ANOTHER_KEY
							: SET_WITHOUT_OUR_KID;
		state = strcmp(f->check, "access") == 0 ? SET_UNREACHABLE
							: SET_BROKEN;
	}
	return state;
}

void check_jwks(const struct po_env *env, const struct profile *profile,
		const char *url, const struct jwks_expected *expected,
		struct findings *findings, struct jwks_verdict *ret_verdict)
{
	struct http_request request = {
		.method = HTTP_GET,
		.url = url,
		.accept = JWKS_ACCEPT,
		.ca_file = profile->cacert,
		.timeout_ms = profile->timeout_s * 1000,
		.allow_loopback_http = profile->allow_loopback_http,
	};
	po_auto_http_response response = { 0 };
	struct po_error why = { 0 };
	size_t first = findings->count;

	*ret_verdict = (struct jwks_verdict){ 0 };
	http_response_init(&response);
	if (env->http->perform(env->http, &request, &response, &why) != PO_OK) {
		ret_verdict->state = fail_transport(&response, &why, findings);
		return;
	}
	jwks_check(&response, expected, env->now_s(), findings,
		   &ret_verdict->keys);
	ret_verdict->state = state_of(findings, first);
	ret_verdict->kept_s = http_fresh_s(&response, env->now_s());
	(void)http_date_s(response.last_modified, &ret_verdict->changed_s);
}
