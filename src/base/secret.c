/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <openssl/crypto.h>
#include <string.h>

#define HEAP_BYTES (256 * 1024) /* a power of two; all of it is locked */
#define HEAP_MIN_BYTES 32

struct secret {
	size_t capacity; /* without the NUL */
	size_t len;
	bool secure;
	char bytes[];
};

bool secret_heap_init(void)
{
	return CRYPTO_secure_malloc_init(HEAP_BYTES, HEAP_MIN_BYTES) == 1;
}

struct secret *secret_new(size_t capacity)
{
	size_t size = sizeof(struct secret) + capacity + 1;
	struct secret *s = NULL;
	bool secure = CRYPTO_secure_malloc_initialized() == 1;

	if (size < capacity)
		return NULL;
	if (secure)
		s = OPENSSL_secure_zalloc(size);
	if (!s) { /* too big for the secure heap, or there is none */
		secure = false;
		s = OPENSSL_zalloc(size);
	}
	if (!s)
		return NULL;
	s->capacity = capacity;
	s->secure = secure;
	return s;
}

void secret_free(struct secret *s)
{
	size_t size;

	if (!s)
		return;
	size = sizeof(*s) + s->capacity + 1;
	if (s->secure)
		OPENSSL_secure_clear_free(s, size);
	else
		OPENSSL_clear_free(s, size);
}

enum po_status secret_append(struct secret *s, const void *data, size_t len,
			     struct po_error *err)
{
	char *tail = secret_tail(s, len);

	if (!tail)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "too long: more than %zu bytes", s->capacity);
	memcpy(tail, data, len);
	secret_grow(s, len);
	return PO_OK;
}

struct secret *secret_from(const void *data, size_t len)
{
	struct secret *s = secret_new(len);

	if (!s)
		return NULL;
	memcpy(s->bytes, data, len);
	secret_grow(s, len);
	return s;
}

char *secret_tail(struct secret *s, size_t len)
{
	return len <= s->capacity - s->len ? s->bytes + s->len : NULL;
}

void secret_grow(struct secret *s, size_t len)
{
	s->len += len;
	s->bytes[s->len] = '\0';
}

void secret_chomp(struct secret *s)
{
	if (s->len > 0 && s->bytes[s->len - 1] == '\n')
		s->bytes[--s->len] = '\0';
}

size_t secret_len(const struct secret *s)
{
	return s->len;
}

const char *secret_reveal(const struct secret *s)
{
	return s->bytes;
}
