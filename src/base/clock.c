/* SPDX-License-Identifier: Apache-2.0 */
#include "base/clock.h"

#include "base/interrupt.h"

#include <time.h>

int64_t clock_now_s(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return ts.tv_sec;
}

int64_t clock_now_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_monotonic_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t clock_boottime_ms(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

#define TICK_MS 50

enum po_status clock_sleep_ms(int64_t ms, struct po_error *err)
{
	int64_t until_ms = clock_monotonic_ms() + ms;
	int64_t left_ms;
	enum po_status st;

	while ((st = interrupt_check(err)) == PO_OK &&
	       (left_ms = until_ms - clock_monotonic_ms()) > 0) {
		struct timespec nap = { 0 };

		nap.tv_nsec = (left_ms < TICK_MS ? left_ms : TICK_MS) * 1000000;
		(void)nanosleep(&nap, NULL);
	}
	return st;
}

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
