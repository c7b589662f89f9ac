/* SPDX-License-Identifier: Apache-2.0 */
#include "http/curl.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "config.h"
#include "http/libcurl.h"
#include "http/tls.h"
#include "http/transfer_error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* A server that sends less than this for so long has stalled. */
#define LOW_SPEED_BYTES_PER_S 1L
#define LOW_SPEED_TIME_S 20L

#define TICK_MS 50 /* between two looks at signals and deadlines */

struct curl_client {
	struct http_client client; /* first: the seam casts back to us */
	const struct po_clock *clock;
	const struct libcurl *lib; /* NULL until the first request */
	CURLM *multi;              /* keeps connections for the next request */
	CURL *easy;
	struct tls tls; /* of the request under way; kept connections know it */
};

struct exchange { /* one request under way */
	const struct po_clock *clock;
	const struct http_request *request;
	struct http_response *response;
	struct tls *tls;
	curl_socket_t socket; /* where check_listener wants to know it */
	size_t header_bytes;
	bool too_long; /* body or headers passed their limit */
	int64_t deadline_ms;
	const struct secret *body; /* NULL until it is there */
	size_t body_sent;
	enum po_status late; /* what became of a late body */
	struct po_error late_why;
	char reason[CURL_ERROR_SIZE];
};

/* ---- what arrives ------------------------------------------------------- */

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

/* A list may come in several lines (RFC 9110 section 5.3). */
static bool take_list(const char *line, size_t len, const char *name, char *out,
		      size_t size)
{
	size_t have = strlen(out);
	size_t at = have ? have + 2 : 0;

	if (at >= size || !take_field(line, len, name, out + at, size - at))
		return false;
	if (have) {
		out[have] = ',';
		out[have + 1] = ' ';
	}
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
	r->cache_control[0] = r->expires[0] = r->age[0] = '\0';
	r->last_modified[0] = '\0';
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
	       take_field(line, len, "Date", r->date, sizeof(r->date)) ||
	       take_list(line, len, "Cache-Control", r->cache_control,
			 sizeof(r->cache_control)) ||
	       take_field(line, len, "Expires", r->expires,
			  sizeof(r->expires)) ||
	       take_field(line, len, "Age", r->age, sizeof(r->age)) ||
	       take_field(line, len, "Last-Modified", r->last_modified,
			  sizeof(r->last_modified)));
	take_correlation(line, len, r);
	return len;
}

/* ---- what is sent -------------------------------------------------------- */

static int64_t timeout_of(const struct http_request *r)
{
	return r->timeout_ms ? r->timeout_ms : HTTP_TIMEOUT_DEFAULT_MS;
}

static int on_socket(void *user, curl_socket_t fd, curlsocktype purpose)
{
	struct exchange *x = user;

	(void)purpose;
	x->socket = fd;
	return CURL_SOCKOPT_OK;
}

/* Of the socket that is connected, whatever its path leads to by now. */
static enum po_status ask_of_listener(const struct exchange *x,
				      struct po_error *err)
{
	struct ucred peer = { 0 };
	socklen_t len = sizeof(peer);

