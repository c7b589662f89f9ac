/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/token_signer.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "cryptoki/ckr.h"
#include "cryptoki/device.h"
#include "cryptoki/find.h"
#include "cryptoki/login.h"
#include "cryptoki/policy.h"
#include "cryptoki/token_signer_impl.h"
#include "cryptoki/uri.h"

#include <stdlib.h>
#include <string.h>

static struct token_signer *of(struct signer *s)
{
	return (struct token_signer *)(void *)s;
}

static bool is_empty(const struct selector *s)
{
	return !s->id && !s->label;
}

static void adopt_id(struct signer *s, const struct object_name *name)
{
	memcpy(s->id, name->id, name->id_len);
	s->id_len = name->id_len;
}

/* Takes what was found as the signer's public side; empties found. */
static void adopt_public(struct signer *s, struct found *found)
{
	if (found->cert) {
		certificate_free(s->cert);
		s->cert = po_steal(found->cert);
		s->cert_count = found->cert_count;
	}
	if (found->pubkey && !s->pubkey)
		s->pubkey = po_steal(found->pubkey);
	if (found->handle != CK_INVALID_HANDLE && s->id_len == 0)
		adopt_id(s, &found->name);
	found_clear(found);
}

/* ---- open: what can be seen without a login ---------------------------- */

/*
 * Certificates of several keys match, such as an old and a renewed one under
 * one label. A public key object may tell which is meant; when the token shows
 * none at all, the private key will, after the login.
 */
static enum po_status choose_certificate(struct token_signer *t,
					 const struct selector *want,
					 struct found *ret_found)
{
	struct found key = { 0 };
	enum po_status st =
		find_key(&t->session, CKO_PUBLIC_KEY, want, &key, NULL);

	if (st == PO_OK && key.pubkey)
		st = find_certificate(&t->session, want, key.pubkey, ret_found,
				      NULL);
	found_clear(&key);
	return st;
}

/*
 * The certificate by the URI's id and label, then by its id alone: key and
 * certificate share CKA_ID, their labels may differ (RFC 7512 section 2.3).
 */
static enum po_status open_certificate(struct token_signer *t,
				       struct po_error *err)
{
	struct selector want = selector_of_uri(t->uri);
	struct found found = { 0 };
	struct po_error why = { 0 };
	enum po_status st =
		find_certificate(&t->session, &want, NULL, &found, &why);

	if (st == PO_OK && !found.cert && want.id && want.label) {
		want.label = NULL;
		st = find_certificate(&t->session, &want, NULL, &found, &why);
	}
	if (st == PO_E_AMBIGUOUS &&
	    choose_certificate(t, &want, &found) == PO_OK)
		st = PO_OK;
	if (st == PO_OK)
		adopt_public(&t->signer, &found);
	else if (err && err->status == PO_OK)
		*err = why;
	return st;
}

/* The public key object, which some tokens have instead of a certificate. */
static enum po_status open_public_key(struct token_signer *t,
				      const struct selector *want,
				      struct po_error *err)
{
	struct found found = { 0 };
	enum po_status st =
		find_key(&t->session, CKO_PUBLIC_KEY, want, &found, err);

	if (st == PO_OK)
		adopt_public(&t->signer, &found);
	return st;
}

/* A certificate that the token does not have may come from a file. */
static enum po_status adopt_from_file(struct token_signer *t,
				      struct po_error *err)
{
	const struct certificate_list *list = t->request.certificates;
	struct signer *s = &t->signer;
	const uint8_t *der;
	size_t len = 0;
	int i;

	if (!list || s->cert || !s->pubkey)
		return PO_OK;
	i = certificate_list_find(list, s->pubkey);
	if (i < 0)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "no certificate in the file belongs to the key");
	der = certificate_der(list->items[i], &len);
	return certificate_from_der(der, len, &s->cert, err);
}

static enum po_status open_public_side(struct token_signer *t,
				       struct po_error *err)
{
	struct selector want = selector_of_uri(t->uri);
	enum po_status st = open_certificate(t, err);

	if (st == PO_OK && !t->signer.pubkey && !is_empty(&want))
		st = open_public_key(t, &want, err);
	if (st == PO_OK)
		st = adopt_from_file(t, err);
	return st;
}

static enum po_status open_session(struct token_signer *t, struct po_error *err)
{
	struct token token;
	enum po_status st;

