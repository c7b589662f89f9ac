/* SPDX-License-Identifier: Apache-2.0 */
/* Strings from outside: numbers, words, and what a terminal may see. */
#include "base/text.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define NO (-1)

struct number_row {
	const char *name;
	const char *text;
	int64_t max;
	int64_t value; /* NO: refused */
};

static const struct number_row uint_rows[] = {
	{ "uint: 0", "0", 9, 0 },
	{ "uint: at max", "300", 300, 300 },
	{ "uint: max + 1", "301", 300, NO },
	{ "uint: leading zeros", "007", 9, 7 },
	{ "uint: empty", "", 9, NO },
	{ "uint: sign", "+1", 9, NO },
	{ "uint: minus", "-1", 9, NO },
	{ "uint: space", " 1", 9, NO },
	{ "uint: trailing letter", "1x", 9, NO },
	{ "uint: hexadecimal", "0x1", 99, NO },
	{ "uint: max is 0", "1", 0, NO },
	{ "uint: INT64_MAX", "9223372036854775807", INT64_MAX, INT64_MAX },
	{ "uint: beyond", "9223372036854775808", INT64_MAX, NO },
	{ "uint: beyond 64 bits", "99999999999999999999999", INT64_MAX, NO },
};

static const struct number_row seconds_rows[] = {
	{ "seconds: no unit", "90", 300, 90 },
	{ "seconds: s", "90s", 300, 90 },
	{ "seconds: m", "5m", 300, 300 },
	{ "seconds: m beyond", "6m", 300, NO },
	{ "seconds: h", "2h", 86400, 7200 },
	{ "seconds: d", "1d", 86400, 86400 },
	{ "seconds: d beyond", "2d", 86400, NO },
	{ "seconds: max + 1", "301", 300, NO },
	{ "seconds: unit alone", "s", 300, NO },
	{ "seconds: empty", "", 300, NO },
	{ "seconds: two units", "1ms", 300, NO },
	{ "seconds: upper case", "5M", 300, NO },
	{ "seconds: negative", "-5", 300, NO },
	{ "seconds: fraction", "1.5", 300, NO },
	{ "seconds: no overflow by the unit", "106751991167301d", INT64_MAX,
	  NO },
	{ "seconds: very long", "00000000000000000000000001", 300, NO },
};

ROWS(uint_rows, uint_row)
{
	uint64_t value = 77;
	bool ok = text_to_uint(row->text, (uint64_t)row->max, &value);

	assert_int_equal(ok, row->value != NO);
	assert_int_equal(value, ok ? (uint64_t)row->value : 77);
}

ROWS(seconds_rows, seconds_row)
{
	int64_t value = 77;
	bool ok = text_to_seconds(row->text, row->max, &value);

	assert_int_equal(ok, row->value != NO);
	assert_int_equal(value, ok ? row->value : 77);
}

TEST(times_of_rfc3339)
{
	static const struct {
		const char *text;
		int64_t time_s; /* NO: refused */
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-11-25T01:02:03Z", 1795568523 },
		{ "2026-11-25t01:02:03z", 1795568523 },
		{ "2026-11-25 01:02:03Z", 1795568523 },
		{ "2026-11-25T01:02:03.999Z", 1795568523 },
		{ "2026-11-25T02:32:03+01:30", 1795568523 },
		{ "2026-11-24T17:02:03-08:00", 1795568523 },
		{ "2024-02-29T00:00:00Z", 1709164800 },
		{ "2026-02-29T00:00:00Z", NO },
		{ "2026-13-01T00:00:00Z", NO },
		{ "2026-00-01T00:00:00Z", NO },
		{ "2026-01-00T00:00:00Z", NO },
		{ "2026-01-01T24:00:00Z", NO },
		{ "2026-01-01T00:60:00Z", NO },
		{ "2026-01-01T00:00:60Z", NO },
		{ "2026-01-01T00:00:00", NO },
		{ "2026-01-01T00:00:00.Z", NO },
		{ "2026-01-01T00:00:00+1:00", NO },
		{ "2026-01-01T00:00:00+24:00", NO },
		{ "2026-01-01T00:00:00+00:60", NO },
		{ "2026-01-01T00:00:00ZZ", NO },
		{ "2026-01-01", NO },
		{ "2026-1-01T00:00:00Z", NO },
		{ "", NO },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(rows); i++) {
		int64_t time_s = 77;

		if (text_to_time(rows[i].text, &time_s) !=
			    (rows[i].time_s != NO) ||
		    time_s != (rows[i].time_s != NO ? rows[i].time_s : 77))
			fail_msg("%s: %lld", rows[i].text, (long long)time_s);
	}
}

TEST(uint_takes_all_64_bits)
{
	uint64_t value = 0;

	assert_true(text_to_uint("18446744073709551615", UINT64_MAX, &value));
	assert_true(value == UINT64_MAX);
	assert_false(text_to_uint("18446744073709551616", UINT64_MAX, &value));
}

TEST(bool_words)
{
	static const char *const yes[] = { "yes", "true", "on", "1" };
	static const char *const no[] = { "no", "false", "off", "0" };
	static const char *const neither[] = { "", "y", "YES", "2", "yes " };
	bool value;

	for (size_t i = 0; i < PO_ARRAY_SIZE(yes); i++) {
		value = false;
		assert_true(text_to_bool(yes[i], &value));
		assert_true(value);
		assert_true(text_to_bool(no[i], &value));
		assert_false(value);
	}
	for (size_t i = 0; i < PO_ARRAY_SIZE(neither); i++)
		assert_false(text_to_bool(neither[i], &value));
}

struct near_row {
	const char *name;
	const char *word;
	const char *nearest; /* NULL: none is near */
};

