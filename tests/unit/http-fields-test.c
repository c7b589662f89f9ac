/* SPDX-License-Identifier: Apache-2.0 */
/* Relative URLs, dates, Retry-After, and how long an answer may be kept. */
#include "http/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW_S 784111777 /* Sun, 06 Nov 1994 08:49:37 GMT */
#define NOW "Sun, 06 Nov 1994 08:49:37 GMT"

struct url_row {
	const char *name;
	const char *base, *reference;
	const char *url; /* NULL: none */
};

static struct url_row url_rows[] = {
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

static void url_row(void **state)
{
	const struct url_row *r = *state;
	po_auto_buf out = { 0 };
	bool ok;

	buf_init(&out, HTTP_URL_MAX);
	ok = http_resolve_url(r->base, r->reference, &out);
	assert_int_equal(ok, r->url != NULL);
	if (ok)
		assert_string_equal(buf_text(&out), r->url);
}

struct retry_row {
	const char *name;
	const char *field;
	int64_t after_s; /* -1: unreadable */
};

static struct retry_row retry_rows[] = {
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

static void retry_row(void **state)
{
	const struct retry_row *r = *state;
	po_auto_http_response response = { 0 };
	int64_t after_s = -1;
	bool ok;

	http_response_init(&response);
	(void)snprintf(response.retry_after, sizeof(response.retry_after), "%s",
		       r->field);
	ok = http_retry_after_s(&response, NOW_S, &after_s);
	assert_int_equal(ok, r->after_s >= 0);
	assert_int_equal(after_s, r->after_s);
}

struct fresh_row {
	const char *name;
	const char *cache_control, *expires, *age, *date;
	int64_t fresh_s;
};

static struct fresh_row fresh_rows[] = {
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

static void fresh_row(void **state)
{
	const struct fresh_row *r = *state;
	po_auto_http_response response = { 0 };

	http_response_init(&response);
	(void)snprintf(response.cache_control, sizeof(response.cache_control),
		       "%s", r->cache_control);
	(void)snprintf(response.expires, sizeof(response.expires), "%s",
		       r->expires);
	(void)snprintf(response.age, sizeof(response.age), "%s", r->age);
	(void)snprintf(response.date, sizeof(response.date), "%s", r->date);
	assert_int_equal(http_fresh_s(&response, NOW_S), r->fresh_s);
}

#define N_URL PO_ARRAY_SIZE(url_rows)
#define N_RETRY PO_ARRAY_SIZE(retry_rows)
#define N_FRESH PO_ARRAY_SIZE(fresh_rows)
#define ROW(rows, i, function) \
	((struct CMUnitTest){ rows[i].name, function, NULL, NULL, &rows[i] })

int main(void)
{
	struct CMUnitTest tests[N_URL + N_RETRY + N_FRESH];
	size_t n = 0;

	for (size_t i = 0; i < N_URL; i++)
		tests[n++] = ROW(url_rows, i, url_row);
	for (size_t i = 0; i < N_RETRY; i++)
		tests[n++] = ROW(retry_rows, i, retry_row);
	for (size_t i = 0; i < N_FRESH; i++)
		tests[n++] = ROW(fresh_rows, i, fresh_row);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
