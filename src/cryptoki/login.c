/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/login.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "cryptoki/ckr.h"
#include "cryptoki/device.h"
#include "cryptoki/pin_memory.h"

#include <openssl/crypto.h>
#include <string.h>

bool login_is_required(const struct session *session)
{
	return (session->token.info.flags & CKF_LOGIN_REQUIRED) != 0;
}

/* One login that is going on. */
struct attempt {
	const struct session *session;
	const struct pin_request *request;
	struct kept_pin *kept;
	CK_USER_TYPE user;
};

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

/* C_Login, once; pin NULL: the token's own keys or reader ask for it. */
static enum po_status send(const struct attempt *a, const struct secret *pin,
			   struct po_error *err)
{
	CK_UTF8CHAR bytes[PIN_MAX]; /* C_Login takes no const */
	size_t len = 0;
	CK_RV rv;

	if (pin) {
		len = secret_len(pin);
		memcpy(bytes, secret_reveal(pin), len);
	}
	rv = MODULE_CALL(a->session->module, C_Login, a->session->handle,
			 a->user, pin ? bytes : NULL, len);
	OPENSSL_cleanse(bytes, sizeof(bytes));
	if (rv == CKR_OK || rv == CKR_USER_ALREADY_LOGGED_IN)
		return PO_OK;
	a->kept->in_doubt = true;
	return ckr_fail(err, rv, "C_Login");
}

static bool is_kept_for(const struct kept_pin *kept, const struct token *token)
{
	return kept->pin && strcmp(kept->label, token->label) == 0 &&
	       strcmp(kept->serial, token->serial) == 0;
}

static void keep(struct kept_pin *kept, const struct token *token,
		 struct secret *pin)
{
	secret_free(kept->pin);
	kept->pin = pin;
	memcpy(kept->label, token->label, sizeof(kept->label));
	memcpy(kept->serial, token->serial, sizeof(kept->serial));
}

/* The token looked at the PIN and said no. An expired PIN was right; a locked
 * one was not looked at. */
static bool was_refused(const struct po_error *why)
{
	return why->native == CKR_PIN_INCORRECT ||
	       why->native == CKR_PIN_INVALID ||
	       why->native == CKR_PIN_LEN_RANGE;
}

/* A stored PIN, unless the token refused it before. */
static enum po_status send_stored(const struct attempt *a,
				  const struct pin_token *token,
				  const struct secret *pin,
				  struct po_error *err)
{
	const char *source = pin_request_source(a->request);
	po_auto(pin_memory) *memory = NULL;
	bool retry = a->request->retry;
	struct po_error why = { 0 };
	enum po_status st;

	st = pin_memory_open(a->session->clock, token, source, &memory,
			     retry ? NULL : err);
	if (st == PO_OK && !retry)
		st = pin_memory_check(memory, pin, err);
	if (st != PO_OK && !retry)
		return st;
	st = send(a, pin, &why);
	if (memory && st == PO_OK)
		pin_memory_forget(memory);
	if (memory && st != PO_OK && was_refused(&why) &&
	    pin_memory_keep(memory, pin, NULL) != PO_OK)
		log_warn("token '%s': the refused PIN could not be "
			 "remembered; do not run this again before it is "
			 "corrected",
			 token->label);
	if (st != PO_OK && err)
		*err = why;
	return st;
}

static enum po_status read_and_send(const struct attempt *a,
				    const struct pin_token *token,
				    struct po_error *err)
{
	const char *source = pin_request_source(a->request);
	po_auto(secret) *pin = NULL;
	enum po_status st = pin_read(a->request, token, &pin, err);

	if (st == PO_OK)
		st = interrupt_check(err);
	if (st != PO_OK)
		return st;
	st = pin_source_is_prompt(source) ? send(a, pin, err)
					  : send_stored(a, token, pin, err);
	if (st == PO_OK)
		keep(a->kept, &a->session->token, po_steal(pin));
	return po_context(err, st, "PIN from %s", source);
}

static enum po_status login(const struct attempt *a, struct po_error *err)
{
	const struct token *t = &a->session->token;
	CK_FLAGS flags = t->info.flags;
	char manufacturer[33];
	struct pin_token token = {
		.manufacturer = manufacturer,
		.label = t->label,
		.serial = t->serial,
		.few_tries_left = (flags & CKF_USER_PIN_COUNT_LOW) != 0,
		.last_try = (flags & CKF_USER_PIN_FINAL_TRY) != 0,
	};
	const char *source = pin_request_source(a->request);
	const struct pin_asker *asker = a->request->asker;
	bool on_device = (flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
	bool a_person_types = on_device || pin_source_is_prompt(source);
	enum po_status st;

	if (a->kept->in_doubt)
		return po_fail(err, PO_E_PIN, 0,
			       "a login failed before; no PIN is sent again");
	st = check_budget(flags, a_person_types, err);
	if (st != PO_OK)
		return st;
	if (on_device && asker && !asker->is_there(asker->user))
		return po_fail(err, PO_E_PIN, 0,
			       "it is locked, and takes the PIN on its reader; "
			       "'p11oauth unlock' asks for it");
	if (on_device) {
		log_warn("token '%s': enter the PIN on the reader", t->label);
		return send(a, NULL, err);
	}
	if (pin_source_is_pinpad(source))
		return po_fail(err, PO_E_PIN, 0,
			       "'pin-from' is pinpad, and the token says that "
			       "it has none");
	if (is_kept_for(a->kept, t) && a->user == CKU_USER &&
	    (flags & CKF_USER_PIN_FINAL_TRY))
		return po_fail(err, PO_E_PIN_LOCKED, 0,
			       "one try is left before the PIN locks, and one "
			       "that was typed before is not spent on it");
	if (is_kept_for(a->kept, t))
		return send(a, a->kept->pin, err);
	slot_copy_padded(manufacturer, sizeof(manufacturer),
			 t->info.manufacturerID,
			 sizeof(t->info.manufacturerID));
	return read_and_send(a, &token, err);
}

enum po_status login_user(const struct session *session,
			  const struct pin_request *request,
			  struct kept_pin *kept, struct po_error *err)
{
	const struct attempt a = { session, request, kept, CKU_USER };

	return po_context(err, login(&a, err), "token '%s'",
			  session->token.label);
}

enum po_status login_for_signature(const struct session *session,
				   const struct pin_request *request,
				   struct kept_pin *kept, struct po_error *err)
{
	const struct attempt a = { session, request, kept,
				   CKU_CONTEXT_SPECIFIC };

	return po_context(err, login(&a, err), "login for the signature");
}
