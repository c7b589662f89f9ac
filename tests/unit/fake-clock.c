/* SPDX-License-Identifier: Apache-2.0 */
#include "fake-clock.h"

#define MONOTONIC_MS 1000000
#define BOOT_MS 5000000

static int64_t get(const int64_t *ms)
{
	return __atomic_load_n(ms, __ATOMIC_SEQ_CST);
}

static void add(int64_t *to, int64_t ms)
{
	(void)__atomic_add_fetch(to, ms, __ATOMIC_SEQ_CST);
}

static int64_t fake_now_ms(void *user)
{
	const struct fake_clock *fake = user;

	return get(&fake->now_ms);
}

static int64_t fake_monotonic_ms(void *user)
{
	const struct fake_clock *fake = user;

	return get(&fake->monotonic_ms);
}

static int64_t fake_boot_ms(void *user)
{
	const struct fake_clock *fake = user;

	return get(&fake->boot_ms);
}

static enum po_status fake_sleep_ms(void *user, int64_t ms,
				    struct po_error *err)
{
	struct fake_clock *fake = user;

	(void)err;
	add(&fake->slept_ms, ms);
	fake_clock_advance(fake, ms);
	return PO_OK;
}

/* The high bits of a multiplication by 2^64 / phi: each byte differs from its
 * neighbours. */
static enum po_status fake_random(void *user, void *data, size_t len,
				  struct po_error *err)
{
	struct fake_clock *fake = user;
	uint8_t *bytes = data;

	(void)err;
	for (size_t i = 0; i < len; i++) {
		uint64_t n =
			__atomic_add_fetch(&fake->seed, 1, __ATOMIC_SEQ_CST);

		bytes[i] = (uint8_t)((n * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
	}
	return PO_OK;
}

void fake_clock_init(struct fake_clock *fake, int64_t now_s)
{
	*fake = (struct fake_clock){
		.clock = { .now_ms = fake_now_ms,
			   .monotonic_ms = fake_monotonic_ms,
			   .boot_ms = fake_boot_ms,
			   .sleep_ms = fake_sleep_ms,
			   .random = fake_random,
			   .user = fake },
		.now_ms = now_s * 1000,
		.monotonic_ms = MONOTONIC_MS,
		.boot_ms = BOOT_MS,
	};
}

void fake_clock_advance(struct fake_clock *fake, int64_t ms)
{
	add(&fake->now_ms, ms);
	add(&fake->monotonic_ms, ms);
	add(&fake->boot_ms, ms);
}
