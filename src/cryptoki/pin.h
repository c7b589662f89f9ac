/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pin.h - where a PIN comes from.
 *
 * Grammar: prompt | pinpad | file:PATH | fd:N | env:NAME | cred:NAME |
 * cmd:PROGRAM ARGUMENT…. A PIN never comes from the command line or a URI. One
 * trailing newline is dropped; an empty PIN, one with a carriage return or one
 * that is too long is refused before the token is asked.
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

struct pin_token;

/* Who answers for the person at a prompt, where there is none (the agent). */
struct pin_asker {
	/* True while a person is at the token, for one that takes the PIN by
	 * its own keys or reader. */
	bool (*is_there)(void *user);

	/* PO_E_PIN: it has no PIN for this token. */
	enum po_status (*ask)(void *user, const struct pin_token *token,
			      struct secret **ret_pin, struct po_error *err);
	void *user;
};

struct pin_request {                   /* how the PIN is had; all borrowed */
	const char *from;              /* the source; NULL: prompt */
	const char *pinentry;          /* NULL: the one in PATH */
	const struct pin_asker *asker; /* NULL: terminal or pinentry */
	const struct pin_purpose *purpose; /* NULL: nothing to tell */
	bool retry; /* a person says: send it although it was refused */
};

struct pin_token { /* the token that asks; borrowed */
	const char *manufacturer;
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

/* True when the token's own keys or reader take it, and we never see it. */
bool pin_source_is_pinpad(const char *source);

/* The source of a request, never NULL. Borrowed. */
const char *pin_request_source(const struct pin_request *request);

/*
 * Not for a pinpad. PO_E_PIN: the source has no usable PIN, or there is nowhere
 * to ask. PO_E_USER: the person pressed ^C, ^D or Cancel.
 */
enum po_status pin_read(const struct pin_request *request,
			const struct pin_token *token, struct secret **ret_pin,
			struct po_error *err) PO_MUST_CHECK;

/*
 * The PIN that a token accepted, for the rest of a command: for a key that
 * wants it at every signature, and for a login after a lost session. Bound to
 * that one token.
 */
struct kept_pin {
	struct secret *pin; /* owned; NULL: none, or typed on the token */
	char label[33], serial[17];
	bool in_doubt; /* a login failed; nothing more is sent */
};
void kept_pin_clear(struct kept_pin *kept);

#endif
