/* SPDX-License-Identifier: Apache-2.0 */
/* Which URLs are used at all, and what is said of the others. */
#include "http/http.h"

#include "unit.h"

#include <string.h>

struct row {
	const char *name;
	const char *url;
	const char *said; /* in the error text; NULL: the URL is good */
	bool loopback_http;
};

static const struct row rows[] = {
	{ "https", "https://as.example/token", NULL, false },
	{ "scheme in capitals", "HTTPS://as.example/token", NULL, false },
	{ "port", "https://as.example:8443/token", NULL, false },
	{ "largest port", "https://as.example:65535", NULL, false },
	{ "query", "https://as.example/token?a=b@c", NULL, false },
	{ "query without path", "https://as.example?a=b", NULL, false },
	{ "IPv6", "https://[2001:db8::1]:8443/token", NULL, false },
	{ "no path", "https://as.example", NULL, false },
	{ "empty", "", "https://", false },
	{ "scheme only", "https", "https://", false },
	{ "no host", "https://", "no host", false },
	{ "no host but a path", "https:///token", "no host", false },
	{ "no host but a port", "https://:443/", "no host", false },
	{ "open bracket", "https://[::1/token", "no host", false },
	{ "no port behind the colon", "https://as.example:/", "port", false },
	{ "port of letters", "https://as.example:https/", "port", false },
	{ "port 0", "https://as.example:0/", "port", false },
	{ "port too large", "https://as.example:65536/", "port", false },
	{ "text behind the bracket", "https://[::1]as.example/", "port",
	  false },
	{ "other scheme", "ftp://as.example/", "https://", false },
	{ "file", "file:///etc/passwd", "https://", false },
	{ "no scheme", "as.example/token", "https://", false },
	{ "user", "https://me@as.example/", "user information", false },
	{ "user and password", "https://me:pw@as.example/", "user information",
	  false },
	{ "fragment", "https://as.example/#x", "fragment", false },
	{ "space", "https://as.example/a b", "space", false },
	{ "space in front", " https://as.example/", "space", false },
	{ "newline", "https://as.example/\n", "control", false },
	{ "delete", "https://as.example/\x7f", "control", false },
	{ "not ASCII", "https://as.example/\xc3\xa4", "ASCII", false },
	{ "http", "http://as.example/", "in the clear", false },
	{ "http to loopback, not allowed", "http://127.0.0.1/", "in the clear",
	  false },
	{ "http allowed, elsewhere", "http://as.example/", "loopback", true },
	{ "http to 127.0.0.1", "http://127.0.0.1:8080/token", NULL, true },
	{ "http to 127.255.0.9", "http://127.255.0.9/", NULL, true },
	{ "http to localhost", "http://localhost:8080/", NULL, true },
	{ "http to LOCALHOST", "http://LOCALHOST/", NULL, true },
	{ "http to [::1]", "http://[::1]:8080/", NULL, true },
	{ "https stays allowed", "https://as.example/", NULL, true },
	{ "http to 128.0.0.1", "http://128.0.0.1/", "loopback", true },
	{ "http to 0.0.0.0", "http://0.0.0.0/", "loopback", true },
	{ "localhost as a label", "http://localhost.as.example/", "loopback",
	  true },
	{ "127.0.0.1 as a label", "http://127.0.0.1.as.example/", "loopback",
	  true },
	{ "no address at all", "http://127.../", "loopback", true },
	{ "number over 255", "http://127.0.0.256/", "loopback", true },
	{ "short address", "http://127.1/", "loopback", true },
	{ "other IPv6", "http://[::2]/", "loopback", true },
	{ "loopback as user", "http://127.0.0.1@as.example/",
	  "user information", true },
	{ "loopback and backslash", "http://localhost\\.as.example/",
	  "loopback", true },
	{ "text behind [::1]", "http://[::1].as.example/", "port", true },
};

ROWS(rows, url_row)
{
	struct po_error err = { 0 };
	enum po_status st = http_check_url(row->url, row->loopback_http, &err);

	assert_int_equal(st, row->said ? PO_E_USAGE : PO_OK);
	assert_int_equal(err.status, st);
	if (row->said)
		assert_non_null(strstr(err.text, row->said));
}

TEST(password_is_not_repeated)
{
	struct po_error err = { 0 };

	assert_int_equal(
		http_check_url("https://me:canary@as.example/", false, &err),
		PO_E_USAGE);
	assert_null(strstr(err.text, "canary"));
}

TEST(longest_url)
{
	static char url[HTTP_URL_MAX + 2] = "https://as.example/";
	size_t len = strlen(url);
	struct po_error err = { 0 };

	memset(url + len, 'x', HTTP_URL_MAX - len);
	assert_int_equal(http_check_url(url, false, &err), PO_OK);
	url[HTTP_URL_MAX] = 'x';
	assert_int_equal(http_check_url(url, false, &err), PO_E_USAGE);
	assert_non_null(strstr(err.text, "8192"));
}

TEST(response_is_empty)
{
	po_auto_http_response r = { 0 };

	memset(&r, 0xff, sizeof(r));
	http_response_init(&r);
	assert_int_equal(r.status, 0);
	assert_string_equal(buf_text(&r.body), "");
	assert_string_equal(r.content_type, "");
	assert_string_equal(r.location, "");
	assert_string_equal(r.correlation, "");
	assert_true(buf_adds(&r.body, "x"));
	http_response_clear(&r);
	assert_int_equal(r.body.len, 0);
}
