/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_memory.h - which stored PIN a token refused, kept across runs.
 *
 * A job that starts every minute with a wrong PIN would lock its token in three
 * minutes, and many modules never set the flags that would warn. So a stored
 * PIN that was refused is kept, as a salted scrypt hash, one file for each
 * token and source, and is not sent again until the source gives another one.
 *
 * The files are in refused-pins/ below $STATE_DIRECTORY (systemd.exec(5)), else
 * $XDG_STATE_HOME/p11oauth, else ~/.local/state/p11oauth; mode 0600, held with
 * flock(2) from the look to the answer of the token, so that jobs started at
 * once spend one try together.
 */
#ifndef PO_CRYPTOKI_PIN_MEMORY_H
#define PO_CRYPTOKI_PIN_MEMORY_H

#include "base/clock.h"
#include "base/secret.h"
#include "cryptoki/pin.h"

struct pin_memory;

/*
 * Takes the lock, for which it waits. clock is borrowed for as long as the
 * memory is open. PO_E_PIN: the memory cannot be kept, so the PIN must not be
 * sent; the text has the cause and the remedy. PO_E_DEVICE: another process
 * kept the lock; PO_E_USER: a signal came meanwhile.
 */
enum po_status pin_memory_open(const struct po_clock *clock,
			       const struct pin_token *token,
			       const char *source,
			       struct pin_memory **ret_memory,
			       struct po_error *err) PO_MUST_CHECK;
void pin_memory_free(struct pin_memory *memory); /* gives the lock back */
PO_DEFINE_AUTO(pin_memory, pin_memory_free);

/* PO_E_PIN: this very PIN was refused before; the text says when. */
enum po_status pin_memory_check(const struct pin_memory *memory,
				const struct secret *pin,
				struct po_error *err) PO_MUST_CHECK;

/* Remembers a refused PIN in place of what was there. */
enum po_status pin_memory_keep(struct pin_memory *memory,
			       const struct secret *pin,
			       struct po_error *err) PO_MUST_CHECK;

/* After a good login. */
void pin_memory_forget(struct pin_memory *memory);

#endif
