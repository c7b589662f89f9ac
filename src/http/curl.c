/* SPDX-License-Identifier: Apache-2.0 */
#include "http/curl.h"

#include "base/clock.h"
#include "base/environment.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "config.h"
#include "http/libcurl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

/* A server that sends less than this for so long has stalled. */
#define LOW_SPEED_BYTES_PER_S 1L
#define LOW_SPEED_TIME_S 20L

struct curl_client {
	struct http_client client; /* first: the seam casts back to us */
	const struct libcurl *lib; /* NULL until the first request */
};

struct exchange { /* one request under way */
	const struct http_request *request;
	struct http_response *response;
	size_t header_bytes;
	bool too_long; /* body or headers passed their limit */
	char reason[CURL_ERROR_SIZE];
};

/* ---- what arrives ---------------------------------------------------------- */

static size_t on_body(char *data, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	size_t len = size * count;

	if (!buf_add(&x->response->body, data, len)) {
		x->too_long = true;
		return 0;
	}
	return len;
}

/* "Name: value" into out when the name is this one; cut to what fits. */
static bool take_field(const char *line, size_t len, const char *name,
		       char *out, size_t size)
{
	size_t name_len = strlen(name);

	if (len <= name_len || line[name_len] != ':' ||
	    strncasecmp(line, name, name_len) != 0)
		return false;
	line += name_len + 1;
	len -= name_len + 1;
	while (len > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		len--;
	}
	while (len > 0 && strchr(" \t\r\n", line[len - 1]))
		len--;
	if (len >= size)
		len = size - 1;
	memcpy(out, line, len);
	out[len] = '\0';
	return true;
}

static void take_correlation(const char *line, size_t len,
			     struct http_response *r)
{
	static const char *const names[] = {
		"Cerner-Correlation-Id", "X-Request-Id", "x-ms-request-id",
		"X-Correlation-Id",      "traceparent",
	};
	char value[256];

	for (size_t i = 0; !r->correlation[0] && i < PO_ARRAY_SIZE(names); i++)
		if (take_field(line, len, names[i], value, sizeof(value)))
			(void)snprintf(r->correlation, sizeof(r->correlation),
				       "%s: %s", names[i], value);
}

static void forget_fields(struct http_response *r)
{
	r->content_type[0] = r->location[0] = r->www_authenticate[0] = '\0';
	r->retry_after[0] = r->date[0] = r->correlation[0] = '\0';
}

static size_t on_header(char *line, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	struct http_response *r = x->response;
	size_t len = size * count;

	if (len > 5 && memcmp(line, "HTTP/", 5) == 0)
		forget_fields(r); /* of an interim answer, such as 103 */
	x->header_bytes += len;
	if (x->header_bytes > HTTP_HEADERS_MAX) {
		x->too_long = true;
		return 0;
	}
	(void)(take_field(line, len, "Content-Type", r->content_type,
			  sizeof(r->content_type)) ||
	       take_field(line, len, "Location", r->location,
			  sizeof(r->location)) ||
	       take_field(line, len, "WWW-Authenticate", r->www_authenticate,
			  sizeof(r->www_authenticate)) ||
	       take_field(line, len, "Retry-After", r->retry_after,
			  sizeof(r->retry_after)) ||
	       take_field(line, len, "Date", r->date, sizeof(r->date)));
	take_correlation(line, len, r);
	return len;
}

static int on_progress(void *user, curl_off_t a, curl_off_t b, curl_off_t c,
		       curl_off_t d)
{
	(void)user;
	(void)a;
	(void)b;
	(void)c;
	(void)d;
	return interrupt_is_pending() ? 1 : 0;
}

/* ---- the request ------------------------------------------------------------- */

static bool add_header(const struct libcurl *lib, struct curl_slist **list,
		       const char *name, const char *value)
{
	char line[HTTP_FIELD_MAX];
	struct curl_slist *longer;
	int n = snprintf(line, sizeof(line), "%s:%s%s", name, value ? " " : "",
			 value ? value : "");

	if (n < 0 || (size_t)n >= sizeof(line))
		return false;
	longer = lib->slist_append(*list, line);
	if (!longer)
		return false;
	*list = longer;
	return true;
}

