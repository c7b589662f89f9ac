/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is done before and after a handshake: our certificate and key, and the
 * words for what went wrong. Handshakes are in tests/integ/23*.t.
 */
#include "http/tls.h"

#include "test-data.h"
#include "unit.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <openssl/x509_vfy.h>
#include <string.h>

#define MAX_AND_ONE (TLS_CHAIN_MAX + 1)

/* ---- other TLS libraries: before the real one, which is looked at once -- */

static const char *library;

static curl_version_info_data *other_version(CURLversion age)
{
	static curl_version_info_data info;

	(void)age;
	info.ssl_version = library;
	return &info;
}

struct other {
	const char *name;
	const char *version;
};

static const struct other others[] = {
	{ "GnuTLS/3.7.9", "GnuTLS/3.7.9" },
	{ "OpenSSL/1.1.1n", "OpenSSL/1.1.1n" },
	{ "LibreSSL/3.6.1", "LibreSSL/3.6.1" },
	{ "OpenSSL/30.0.1", "OpenSSL/30.0.1" },
	{ "no TLS library", NULL },
};

/* A request without a certificate works with any; one with it does not. */
ROWS(others, other_library)
{
	const struct http_identity identity = { 0 };
	const struct libcurl *real = NULL;
	struct libcurl lib;
	struct http_verify verify;
	struct po_error err = { 0 };
	struct tls tls;

	library = row->version;
	assert_int_equal(libcurl_load(&real, NULL), PO_OK);
	lib = *real;
	lib.version_info = other_version;
	assert_int_equal(tls_begin(&tls, &lib, NULL, &verify, NULL), PO_OK);
	assert_true(tls_set(&tls, &lib, NULL)); /* sets nothing */
	tls_end(&tls);
	assert_int_equal(tls_begin(&tls, &lib, &identity, &verify, &err),
			 PO_E_INTERNAL);
	assert_non_null(strstr(err.text, library ? library : "no TLS"));
	assert_non_null(strstr(err.text, "libcurl with OpenSSL/3"));
}

/* ---- our certificate ---------------------------------------------------- */

static struct certificate *cert;
static EVP_PKEY *key;

BEFORE_ALL
{
	cert = data_certificate("sandbox/cert.pem");
	key = data_private_key("sandbox/key.pem");
}

AFTER_ALL
{
	certificate_free(cert);
	EVP_PKEY_free(key);
}

struct identity {
	const char *name;
	size_t chain_len;
	size_t cut, more; /* bytes of the last one */
	const char *key;  /* another one */
	const char *said; /* NULL: it is taken */
};

static const struct identity identities[] = {
	{ "a certificate", 1, 0, 0, NULL, NULL },
	{ "a chain", 2, 0, 0, NULL, NULL },
	{ "the longest chain", TLS_CHAIN_MAX, 0, 0, NULL, NULL },
	{ "a chain that is too long", MAX_AND_ONE, 0, 0, NULL, "1 to 10" },
	{ "no certificate", 0, 0, 0, NULL, "1 to 10" },
	{ "a certificate that is cut", 1, 1, 0, NULL, "1 to 10" },
	{ "bytes behind a certificate", 1, 0, 1, NULL, "1 to 10" },
	{ "a chain that is cut", 2, 1, 0, NULL, "1 to 10" },
	{ "another key", 1, 0, 0, "P-256", "of another key" },
	{ "another key of the kind", 1, 0, 0, "RSA", "of another key" },
};

ROWS(identities, identity_row)
{
	struct http_der chain[MAX_AND_ONE];
	struct http_identity identity = { chain, row->chain_len, key };
	po_auto_t(EVP_PKEY) *other = NULL;
	const struct libcurl *lib = NULL;
	uint8_t bytes[CERTIFICATE_DER_MAX] = { 0 };
	struct http_verify verify;
	struct po_error err = { 0 };
	const uint8_t *der;
	struct tls tls;
	size_t len = 0;

	der = certificate_der(cert, &len);
	memcpy(bytes, der, len);
	for (size_t i = 0; i < MAX_AND_ONE; i++)
		chain[i] = (struct http_der){ der, len };
	if (row->chain_len)
		chain[row->chain_len - 1] =
			(struct http_der){ bytes, len - row->cut + row->more };
	if (row->key)
		identity.key = other = strcmp(row->key, "RSA") == 0
					       ? EVP_RSA_gen(2048)
					       : EVP_EC_gen(row->key);
	assert_int_equal(libcurl_load(&lib, NULL), PO_OK);
	assert_int_equal(tls_begin(&tls, lib, &identity, &verify, &err),
			 row->said ? PO_E_CRYPTO : PO_OK);
	if (row->said)
		assert_non_null(strstr(err.text, row->said));
	else { /* the leaf is none of those that certify it */
		assert_int_equal(sk_X509_num(tls.chain), row->chain_len - 1);
		tls_end(&tls);
	}
}

/* ---- words -------------------------------------------------------------- */

struct words {
	const char *name;
	CURLcode code;
	struct http_verify verify;
	bool has_certificate, is_wanted;
	const char *reason;
	const char *want;
};

