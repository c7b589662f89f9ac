/* SPDX-License-Identifier: Apache-2.0 */
#include "base/rng.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/random.h>

enum po_status rng_bytes(void *data, size_t len, struct po_error *err)
{
	/* up to 256 bytes getrandom() gives all or nothing */
	if (len > 256 || getrandom(data, len, 0) != (ssize_t)len)
		return po_fail(err, PO_E_INTERNAL, errno, "no random bytes: %s",
			       strerror(errno));
	return PO_OK;
}

enum po_status rng_id(char id[static RNG_ID_LEN + 1], struct po_error *err)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t bytes[RNG_ID_LEN / 2];
	enum po_status st = rng_bytes(bytes, sizeof(bytes), err);

	if (st != PO_OK)
		return st;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		id[2 * i] = digits[bytes[i] >> 4];
		id[2 * i + 1] = digits[bytes[i] & 15];
	}
	id[RNG_ID_LEN] = '\0';
	return PO_OK;
}