static bool make_headers(const struct libcurl *lib,
			 const struct http_request *r, struct curl_slist **list)
{
	/* a name without a value takes out what libcurl would send */
	return add_header(lib, list, "Accept", r->accept) &&
	       add_header(lib, list, "Expect", NULL) &&
	       add_header(lib, list, "Cache-Control", "no-store") &&
	       (r->method != HTTP_POST ||
		add_header(lib, list, "Content-Type", r->content_type));
}

#define SET(option, value) (lib->easy_setopt(easy, option, value) == CURLE_OK)

static bool set_transport(const struct libcurl *lib, CURL *easy,
			  const struct http_request *r)
{
	int64_t timeout_ms =
		r->timeout_ms ? r->timeout_ms : HTTP_TIMEOUT_DEFAULT_MS;

	return SET(CURLOPT_URL, r->url) &&
	       SET(CURLOPT_PROTOCOLS_STR,
		   r->allow_loopback_http ? "https,http" : "https") &&
	       SET(CURLOPT_FOLLOWLOCATION, 0L) &&
	       SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
	       SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
	       (!r->ca_file || (SET(CURLOPT_CAINFO, r->ca_file) &&
				SET(CURLOPT_CAPATH, NULL))) &&
	       SET(CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_TIMEOUT_MS) &&
	       SET(CURLOPT_TIMEOUT_MS, (long)timeout_ms) &&
	       SET(CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES_PER_S) &&
	       SET(CURLOPT_LOW_SPEED_TIME, LOW_SPEED_TIME_S) &&
	       SET(CURLOPT_NOSIGNAL, 1L) &&
	       SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
	       SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	       SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION);
}

static bool set_exchange(const struct libcurl *lib, CURL *easy,
			 struct exchange *x, struct curl_slist *headers)
{
	const struct http_request *r = x->request;

	if (r->method == HTTP_POST &&
	    (!SET(CURLOPT_POST, 1L) ||
	     !SET(CURLOPT_POSTFIELDSIZE_LARGE,
		  (curl_off_t)secret_len(r->body)) ||
	     !SET(CURLOPT_POSTFIELDS, secret_reveal(r->body))))
		return false;
	return SET(CURLOPT_HTTPHEADER, headers) &&
	       SET(CURLOPT_WRITEFUNCTION, on_body) &&
	       SET(CURLOPT_WRITEDATA, x) &&
	       SET(CURLOPT_HEADERFUNCTION, on_header) &&
	       SET(CURLOPT_HEADERDATA, x) &&
	       SET(CURLOPT_XFERINFOFUNCTION, on_progress) &&
	       SET(CURLOPT_NOPROGRESS, 0L) &&
	       SET(CURLOPT_ERRORBUFFER, x->reason);
}

/*
 * The variable by which a request to url may have gone to a proxy, or NULL:
 * libcurl says "Failed to connect" of a proxy and of a server alike.
 */
static const char *proxy_variable(const char *url)
{
	static const char *const names[] = {
		"https_proxy", "HTTPS_PROXY", "all_proxy",
		"ALL_PROXY",   "http_proxy",
	};
	bool secure = strncasecmp(url, "https:", 6) == 0;

	for (size_t i = secure ? 0 : 2; i < (secure ? 4U : 5U); i++)
		if (environment_get(names[i]))
			return names[i];
	return NULL;
}

/*
 * No answer, in libcurl's words. Its "Failed to connect" does not say that the
 * connection was refused; the system's errno does.
 */
static enum po_status fail_transfer(const struct libcurl *lib, CURL *easy,
				    CURLcode code, const struct exchange *x,
				    struct po_error *err)
{
	const char *reason =
		x->reason[0] ? x->reason : lib->easy_strerror(code);
	const char *variable = proxy_variable(x->request->url);
	const char *system = "";
	long os_errno = 0;

