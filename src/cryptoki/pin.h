/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin.h - where a PIN comes from.
 *
 * Grammar: prompt | file:PATH | fd:N | env:NAME | cred:NAME. A PIN never comes
 * from the command line or a URI. One trailing newline is dropped; an empty
 * PIN, one with a carriage return or one that is too long is refused before
 * the token is asked.
 *
 * Source: RFC 7512 section 6; systemd.exec(5) for $CREDENTIALS_DIRECTORY.
 */
#ifndef PO_CRYPTOKI_PIN_H
#define PO_CRYPTOKI_PIN_H

#include "base/secret.h"

#include <stdbool.h>

#define PIN_MAX 255 /* bytes */

struct pin_purpose { /* what a person is told at the prompt; all borrowed */
	const char *profile;   /* NULL: none */
	const char *client_id; /* NULL: none */
	const char *audience;  /* who will see the signature; NULL: nobody */
};

struct pin_token { /* the token that asks; borrowed */
	const char *label;
	const char *serial;
	bool few_tries_left; /* CKF_USER_PIN_COUNT_LOW */
	bool last_try;       /* CKF_USER_PIN_FINAL_TRY */
};

/* PO_E_USAGE: not of the grammar above. */
enum po_status pin_source_check(const char *source,
				struct po_error *err) PO_MUST_CHECK;

/* True when a person types it at the moment it is asked for. */
bool pin_source_is_prompt(const char *source);

/*
 * PO_E_PIN: the source has no usable PIN, or there is no terminal to ask on.
 * PO_E_USER: the person pressed ^C or ^D.
 */
enum po_status pin_read(const char *source, const struct pin_token *token,
			const struct pin_purpose *purpose,
			struct secret **ret_pin,
			struct po_error *err) PO_MUST_CHECK;

#endif
