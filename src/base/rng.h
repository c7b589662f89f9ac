/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng.h - random bytes from the kernel, and the identifiers made of them.
 */
#ifndef PO_BASE_RNG_H
#define PO_BASE_RNG_H

#include "base/error.h"

#include <stddef.h>

#define RNG_ID_LEN 32 /* hexadecimal characters, 128 bits */

/* Fills data; PO_E_INTERNAL when the kernel has none to give. */
enum po_status rng_bytes(void *data, size_t len,
			 struct po_error *err) PO_MUST_CHECK;

/*
 * A fresh identifier such as a jti (RFC 7519 section 4.1.7): RNG_ID_LEN
 * lower-case hexadecimal characters and a NUL.
 */
enum po_status rng_id(char id[static RNG_ID_LEN + 1],
		      struct po_error *err) PO_MUST_CHECK;

#endif