	st = slot_find(t->module, t->uri, t->request.uri, &token, err);
	if (st == PO_OK)
		st = session_open(t->request.clock, t->module, &token,
				  &t->session, err);
	if (st != PO_OK)
		return st;
	memcpy(t->signer.token_label, token.label, sizeof(token.label));
	memcpy(t->signer.token_serial, token.serial, sizeof(token.serial));
	device_set_name(t->device, token.label);
	t->signer.pin = (struct signer_pin){
		.is_needed = (token.info.flags & CKF_LOGIN_REQUIRED) != 0,
		.is_count_low =
			(token.info.flags & CKF_USER_PIN_COUNT_LOW) != 0,
		.is_final_try =
			(token.info.flags & CKF_USER_PIN_FINAL_TRY) != 0,
		.is_locked = (token.info.flags & CKF_USER_PIN_LOCKED) != 0,
		.is_pinpad = (token.info.flags &
			      CKF_PROTECTED_AUTHENTICATION_PATH) != 0,
	};
	return PO_OK;
}

/* The URI of the private key as far as it is known. */
static void name_key(struct token_signer *t, const struct object_name *known)
{
	struct object_name name = { .class = CKO_PRIVATE_KEY };

	if (known)
		name = *known;
	name.class = CKO_PRIVATE_KEY;
	if (!known) {
		memcpy(name.id, t->signer.id, t->signer.id_len);
		name.id_len = t->signer.id_len;
	}
	if (!object_uri(&t->session, &name, t->signer.uri))
		t->signer.uri[0] = '\0';
}

/* ---- unlock: login, then the private key -------------------------------- */

/* The private key by the URI, else by the id of the certificate it led to. */
static enum po_status find_private(struct token_signer *t,
				   struct found *ret_found,
				   struct po_error *err)
{
	struct selector want = selector_of_uri(t->uri);
	struct selector by_id = { t->signer.id, t->signer.id_len, NULL };
	enum po_status st =
		find_key(&t->session, CKO_PRIVATE_KEY, &want, ret_found, err);

	if (st == PO_OK && ret_found->handle == CK_INVALID_HANDLE &&
	    want.label && by_id.id_len)
		st = find_key(&t->session, CKO_PRIVATE_KEY, &by_id, ret_found,
			      err);
	return st;
}

static enum po_status fail_no_key(struct token_signer *t, struct po_error *err)
{
	const struct selector all = { 0 };
	po_auto_buf there = { 0 };

	buf_init(&there, PO_ERROR_TEXT_MAX / 2);
	find_describe(&t->session, CKO_PRIVATE_KEY, &all, &there);
	if (there.len == 0)
		return po_fail(err, PO_E_NOT_FOUND, 0,
			       "no private key matches '%s'; token '%s' shows "
			       "none at all",
			       t->request.uri, t->signer.token_label);
	return po_fail(err, PO_E_NOT_FOUND, 0,
		       "no private key matches '%s'; there is: %s",
		       t->request.uri, buf_text(&there));
}

/* What was not visible before login, or under another label. */
static enum po_status complete(struct token_signer *t, struct found *key,
			       struct po_error *err)
{
	struct selector by_id = { key->name.id, key->name.id_len, NULL };
	struct selector by_uri = selector_of_uri(t->uri);
	struct found found = { 0 };
	enum po_status st = PO_OK;

	/* EC private keys rarely show their public half */
	if (!key->pubkey && by_id.id_len) {
		st = find_key(&t->session, CKO_PUBLIC_KEY, &by_id, &found, err);
		if (st == PO_OK && found.pubkey)
			key->pubkey = po_steal(found.pubkey);
		found_clear(&found);
	}
	if (st == PO_OK && !t->signer.cert && by_id.id_len)
		st = find_certificate(&t->session, &by_id, key->pubkey, &found,
				      err);
	if (st == PO_OK && !t->signer.cert && !found.cert && by_uri.label &&
	    key->pubkey)
		st = find_certificate(&t->session, &by_uri, key->pubkey, &found,
				      err);
	if (st != PO_OK)
		return st;
	adopt_public(&t->signer, &found);
	if (!t->signer.pubkey && key->pubkey)
		t->signer.pubkey = pubkey_ref(key->pubkey);
	return adopt_from_file(t, err);
}

static enum po_status check_match(struct token_signer *t,
				  const struct found *key, struct po_error *err)
{
	const struct signer *s = &t->signer;

	if (!s->pubkey)
		return po_fail(err, PO_E_NOT_FOUND, 0,
			       "the token shows neither a certificate nor a "
			       "public key for '%s'; name a certificate-file",
			       t->request.uri);
	if (key->pubkey && !pubkey_equal(key->pubkey, s->pubkey))
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the certificate%s%s%s is of another key than "
			       "the private key '%s'",
			       s->cert ? " '" : "",
			       s->cert ? certificate_subject(s->cert) : "",
			       s->cert ? "'" : "", t->signer.uri);
	return PO_OK;
}

