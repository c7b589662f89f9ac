/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rng.h - random bytes, from the clock that also has chance (clock.h), and the
 * identifiers made of them.
 */
#ifndef PO_BASE_RNG_H
#define PO_BASE_RNG_H

#include "base/clock.h"

#include <stddef.h>

#define RNG_ID_LEN 32 /* hexadecimal characters, 128 bits */

/* Fills data. PO_E_INTERNAL: the kernel has none to give, or len is over
 * 256. */
enum po_status rng_bytes(const struct po_clock *clock, void *data, size_t len,
			 struct po_error *err) PO_MUST_CHECK;

/*
 * A fresh identifier such as a jti (RFC 7519 section 4.1.7): RNG_ID_LEN
 * lower-case hexadecimal characters and a NUL. Fails as rng_bytes().
 */
enum po_status rng_id(const struct po_clock *clock,
		      char id[static RNG_ID_LEN + 1],
		      struct po_error *err) PO_MUST_CHECK;

#endif
