/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - time and chance: from one struct, which is handed down.
 *
 * Nothing above base reads a clock, sleeps or throws dice in another way
 * (lint), so that a test which puts its own struct in decides all of it.
 */
#ifndef PO_BASE_CLOCK_H
#define PO_BASE_CLOCK_H

#include "base/error.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* Time and chance, as a use case has them; tests put their own in. */
struct po_clock {
	int64_t (*now_ms)(void *user);       /* since the epoch, UTC */
	int64_t (*monotonic_ms)(void *user); /* never goes back: durations */
	int64_t (*boot_ms)(void *user); /* and goes on in sleep: what expires */
	/* PO_E_USER: a signal */
	enum po_status (*sleep_ms)(void *user, int64_t ms,
				   struct po_error *err);
	enum po_status (*random)(void *user, void *data, size_t len,
				 struct po_error *err);
	void *user;
};

/* The machine's, for any thread. Named where an env is made (flow/env.c), and
 * nowhere else above base. */
extern const struct po_clock po_clock_system;

/* Whole seconds since the epoch, UTC. */
int64_t clock_now_s(const struct po_clock *clock);
int64_t clock_now_ms(const struct po_clock *clock); /* in milliseconds */

/* Milliseconds that never go back, for durations only. */
int64_t clock_monotonic_ms(const struct po_clock *clock);

/* The same, and it goes on while the machine sleeps: for what expires. */
int64_t clock_boottime_ms(const struct po_clock *clock);

/* PO_E_USER: a signal came before or meanwhile. ms 0 or less: only that
 * look. */
enum po_status clock_sleep_ms(const struct po_clock *clock, int64_t ms,
			      struct po_error *err) PO_MUST_CHECK;

/* For clock_cond_wait_ms(), whatever becomes of the time of day. */
void clock_cond_init(pthread_cond_t *cond);

/* Waits for cond, ms at most, in real time: other threads are real, whatever
 * clock they were given. lock is held before and after. */
void clock_cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock,
			int64_t ms);

#endif
