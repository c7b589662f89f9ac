/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - one HTTP exchange, as the layers above see it.
 *
 * The real client is curl.h; tests of oauth/ bring their own struct
 * http_client. Nothing is ever followed, stored or retried here: no redirects,
 * no cookies, no cache, no credentials of any other kind.
 *
 * Source: RFC 9110; RFC 9700 section 4.12 (no redirect of a token request).
 */
#ifndef PO_HTTP_HTTP_H
#define PO_HTTP_HTTP_H

#include "base/buf.h"
#include "base/secret.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define HTTP_BODY_MAX (1024 * 1024) /* bytes of a response body */
#define HTTP_HEADERS_MAX 65536      /* bytes of all response fields */
#define HTTP_CONNECT_TIMEOUT_MS 10000
#define HTTP_TIMEOUT_DEFAULT_MS 30000
#define HTTP_FIELD_MAX 2048 /* bytes of a response field that we keep */

enum http_method {
	HTTP_GET,
	HTTP_POST,
};

/*
 * A body that is not there yet when the exchange starts: name look-up, TCP and
 * TLS go on while it is made. Not a byte of the request is sent before it is.
 */
struct http_late_body {
	size_t len; /* what it will have; anything else fails the exchange */

	/*
	 * Called once, in the thread of perform(), when the connection stands;
	 * waits. Anything but PO_OK ends the exchange with that status.
	 */
	enum po_status (*wait)(void *user, const struct secret **ret_body,
			       struct po_error *err);
	void *user;
};

/* Who we are in TLS (RFC 8705): leaf first, then what certifies it. */
struct http_identity { /* all borrowed, until perform() returns */
	const struct http_der {
		const uint8_t *data;
		size_t len;
	} * chain;
	size_t chain_len;
	EVP_PKEY *key; /* of the leaf */
};

struct http_request { /* all borrowed */
	enum http_method method;
	const char *url;
	const char *accept;        /* sent exactly so; NULL: none sent */
	const char *content_type;  /* sent exactly so, with a body only */
	const struct secret *body; /* HTTP_POST: sent with Content-Length */
	const struct http_late_body
		*late_body; /* … or this, then body is NULL */
	const struct http_identity *identity; /* NULL: no certificate */
	const char *ca_file;      /* PEM bundle; NULL: the system's */
	int64_t timeout_ms;       /* whole exchange, without the wait for a late
				    * body; 0: the default */
	bool allow_loopback_http; /* http:// to 127.0.0.0/8, [::1], localhost */
	const char *unix_socket;  /* a path: the request goes there, whatever
				   * host and port of its URL, which must be
				   * http:// to a loopback host; no proxy, no
				   * TLS, and silence is no stall */
	/*
	 * Called with the user who listens at unix_socket, of an HTTP_POST,
	 * before a byte is sent; anything but PO_OK ends the exchange with that
	 * status. NULL: whoever it is.
	 */
	enum po_status (*check_listener)(uid_t uid, struct po_error *err);
	const atomic_bool *cancelled; /* another thread's wish; NULL: none */
};

/* Where an exchange without an answer ended. */
enum http_failure {
	HTTP_NO_FAILURE,
	HTTP_FAILED_CONNECT, /* no connection: name, refused, timed out; nothing
			      * was sent, so another try is harmless */
	HTTP_FAILED_PROXY,   /* the proxy said no */
	HTTP_FAILED_TLS,     /* handshake or certificate */
	HTTP_FAILED_LATER,   /* connected, then cut off, too slow, too long */
};

/* Why the server's certificate was not accepted. */
struct http_verify {
	long error; /* X509_V_ERR_…; 0: it was accepted, or not reached */
	int depth;  /* 0: the leaf */
	char subject[256]; /* of the certificate at this depth */
	char issuer[256];
};

struct http_response {
	long status;
	struct buf body;                   /* owned; as received */
	char content_type[HTTP_FIELD_MAX]; /* "" when absent */
	char location[HTTP_FIELD_MAX];
	char www_authenticate[HTTP_FIELD_MAX];
	char retry_after[64];
	char date[64];
	char cache_control[256];
	char expires[64];
	char age[32];
	char last_modified[64];
	char correlation[HTTP_FIELD_MAX]; /* "name: value" of the first known
					   * correlation field (x-request-id,
					   * cerner-correlation-id, …) */
	enum http_failure failure;
	struct http_verify verify;
};

void http_response_init(struct http_response *response);
void http_response_clear(struct http_response *response);

static inline void http_response_autoclear(struct http_response *r)
{
	http_response_clear(r);
}
#define po_auto_http_response \
	__attribute__((cleanup(http_response_autoclear))) struct http_response

struct http_client {
	/*
	 * PO_OK for every answer of the server, whatever its status.
	 * PO_E_USAGE: a URL that may not be used (see http_check_url).
	 * PO_E_NETWORK: no answer (name, connect, proxy, TLS, time-out, cut
	 * off); PO_E_SERVER: an answer over a limit.
	 */
	enum po_status (*perform)(struct http_client *client,
				  const struct http_request *request,
				  struct http_response *response,
				  struct po_error *err);
	void (*free)(struct http_client *client);
};

/*
 * PO_E_USAGE: not https:// (http:// only to a loopback host and when allowed),
 * no host, user information, a fragment, white space or control characters,
 * or longer than HTTP_URL_MAX.
 */
#define HTTP_URL_MAX 8192
enum po_status http_check_url(const char *url, bool allow_loopback_http,
			      struct po_error *err) PO_MUST_CHECK;

/*
 * Appends what reference means on a page below base, a folder; an absolute URL
 * stays as it is. False: it does not fit, or goes above the root.
 * Source: RFC 3986 section 5.2.
 */
bool http_resolve_url(const char *base, const char *reference,
		      struct buf *out) PO_MUST_CHECK;

/* A date such as "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 section 5.6.7). */
bool http_date_s(const char *text, int64_t *ret_s);

/* Retry-After, in seconds from now on; false: absent or unreadable. */
bool http_retry_after_s(const struct http_response *response, int64_t now_s,
			int64_t *ret_s);

/*
 * How long the answer may be kept (RFC 9111 section 4.2), less its Age, for a
 * private cache; 0: not at all.
 */
int64_t http_fresh_s(const struct http_response *response, int64_t now_s);

#endif
