/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "base/interrupt.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define TICK_MS 50

/* ---- the machine's ------------------------------------------------------ */

static int64_t read_ms(clockid_t id)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int64_t system_now_ms(void *user)
{
	(void)user;
	return read_ms(CLOCK_REALTIME);
}

static int64_t system_monotonic_ms(void *user)
{
	(void)user;
	return read_ms(CLOCK_MONOTONIC);
}

static int64_t system_boot_ms(void *user)
{
	(void)user;
	return read_ms(CLOCK_BOOTTIME);
}

static enum po_status system_sleep_ms(void *user, int64_t ms,
				      struct po_error *err)
{
	int64_t until_ms = read_ms(CLOCK_MONOTONIC) + ms;
	int64_t left_ms;
	enum po_status st;

	(void)user;
	while ((st = interrupt_check(err)) == PO_OK &&
	       (left_ms = until_ms - read_ms(CLOCK_MONOTONIC)) > 0) {
		struct timespec nap = { 0 };

		nap.tv_nsec = (left_ms < TICK_MS ? left_ms : TICK_MS) * 1000000;
		(void)nanosleep(&nap, NULL);
	}
	return st;
}

static enum po_status system_random(void *user, void *data, size_t len,
				    struct po_error *err)
{
	(void)user;
	/* up to 256 bytes getrandom() gives all or nothing */
	if (len > 256 || getrandom(data, len, 0) != (ssize_t)len)
		return po_fail(err, PO_E_INTERNAL, errno, "no random bytes: %s",
			       strerror(errno));
	return PO_OK;
}

const struct po_clock po_clock_system = {
	.now_ms = system_now_ms,
	.monotonic_ms = system_monotonic_ms,
	.boot_ms = system_boot_ms,
	.sleep_ms = system_sleep_ms,
	.random = system_random,
};

/* ---- anybody's ---------------------------------------------------------- */

int64_t clock_now_s(const struct po_clock *clock)
{
	return clock_now_ms(clock) / 1000;
}

int64_t clock_now_ms(const struct po_clock *clock)
{
	return clock->now_ms(clock->user);
}

int64_t clock_monotonic_ms(const struct po_clock *clock)
{
	return clock->monotonic_ms(clock->user);
}

int64_t clock_boottime_ms(const struct po_clock *clock)
{
	return clock->boot_ms(clock->user);
}

enum po_status clock_sleep_ms(const struct po_clock *clock, int64_t ms,
			      struct po_error *err)
{
	return clock->sleep_ms(clock->user, ms, err);
}

/* ---- other threads ------------------------------------------------------ */

void clock_cond_init(pthread_cond_t *cond)
{
	pthread_condattr_t attr;

	(void)pthread_condattr_init(&attr);
	(void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	(void)pthread_cond_init(cond, &attr);
	(void)pthread_condattr_destroy(&attr);
}

void clock_cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock, int64_t ms)
{
	struct timespec until = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += ms / 1000;
	until.tv_nsec += ms % 1000 * 1000000;
	if (until.tv_nsec >= 1000000000) {
		until.tv_nsec -= 1000000000;
		until.tv_sec++;
	}
	(void)pthread_cond_timedwait(cond, lock, &until);
}
