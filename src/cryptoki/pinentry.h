/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pinentry.h - a PIN from GnuPG's pinentry program.
 *
 * Source: the Assuan protocol (lines of at most 1000 bytes, percent escapes;
 * OK, ERR, D) and pinentry's own commands SETTITLE, SETDESC, SETPROMPT, GETPIN.
 */
#ifndef PO_CRYPTOKI_PINENTRY_H
#define PO_CRYPTOKI_PINENTRY_H

#include "base/secret.h"

#define PINENTRY_TIMEOUT_S 300 /* for the person */

/*
 * Appends what was typed to pin. PO_E_USER: cancelled; PO_E_PIN: program cannot
 * be started or does not speak the protocol.
 */
enum po_status pinentry_ask(const char *program, const char *question,
			    struct secret *pin,
			    struct po_error *err) PO_MUST_CHECK;

#endif