static const struct words words[] = {
	{ "nothing to add",
	  CURLE_OPERATION_TIMEDOUT,
	  { 0 },
	  false,
	  false,
	  "Operation timed out",
	  "Operation timed out" },
	{ "an error without a name of ours",
	  CURLE_PEER_FAILED_VERIFICATION,
	  { X509_V_ERR_CERT_REVOKED, 1, "CN=a", "CN=b" },
	  false,
	  false,
	  "why",
	  "the certificate of 'CN=a' is not accepted (why)" },
	{ "the chain before the host",
	  CURLE_PEER_FAILED_VERIFICATION,
	  { X509_V_ERR_CERT_HAS_EXPIRED, 0, "CN=a", "CN=b" },
	  false,
	  false,
	  "why",
	  "the certificate of 'CN=a' has expired (why)" },
	{ "another reason after a good chain",
	  CURLE_RECV_ERROR,
	  { 0, 0, "CN=a", "CN=b" },
	  false,
	  false,
	  "why",
	  "why" },
	{ "a certificate is wanted",
	  CURLE_RECV_ERROR,
	  { 0 },
	  false,
	  false,
	  "tlsv13 alert certificate required",
	  "the server wants a client certificate (tlsv13 alert certificate "
	  "required)" },
	{ "a certificate is wanted, and the alert is lost",
	  CURLE_RECV_ERROR,
	  { 0 },
	  false,
	  true,
	  "reset",
	  "the server asked for a client certificate, and there is none "
	  "(reset)" },
	{ "a certificate is wanted, and there is no answer",
	  CURLE_OPERATION_TIMEDOUT,
	  { 0 },
	  false,
	  true,
	  "late",
	  "late" },
	{ "a certificate is wanted of a stranger",
	  CURLE_PEER_FAILED_VERIFICATION,
	  { X509_V_ERR_CERT_HAS_EXPIRED, 0, "CN=a", "CN=b" },
	  false,
	  true,
	  "why",
	  "the certificate of 'CN=a' has expired (why)" },
	{ "no TLS",
	  CURLE_SSL_CONNECT_ERROR,
	  { 0 },
	  false,
	  false,
	  "SSL routines::wrong version number",
	  "what answers there does not speak TLS (SSL routines::wrong version "
	  "number)" },
	{ "cut off",
	  CURLE_SSL_CONNECT_ERROR,
	  { 0 },
	  true,
	  false,
	  "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection",
	  "the connection ended during the handshake (OpenSSL SSL_connect: "
	  "SSL_ERROR_SYSCALL in connection)" },
	{ "old TLS",
	  CURLE_SSL_CONNECT_ERROR,
	  { 0 },
	  false,
	  true,
	  "tlsv1 alert protocol version",
	  "the server has no TLS version that is new enough (tlsv1 alert "
	  "protocol version)" },
	{ "ours is refused",
	  CURLE_RECV_ERROR,
	  { 0 },
	  true,
	  false,
	  "sslv3 alert certificate revoked",
	  "the server refuses the client's certificate (sslv3 alert "
	  "certificate revoked)" },
	{ "the signature is refused",
	  CURLE_SSL_CONNECT_ERROR,
	  { 0 },
	  true,
	  false,
	  "tlsv1 alert decrypt error",
	  "the server says that the signature of the client's key does not "
	  "hold (tlsv1 alert decrypt error)" },
	{ "an alert without a certificate of ours",
	  CURLE_SSL_CONNECT_ERROR,
	  { 0 },
	  false,
	  false,
	  "tlsv1 alert unknown ca",
	  "tlsv1 alert unknown ca" },
	/* as OpenSSL 3.5 and libcurl 8.14 say it */
	{ "cut off, Debian 13",
	  CURLE_SSL_CONNECT_ERROR,
	  { 0 },
	  false,
	  false,
	  "TLS connect error: error:00000000:lib(0)::reason(0)",
	  "the connection ended during the handshake (TLS connect error: "
	  "error:00000000:lib(0)::reason(0))" },
	{ "cut off in a record, Debian 13",
	  CURLE_SSL_CONNECT_ERROR,
	  { 0 },
	  false,
	  false,
	  "error:0A000126:SSL routines::unexpected eof while reading",
	  "the connection ended during the handshake (error:0A000126:SSL "
	  "routines::unexpected eof while reading)" },
	{ "cut off behind the handshake",
	  CURLE_RECV_ERROR,
	  { 0 },
	  false,
	  false,
	  "SSL routines::unexpected eof while reading",
	  "SSL routines::unexpected eof while reading" },
	{ "another alert, Debian 12",
	  CURLE_SSL_CONNECT_ERROR,
	  { 0 },
	  false,
	  false,
	  "SSL routines::sslv3 alert handshake failure",
	  "the server ended the handshake: alert handshake failure (SSL "
	  "routines::sslv3 alert handshake failure)" },
	{ "another alert, Debian 13",
	  CURLE_SSL_CONNECT_ERROR,
	  { 0 },
	  false,
	  false,
	  "SSL routines::ssl/tls alert internal error, errno 0",
	  "the server ended the handshake: alert internal error (SSL "
	  "routines::ssl/tls alert internal error, errno 0)" },
};

ROWS(words, words_row)
{
	struct http_verify verify = row->verify;
	struct tls tls = { .is_on = true,
			   .verify = &verify,
			   .is_wanted = row->is_wanted };
	char out[TLS_WORDS_MAX];

	tls.leaf = row->has_certificate ? X509_new() : NULL;
	assert_string_equal(tls_words(&tls, row->code, row->reason, out),
			    row->want);
	tls_end(&tls);
}
