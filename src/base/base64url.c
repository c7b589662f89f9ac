/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64url.h"

static const char alphabet[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void base64url_encode(char *text, const uint8_t *data, size_t len)
{
	uint32_t bits = 0;
	unsigned int n = 0; /* valid low bits of bits */

	for (size_t i = 0; i < len; i++) {
		bits = bits << 8 | data[i];
		for (n += 8; n >= 6; n -= 6)
			*text++ = alphabet[bits >> (n - 6) & 63];
	}
	if (n > 0)
		*text++ = alphabet[bits << (6 - n) & 63];
	*text = '\0';
}

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '-')
		return 62;
	return c == '_' ? 63 : -1;
}

bool base64url_decode(uint8_t *out, size_t cap, const char *text,
		      size_t text_len, size_t *ret_len)
{
	uint32_t bits = 0;
	unsigned int n = 0;
	size_t len = 0;

	if (text_len % 4 == 1)
		return false;
	for (size_t i = 0; i < text_len; i++) {
		int v = value_of(text[i]);

		if (v < 0)
			return false;
		bits = bits << 6 | (uint32_t)v;
		n += 6;
		if (n < 8)
			continue;
		if (len == cap)
			return false;
		n -= 8;
		out[len++] = (uint8_t)(bits >> n);
		bits &= (1U << n) - 1;
	}
	if (bits != 0)
		return false; /* trailing bits must be zero */
	*ret_len = len;
	return true;
}
