/* SPDX-License-Identifier: Apache-2.0 */
#include "http/tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

PO_DEFINE_AUTO_T(GENERAL_NAMES, GENERAL_NAMES_free);
#define HOST_MAX 254 /* a DNS name with its NUL */

PO_DEFINE_AUTO_T(BIO, BIO_free_all);

/* Objects of libssl's are those of our own libcrypto in one major version. */
#define TEXT_OF_WORD(x) #x
#define TEXT_OF(x) TEXT_OF_WORD(x)
#define OUR_OPENSSL "OpenSSL/" TEXT_OF(OPENSSL_VERSION_MAJOR) "."

/* ---- libssl ------------------------------------------------------------- */

static struct { /* the functions that are used, with their own types */
	bool loaded;
	int index; /* of our struct tls in an SSL_CTX */
	__typeof__(SSL_CTX_use_cert_and_key) *use_cert_and_key;
	__typeof__(SSL_CTX_get_security_level) *security_level;
	__typeof__(SSL_CTX_set_options) *set_options;
	__typeof__(SSL_CTX_set_verify) *set_verify;
	__typeof__(SSL_CTX_set_client_cert_cb) *set_client_cert_cb;
	__typeof__(SSL_CTX_set_ex_data) *set_ex_data;
	__typeof__(SSL_CTX_get_ex_data) *get_ex_data;
	__typeof__(SSL_get_SSL_CTX) *context_of;
	__typeof__(SSL_get_ex_data_X509_STORE_CTX_idx) *store_index;
} libssl;

static const char *library_of(const struct libcurl *lib)
{
	const char *name = lib->version_info(CURLVERSION_NOW)->ssl_version;

	return name ? name : "no TLS";
}

static bool find_libssl(const struct libcurl *lib)
{
	if (libssl.loaded)
		return true;
	if (strncmp(library_of(lib), OUR_OPENSSL, strlen(OUR_OPENSSL)) != 0)
		return false;
	libssl.index = CRYPTO_get_ex_new_index(CRYPTO_EX_INDEX_SSL_CTX, 0, NULL,
					       NULL, NULL, NULL);
	libssl.loaded =
		libssl.index >= 0 &&
		libcurl_find(lib, "SSL_CTX_use_cert_and_key",
			     &libssl.use_cert_and_key) &&
		libcurl_find(lib, "SSL_CTX_get_security_level",
			     &libssl.security_level) &&
		libcurl_find(lib, "SSL_CTX_set_options", &libssl.set_options) &&
		libcurl_find(lib, "SSL_CTX_set_verify", &libssl.set_verify) &&
		libcurl_find(lib, "SSL_CTX_set_client_cert_cb",
			     &libssl.set_client_cert_cb) &&
		libcurl_find(lib, "SSL_CTX_set_ex_data", &libssl.set_ex_data) &&
		libcurl_find(lib, "SSL_CTX_get_ex_data", &libssl.get_ex_data) &&
		libcurl_find(lib, "SSL_get_SSL_CTX", &libssl.context_of) &&
		libcurl_find(lib, "SSL_get_ex_data_X509_STORE_CTX_idx",
			     &libssl.store_index);
	return libssl.loaded;
}

/* Connections may be made by several threads at once. */
static bool load_libssl(const struct libcurl *lib)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	bool ok;

	(void)pthread_mutex_lock(&lock);
	ok = find_libssl(lib);
	(void)pthread_mutex_unlock(&lock);
	return ok;
}

/* ---- why the server's certificate was not accepted ---------------------- */

/* RFC 4514, cut to what fits; what is not ASCII is escaped. */
static void put_name(char *out, size_t size, const X509_NAME *name)
{
	po_auto_t(BIO) *bio = BIO_new(BIO_s_mem());
	int n = 0;

	if (bio && X509_NAME_print_ex(bio, name, 0, XN_FLAG_RFC2253) >= 0)
		n = BIO_read(bio, out, (int)size - 1);
	out[n > 0 ? n : 0] = '\0';
}

