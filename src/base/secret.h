/* SPDX-License-Identifier: Apache-2.0 */
/*
 * secret.h - bytes that must not outlive their use: PINs, access tokens,
 * assertions.
 *
 * A secret has a fixed capacity, given at birth in bytes, and never moves, so
 * no stale copy is left behind by realloc(). It lives in OpenSSL's secure heap
 * (locked, guarded, not dumped) once secret_heap_init() has run and while it
 * fits there, and all of its capacity is wiped when it is freed. There is
 * deliberately no way to print one: secret_reveal() is the only reader and is
 * easy to grep for.
 */
#ifndef PO_BASE_SECRET_H
#define PO_BASE_SECRET_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

struct secret;

/*
 * Sets up the secure heap; once, first thing in a program. False when the
 * memory could not be locked: secrets work all the same, but may be swapped.
 */
bool secret_heap_init(void);

/* NULL when memory is out. Room for capacity bytes plus a NUL. */
struct secret *secret_new(size_t capacity) PO_MUST_CHECK;
void secret_free(struct secret *s); /* wipes; NULL is a no-op */
PO_DEFINE_AUTO(secret, secret_free);

/* All or nothing: PO_E_INTERNAL, s unchanged, when len does not fit. */
enum po_status secret_append(struct secret *s, const void *data, size_t len,
			     struct po_error *err) PO_MUST_CHECK;

/* secret_new() and secret_append() in one; NULL when memory is out. */
struct secret *secret_from(const void *data, size_t len) PO_MUST_CHECK;

/*
 * Writable room of at least len bytes at the end, for a producer that writes
 * in place; secret_grow() then makes the first len bytes of it count.
 */
char *secret_tail(struct secret *s, size_t len) PO_MUST_CHECK;
void secret_grow(struct secret *s, size_t len);

/* Drops one trailing newline, if there is one. */
void secret_chomp(struct secret *s);

/* Bytes, the NUL not counted. */
size_t secret_len(const struct secret *s);

/* NUL-terminated view, valid until the next append or free. Borrowed. */
const char *secret_reveal(const struct secret *s);

#endif
