/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ckr.h - PKCS #11 return values as errors of ours.
 *
 * Source: PKCS #11 v3.0 section 5.1, "Function return values".
 */
#ifndef PO_CRYPTOKI_CKR_H
#define PO_CRYPTOKI_CKR_H

#include "base/error.h"

#include <p11-kit/pkcs11.h>
#include <stdbool.h>

/* "CKR_PIN_INCORRECT", or "CKR 0x…" for one that has no name here. Static
 * for the named ones, else valid until the next call in the same thread. */
const char *ckr_name(CK_RV rv);

/*
 * Fails with the status of rv's class; err->native is rv. what is the function
 * that returned it, such as "C_Sign".
 */
enum po_status ckr_fail(struct po_error *err, CK_RV rv, const char *what);

/*
 * True when a new session, a new login and a new search may succeed where this
 * return value (err->native) ended the old one: the session or the token was
 * lost, or the module will not say.
 */
bool ckr_is_loss(long rv);

#endif
