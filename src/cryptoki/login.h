/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.h - logging in without ever locking a token.
 *
 * A stored PIN is never spent on a token's last try, because a wrong one would
 * lock the token for good; no PIN is tried on a locked one; a PIN that a login
 * did not accept is not sent again, in this run or in later ones
 * (pin_memory.h).
 *
 * Source: PKCS #11 v3.0 section 5.6.8 (C_Login), CK_TOKEN_INFO flags;
 * CKU_CONTEXT_SPECIFIC and CKA_ALWAYS_AUTHENTICATE: section 4.9.
 */
#ifndef PO_CRYPTOKI_LOGIN_H
#define PO_CRYPTOKI_LOGIN_H

#include "cryptoki/pin.h"
#include "cryptoki/slot.h"

/* False: the token has nothing to log in to. */
bool login_is_required(const struct session *session);

/*
 * Logs in as the user; being logged in already is success. PO_E_PIN_LOCKED:
 * locked, or one try left and the PIN is stored. PO_E_PIN: refused, now or
 * before.
 */
enum po_status login_user(const struct session *session,
			  const struct pin_request *request,
			  struct kept_pin *kept,
			  struct po_error *err) PO_MUST_CHECK;

/* The login between C_SignInit and C_Sign that some keys want. */
enum po_status login_for_signature(const struct session *session,
				   const struct pin_request *request,
				   struct kept_pin *kept,
				   struct po_error *err) PO_MUST_CHECK;

#endif
