/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/token_signer.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "cryptoki/find.h"
#include "cryptoki/login.h"
#include "cryptoki/sign.h"
#include "cryptoki/uri.h"

#include <stdlib.h>
#include <string.h>

struct token_signer {
	struct signer signer; /* first: the seam casts back to us */
	struct token_signer_request request;
	P11KitUri *uri;
	struct module *module;
	struct session session;
	CK_OBJECT_HANDLE private_key;
};

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
	}
	if (found->pubkey && !s->pubkey)
		s->pubkey = po_steal(found->pubkey);
	if (found->handle != CK_INVALID_HANDLE && s->id_len == 0)
		adopt_id(s, &found->name);
	found_clear(found);
}

/* ---- open: what can be seen without a login ---------------------------- */

/*
 * The certificate by the URI's id and label, then by its id alone: key and
 * certificate share CKA_ID, their labels may differ (RFC 7512 section 2.3).
 */
static enum po_status open_certificate(struct token_signer *t,
				       struct po_error *err)
{
	struct selector want = selector_of_uri(t->uri);
	struct found found = { 0 };
	enum po_status st = find_certificate(&t->session, &want, &found, err);

	if (st == PO_OK && !found.cert && want.id && want.label) {
		want.label = NULL;
		st = find_certificate(&t->session, &want, &found, err);
	}
	if (st == PO_OK)
		adopt_public(&t->signer, &found);
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
		st = session_open(t->module, &token, &t->session, err);
	if (st != PO_OK)
		return st;
	memcpy(t->signer.token_label, token.label, sizeof(token.label));
	memcpy(t->signer.token_serial, token.serial, sizeof(token.serial));
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
	struct found found = { 0 };
	enum po_status st = PO_OK;

	if (!t->signer.cert && by_id.id_len) {
		st = find_certificate(&t->session, &by_id, &found, err);
		if (st == PO_OK)
			adopt_public(&t->signer, &found);
	}
	if (st != PO_OK)
		return st;
	/* EC private keys rarely show their public half */
	if (!key->pubkey && by_id.id_len) {
		st = find_key(&t->session, CKO_PUBLIC_KEY, &by_id, &found, err);
		if (st == PO_OK && found.pubkey)
			key->pubkey = po_steal(found.pubkey);
		found_clear(&found);
	}
	if (st == PO_OK && !t->signer.pubkey && key->pubkey)
		t->signer.pubkey = pubkey_ref(key->pubkey);
	if (st == PO_OK)
		st = adopt_from_file(t, err);
	return st;
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

static enum po_status unlock_key(struct token_signer *t, struct po_error *err)
{
	struct found key = { 0 };
	enum po_status st = PO_OK;
	/* a person is not asked for a PIN that a key does not need */
	bool look_first = !t->request.pin_from ||
			  pin_source_is_prompt(t->request.pin_from);

	if (login_is_required(&t->session) && look_first)
		st = find_private(t, &key, err);
	if (st == PO_OK && key.handle == CK_INVALID_HANDLE) {
		if (login_is_required(&t->session))
			st = login_user(&t->session, t->request.pin_from,
					t->request.purpose, err);
		if (st == PO_OK)
			st = find_private(t, &key, err);
	}
	if (st == PO_OK && key.handle == CK_INVALID_HANDLE)
		st = fail_no_key(t, err);
	if (st == PO_OK) {
		t->private_key = key.handle;
		if (t->signer.id_len == 0)
			adopt_id(&t->signer, &key.name);
		name_key(t, &key.name);
		st = complete(t, &key, err);
	}
	if (st == PO_OK)
		st = check_match(t, &key, err);
	found_clear(&key);
	return st;
}

static enum po_status token_signer_unlock(struct signer *s,
					  struct po_error *err)
{
	return unlock_key(of(s), err);
}

/* ---- sign, free --------------------------------------------------------- */

static enum po_status token_signer_sign(struct signer *s, enum alg alg,
					const void *data, size_t len,
					uint8_t *sig, size_t *ret_sig_len,
					struct po_error *err)
{
	struct token_signer *t = of(s);
	const struct to_be_signed input = { data, len };
	struct signature made;
	enum po_status st = interrupt_check(err);

	if (st == PO_OK)
		st = sign_once(&t->session, t->private_key, alg, &input, &made,
			       err);
	if (st != PO_OK)
		return po_context(err, st, "token '%s'", s->token_label);
	memcpy(sig, made.bytes, made.len);
	*ret_sig_len = made.len;
	return PO_OK;
}

static void token_signer_free(struct signer *s)
{
	struct token_signer *t = of(s);

	module_free(t->module); /* C_Finalize ends login and session */
	p11_kit_uri_free(t->uri);
	pubkey_free(s->pubkey);
	certificate_free(s->cert);
	free(t);
}

static const struct signer_ops token_signer_ops = {
	.unlock = token_signer_unlock,
	.sign = token_signer_sign,
	.free = token_signer_free,
};

static enum po_status load(struct token_signer *t, struct po_error *err)
{
	char *path = NULL;
	enum po_status st;

	st = uri_parse(t->request.uri, &t->uri, err);
	if (st == PO_OK && t->request.pin_from)
		st = pin_source_check(t->request.pin_from, err);
	if (st == PO_OK)
		st = module_choose(t->request.module, t->uri, &path, err);
	if (st == PO_OK)
		st = module_load(path, &t->module, err);
	free(path);
	return st;
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
	st = load(t, err);
	if (st == PO_OK)
		st = open_session(t, err);
	if (st == PO_OK)
		st = open_public_side(t, err);
	if (st != PO_OK) {
		signer_free(&t->signer);
		return st;
	}
	name_key(t, NULL);
	*ret_signer = &t->signer;
	return PO_OK;
}