static bool put_host(char out[static HOST_MAX], const GENERAL_NAME *name)
{
	int type = 0;
	const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
	const uint8_t *data;
	int len;

	if (type != GEN_DNS && type != GEN_IPADD)
		return false;
	data = ASN1_STRING_get0_data(value);
	len = ASN1_STRING_length(value);
	if (type == GEN_DNS)
		return snprintf(out, HOST_MAX, "%.*s", len, data) < HOST_MAX;
	return (len == 4 || len == 16) &&
	       inet_ntop(len == 4 ? AF_INET : AF_INET6, data, out, HOST_MAX);
}

/* "a.example, 192.0.2.1" of the subject alternative names, as many as fit. */
static void put_hosts(char *out, size_t size, const X509 *cert)
{
	po_auto_t(GENERAL_NAMES) *names =
		X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	char host[HOST_MAX];
	size_t len = 0;

	out[0] = '\0';
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		if (!put_host(host, sk_GENERAL_NAME_value(names, i)) ||
		    len + strlen(host) + 3 > size)
			continue;
		len += (size_t)snprintf(out + len, size - len, "%s%s",
					len ? ", " : "", host);
	}
}

/* Returns ok, whatever it sees. */
static int on_verify(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl =
		X509_STORE_CTX_get_ex_data(store, libssl.store_index());
	struct tls *t =
		ssl ? libssl.get_ex_data(libssl.context_of(ssl), libssl.index)
		    : NULL;
	const X509 *cert = X509_STORE_CTX_get_current_cert(store);
	int depth = X509_STORE_CTX_get_error_depth(store);

	/* an error is the last that is seen: it ends the handshake */
	if (!t || !t->verify || !cert || (ok && depth != 0))
		return ok;
	t->verify->error = ok ? X509_V_OK : X509_STORE_CTX_get_error(store);
	t->verify->depth = depth;
	put_name(t->verify->subject, sizeof(t->verify->subject),
		 X509_get_subject_name(cert));
	put_name(t->verify->issuer, sizeof(t->verify->issuer),
		 X509_get_issuer_name(cert));
	if (ok)
		put_hosts(t->names, sizeof(t->names), cert);
	return ok;
}

static bool explain_chain(const struct http_verify *v, char *out, size_t size)
{
	const char *what = "is not accepted";

	switch (v->error) {
	case X509_V_ERR_CERT_HAS_EXPIRED: what = "has expired"; break;
	case X509_V_ERR_CERT_NOT_YET_VALID:
		what = "is not valid yet; is this machine's clock right?";
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		what = "is self-signed and not trusted here";
		break;
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		return snprintf(out, size,
				"the server's certificate leads to '%s', which "
				"is none of the CAs trusted here",
				v->subject) > 0;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
		return snprintf(out, size,
				"a certificate is missing: '%s' is issued by "
				"'%s', which the server did not send and which "
				"is none of the CAs trusted here",
				v->subject, v->issuer) > 0;
	default: break;
	}
	return snprintf(out, size, "the certificate of '%s' %s", v->subject,
			what) > 0;
}

/* ---- our own certificate ------------------------------------------------ */

static X509 *parse(const struct http_der *der)
{
	const uint8_t *end = der->data;
	X509 *cert = d2i_X509(NULL, &end, (long)der->len);

	if (cert && end == der->data + der->len)
		return cert;
	X509_free(cert);
	return NULL;
}

static bool parse_chain(struct tls *t, const struct http_identity *identity)
{
	t->leaf = parse(&identity->chain[0]);
	t->chain = sk_X509_new_null();
	if (!t->leaf || !t->chain)
		return false;
	for (size_t i = 1; i < identity->chain_len; i++) {
		X509 *cert = parse(&identity->chain[i]);

		if (!cert || sk_X509_push(t->chain, cert) <= 0) {
			X509_free(cert);
			return false;
		}
	}
	return true;
}

static enum po_status begin_identity(struct tls *t, const struct libcurl *lib,
				     const struct http_identity *identity,
				     struct po_error *err)
{
	if (!t->is_on)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "libcurl uses %s; a client certificate needs a "
			       "libcurl with " OUR_OPENSSL "x",
			       library_of(lib));
	if (identity->chain_len < 1 || identity->chain_len > TLS_CHAIN_MAX ||
	    !parse_chain(t, identity))
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the client's certificate, or its chain, is not "
			       "1 to %d certificates",
			       TLS_CHAIN_MAX);
	if (X509_check_private_key(t->leaf, identity->key) != 1) {
		ERR_clear_error();
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the client's certificate is of another key");
	}
	t->key = identity->key;
	return PO_OK;
}

