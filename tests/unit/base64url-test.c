/* SPDX-License-Identifier: Apache-2.0 */
/* base64url: one spelling for each byte string, and nothing else decodes. */
#include "base/base64url.h"

#include "unit.h"

#include <string.h>

struct row {
	const char *name;
	const char *text;
	const char *bytes; /* NULL: it does not decode */
	size_t len;
	size_t cap; /* 0: as much as is needed and more */
};

static const struct row rows[] = {
	{ "empty", "", "", 0, 0 },
	{ "RFC 7515 appendix C", "A-z_4ME", "\x03\xec\xff\xe0\xc1", 5, 0 },
	{ "RFC 4648 section 10: f", "Zg", "f", 1, 0 },
	{ "RFC 4648 section 10: fo", "Zm8", "fo", 2, 0 },
	{ "RFC 4648 section 10: foo", "Zm9v", "foo", 3, 0 },
	{ "RFC 4648 section 10: foobar", "Zm9vYmFy", "foobar", 6, 0 },
	{ "NUL bytes", "AAAA", "\0\0\0", 3, 0 },
	{ "both letters that differ", "-_-_", "\xfb\xff\xbf", 3, 0 },
	{ "fits exactly", "Zm9v", "foo", 3, 3 },
};
static const struct row refused[] = {
	{ "one byte too many", "Zm9v", NULL, 0, 2 },
	{ "padding is refused", "_w==", NULL, 0, 0 },
	{ "standard alphabet is refused", "A+z/4ME", NULL, 0, 0 },
	{ "two trailing bits must be zero", "Zm9", NULL, 0, 0 },
	{ "four trailing bits must be zero", "_x", NULL, 0, 0 },
	{ "one character is no byte", "A", NULL, 0, 0 },
	{ "five characters are no bytes", "Zm9vY", NULL, 0, 0 },
	{ "white space is refused", "_w\n", NULL, 0, 0 },
	{ "space in the middle is refused", "Zm 9v", NULL, 0, 0 },
	{ "bytes above ASCII are refused", "Zm\xc3\xbc", NULL, 0, 0 },
};

static bool decode(const struct row *row, uint8_t out[16], size_t *len)
{
	return base64url_decode(out, row->cap ? row->cap : 16, row->text,
				strlen(row->text), len);
}

ROWS(rows, decode_row)
{
	uint8_t out[16];
	size_t len = 99;

	assert_true(decode(row, out, &len));
	assert_int_equal(len, row->len);
	assert_memory_equal(out, row->bytes, len);
}

ROWS(refused, refused_row)
{
	uint8_t out[16];
	size_t len = 99;

	assert_false(decode(row, out, &len));
	assert_int_equal(len, 99); /* untouched */
}

ROWS(rows, encode_row)
{
	char text[32];

	memset(text, 'x', sizeof(text));
	base64url_encode(text, (const uint8_t *)row->bytes, row->len);
	assert_string_equal(text, row->text);
	assert_int_equal(strlen(text), BASE64URL_LEN(row->len));
	assert_int_equal(text[strlen(text) + 1], 'x');
	assert_true(BASE64URL_BYTES(strlen(text)) >= row->len);
}

/* NUL in the text is no end: the length counts. */
TEST(nul_is_refused)
{
	uint8_t out[16];
	size_t len = 0;

	assert_false(base64url_decode(out, sizeof(out), "Zm\0v", 4, &len));
}

TEST(every_length_comes_back)
{
	uint8_t data[70], out[70];
	char text[BASE64URL_LEN(sizeof(data)) + 1];
	size_t len = 0;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 151 + 7);
	for (size_t n = 0; n <= sizeof(data); n++) {
		base64url_encode(text, data, n);
		assert_true(base64url_decode(out, sizeof(out), text,
					     strlen(text), &len));
		assert_int_equal(len, n);
		assert_memory_equal(out, data, n);
	}
}
