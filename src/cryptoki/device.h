/* SPDX-License-Identifier: Apache-2.0 */
/*
 * device.h - the thread in which a module runs, and what holds it to a time.
 *
 * A vendor's module may hang, crash, abort() or exit(); a card may wait for a
 * touch that never comes. So all of a module's functions are called in a
 * thread of their own, by MODULE_CALL(), while the caller waits, tells a person
 * on a terminal what the device is waiting for, and gives up after a deadline.
 * A thread that was given up never runs our code again: it is parked as soon
 * as the module lets go of it, and what it owned is left alone.
 *
 * The time that a person takes to type a PIN is not the device's.
 */
#ifndef PO_CRYPTOKI_DEVICE_H
#define PO_CRYPTOKI_DEVICE_H

#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

#define DEVICE_TIMEOUT_DEFAULT_S 60
#define DEVICE_TIMEOUT_MAX_S 3600
#define DEVICE_NOTICE_MS 500 /* a call this long is worth a line */

struct device;

/*
 * timeout_s: for all calls of one use together, by clock; 0: the default. clock
 * is borrowed for good: the thread of a lost device reads it when its module
 * lets go. NULL: no memory.
 */
struct device *device_new(const struct po_clock *clock,
			  int64_t timeout_s) PO_MUST_CHECK;

/* Another use begins, with the whole time before it; the first has begun. */
void device_begin_use(struct device *device);

/* Who is waited for in the line on the terminal; copied. */
void device_set_name(struct device *device, const char *token_label);

typedef enum po_status device_job(void *arg, struct po_error *err);

/*
 * Runs job(arg) in the device's thread and waits for it; one job at a time, so
 * that several threads may ask. Fails as the job does, or, when the module did
 * not come back (the device is lost then):
 *
 * PO_E_USER    nobody touched the device, or a signal came; err->native is
 *              ETIMEDOUT for the former
 * PO_E_DEVICE  the deadline passed, or the module crashed, aborted or exited
 */
enum po_status device_run(struct device *device, device_job *job, void *arg,
			  struct po_error *err) PO_MUST_CHECK;

bool device_is_lost(const struct device *device);

/*
 * Runs last(arg), for a few seconds at most, and ends the thread. A lost
 * device is left as it is; last is not run then.
 */
void device_free(struct device *device, device_job *last, void *arg);

/*
 * True when some device of this process was lost: leave by _exit(), because a
 * stuck module may not survive the exit handlers.
 */
bool device_was_lost(void);

/* For MODULE_CALL() only: around every call into a module. */
void device_enter(const char *function);
unsigned long device_leave(unsigned long rv);

/* The one way into a module. Only in a job. */
#define MODULE_CALL(module, function, ...) \
	(device_enter(#function),          \
	 device_leave((module)->fn->function(__VA_ARGS__)))

#endif