enum po_status tls_begin(struct tls *tls, const struct libcurl *lib,
			 const struct http_identity *identity,
			 struct http_verify *verify, struct po_error *err)
{
	enum po_status st = PO_OK;

	*tls = (struct tls){ .is_on = load_libssl(lib), .verify = verify };
	*verify = (struct http_verify){ 0 };
	if (identity)
		st = begin_identity(tls, lib, identity, err);
	if (st != PO_OK)
		tls_end(tls);
	return st;
}

void tls_end(struct tls *tls)
{
	X509_free(tls->leaf);
	sk_X509_pop_free(tls->chain, X509_free);
	*tls = (struct tls){ 0 };
}

/* ---- libcurl ------------------------------------------------------------ */

/* The server asks for a certificate; it gets none, as without this function. */
static int on_wanted(SSL *ssl, X509 **ret_cert, EVP_PKEY **ret_key)
{
	struct tls *t =
		libssl.get_ex_data(libssl.context_of(ssl), libssl.index);

	(void)ret_cert;
	(void)ret_key;
	if (t)
		t->is_wanted = true;
	return 0;
}

/*
 * Whether a certificate's signature has the strength that libssl's security
 * level asks for (SSL_CTX_set_security_level(3)). libssl itself looks only at
 * the key since 3.5, and the server says no more than "bad certificate".
 */
static bool is_strong(struct tls *t, int level, X509 *cert)
{
	static const int bits_of_level[] = { 0, 80, 112, 128, 192, 256 };
	char name[HOST_MAX];
	int digest, bits;

	if (level < 0 || (size_t)level >= PO_ARRAY_SIZE(bits_of_level) ||
	    (X509_get_extension_flags(cert) & EXFLAG_SS) ||
	    !X509_get_signature_info(cert, &digest, NULL, &bits, NULL) ||
	    bits >= bits_of_level[level])
		return true;
	put_name(name, sizeof(name), X509_get_subject_name(cert));
	(void)snprintf(t->failure, sizeof(t->failure),
		       "'%s' is signed with %s, which is too weak", name,
		       OBJ_nid2sn(digest));
	return false;
}

static bool is_chain_strong(struct tls *t, int level)
{
	bool ok = is_strong(t, level, t->leaf);

	for (int i = 0; ok && i < sk_X509_num(t->chain); i++)
		ok = is_strong(t, level, sk_X509_value(t->chain, i));
	return ok;
}

static CURLcode on_context(CURL *easy, void *context, void *user)
{
	struct tls *t = user;

	(void)easy;
	if (!libssl.set_ex_data(context, libssl.index, t))
		return CURLE_OUT_OF_MEMORY;
	/*
	 * What was read held an access token. And a server may close without a
	 * close_notify: a body with a length, or in chunks, has an end of its
	 * own, and any other counts only as a whole JSON object.
	 */
	(void)libssl.set_options(context, SSL_OP_CLEANSE_PLAINTEXT |
						  SSL_OP_IGNORE_UNEXPECTED_EOF);
	libssl.set_verify(context, SSL_VERIFY_PEER, on_verify);
	if (!t->leaf)
		libssl.set_client_cert_cb(context, on_wanted);
	if (t->leaf && !is_chain_strong(t, libssl.security_level(context)))
		return CURLE_SSL_CERTPROBLEM;
	if (t->leaf && libssl.use_cert_and_key(context, t->leaf, t->key,
					       t->chain, 1) != 1) {
		const char *reason =
			ERR_reason_error_string(ERR_peek_last_error());

		(void)snprintf(t->failure, sizeof(t->failure), "%s",
			       reason ? reason : "libssl does not say why");
		ERR_clear_error();
		return CURLE_SSL_CERTPROBLEM;
	}
	return CURLE_OK;
}