	if (getsockopt(x->socket, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return po_fail(err, PO_E_POLICY, errno,
			       "nobody knows who listens on the socket");
	return x->request->check_listener(peer.uid, err);
}

/* The connection stands and nothing was sent yet. */
static int on_connected(void *user, char *remote, char *local, int remote_port,
			int local_port)
{
	struct exchange *x = user;
	const struct http_late_body *late = x->request->late_body;

	(void)remote;
	(void)local;
	(void)remote_port;
	(void)local_port;
	if (x->request->check_listener) {
		x->late = ask_of_listener(x, &x->late_why);
		if (x->late != PO_OK)
			return CURL_PREREQFUNC_ABORT;
	}
	if (!late || x->body)
		return CURL_PREREQFUNC_OK;
	x->late = late->wait(late->user, &x->body, &x->late_why);
	if (x->late == PO_OK && secret_len(x->body) != late->len)
		x->late = po_fail(&x->late_why, PO_E_INTERNAL, 0,
				  "the request has another length than was "
				  "foreseen");
	x->deadline_ms = clock_monotonic_ms(x->clock) + timeout_of(x->request);
	return x->late == PO_OK ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

static size_t on_read(char *out, size_t size, size_t count, void *user)
{
	struct exchange *x = user;
	size_t len = secret_len(x->body) - x->body_sent;

	if (len > size * count)
		len = size * count;
	memcpy(out, secret_reveal(x->body) + x->body_sent, len);
	x->body_sent += len;
	return len;
}

/* A kept connection was dead: libcurl sends once more on a new one. */
static int on_seek(void *user, curl_off_t offset, int origin)
{
	struct exchange *x = user;

	if (origin != SEEK_SET || offset < 0 ||
	    (size_t)offset > secret_len(x->body))
		return CURL_SEEKFUNC_FAIL;
	x->body_sent = (size_t)offset;
	return CURL_SEEKFUNC_OK;
}

/* ---- the request -------------------------------------------------------- */

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

/* Who answers on a socket of this machine may think as long as the caller
 * lets him, and no variable sends the request elsewhere. */
static bool set_socket(const struct libcurl *lib, CURL *easy,
		       const struct http_request *r)
{
	return !r->unix_socket ||
	       (SET(CURLOPT_UNIX_SOCKET_PATH, r->unix_socket) &&
		SET(CURLOPT_PROXY, "") && SET(CURLOPT_LOW_SPEED_LIMIT, 0L) &&
		SET(CURLOPT_LOW_SPEED_TIME, 0L));
}

static bool set_transport(const struct libcurl *lib, CURL *easy,
			  const struct http_request *r)
{
	return SET(CURLOPT_URL, r->url) &&
	       SET(CURLOPT_PROTOCOLS_STR, r->unix_socket ? "http"
					  : r->allow_loopback_http
						  ? "https,http"
						  : "https") &&
	       SET(CURLOPT_FOLLOWLOCATION, 0L) &&
	       SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       SET(CURLOPT_SSL_VERIFYPEER, 1L) &&
	       SET(CURLOPT_SSL_VERIFYHOST, 2L) &&
	       (!r->ca_file || (SET(CURLOPT_CAINFO, r->ca_file) &&
				SET(CURLOPT_CAPATH, NULL))) &&
	       /* a key for TLS may wait for a touch, which is no network's */
	       SET(CURLOPT_CONNECTTIMEOUT_MS,
		   (long)(r->identity ? timeout_of(r)
				      : HTTP_CONNECT_TIMEOUT_MS)) &&
	       /* a certificate is of this request, not of the connection */
	       SET(CURLOPT_FRESH_CONNECT, r->identity ? 1L : 0L) &&
	       SET(CURLOPT_FORBID_REUSE, r->identity ? 1L : 0L) &&
	       SET(CURLOPT_SSL_SESSIONID_CACHE, r->identity ? 0L : 1L) &&
	       SET(CURLOPT_LOW_SPEED_LIMIT, LOW_SPEED_BYTES_PER_S) &&
	       SET(CURLOPT_LOW_SPEED_TIME, LOW_SPEED_TIME_S) &&
	       SET(CURLOPT_NOSIGNAL, 1L) &&
	       /* who gives up does not wait for a name server */
	       SET(CURLOPT_QUICK_EXIT, 1L) &&
	       SET(CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) &&
	       SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L) &&
	       SET(CURLOPT_USERAGENT, PACKAGE_NAME "/" PACKAGE_VERSION) &&
	       set_socket(lib, easy, r);
}

static bool set_exchange(const struct libcurl *lib, CURL *easy,
			 struct exchange *x, struct curl_slist *headers)
{
	const struct http_request *r = x->request;

	size_t len = r->late_body ? r->late_body->len
		     : r->body    ? secret_len(r->body)
				  : 0;

	if (r->method == HTTP_POST &&
	    (!SET(CURLOPT_POST, 1L) ||
	     !SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)len) ||
	     !SET(CURLOPT_READFUNCTION, on_read) || !SET(CURLOPT_READDATA, x) ||
	     !SET(CURLOPT_SEEKFUNCTION, on_seek) || !SET(CURLOPT_SEEKDATA, x) ||
	     !SET(CURLOPT_PREREQFUNCTION, on_connected) ||
	     !SET(CURLOPT_PREREQDATA, x)))
		return false;
	if (r->check_listener &&
	    (!SET(CURLOPT_SOCKOPTFUNCTION, on_socket) ||
	     !SET(CURLOPT_SOCKOPTDATA, x) || !SET(CURLOPT_FRESH_CONNECT, 1L)))
		return false;
	return tls_set(x->tls, lib, easy) && SET(CURLOPT_HTTPHEADER, headers) &&
	       SET(CURLOPT_WRITEFUNCTION, on_body) &&
	       SET(CURLOPT_WRITEDATA, x) &&
	       SET(CURLOPT_HEADERFUNCTION, on_header) &&
	       SET(CURLOPT_HEADERDATA, x) &&
	       SET(CURLOPT_ERRORBUFFER, x->reason);
}

static enum po_status fail_network(const struct libcurl *lib, CURL *easy,
				   CURLcode code, struct exchange *x,
				   struct po_error *err)
{
	struct transfer_end end = {
		.code = code,
		.reason = x->reason[0] ? x->reason : lib->easy_strerror(code),
		.has_begun = x->header_bytes > 0,
	};
	curl_off_t connected = 0;
	long os_errno = 0;

	(void)lib->easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &connected);
	x->response->failure = transfer_error_stage(code, connected > 0);
	if (x->late != PO_OK) {
		if (err && err->status == PO_OK)
			*err = x->late_why;
		return x->late;
	}
	if (x->too_long)
		return po_fail(err, PO_E_SERVER, 0,
			       "the server's answer is longer than %d bytes",
			       x->header_bytes > HTTP_HEADERS_MAX
				       ? HTTP_HEADERS_MAX
				       : HTTP_BODY_MAX);
	if (code == CURLE_ABORTED_BY_CALLBACK)
		return interrupt_is_pending()
			       ? interrupt_check(err)
			       : po_fail(err, PO_E_NETWORK, ECANCELED,
					 "the exchange was given up");
	if (code == CURLE_COULDNT_CONNECT)
		(void)lib->easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_errno);
	end.os_errno = (int)os_errno;
	return transfer_error(x->request, x->tls, &end, err);
}