static const struct near_row near_rows[] = {
	{ "nearest: the word itself", "scope", "scope" },
	{ "nearest: one letter missing", "scpe", "scope" },
	{ "nearest: one letter too many", "client-iid", "client-id" },
	{ "nearest: another letter", "client_id", "client-id" },
	{ "nearest: two swapped", "clinet-id", "client-id" },
	{ "nearest: the closer of two", "key-fil", "key-file" },
	{ "nearest: far from all", "frobnicate", NULL },
	{ "nearest: empty", "", NULL },
	{ "nearest: too long to compare",
	  "client-idclient-idclient-idclient-idclient-idclient-idclient-id"
	  "client-id",
	  NULL },
};

ROWS(near_rows, near_row)
{
	static const char *const words[] = { "scope", "client-id", "key-filed",
					     "key-file", NULL };
	const char *nearest = text_nearest(row->word, words);

	if (!row->nearest)
		assert_null(nearest);
	else
		assert_string_equal(nearest, row->nearest);
}

struct utf8_row {
	const char *name;
	const char *text;
	bool valid;
	const char *shown; /* by text_add_printable() */
};

static const struct utf8_row utf8_rows[] = {
	{ "utf8: ASCII", "az 09~", true, "az 09~" },
	{ "utf8: two bytes", "T\xc3\xab", true, "T\xc3\xab" },
	{ "utf8: three bytes", "\xe2\x82\xac", true, "\xe2\x82\xac" },
	{ "utf8: four bytes", "\xf0\x9f\x94\x91", true, "\xf0\x9f\x94\x91" },
	{ "utf8: last code point", "\xf4\x8f\xbf\xbf", true,
	  "\xf4\x8f\xbf\xbf" },
	{ "utf8: beyond it", "\xf4\x90\x80\x80", false,
	  "\\xf4\\x90\\x80\\x80" },
	{ "utf8: overlong slash", "\xc0\xaf", false, "\\xc0\\xaf" },
	{ "utf8: overlong, three bytes", "\xe0\x80\xaf", false,
	  "\\xe0\\x80\\xaf" },
	{ "utf8: overlong, four bytes", "\xf0\x80\x80\xaf", false,
	  "\\xf0\\x80\\x80\\xaf" },
	{ "utf8: surrogate", "\xed\xa0\x80", false, "\\xed\\xa0\\x80" },
	{ "utf8: lone continuation", "a\x80z", false, "a\\x80z" },
	{ "utf8: cut off", "a\xe2\x82", false, "a\\xe2\\x82" },
	{ "utf8: cut off by ASCII", "\xc3(", false, "\\xc3(" },
	{ "utf8: never a lead byte", "\xff\xfe", false, "\\xff\\xfe" },
	{ "printable: line feed", "a\nb", true, "a\\x0ab" },
	{ "printable: escape sequence", "\033[31m", true, "\\x1b[31m" },
	{ "printable: delete", "\x7f", true, "\\x7f" },
	{ "printable: C1 control", "\xc2\x9b", true, "\\xc2\\x9b" },
	{ "printable: right-to-left override",
	  "a\xe2\x80\xae"
	  "b",
	  true,
	  "a\\xe2\\x80\\xae"
	  "b" },
	{ "printable: isolate", "\xe2\x81\xa6", true, "\\xe2\\x81\\xa6" },
	{ "printable: zero width space", "\xe2\x80\x8b", true,
	  "\\xe2\\x80\\x8b" },
	{ "printable: line separator", "\xe2\x80\xa8", true,
	  "\\xe2\\x80\\xa8" },
	{ "printable: byte order mark", "\xef\xbb\xbf", true,
	  "\\xef\\xbb\\xbf" },
};

ROWS(utf8_rows, utf8_row)
{
	po_auto_buf shown = { 0 };

	assert_int_equal(text_is_utf8(row->text, strlen(row->text)),
			 row->valid);
	buf_init(&shown, 256);
	assert_true(text_add_printable(&shown, row->text, strlen(row->text)));
	assert_string_equal(buf_text(&shown), row->shown);
}

TEST(printable_knows_its_limit)
{
	po_auto_buf out = { 0 };

	buf_init(&out, 4);
	assert_true(text_add_printable(&out, "\n", 1));
	assert_false(text_add_printable(&out, "\n", 1));
	assert_true(text_add_printable(&out, "\0", 0));
}

TEST(nul_is_shown)
{
	po_auto_buf out = { 0 };

	buf_init(&out, 16);
	assert_true(text_add_printable(&out, "a\0b", 3));
	assert_string_equal(buf_text(&out), "a\\x00b");
}

TEST(hex_is_upper_case)
{
	static const uint8_t data[] = { 0x00, 0x0f, 0xa5, 0xff };
	char out[2 * sizeof(data) + 2];

	memset(out, 'x', sizeof(out));
	text_hex_upper(out, data, sizeof(data));
	assert_string_equal(out, "000FA5FF");
	assert_int_equal(out[9], 'x');
	text_hex_upper(out, data, 0);
	assert_string_equal(out, "");
}

TEST(utc_times)
{
	char out[32];

	text_utc(out, 0);
	assert_string_equal(out, "1970-01-01T00:00:00Z");
	text_utc(out, 1751405484);
	assert_string_equal(out, "2025-07-01T21:31:24Z");
	text_utc(out, 253402300799);
	assert_string_equal(out, "9999-12-31T23:59:59Z");
	text_utc(out, INT64_MAX); /* no such year: the bare number */
	assert_string_equal(out, "9223372036854775807");
}

TEST(dup_copies)
{
	const char *text = "abc";
	char *copy = text_dup(text);

	assert_ptr_not_equal(copy, text);
	assert_string_equal(copy, text);
	free(copy);
}
