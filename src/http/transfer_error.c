/* SPDX-License-Identifier: Apache-2.0 */
#include "http/transfer_error.h"

#include "base/environment.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum http_failure transfer_error_stage(CURLcode code, bool is_connected)
{
	switch (code) {
	case CURLE_OK: return HTTP_NO_FAILURE;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT: return HTTP_FAILED_CONNECT;
	case CURLE_COULDNT_RESOLVE_PROXY:
	case CURLE_PROXY: return HTTP_FAILED_PROXY;
	case CURLE_OPERATION_TIMEDOUT:
		return is_connected ? HTTP_FAILED_LATER : HTTP_FAILED_CONNECT;
	case CURLE_SSL_CONNECT_ERROR:
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
	case CURLE_SSL_CIPHER:
	case CURLE_SSL_CACERT_BADFILE:
	case CURLE_SSL_ISSUER_ERROR: return HTTP_FAILED_TLS;
	default: return HTTP_FAILED_LATER;
	}
}

/*
 * The variable by which a request may have gone to a proxy, or NULL:
 * libcurl says "Failed to connect" of a proxy and of a server alike.
 */
static const char *proxy_variable(const struct http_request *r)
{
	static const char *const names[] = {
		"https_proxy", "HTTPS_PROXY", "all_proxy",
		"ALL_PROXY",   "http_proxy",
	};
	bool secure = strncasecmp(r->url, "https:", 6) == 0;

	if (r->unix_socket)
		return NULL;
	for (size_t i = secure ? 0 : 2; i < (secure ? 4U : 5U); i++)
		if (environment_get(names[i]))
			return names[i];
	return NULL;
}

/* What libcurl's versions say in words of their own; NULL: nothing. */
static const char *explain_answer(const struct transfer_end *end)
{
	switch (end->code) {
	case CURLE_GOT_NOTHING: return "the server closed without an answer";
	case CURLE_PARTIAL_FILE: return "the answer ended too early";
	case CURLE_RECV_ERROR:
		return end->has_begun ? "the answer cannot be read" : NULL;
	case CURLE_UNSUPPORTED_PROTOCOL:
	case CURLE_WEIRD_SERVER_REPLY: return "the answer is not proper HTTP";
	default: return NULL;
	}
}

/* TLS first, which knows more; libcurl's reason stays, in brackets. */
static const char *explain(const struct tls *tls,
			   const struct transfer_end *end,
			   char words[static TLS_WORDS_MAX])
{
	const char *tls_reason = tls_words(tls, end->code, end->reason, words);
	const char *what = explain_answer(end);

	if (tls_reason != end->reason || !what)
		return tls_reason;
	(void)snprintf(words, TLS_WORDS_MAX, "%s (%s)", what, end->reason);
	return words;
}

enum po_status transfer_error(const struct http_request *request,
			      const struct tls *tls,
			      const struct transfer_end *end,
			      struct po_error *err)
{
	const char *variable = proxy_variable(request);
	const char *system = end->os_errno != 0 ? strerror(end->os_errno) : "";
	char words[TLS_WORDS_MAX];
	const char *reason = explain(tls, end, words);

	/* our own certificate, before a byte went to the network */
	if (end->code == CURLE_SSL_CERTPROBLEM)
		return po_fail(err, PO_E_CRYPTO, end->code, "%s", reason);
	return po_fail(err, PO_E_NETWORK, end->code, "%s%s%s%s%s%s", reason,
		       *system ? " (" : "", system, *system ? ")" : "",
		       variable ? "; a proxy is set by " : "",
		       variable ? variable : "");
}
