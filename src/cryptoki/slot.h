/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slot.h - the tokens that a module sees, and sessions with them.
 *
 * Source: PKCS #11 v3.0 section 5.5, "Slot and token management functions",
 * and 5.6, "Session management functions"; RFC 7512 section 2.3.
 */
#ifndef PO_CRYPTOKI_SLOT_H
#define PO_CRYPTOKI_SLOT_H

#include "base/buf.h"
#include "base/clock.h"
#include "cryptoki/module.h"

#include <stdint.h>

#define SLOT_COUNT_MAX 4096

struct token {
	CK_SLOT_ID slot;
	CK_TOKEN_INFO info;
	char label[33]; /* blank padding removed */
	char serial[17];
};

/* A read-only session; enough for signing. */
struct session {
	const struct po_clock *clock; /* borrowed */
	const struct module *module;  /* borrowed */
	CK_SESSION_HANDLE handle;
	struct token token;
};

/*
 * The tokens that match the URI (every one when it is NULL), at most max of
 * them; *ret_count may be larger than max. Slots that cannot be read are
 * passed over. PO_E_DEVICE: the module does not even list its slots.
 * PO_E_TOKEN: it shows none at all, because pcscd lets nobody in.
 */
enum po_status slot_list(const struct module *module, P11KitUri *uri,
			 struct token *tokens, size_t max, size_t *ret_count,
			 struct po_error *err) PO_MUST_CHECK;

/*
 * The one initialised token that matches. PO_E_TOKEN: none; the text lists
 * those that exist. PO_E_AMBIGUOUS: several, listed with their URIs.
 */
enum po_status slot_find(const struct module *module, P11KitUri *uri,
			 const char *uri_text, struct token *ret_token,
			 struct po_error *err) PO_MUST_CHECK;

/* Writes the canonical URI of a token; false: does not fit into size. */
bool slot_uri(const struct token *token, char *out, size_t size) PO_MUST_CHECK;

/* clock and module are borrowed for as long as the session is used. Fails as
 * ckr_fail() does. */
enum po_status session_open(const struct po_clock *clock,
			    const struct module *module,
			    const struct token *token,
			    struct session *ret_session,
			    struct po_error *err) PO_MUST_CHECK;

/* Copies a blank-padded (or, from some modules, NUL-padded) field. */
void slot_copy_padded(char *out, size_t out_size, const unsigned char *field,
		      size_t field_len);

#endif
