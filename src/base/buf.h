/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf.h - growing bytes with a maximum that is set at birth.
 *
 * Every input ends up in one of these, so nothing a server, a token or a file
 * says can grow memory without bound. Old storage is wiped when the buffer
 * grows or is cleared, because a response body holds an access token.
 */
#ifndef PO_BASE_BUF_H
#define PO_BASE_BUF_H

#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NUL-terminated once anything was added; else NULL */
	size_t len; /* bytes, the NUL not counted */
	size_t capacity;
	size_t max; /* len never exceeds this */
};

void buf_init(struct buf *b, size_t max);
void buf_clear(struct buf *b); /* wipes and frees; b stays usable */

static inline void buf_autoclear(struct buf *b)
{
	buf_clear(b);
}
#define po_auto_buf __attribute__((cleanup(buf_autoclear))) struct buf

/*
 * All or nothing. false: over the maximum, or out of memory; b is unchanged.
 */
bool buf_add(struct buf *b, const void *data, size_t len) PO_MUST_CHECK;
bool buf_adds(struct buf *b, const char *text) PO_MUST_CHECK;
bool buf_addf(struct buf *b, const char *fmt, ...)
	PO_PRINTF(2, 3) PO_MUST_CHECK;

/* The text so far, "" when nothing was added. Borrowed. */
const char *buf_text(const struct buf *b);

#endif
