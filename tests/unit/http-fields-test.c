/* SPDX-License-Identifier: Apache-2.0 */
/* Relative URLs, dates, Retry-After, and how long an answer may be kept. */
#include "http/http.h"

#include "unit.h"

#include <stdio.h>

#define NOW_S 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW "Sun, 06 Nov 1994 08:49:37 GMT"

struct url_row {
	const char *name;
	const char *base, *reference;
	const char *url; /* NULL: none */
};

static const struct url_row url_rows[] = {
	{ "absolute", "https://a/fhir", "https://b/token", "https://b/token" },
	{ "another scheme", "https://a/fhir", "http://b/x", "http://b/x" },
	{ "a scheme of its own", "https://a/fhir", "urn:x", "urn:x" },
	{ "no scheme, but a colon", "https://a/fhir", ".:b/../c",
	  "https://a/fhir/c" },
	{ "same scheme", "https://a/fhir", "//b/token", "https://b/token" },
	{ "from the root", "https://a:8/fhir/r4", "/token?x=/..",
	  "https://a:8/token?x=/.." },
	{ "below the base", "https://a/fhir/r4", "auth/token",
	  "https://a/fhir/r4/auth/token" },
	{ "a base with a slash", "https://a/fhir/", "token",
	  "https://a/fhir/token" },
	{ "a base without a path", "https://a", "token", "https://a/token" },
	{ "a base with a query", "https://a/f?x=1", "token",
	  "https://a/f/token" },
	{ "one up", "https://a/fhir/r4", "../token", "https://a/fhir/token" },
	{ "dots", "https://a/fhir/r4", "./x/../token",
	  "https://a/fhir/r4/token" },
	{ "a folder", "https://a/fhir", "token/", "https://a/fhir/token/" },
	{ "above the root", "https://a/fhir", "../../token", NULL },
	{ "nothing", "https://a/fhir", "", NULL },
};

ROWS(url_rows, url_row)
{
	po_auto_buf out = { 0 };
	bool ok;

	buf_init(&out, HTTP_URL_MAX);
	ok = http_resolve_url(row->base, row->reference, &out);
	assert_int_equal(ok, row->url != NULL);
	if (ok)
		assert_string_equal(buf_text(&out), row->url);
}

struct retry_row {
	const char *name;
	const char *field;
	int64_t after_s; /* -1: unreadable */
};

static const struct retry_row retry_rows[] = {
	{ "retry: absent", "", -1 },
	{ "retry: seconds", "120", 120 },
	{ "retry: at once", "0", 0 },
	{ "retry: a date", "Sun, 06 Nov 1994 08:50:07 GMT", 30 },
	{ "retry: a past date", "Sun, 06 Nov 1994 08:00:00 GMT", 0 },
	{ "retry: negative", "-5", -1 },
	{ "retry: prose", "soon", -1 },
	{ "retry: too large", "99999999999999999999", INT32_MAX },
	{ "retry: too large, negative", "-99999999999999999999", -1 },
	{ "retry: trailing text", "12 s", -1 },
};

ROWS(retry_rows, retry_row)
{
	po_auto_http_response response = { 0 };
	int64_t after_s = -1;
	bool ok;

	http_response_init(&response);
	(void)snprintf(response.retry_after, sizeof(response.retry_after), "%s",
		       row->field);
	ok = http_retry_after_s(&response, NOW_S, &after_s);
	assert_int_equal(ok, row->after_s >= 0);
	assert_int_equal(after_s, row->after_s);
}

struct fresh_row {
	const char *name;
	const char *cache_control, *expires, *age, *date;
	int64_t fresh_s;
};

static const struct fresh_row fresh_rows[] = {
	{ "fresh: nothing said", "", "", "", NOW, 0 },
	{ "fresh: max-age", "max-age=60", "", "", NOW, 60 },
	{ "fresh: among others", "public, Max-Age=\"60\", immutable", "", "",
	  NOW, 60 },
	{ "fresh: less its age", "max-age=60", "", "45", NOW, 15 },
	{ "fresh: older than its life", "max-age=60", "", "61", NOW, 0 },
	{ "fresh: no-store", "no-store, max-age=60", "", "", NOW, 0 },
	{ "fresh: no-cache", "no-cache", "", "", NOW, 0 },
	{ "fresh: s-maxage is not for us", "s-maxage=60", "", "", NOW, 0 },
	{ "fresh: expires", "", "Sun, 06 Nov 1994 08:50:37 GMT", "", NOW, 60 },
	{ "fresh: expires by the server's clock", "",
	  "Sun, 06 Nov 1994 08:50:37 GMT", "", "Sun, 06 Nov 1994 08:50:27 GMT",
	  10 },
	{ "fresh: max-age wins", "max-age=5", "Sun, 06 Nov 1994 08:50:37 GMT",
	  "", NOW, 5 },
	{ "fresh: already expired", "", "Sun, 06 Nov 1994 08:40:37 GMT", "",
	  NOW, 0 },
	{ "fresh: expires 0", "", "0", "", NOW, 0 },
	{ "fresh: not a number", "max-age=x", "", "", NOW, 0 },
	{ "fresh: too large", "max-age=99999999999999999999", "", "", NOW, 0 },
};

ROWS(fresh_rows, fresh_row)
{
	po_auto_http_response response = { 0 };

	http_response_init(&response);
	(void)snprintf(response.cache_control, sizeof(response.cache_control),
		       "%s", row->cache_control);
	(void)snprintf(response.expires, sizeof(response.expires), "%s",
		       row->expires);
	(void)snprintf(response.age, sizeof(response.age), "%s", row->age);
	(void)snprintf(response.date, sizeof(response.date), "%s", row->date);
	assert_int_equal(http_fresh_s(&response, NOW_S), row->fresh_s);
}
