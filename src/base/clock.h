/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h - the time, whole seconds since the epoch, UTC.
 */
#ifndef PO_BASE_CLOCK_H
#define PO_BASE_CLOCK_H

#include "base/error.h"

#include <stdint.h>

int64_t clock_now_s(void);

/* Milliseconds that never go back, for durations only. */
int64_t clock_monotonic_ms(void);

/* PO_E_USER: a signal came meanwhile. */
enum po_status clock_sleep_ms(int64_t ms, struct po_error *err) PO_MUST_CHECK;

#endif
