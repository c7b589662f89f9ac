/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.h - one login with one PIN, and when none is tried.
 *
 * A stored PIN is never spent on a token's last try, because a wrong one would
 * lock the token for good; no PIN is tried on a locked one; nothing is ever
 * repeated.
 *
 * Source: PKCS #11 v3.0 section 5.6.8 (C_Login), CK_TOKEN_INFO flags.
 */
#ifndef PO_CRYPTOKI_LOGIN_H
#define PO_CRYPTOKI_LOGIN_H

#include "cryptoki/pin.h"
#include "cryptoki/slot.h"

/* False: the token has nothing to log in to. */
bool login_is_required(const struct session *session);

/*
 * Logs in as the user; being logged in already is success. pin_from NULL:
 * prompt. PO_E_PIN_LOCKED: locked, or one try left and the PIN is stored.
 */
enum po_status login_user(const struct session *session, const char *pin_from,
			  const struct pin_purpose *purpose,
			  struct po_error *err) PO_MUST_CHECK;

#endif
