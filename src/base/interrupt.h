/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interrupt.h - SIGINT, SIGTERM and SIGHUP as a request to unwind.
 *
 * A process killed with a module initialised leaks sessions in some tokens
 * (TPMs among them), so the first signal only asks: whoever waits notices
 * interrupt_is_pending(), fails with PO_E_USER, and main() re-raises the
 * signal after C_Finalize. A second signal kills at once.
 */
#ifndef PO_BASE_INTERRUPT_H
#define PO_BASE_INTERRUPT_H

#include "base/error.h"

#include <stdbool.h>

/* SIGPIPE and SIGXFSZ are ignored from here on, too: they are errors. */
void interrupt_install(void);
void interrupt_uninstall(void); /* what was there before */
bool interrupt_is_pending(void);

/* As if a signal had come: whoever waits unwinds. For a process that is told to
 * end in another way. */
void interrupt_request(void);

/* PO_OK, or PO_E_USER when a signal has come. */
enum po_status interrupt_check(struct po_error *err) PO_MUST_CHECK;

/*
 * Waits until fd can be read: the signal may go to another thread, or come
 * between any two instructions. False when a signal has come.
 */
bool interrupt_wait_readable(int fd);

/* Dies of the signal that came, if one did. */
void interrupt_reraise(void);

#endif
