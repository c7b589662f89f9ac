/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the time since the epoch, UTC; whole seconds unless named _ms.
 */
#ifndef PO_BASE_CLOCK_H
#define PO_BASE_CLOCK_H

#include "base/error.h"

#include <pthread.h>
#include <stdint.h>

int64_t clock_now_s(void);
int64_t clock_now_ms(void); /* the same in milliseconds */

/* Milliseconds that never go back, for durations only. */
int64_t clock_monotonic_ms(void);

/* The same, and it goes on while the machine sleeps: for what expires. */
int64_t clock_boottime_ms(void);

/* PO_E_USER: a signal came meanwhile. */
enum po_status clock_sleep_ms(int64_t ms, struct po_error *err) PO_MUST_CHECK;

/* For clock_cond_wait_ms(), whatever becomes of the time of day. */
void clock_cond_init(pthread_cond_t *cond);

/* Waits for cond, ms at most; lock is held before and after. */
void clock_cond_wait_ms(pthread_cond_t *cond, pthread_mutex_t *lock,
			int64_t ms);

#endif
