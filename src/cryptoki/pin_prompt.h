/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin_prompt.h - asks a person for the PIN: on the terminal, without echo, or
 * through pinentry when there is no terminal but a screen.
 *
 * Standard input is never read: it is the job's.
 */
#ifndef PO_CRYPTOKI_PIN_PROMPT_H
#define PO_CRYPTOKI_PIN_PROMPT_H

#include "cryptoki/pin.h"

/*
 * Appends what was typed to pin. PO_E_PIN: nowhere to ask; PO_E_USER: the
 * person pressed ^C, ^D or Cancel.
 */
enum po_status pin_prompt(const struct pin_token *token,
			  const struct pin_request *request, struct secret *pin,
			  struct po_error *err) PO_MUST_CHECK;

#endif