/* Logs in when the token wants it and the key does not show without. */
static enum po_status reach_private(struct token_signer *t,
				    struct found *ret_key, struct po_error *err)
{
	const struct pin_request *pin = t->request.pin;
	bool is_required = login_is_required(&t->session);
	enum po_status st = PO_OK;

	/* a person is not asked for a PIN that a key does not need */
	if (!is_required || pin_source_is_prompt(pin_request_source(pin)))
		st = find_private(t, ret_key, err);
	if (st != PO_OK || ret_key->handle != CK_INVALID_HANDLE || !is_required)
		return st;
	st = login_user(&t->session, pin, t->request.kept, err);
	t->logged_in = st == PO_OK;
	return st == PO_OK ? find_private(t, ret_key, err) : st;
}

static enum po_status check_policy(const struct token_signer *t,
				   const struct found *key,
				   struct po_error *err)
{
	enum po_status st =
		policy_check_spki(t->signer.pubkey, t->request.spki, err);

	if (st == PO_OK)
		st = policy_check_claims(key->name.claims, t->request.claims,
					 err);
	return po_context(err, st, "key '%s'", t->signer.uri);
}

static enum po_status unlock_job(void *arg, struct po_error *err)
{
	struct token_signer *t = arg;
	struct found key = { 0 };
	enum po_status st = reach_private(t, &key, err);

	if (st == PO_OK && key.handle == CK_INVALID_HANDLE)
		st = fail_no_key(t, err);
	if (st == PO_OK) {
		t->private_key = key.handle;
		t->always_authenticate =
			key.name.claims[OBJECT_ALWAYS_AUTHENTICATE] == 1;
		if (t->signer.id_len == 0)
			adopt_id(&t->signer, &key.name);
		name_key(t, &key.name);
		st = complete(t, &key, err);
	}
	if (st == PO_OK)
		st = check_match(t, &key, err);
	if (st == PO_OK)
		st = check_policy(t, &key, err);
	found_clear(&key);
	return st;
}

static enum po_status token_signer_unlock(struct signer *s,
					  struct po_error *err)
{
	struct token_signer *t = of(s);

	return device_run(t->device, unlock_job, t, err);
}

/* ---- a signer that stays open -------------------------------------------- */

static enum po_status refresh_job(void *arg, struct po_error *err)
{
	struct token_signer *t = arg;
	struct signer *s = &t->signer;
	struct selector want = selector_of_uri(t->uri);
	struct selector by_id = { s->id, s->id_len, NULL };
	struct found found = { 0 };
	enum po_status st =
		find_certificate(&t->session, &want, s->pubkey, &found, err);

	if (st == PO_OK && !found.cert && by_id.id_len)
		st = find_certificate(&t->session, &by_id, s->pubkey, &found,
				      err);
	if (st != PO_OK)
		return st;
	if (found.cert) {
		adopt_public(s, &found);
	} else if (t->request.certificates) {
		struct certificate *last = po_steal(s->cert);

		st = adopt_from_file(t, err);
		if (s->cert)
			certificate_free(last);
		else
			s->cert = last;
	}
	found_clear(&found);
	return st;
}

enum po_status token_signer_refresh(struct signer *s, struct po_error *err)
{
	struct token_signer *t = of(s);

	device_begin_use(t->device);
	return device_run(t->device, refresh_job, t, err);
}

static enum po_status check_job(void *arg, struct po_error *err)
{
	struct token_signer *t = arg;
	CK_SESSION_INFO session;
	CK_SLOT_INFO slot = { .flags = CKF_TOKEN_PRESENT };
	CK_RV rv = MODULE_CALL(t->module, C_GetSlotInfo, t->session.token.slot,
			       &slot);

	if (rv == CKR_OK && !(slot.flags & CKF_TOKEN_PRESENT))
		rv = CKR_TOKEN_NOT_PRESENT;
	if (rv == CKR_OK)
		rv = MODULE_CALL(t->module, C_GetSessionInfo, t->session.handle,
				 &session);
	if (rv == CKR_OK)
		return PO_OK;
	return po_fail(err, PO_E_TOKEN, (long)rv,
		       "token '%s' is not there any more (%s)",
		       t->signer.token_label, ckr_name(rv));
}

enum po_status token_signer_check(struct signer *s, struct po_error *err)
{
	struct token_signer *t = of(s);

	device_begin_use(t->device);
	return device_run(t->device, check_job, t, err);
}

/* ---- sign, free --------------------------------------------------------- */

struct signing { /* one that is being made; the device's if it gets lost */
	struct token_signer *t;
	struct sign_operation op;
	struct signature made;
};

