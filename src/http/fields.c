/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields.c - response fields that have a meaning for us: dates and times.
 */
#include "base/text.h"
#include "http/http.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>
#include <time.h>

bool http_date_s(const char *text, int64_t *ret_s)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);

	if (!end || *end)
		return false;
	*ret_s = timegm(&tm);
	return true;
}

/* Digits; a number without end counts as a very large one. */
static bool read_delay(const char *text, uint64_t *ret_s)
{
	if (text_to_uint(text, INT32_MAX, ret_s))
		return true;
	*ret_s = INT32_MAX;
	return *text && !text[strspn(text, "0123456789")];
}

bool http_retry_after_s(const struct http_response *response, int64_t now_s,
			int64_t *ret_s)
{
	uint64_t seconds = 0;
	int64_t date_s = 0;

	if (read_delay(response->retry_after, &seconds))
		*ret_s = (int64_t)seconds;
	else if (http_date_s(response->retry_after, &date_s))
		*ret_s = date_s > now_s ? date_s - now_s : 0;
	else
		return false;
	return true;
}

/* The directive, and its value when it has one ("" otherwise). */
static bool directive(const char *field, const char *name, char *value,
		      size_t size)
{
	size_t name_len = strlen(name);

	while (*field) {
		const char *end = field + strcspn(field, ",");
		size_t len;

		field += strspn(field, " \t");
		if (strncasecmp(field, name, name_len) == 0 &&
		    !isalnum((unsigned char)field[name_len]) &&
		    field[name_len] != '-') {
			field += name_len + strspn(field + name_len, "= \"");
			len = strspn(field, "0123456789");
			if (len >= size)
				len = size - 1;
			memcpy(value, field, len);
			value[len] = '\0';
			return true;
		}
		field = *end ? end + 1 : end;
	}
	return false;
}

int64_t http_fresh_s(const struct http_response *response, int64_t now_s)
{
	char value[16] = "";
	uint64_t fresh = 0, age = 0;
	int64_t expires_s = 0, date_s = now_s, left_s;

	if (directive(response->cache_control, "no-store", value,
		      sizeof(value)) ||
	    directive(response->cache_control, "no-cache", value,
		      sizeof(value)))
		return 0;
	(void)http_date_s(response->date, &date_s);
	if (directive(response->cache_control, "max-age", value,
		      sizeof(value))) {
		if (!text_to_uint(value, INT32_MAX, &fresh))
			return 0;
	} else if (http_date_s(response->expires, &expires_s) &&
		   expires_s > date_s) {
		fresh = (uint64_t)(expires_s - date_s);
	}
	(void)text_to_uint(response->age, INT32_MAX, &age);
	left_s = (int64_t)fresh - (int64_t)age;
	return left_s > 0 ? left_s : 0;
}
