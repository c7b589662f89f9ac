/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void buf_init(struct buf *b, size_t max)
{
	*b = (struct buf){ .max = max < SIZE_MAX ? max : SIZE_MAX - 1 };
}

void buf_clear(struct buf *b)
{
	OPENSSL_clear_free(b->data, b->capacity);
	buf_init(b, b->max);
}

static bool reserve(struct buf *b, size_t extra)
{
	size_t want;
	char *data;

	if (extra > b->max - b->len)
		return false;
	want = b->len + extra + 1;
	if (want <= b->capacity)
		return true;
	if (want < b->capacity * 2)
		want = b->capacity * 2;
	if (want < 64)
		want = 64;
	if (want > b->max + 1)
		want = b->max + 1;

	data = OPENSSL_malloc(want);
	if (!data)
		return false;
	if (b->data)
		memcpy(data, b->data, b->len + 1);
	OPENSSL_clear_free(b->data, b->capacity);
	b->data = data;
	b->capacity = want;
	return true;
}

bool buf_add(struct buf *b, const void *data, size_t len)
{
	if (!reserve(b, len))
		return false;
	if (len)
		memcpy(b->data + b->len, data, len);
	b->len += len;
	b->data[b->len] = '\0';
	return true;
}

bool buf_adds(struct buf *b, const char *text)
{
	return buf_add(b, text, strlen(text));
}

bool buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n < 0 || !reserve(b, (size_t)n))
		return false;

	va_start(ap, fmt);
	n = vsnprintf(b->data + b->len, b->capacity - b->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return false;
	b->len += (size_t)n;
	return true;
}

const char *buf_text(const struct buf *b)
{
	return b->data ? b->data : "";
}