	if (code == CURLE_COULDNT_CONNECT)
		(void)lib->easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
	if (os_errno != 0)
		system = strerror((int)os_errno);
	return po_fail(err, PO_E_NETWORK, code, "%s%s%s%s%s%s", reason,
		       *system ? " (" : "", system, *system ? ")" : "",
		       variable ? "; a proxy is set by " : "",
		       variable ? variable : "");
}

static enum po_status fail_network(const struct libcurl *lib, CURL *easy,
				   CURLcode code, const struct exchange *x,
				   struct po_error *err)
{
	if (x->too_long)
		return po_fail(err, PO_E_SERVER, 0,
			       "the server's answer is longer than %d bytes",
			       x->header_bytes > HTTP_HEADERS_MAX
				       ? HTTP_HEADERS_MAX
				       : HTTP_BODY_MAX);
	if (code == CURLE_ABORTED_BY_CALLBACK && interrupt_is_pending())
		return interrupt_check(err);
	return fail_transfer(lib, easy, code, x, err);
}

static void log_exchange(const struct exchange *x, int64_t started_ms)
{
	const struct http_request *r = x->request;

	/* never the query: some servers put credentials there */
	log_debug(LOG_HTTP, "%s %.*s: status %ld, %zu bytes, %lld ms",
		  r->method == HTTP_POST ? "POST" : "GET",
		  (int)strcspn(r->url, "?"), r->url, x->response->status,
		  x->response->body.len,
		  (long long)(clock_monotonic_ms() - started_ms));
}

static enum po_status perform_with(const struct libcurl *lib, CURL *easy,
				   struct exchange *x, struct po_error *err)
{
	int64_t started_ms = clock_monotonic_ms();
	struct curl_slist *headers = NULL;
	enum po_status st = PO_OK;
	CURLcode code;

	if (!make_headers(lib, x->request, &headers) ||
	    !set_transport(lib, easy, x->request) ||
	    !set_exchange(lib, easy, x, headers)) {
		lib->slist_free_all(headers);
		return po_fail(err, PO_E_INTERNAL, 0,
			       "libcurl refused an option");
	}
	code = lib->easy_perform(easy);
	(void)lib->easy_getinfo(easy, CURLINFO_RESPONSE_CODE,
				&x->response->status);
	lib->slist_free_all(headers);
	if (code != CURLE_OK)
		st = fail_network(lib, easy, code, x, err);
	log_exchange(x, started_ms);
	return st;
}

/* libcurl's own word for a file that is not there speaks of certificates. */
static enum po_status check_ca_file(const char *path, struct po_error *err)
{
	if (path && access(path, R_OK) != 0)
		return po_fail(err, PO_E_CONFIG, 0, "cacert: cannot read '%s'",
			       path);
	return PO_OK;
}

static enum po_status perform(struct http_client *client,
			      const struct http_request *request,
			      struct http_response *response,
			      struct po_error *err)
{
	struct curl_client *c = (struct curl_client *)(void *)client;
	struct exchange x = { .request = request, .response = response };
	enum po_status st =
		http_check_url(request->url, request->allow_loopback_http, err);
	CURL *easy;

	if (st == PO_OK)
		st = check_ca_file(request->ca_file, err);
	if (st == PO_OK && !c->lib)
		st = libcurl_load(&c->lib, err);
	if (st != PO_OK)
		return st;
	easy = c->lib->easy_init();
	if (!easy)
		return po_no_memory(err);
	st = perform_with(c->lib, easy, &x, err);
	c->lib->easy_cleanup(easy);
	return po_context(err, st, "%.*s", (int)strcspn(request->url, "?"),
			  request->url);
}

static void curl_client_free(struct http_client *client)
{
	free(client);
}

enum po_status curl_client_new(struct http_client **ret_client,
			       struct po_error *err)
{
	struct curl_client *c = calloc(1, sizeof(*c));

	if (!c)
		return po_no_memory(err);
	c->client.perform = perform;
	c->client.free = curl_client_free;
	*ret_client = &c->client;
	return PO_OK;
}