static void log_exchange(const struct exchange *x, int64_t started_ms)
{
	const struct http_request *r = x->request;

	/* never the query: some servers put credentials there */
	log_debug(LOG_HTTP, "%s %.*s: status %ld, %zu bytes, %lld ms",
		  r->method == HTTP_POST ? "POST" : "GET",
		  (int)strcspn(r->url, "?"), r->url, x->response->status,
		  x->response->body.len,
		  (long long)(clock_monotonic_ms(x->clock) - started_ms));
}

/* What ends an exchange from our side; CURLE_OK: nothing does. */
static CURLcode check_end(struct exchange *x)
{
	const struct http_request *r = x->request;

	if (interrupt_is_pending() ||
	    (r->cancelled && atomic_load(r->cancelled)))
		return CURLE_ABORTED_BY_CALLBACK;
	if (clock_monotonic_ms(x->clock) < x->deadline_ms)
		return CURLE_OK;
	(void)snprintf(x->reason, sizeof(x->reason),
		       "timed out after %lld ms without a complete answer",
		       (long long)timeout_of(r));
	return CURLE_OPERATION_TIMEDOUT;
}

static CURLcode transfer(struct curl_client *c, struct exchange *x)
{
	const struct libcurl *lib = c->lib;
	CURLcode code = CURLE_OK;
	int running = 1, left = 0;
	const CURLMsg *message;

	if (lib->multi_add_handle(c->multi, c->easy) != CURLM_OK)
		return CURLE_OUT_OF_MEMORY;
	while (running && code == CURLE_OK) {
		if (lib->multi_perform(c->multi, &running) != CURLM_OK)
			code = CURLE_FAILED_INIT;
		if (code == CURLE_OK && running)
			code = check_end(x);
		if (code == CURLE_OK && running)
			(void)lib->multi_poll(c->multi, NULL, 0, TICK_MS, NULL);
	}
	message = lib->multi_info_read(c->multi, &left);
	if (code == CURLE_OK && message && message->msg == CURLMSG_DONE)
		code = message->data.result;
	(void)lib->multi_remove_handle(c->multi, c->easy);
	return code;
}

static enum po_status perform_with(struct curl_client *c, struct exchange *x,
				   struct po_error *err)
{
	const struct libcurl *lib = c->lib;
	CURL *easy = c->easy;
	int64_t started_ms = clock_monotonic_ms(x->clock);
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
	code = transfer(c, x);
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

static enum po_status prepare(struct curl_client *c, struct po_error *err)
{
	enum po_status st = c->lib ? PO_OK : libcurl_load(&c->lib, err);

	if (st != PO_OK)
		return st;
	if (!c->multi)
		c->multi = c->lib->multi_init();
	if (!c->easy)
		c->easy = c->lib->easy_init();
	if (!c->multi || !c->easy)
		return po_no_memory(err);
	c->lib->easy_reset(c->easy); /* connections stay */
	return PO_OK;
}

static enum po_status perform(struct http_client *client,
			      const struct http_request *request,
			      struct http_response *response,
			      struct po_error *err)
{
	struct curl_client *c = (struct curl_client *)(void *)client;
	struct exchange x = {
		.clock = c->clock,
		.socket = CURL_SOCKET_BAD,
		.request = request,
		.response = response,
		.tls = &c->tls,
		.body = request->body,
		.deadline_ms =
			clock_monotonic_ms(c->clock) + timeout_of(request),
	};
	enum po_status st = http_check_url(
		request->url,
		request->allow_loopback_http || request->unix_socket, err);

	if (st == PO_OK)
		st = check_ca_file(request->ca_file, err);
	if (st == PO_OK)
		st = prepare(c, err);
	if (st == PO_OK && !request->unix_socket)
		st = tls_begin(&c->tls, c->lib, request->identity,
			       &response->verify, err);
	if (st != PO_OK)
		return st;
	st = perform_with(c, &x, err);
	tls_end(&c->tls);
	return po_context(err, st, "%.*s", (int)strcspn(request->url, "?"),
			  request->url);
}

static void curl_client_free(struct http_client *client)
{
	struct curl_client *c = (struct curl_client *)(void *)client;

	if (c->easy)
		c->lib->easy_cleanup(c->easy);
	if (c->multi)
		(void)c->lib->multi_cleanup(c->multi);
	free(c);
}

enum po_status curl_client_new(const struct po_clock *clock,
			       struct http_client **ret_client,
			       struct po_error *err)
{
	struct curl_client *c = calloc(1, sizeof(*c));

	if (!c)
		return po_no_memory(err);
	c->clock = clock;
	c->client.perform = perform;
	c->client.free = curl_client_free;
	*ret_client = &c->client;
	return PO_OK;
}
