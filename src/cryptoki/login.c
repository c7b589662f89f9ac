/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/login.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "cryptoki/ckr.h"

#include <openssl/crypto.h>
#include <string.h>

bool login_is_required(const struct session *session)
{
	return (session->token.info.flags & CKF_LOGIN_REQUIRED) != 0;
}

/* Looks before a try is spent. */
static enum po_status check_budget(CK_FLAGS flags, bool a_person_types,
				   struct po_error *err)
{
	if (flags & CKF_USER_PIN_LOCKED)
		return po_fail(err, PO_E_PIN_LOCKED, 0,
			       "the PIN is locked; unlock it with the token's "
			       "own tool");
	if (!(flags & CKF_USER_PIN_INITIALIZED))
		return po_fail(err, PO_E_PIN, 0,
			       "the token has no user PIN yet; set one with "
			       "its own tool");
	if ((flags & CKF_USER_PIN_FINAL_TRY) && !a_person_types)
		return po_fail(err, PO_E_PIN_LOCKED, 0,
			       "one try is left before the PIN locks, and a "
			       "stored PIN is not spent on it; type it with "
			       "--pin-from=prompt, or log in once with the "
			       "token's own tool");
	return PO_OK;
}

static enum po_status send(const struct session *session,
			   const struct secret *pin, struct po_error *err)
{
	CK_FUNCTION_LIST *fn = session->module->fn;
	CK_UTF8CHAR bytes[PIN_MAX]; /* C_Login takes no const */
	size_t len = 0;
	CK_RV rv;

	if (pin) {
		len = secret_len(pin);
		memcpy(bytes, secret_reveal(pin), len);
	}
	rv = fn->C_Login(session->handle, CKU_USER, pin ? bytes : NULL, len);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		return PO_OK;
	return ckr_fail(err, rv, "C_Login");
}

static enum po_status login(const struct session *session, const char *pin_from,
			    const struct pin_purpose *purpose,
			    struct po_error *err)
{
	CK_FLAGS flags = session->token.info.flags;
	struct pin_token token = {
		.label = session->token.label,
		.serial = session->token.serial,
		.few_tries_left = (flags & CKF_USER_PIN_COUNT_LOW) != 0,
		.last_try = (flags & CKF_USER_PIN_FINAL_TRY) != 0,
	};
	bool on_device = (flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
	const char *source = pin_from ? pin_from : "prompt";
	po_auto(secret) *pin = NULL;
	enum po_status st;

	st = check_budget(flags, on_device || pin_source_is_prompt(source),
			  err);
	if (st != PO_OK)
		return st;
	if (on_device) {
		log_warn("token '%s': enter the PIN on the reader",
			 token.label);
		return send(session, NULL, err);
	}
	st = pin_read(source, &token, purpose, &pin, err);
	if (st == PO_OK)
		st = interrupt_check(err);
	if (st != PO_OK)
		return st;
	return po_context(err, send(session, pin, err), "PIN from %s", source);
}

enum po_status login_user(const struct session *session, const char *pin_from,
			  const struct pin_purpose *purpose,
			  struct po_error *err)
{
	return po_context(err, login(session, pin_from, purpose, err),
			  "token '%s'", session->token.label);
}
