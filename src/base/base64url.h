/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64url.h - base64url without padding, as JOSE writes it.
 *
 * Source: RFC 7515 section 2 and appendix C; RFC 4648 section 5. Decoding is
 * strict: no padding, no white space, no other alphabet, and the unused bits
 * of the last character must be zero, so that every byte string has exactly
 * one spelling.
 */
#ifndef PO_BASE_BASE64URL_H
#define PO_BASE_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Characters for n bytes, the NUL not counted. */
#define BASE64URL_LEN(n) (((n)*4 + 2) / 3)
/* Most bytes that n characters can hold. */
#define BASE64URL_BYTES(n) ((n) / 4 * 3 + 2)

/* Writes BASE64URL_LEN(len) characters and a NUL to text. */
void base64url_encode(char *text, const uint8_t *data, size_t len);

/* False when text is not base64url or does not fit into cap bytes. */
bool base64url_decode(uint8_t *out, size_t cap, const char *text,
		      size_t text_len, size_t *ret_len);

#endif
