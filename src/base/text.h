/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h - strings from outside: numbers, words, and text that is safe to
 * print.
 *
 * Source: RFC 6749 section 5.2 (character set of error texts), RFC 3629
 * (UTF-8).
 */
#ifndef PO_BASE_TEXT_H
#define PO_BASE_TEXT_H

#include "base/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A decimal number, digits only, 0 .. max. */
bool text_to_uint(const char *text, uint64_t max, uint64_t *ret_value);

/*
 * Seconds: digits with an optional unit s, m, h or d ("90", "90s", "5m").
 * 0 .. max_s.
 */
bool text_to_seconds(const char *text, int64_t max_s, int64_t *ret_s);

/* RFC 3339, "2025-07-01T21:31:24+02:00"; a fraction of a second is dropped. */
bool text_to_time(const char *text, int64_t *ret_s);

/* yes, true, on, 1 / no, false, off, 0. */
bool text_to_bool(const char *text, bool *ret_value);

/* Index of word in the NULL-terminated list, -1 when it is not there. */
int text_word_index(const char *word, const char *const *words);

/* Nearest word by edit distance, or NULL when none is near. Borrowed. */
const char *text_nearest(const char *word, const char *const *words);

bool text_is_utf8(const char *text, size_t len);

/*
 * Appends text so that a terminal shows it on one line: control characters,
 * bidirectional overrides and bytes that are not UTF-8 become \xNN. false:
 * does not fit.
 */
bool text_add_printable(struct buf *out, const char *text,
			size_t len) PO_MUST_CHECK;

/* Upper-case hexadecimal, 2 * len characters and a NUL. */
void text_hex_upper(char *out, const uint8_t *data, size_t len);

/* "2025-07-01T21:31:24Z"; out has room for 32 bytes. */
void text_utc(char out[static 32], int64_t time_s);

/* NULL on out of memory; free() it. */
char *text_dup(const char *text) PO_MUST_CHECK;

#endif