bool tls_set(struct tls *tls, const struct libcurl *lib, CURL *easy)
{
	return !tls->is_on ||
	       (lib->easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, on_context) ==
			CURLE_OK &&
		lib->easy_setopt(easy, CURLOPT_SSL_CTX_DATA, tls) == CURLE_OK);
}

/*
 * In TLS 1.3 the server's alert comes when the request is on its way, and is
 * lost when the server then resets the connection.
 */
static const char *explain_wanted(const struct tls *t, CURLcode code,
				  const char *reason)
{
	if (strstr(reason, "alert certificate required"))
		return "the server wants a client certificate";
	if (t->is_wanted &&
	    (code == CURLE_SSL_CONNECT_ERROR || code == CURLE_SEND_ERROR ||
	     code == CURLE_RECV_ERROR || code == CURLE_GOT_NOTHING))
		return "the server asked for a client certificate, and there "
		       "is none";
	return NULL;
}

/* What libssl says of a server that is none, or none for us. */
static const char *explain_handshake(CURLcode code, const char *reason)
{
	static const struct {
		const char *said, *meant;
	} words[] = {
		{ "wrong version number", "what answers there does not speak "
					  "TLS" },
		{ "SSL_ERROR_SYSCALL",
		  "the connection ended during the handshake" },
		{ "error:00000000:",
		  "the connection ended during the handshake" },
		{ "unexpected eof while reading",
		  "the connection ended during the handshake" },
		{ "alert protocol version",
		  "the server has no TLS version that is new enough" },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(words); i++)
		if (code == CURLE_SSL_CONNECT_ERROR &&
		    strstr(reason, words[i].said))
			return words[i].meant;
	return NULL;
}

/* Any other alert: "error:0A000410:SSL routines::… alert handshake failure". */
static bool explain_any_alert(CURLcode code, const char *reason, char *out,
			      size_t size)
{
	const char *error = strstr(reason, "SSL routines:");
	const char *alert = error ? strstr(error, " alert ") : NULL;

	return code == CURLE_SSL_CONNECT_ERROR && alert &&
	       snprintf(out, size, "the server ended the handshake: %.*s",
			(int)strcspn(alert + 1, ","), alert + 1) > 0;
}

/* What the server said of our certificate, in libssl's words for alerts. */
static const char *explain_alert(const struct tls *t, CURLcode code,
				 const char *reason)
{
	static const char *const refusals[] = {
		"alert bad certificate",     "alert unsupported certificate",
		"alert certificate revoked", "alert certificate expired",
		"alert certificate unknown", "alert unknown ca",
		"alert access denied",
	};

	if (!t->leaf)
		return explain_wanted(t, code, reason);
	if (strstr(reason, "alert decrypt error"))
		return "the server says that the signature of the client's "
		       "key does not hold";
	for (size_t i = 0; i < PO_ARRAY_SIZE(refusals); i++)
		if (strstr(reason, refusals[i]))
			return "the server refuses the client's certificate";
	return NULL;
}

static bool explain(const struct tls *t, CURLcode code, const char *reason,
		    char *out, size_t size)
{
	const char *words = explain_handshake(code, reason);

	if (!words)
		words = explain_alert(t, code, reason);
	if (t->failure[0])
		return snprintf(out, size,
				"the client's certificate cannot be used: %s",
				t->failure) > 0;
	if (!t->verify)
		return false;
	if (t->verify->error != X509_V_OK)
		return explain_chain(t->verify, out, size);
	if (code == CURLE_PEER_FAILED_VERIFICATION && t->verify->subject[0])
		return snprintf(out, size,
				"the server's certificate is for another "
				"host: '%s' %s%s",
				t->verify->subject,
				t->names[0] ? "is for " : "names none",
				t->names) > 0;
	if (!words)
		return explain_any_alert(code, reason, out, size);
	return snprintf(out, size, "%s", words) > 0;
}

const char *tls_words(const struct tls *tls, CURLcode code, const char *reason,
		      char out[static TLS_WORDS_MAX])
{
	size_t len;

	if (!explain(tls, code, reason, out, TLS_WORDS_MAX))
		return reason;
	len = strlen(out);
	(void)snprintf(out + len, TLS_WORDS_MAX - len, " (%s)", reason);
	return out;
}
