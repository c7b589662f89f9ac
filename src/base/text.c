/* SPDX-License-Identifier: Apache-2.0 */
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

bool text_to_uint(const char *text, uint64_t max, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (!*text)
		return false;
	for (; *text; text++) {
		uint64_t digit;

		if (*text < '0' || *text > '9')
			return false;
		digit = (uint64_t)(*text - '0');
		if (digit > max || value > (max - digit) / 10)
			return false;
		value = value * 10 + digit;
	}
	*ret_value = value;
	return true;
}

bool text_to_seconds(const char *text, int64_t max_s, int64_t *ret_s)
{
	size_t len = strlen(text);
	uint64_t unit_s = 1, value;
	char digits[24];

	if (len == 0 || len >= sizeof(digits))
		return false;
	memcpy(digits, text, len + 1);
	switch (digits[len - 1]) {
	case 's': break;
	case 'm': unit_s = 60; break;
	case 'h': unit_s = 3600; break;
	case 'd': unit_s = 86400; break;
	default: len++; break; /* no unit: keep the last digit */
	}
	digits[len - 1] = '\0';
	if (!text_to_uint(digits, (uint64_t)max_s / unit_s, &value))
		return false;
	*ret_s = (int64_t)(value * unit_s);
	return true;
}

/* "NN" at text, 0 .. max; -1: not so. */
static int two_digits(const char *text, int max)
{
	int value;

	if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
		return -1;
	value = (text[0] - '0') * 10 + (text[1] - '0');
	return value <= max ? value : -1;
}

/* "Z", "+HH:MM" or "-HH:MM" */
static bool zone_of(const char *text, int64_t *ret_s)
{
	int hours, minutes;

	*ret_s = 0;
	if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
		return true;
	if (strlen(text) != 6 || text[3] != ':' ||
	    (text[0] != '+' && text[0] != '-'))
		return false;
	hours = two_digits(text + 1, 23);
	minutes = two_digits(text + 4, 59);
	*ret_s = (int64_t)hours * 3600 + (int64_t)minutes * 60;
	if (text[0] == '-')
		*ret_s = -*ret_s;
	return hours >= 0 && minutes >= 0;
}

/* form: 0 for a digit, T for what may be between date and time. */
static bool fits(char c, char form)
{
	if (form == '0')
		return c >= '0' && c <= '9';
	return c == form || (form == 'T' && (c == 't' || c == ' '));
}

bool text_to_time(const char *text, int64_t *ret_s)
{
	static const char form[] = "0000-00-00T00:00:00";
	int parts[7];
	struct tm tm = { 0 };
	int64_t zone_s, time_s;
	const char *rest;

	for (size_t i = 0; form[i]; i++)
		if (!fits(text[i], form[i]))
			return false;
	for (size_t i = 0; i < 2; i++)
		parts[i] = two_digits(text + 2 * i, 99);
	for (size_t i = 2; i < 7; i++)
		parts[i] = two_digits(text + 3 * i - 1, 60);
	tm = (struct tm){ .tm_year = parts[0] * 100 + parts[1] - 1900,
			  .tm_mon = parts[2] - 1,
			  .tm_mday = parts[3],
			  .tm_hour = parts[4],
			  .tm_min = parts[5],
			  .tm_sec = parts[6] };
	rest = text + sizeof(form) - 1;
	if (rest[0] == '.' && rest[1] >= '0' && rest[1] <= '9')
		rest += 1 + strspn(rest + 1, "0123456789");
	time_s = timegm(&tm); /* puts the numbers into their ranges */
	if (!zone_of(rest, &zone_s) || tm.tm_mon != parts[2] - 1 ||
	    tm.tm_hour != parts[4] || tm.tm_min != parts[5] ||
	    tm.tm_sec != parts[6])
		return false;
	*ret_s = time_s - zone_s;
	return true;
}

bool text_to_bool(const char *text, bool *ret_value)
{
	static const char *const words[] = { "no",   "false", "off", "0", "yes",
					     "true", "on",    "1",   NULL };
	int i = text_word_index(text, words);

	if (i < 0)
		return false;
	*ret_value = i >= 4;
	return true;
}

int text_word_index(const char *word, const char *const *words)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(word, words[i]) == 0)
			return i;
	return -1;
}

/* Levenshtein's distance of two short words; large when one is not short. */
static size_t distance(const char *a, const char *b)
{
	size_t row[64], la = strlen(a), lb = strlen(b);

	if (la >= PO_ARRAY_SIZE(row) || lb >= PO_ARRAY_SIZE(row))
		return SIZE_MAX;
	for (size_t j = 0; j <= lb; j++)
		row[j] = j;
	for (size_t i = 1; i <= la; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= lb; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[lb];
}

const char *text_nearest(const char *word, const char *const *words)
{
	const char *nearest = NULL;
	size_t limit = strlen(word) / 3 + 1; /* further away is no hint */

	for (int i = 0; words[i]; i++) {
		size_t d = distance(word, words[i]);

		if (d <= limit) {
			nearest = words[i];
			limit = d > 0 ? d - 1 : 0;
		}
	}
	return nearest;
}

/* Length in bytes of the UTF-8 character at s, 0 when it is none (RFC 3629). */
static size_t utf8_char(const unsigned char *s, size_t len, uint32_t *ret_c)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fU >> n);

	if ((s[0] >= 0x80 && s[0] < 0xc2) || s[0] > 0xf4 || n > len)
		return 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3fU);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*ret_c = c;
	return n;
}

bool text_is_utf8(const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c;

	for (size_t i = 0, n; i < len; i += n) {
		n = utf8_char(s + i, len - i, &c);
		if (n == 0)
			return false;
	}
	return true;
}

static bool is_printable(uint32_t c)
{
	return c >= 0x20 && c != 0x7f && !(c >= 0x80 && c < 0xa0) &&
	       !(c >= 0x200b && c <= 0x200f) && !(c >= 0x2028 && c <= 0x202e) &&
	       !(c >= 0x2060 && c <= 0x206f) && c != 0xfeff;
}

bool text_add_printable(struct buf *out, const char *text, size_t len)
{
	const unsigned char *s = (const unsigned char *)text;
	uint32_t c = 0;

	for (size_t i = 0; i < len;) {
		size_t n = utf8_char(s + i, len - i, &c);

		if (n > 0 && is_printable(c)) {
			if (!buf_add(out, s + i, n))
				return false;
		} else {
			n = n ? n : 1;
			for (size_t j = 0; j < n; j++)
				if (!buf_addf(out, "\\x%02x", s[i + j]))
					return false;
		}
		i += n;
	}
	return true;
}

void text_hex_upper(char *out, const uint8_t *data, size_t len)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < len; i++) {
		*out++ = digits[data[i] >> 4];
		*out++ = digits[data[i] & 15];
	}
	*out = '\0';
}

void text_utc(char out[static 32], int64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (!gmtime_r(&t, &tm) ||
	    strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)snprintf(out, 32, "%lld", (long long)time_s);
}

char *text_dup(const char *text)
{
	return strdup(text);
}