/* One signature; authenticate: with a login of its own. */
static enum po_status sign_once(struct signing *s, bool authenticate,
				struct po_error *err)
{
	struct token_signer *t = s->t;
	enum po_status st =
		sign_start(&t->session, t->private_key, &s->op, err);

	if (st == PO_OK && authenticate)
		st = login_for_signature(&t->session, t->request.pin,
					 t->request.kept, err);
	return st == PO_OK ? sign_finish(&t->session, &s->op, &s->made, err)
			   : st;
}

static enum po_status sign_job(void *arg, struct po_error *err)
{
	struct signing *s = arg;
	struct token_signer *t = s->t;
	struct po_error why = { 0 };
	enum po_status st = sign_once(s, t->always_authenticate, &why);

	/* some keys do not say that they want a login for each signature */
	if (st == PO_E_PIN && why.native == CKR_USER_NOT_LOGGED_IN &&
	    t->logged_in && !t->always_authenticate) {
		struct po_error again = { 0 };

		st = sign_once(s, /* authenticate= */ true, &again);
		if (st == PO_E_DEVICE)
			st = why.status; /* it was not that: the first reason */
		else
			why = again;
	}
	if (st != PO_OK && err)
		*err = why;
	return po_context(err, st, "token '%s'", t->signer.token_label);
}

enum po_status token_signer_make(struct token_signer *t,
				 const struct sign_operation *op,
				 struct signature *ret_sig,
				 struct po_error *err)
{
	enum po_status st = interrupt_check(err);
	struct signing *s;

	if (st != PO_OK)
		return st;
	s = calloc(1, sizeof(*s));
	if (!s)
		return po_no_memory(err);
	s->t = t;
	s->op = *op;
	st = device_run(t->device, sign_job, s, err);
	if (st == PO_OK)
		*ret_sig = s->made;
	if (!device_is_lost(t->device))
		free(s);
	return st;
}

static enum po_status token_signer_sign(struct signer *s, enum alg alg,
					const void *data, size_t len,
					struct signature *ret_signature,
					struct po_error *err)
{
	const struct to_be_signed input = { data, len };
	struct sign_operation op;
	enum po_status st = sign_prepare(alg, &input, &op, err);

	return st == PO_OK ? token_signer_make(of(s), &op, ret_signature, err)
			   : st;
}

static enum po_status close_job(void *arg, struct po_error *err)
{
	struct token_signer *t = arg;

	(void)err;
	module_free(t->module); /* C_Finalize ends login and session */
	return PO_OK;
}

static void token_signer_free(struct signer *s)
{
	struct token_signer *t = of(s);

	tls_key_free(t->tls); /* asks the device nothing */
	if (t->device && device_is_lost(t->device))
		return; /* its thread still has everything */
	device_free(t->device, close_job, t);
	p11_kit_uri_free(t->uri);
	pubkey_free(s->pubkey);
	certificate_free(s->cert);
	free(t);
}

const struct signer_ops token_signer_ops = {
	.unlock = token_signer_unlock,
	.sign = token_signer_sign,
	.free = token_signer_free,
};

static enum po_status load(struct token_signer *t, struct po_error *err)
{
	char *path = NULL;
	enum po_status st;

	st = uri_parse(t->request.uri, &t->uri, err);
	if (st == PO_OK && t->request.pin->from)
		st = pin_source_check(t->request.pin->from, err);
	if (st == PO_OK)
		st = module_choose(t->request.module, t->uri, &path, err);
	if (st == PO_OK)
		st = module_load(path, t->request.init_args, &t->module, err);
	free(path);
	return st;
}

static enum po_status open_job(void *arg, struct po_error *err)
{
	struct token_signer *t = arg;
	enum po_status st = load(t, err);

	if (st == PO_OK)
		st = open_session(t, err);
	return st == PO_OK ? open_public_side(t, err) : st;
}

enum po_status token_signer_open(const struct token_signer_request *req,
				 struct signer **ret_signer,
				 struct po_error *err)
{
	struct token_signer *t = calloc(1, sizeof(*t));
	enum po_status st;

	if (!t)
		return po_no_memory(err);
	t->signer.ops = &token_signer_ops;
	t->request = *req;
	t->device = device_new(req->clock, req->timeout_s);
	st = t->device ? device_run(t->device, open_job, t, err)
		       : po_no_memory(err);
	if (st != PO_OK) {
		signer_free(&t->signer);
		return st;
	}
	name_key(t, NULL);
	*ret_signer = &t->signer;
	return PO_OK;
}

bool token_signer_may_recover(const struct po_error *err)
{
	return ckr_is_loss(err->native);
}
