/* SPDX-License-Identifier: Apache-2.0 */
#include "http/http.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

void http_response_init(struct http_response *response)
{
	*response = (struct http_response){ 0 };
	buf_init(&response->body, (size_t)HTTP_BODY_MAX);
}

void http_response_clear(struct http_response *response)
{
	buf_clear(&response->body);
}

static bool starts_with(const char *text, const char *prefix)
{
	return strncasecmp(text, prefix, strlen(prefix)) == 0;
}

/* 127.0.0.0/8 as four numbers; anything else could be looked up as a name. */
static bool is_loopback_ipv4(const char *host, size_t len)
{
	char text[INET_ADDRSTRLEN] = "";
	struct in_addr address;

	if (len >= sizeof(text))
		return false;
	memcpy(text, host, len);
	return inet_pton(AF_INET, text, &address) == 1 &&
	       ntohl(address.s_addr) >> 24 == 127;
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

/* What follows the host: nothing, or a port (RFC 3986 section 3.2.3). */
static bool is_port(const char *text, size_t len)
{
	unsigned long port = 0;

	if (len == 0)
		return true;
	if (text[0] != ':' || len == 1 || len > 6)
		return false;
	for (size_t i = 1; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		port = port * 10 + (unsigned long)(text[i] - '0');
	}
	return port > 0 && port <= 65535;
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
	const char *authority;
	size_t len, host;

	if (st != PO_OK)
		return st;
	if (!secure && !starts_with(url, "http://"))
		return po_fail(err, PO_E_USAGE, 0, "'%.64s' is no https:// URL",
			       url);
	authority = url + (secure ? 8 : 7);
	len = strcspn(authority, "/?");
	if (memchr(authority, '@', len))
		return po_fail(err, PO_E_USAGE, 0,
			       "the URL has user information in it");
	host = host_len(authority, len);
	if (host == 0)
		return po_fail(err, PO_E_USAGE, 0, "the URL has no host");
	if (!is_port(authority + host, len - host))
		return po_fail(err, PO_E_USAGE, 0,
			       "the URL has no port of 1 to 65535 behind its "
			       "host");
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
