/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake-clock.h - time and chance as a test wants them: nothing goes by but what
 * the test, or a sleep, lets go by, and the dice fall the same way each time.
 *
 * Safe to use by several threads, as a device's and its caller's are.
 */
#ifndef PO_TESTS_UNIT_FAKE_CLOCK_H
#define PO_TESTS_UNIT_FAKE_CLOCK_H

#include "base/clock.h"

struct fake_clock {
	struct po_clock clock; /* for those who are tested */
	int64_t now_ms, monotonic_ms, boot_ms;
	int64_t slept_ms; /* by all sleeps together */
	uint64_t seed;    /* counts on with each byte of chance */
};

/* Now is now_s, since the epoch; the other two clocks are elsewhere, so that
 * nobody takes one for another. fake stays where it is from now on. */
void fake_clock_init(struct fake_clock *fake, int64_t now_s);

/* All three go on by ms. */
void fake_clock_advance(struct fake_clock *fake, int64_t ms);

#endif
