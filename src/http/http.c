/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <string.h>
#include <strings.h>

void http_response_init(struct http_response *response)
{
	*response = (struct http_response){ 0 };
	buf_init(&response->body, HTTP_BODY_MAX);
}

void http_response_clear(struct http_response *response)
{
	buf_clear(&response->body);
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* 127.0.0.0/8 in dotted form; no name may pretend to be one. */
static bool is_loopback_ipv4(const char *host, size_t len)
{
	size_t dots = 0;

	for (size_t i = 0; i < len; i++) {
		if (host[i] == '.')
			dots++;
		else if (host[i] < '0' || host[i] > '9')
			return false;
	}
	return dots == 3 && len > 4 && memcmp(host, "127.", 4) == 0;
}

static bool is_loopback(const char *host, size_t len)
{
	return (len == 9 && strncasecmp(host, "localhost", len) == 0) ||
	       (len == 5 && memcmp(host, "[::1]", len) == 0) ||
	       is_loopback_ipv4(host, len);
}

/* Length of the host at the start of an authority, brackets included. */
static size_t host_len(const char *authority, size_t len)
{
	const char *end = authority[0] == '[' ? memchr(authority, ']', len)
					      : memchr(authority, ':', len);

	if (authority[0] == '[')
		return end ? (size_t)(end - authority) + 1 : 0;
	return end ? (size_t)(end - authority) : len;
}

static enum po_status check_characters(const char *url, struct po_error *err)
{
	if (strlen(url) > HTTP_URL_MAX)
		return po_fail(err, PO_E_USAGE, 0,
			       "the URL is longer than %d characters",
			       HTTP_URL_MAX);
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return po_fail(err, PO_E_USAGE, 0,
				       "the URL has a space, a control "
				       "character or one outside ASCII");
	if (strchr(url, '#'))
		return po_fail(err, PO_E_USAGE, 0, "the URL has a fragment");
	return PO_OK;
}

enum po_status http_check_url(const char *url, bool allow_loopback_http,
			      struct po_error *err)
{
	enum po_status st = check_characters(url, err);
	bool secure = starts_with(url, "https://");
	const char *authority = url + (secure ? 8 : 7);
	size_t len, host;

	if (st != PO_OK)
		return st;
	if (!secure && !starts_with(url, "http://"))
		return po_fail(err, PO_E_USAGE, 0, "'%.64s' is no https:// URL",
			       url);
	len = strcspn(authority, "/?");
	if (memchr(authority, '@', len))
		return po_fail(err, PO_E_USAGE, 0,
			       "the URL has user information in it");
	host = host_len(authority, len);
	if (host == 0)
		return po_fail(err, PO_E_USAGE, 0, "the URL has no host");
	if (secure)
		return PO_OK;
	if (!allow_loopback_http)
		return po_fail(err, PO_E_USAGE, 0,
			       "http:// would send the assertion in the clear; "
			       "only https:// is used");
	if (!is_loopback(authority, host))
		return po_fail(err, PO_E_USAGE, 0,
			       "http:// is allowed to a loopback host only, "
			       "not to '%.*s'",
			       (int)(host < 64 ? host : 64), authority);
	return PO_OK;
}
