/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls.h - what we add to libcurl's TLS: our certificate, with a key that need
 * not be in memory, and the reasons why the server's is not accepted.
 *
 * libcurl verifies as ever; its verdict is noted here, never changed. Its
 * CURLOPT_SSL_CTX_FUNCTION gives the SSL_CTX of one exchange; libssl is the
 * one that libcurl brought along, because the program itself needs none.
 *
 * Source: RFC 5280 section 6 and RFC 9525 (what is verified), RFC 8705.
 */
#ifndef PO_HTTP_TLS_H
#define PO_HTTP_TLS_H

#include "http/http.h"
#include "http/libcurl.h"

#include <openssl/x509.h>

#define TLS_CHAIN_MAX 10 /* certificates of ours, the leaf included */
#define TLS_WORDS_MAX 1024

/*
 * Of one exchange, and empty between two; it outlives the connections that know
 * it, because a server may ask for another handshake on a kept one.
 */
struct tls {
	bool is_on; /* libcurl's TLS library is OpenSSL */
	X509 *leaf; /* ours; NULL: no certificate */
	STACK_OF(X509) * chain;
	EVP_PKEY *key; /* borrowed */
	struct http_verify *verify;
	char names[256];   /* that the server's certificate is for */
	bool is_wanted;    /* the server asked for ours, and there is none */
	char failure[320]; /* why ours was not taken; "": it was */
};

/*
 * Before the exchange; tls_end() after it, and after libcurl has closed the
 * connection when there was an identity.
 * identity (NULL: none) and verify are borrowed until then.
 *
 * PO_E_CRYPTO    no certificate, or the key is of another one
 * PO_E_INTERNAL  an identity, and libcurl has another TLS library
 */
enum po_status tls_begin(struct tls *tls, const struct libcurl *lib,
			 const struct http_identity *identity,
			 struct http_verify *verify,
			 struct po_error *err) PO_MUST_CHECK;
void tls_end(struct tls *tls);

/* Hands it to libcurl; false: an option was refused. */
bool tls_set(struct tls *tls, const struct libcurl *lib,
	     CURL *easy) PO_MUST_CHECK;

/*
 * What went wrong in TLS in words of ours, with libcurl's reason in brackets,
 * or the reason alone when there is nothing to add.
 */
const char *tls_words(const struct tls *tls, CURLcode code, const char *reason,
		      char out[static TLS_WORDS_MAX]);

#endif
