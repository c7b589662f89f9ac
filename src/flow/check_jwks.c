/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/check_jwks.h"

#include "base/clock.h"

#include <openssl/x509_vfy.h>
#include <string.h>
#include <strings.h>

#define URL_SHOWN 256 /* bytes */

/* Only the leaf came, and no one we trust has issued it. */
static bool is_chain_incomplete(const struct http_verify *verify)
{
	return verify->depth == 0 &&
	       (verify->error == X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY ||
		verify->error == X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE);
}

/* What libcurl looks at itself, such as the host's name, has no error here. */
static const char *remedy_of_tls(const struct http_verify *verify)
{
	switch (verify->error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "renew the certificate of its host";
	case X509_V_ERR_CERT_NOT_YET_VALID: return "look at the clock";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
		return "servers trust public CAs only; one of your own is "
		       "named by cacert";
	default:
		return "its host needs TLS 1.2 or later, and a certificate for "
		       "its name";
	}
}

static const char *remedy_of(const struct http_response *r, enum po_status st)
{
	if (st == PO_E_CONFIG)
		return "look at cacert";
	if (st == PO_E_SERVER)
		return "look at the URL: no JWK Set is so long";
	switch (r->failure) {
	case HTTP_FAILED_PROXY: return "look at the proxy and its variables";
	case HTTP_FAILED_LATER:
		return "let it answer faster: servers do not wait long, either";
	case HTTP_FAILED_TLS: return remedy_of_tls(&r->verify);
	case HTTP_FAILED_CONNECT:
	case HTTP_NO_FAILURE: break;
	}
	return "look at the URL and its host, which servers must reach, too";
}

static enum set_state fail_transport(const struct http_response *r,
				     const struct po_error *why,
				     struct findings *findings)
{
	bool is_tls = r->failure == HTTP_FAILED_TLS;

	if (is_tls && is_chain_incomplete(&r->verify)) {
		findings_fail(findings, "chain", why,
			      "let its host send the intermediate "
			      "certificates, too: servers do not look for "
			      "them (a CA of your own: cacert)");
		return SET_CHAIN_INCOMPLETE;
	}
	findings_fail(findings, is_tls ? "tls" : "access", why,
		      remedy_of(r, why->status));
	return SET_UNREACHABLE;
}

/* The words of http_check_url() are about what we send. */
static enum set_state fail_url(const char *url, const struct po_error *refused,
			       struct findings *findings)
{
	struct po_error why = { 0 };

	if (strncasecmp(url, "http://", 7) == 0)
		(void)po_fail(
			&why, refused->status, 0,
			"'%.*s' is no https:// URL, and a JWK Set is read "
			"by https only (SMART App Launch 2.2)",
			URL_SHOWN, url);
	findings_fail(findings, "access", why.status ? &why : refused,
		      "publish it by https, and check that URL");
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
		if (f->status == PO_E_NOT_FOUND)
			return SET_WITHOUT_OUR_KID;
		if (f->status == PO_E_CRYPTO)
			return SET_WITH_ANOTHER_KEY;
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
	if (http_check_url(url, request.allow_loopback_http, &why) != PO_OK) {
		ret_verdict->state = fail_url(url, &why, findings);
		return;
	}
	http_response_init(&response);
	if (env->http->perform(env->http, &request, &response, &why) != PO_OK) {
		ret_verdict->state = fail_transport(&response, &why, findings);
		return;
	}
	jwks_check(&response, expected, clock_now_s(env->clock), findings,
		   &ret_verdict->keys);
	ret_verdict->state = state_of(findings, first);
	ret_verdict->kept_s = http_fresh_s(&response, clock_now_s(env->clock));
	(void)http_date_s(response.last_modified, &ret_verdict->changed_s);
}
