/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include <stdint.h>

enum po_status rng_bytes(const struct po_clock *clock, void *data, size_t len,
			 struct po_error *err)
{
	return clock->random(clock->user, data, len, err);
}

enum po_status rng_id(const struct po_clock *clock,
		      char id[static RNG_ID_LEN + 1], struct po_error *err)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[RNG_ID_LEN / 2];
	enum po_status st = rng_bytes(clock, bytes, sizeof(bytes), err);

	if (st != PO_OK)
		return st;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		id[2 * i] = digits[bytes[i] >> 4];
		id[2 * i + 1] = digits[bytes[i] & 15];
	}
	id[RNG_ID_LEN] = '\0';
	return PO_OK;
}
