/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/inventory.h"

#include "base/log.h"
#include "cryptoki/ckr.h"
#include "cryptoki/device.h"
#include "cryptoki/login.h"
#include "cryptoki/object.h"
#include "cryptoki/uri.h"

#include <stdlib.h>
#include <string.h>

#define TOKENS_MAX 256
#define HANDLES_AT_ONCE 128

/* What is gathered of one token while it is walked. */
struct walk {
	struct session session;
	P11KitUri *uri;
	struct inventory_token *token;
};

static bool is_selected(P11KitUri *uri, const struct object_name *name)
{
	uint8_t id[SIGNER_ID_MAX];
	char label[OBJECT_LABEL_MAX + 1];
	CK_ATTRIBUTE attrs[] = {
		{ CKA_ID, id, name->id_len },
		{ CKA_LABEL, label, strlen(name->label) },
	};

	if (!uri)
		return true;
	memcpy(id, name->id, name->id_len);
	memcpy(label, name->label, sizeof(label));
	/* type selects nothing here: a key is shown with its certificate */
	for (size_t i = 0; i < PO_ARRAY_SIZE(attrs); i++) {
		const CK_ATTRIBUTE *want =
			p11_kit_uri_get_attribute(uri, attrs[i].type);

		if (want && (want->ulValueLen != attrs[i].ulValueLen ||
			     memcmp(want->pValue, attrs[i].pValue,
				    want->ulValueLen) != 0))
			return false;
	}
	return true;
}

/* The entry with this id (objects without one stay alone), or a new one. */
static struct inventory_key *entry_for(struct walk *w,
				       const struct object_name *name)
{
	struct inventory_token *t = w->token;
	struct inventory_key *grown;

	for (size_t i = 0; name->id_len && i < t->key_count; i++)
		if (t->keys[i].id_len == name->id_len &&
		    memcmp(t->keys[i].id, name->id, name->id_len) == 0)
			return &t->keys[i];
	if (t->key_count == INVENTORY_OBJECTS_MAX)
		return NULL;
	if ((t->key_count & (t->key_count - 1)) == 0) {
		size_t room = t->key_count ? t->key_count * 2 : 1;

		grown = reallocarray(t->keys, room, sizeof(*grown));
		if (!grown)
			return NULL;
		t->keys = grown;
	}
	grown = &t->keys[t->key_count++];
	*grown = (struct inventory_key){ .id_len = name->id_len };
	memcpy(grown->id, name->id, name->id_len);
	memcpy(grown->label, name->label, sizeof(grown->label));
	return grown;
}

static enum claim claim_of(int value)
{
	return value < 0 ? CLAIM_UNKNOWN : value ? CLAIM_YES : CLAIM_NO;
}

static void take_claims(const int c[static OBJECT_CLAIMS],
			struct inventory_key *key)
{
	key->sign = claim_of(c[OBJECT_SIGN]);
	key->sensitive = claim_of(c[OBJECT_SENSITIVE]);
	key->extractable = claim_of(c[OBJECT_EXTRACTABLE]);
	key->always_sensitive = claim_of(c[OBJECT_ALWAYS_SENSITIVE]);
	key->never_extractable = claim_of(c[OBJECT_NEVER_EXTRACTABLE]);
	key->local = claim_of(c[OBJECT_LOCAL]);
	key->always_authenticate = claim_of(c[OBJECT_ALWAYS_AUTHENTICATE]);
}

static void take_object(struct walk *w, CK_OBJECT_CLASS class,
			CK_OBJECT_HANDLE handle)
{
	struct object_name name = { .class = class };
	po_auto(certificate) *cert = NULL;
	po_auto(pubkey) *pubkey = NULL;
	struct inventory_key *key;
	enum po_status st;

	if (class == CKO_CERTIFICATE)
		st = object_read_certificate(&w->session, handle, &name, &cert,
					     NULL);
	else
		st = object_read_key(&w->session, class, handle, &name, &pubkey,
				     NULL);
	name.class = class;
	if ((st != PO_OK && st != PO_E_CRYPTO) || !is_selected(w->uri, &name))
		return;
	key = entry_for(w, &name);
	if (!key)
		return;
	if (class == CKO_PRIVATE_KEY) {
		key->has_private = true;
		take_claims(name.claims, key);
		memcpy(key->label, name.label, sizeof(key->label));
	}
	if (cert && !key->cert)
		key->cert = po_steal(cert);
	if (pubkey && !key->pubkey)
		key->pubkey = po_steal(pubkey);
}

static enum po_status walk_class(struct walk *w, CK_OBJECT_CLASS class,
				 struct po_error *err)
{
	CK_SESSION_HANDLE session = w->session.handle;
	CK_ATTRIBUTE template = { CKA_CLASS, &class, sizeof(class) };
	CK_OBJECT_HANDLE *handles;
	CK_ULONG count = 0, n = 0;
	CK_RV rv = MODULE_CALL(w->session.module, C_FindObjectsInit, session,
			       &template, 1);

	if (rv != CKR_OK)
		return ckr_fail(err, rv, "C_FindObjectsInit");
	handles = calloc(INVENTORY_OBJECTS_MAX, sizeof(*handles));
	if (!handles) {
		(void)MODULE_CALL(w->session.module, C_FindObjectsFinal,
				  session);
		return po_no_memory(err);
	}
	do { /* every answer but an empty one may be followed by another */
		CK_ULONG room = INVENTORY_OBJECTS_MAX - count;

		if (room > HANDLES_AT_ONCE)
			room = HANDLES_AT_ONCE;
		n = 0;
		rv = MODULE_CALL(w->session.module, C_FindObjects, session,
				 handles + count, room, &n);
		count += n < room ? n : room;
	} while (rv == CKR_OK && n > 0 && count < INVENTORY_OBJECTS_MAX);
	(void)MODULE_CALL(w->session.module, C_FindObjectsFinal, session);
	if (rv == CKR_OK)
		for (CK_ULONG i = 0; i < count; i++)
			take_object(w, class, handles[i]);
	free(handles);
	return rv == CKR_OK ? PO_OK : ckr_fail(err, rv, "C_FindObjects");
}

/* Canonical URIs, and whether certificate and key belong together. */
static void finish_keys(struct walk *w)
{
	for (size_t i = 0; i < w->token->key_count; i++) {
		struct inventory_key *k = &w->token->keys[i];
		struct object_name name = {
			.class = CKO_PRIVATE_KEY,
			.id_len = k->id_len,
		};

		memcpy(name.id, k->id, k->id_len);
		memcpy(name.label, k->label, sizeof(name.label));
		if (!object_uri(&w->session, &name, k->uri))
			k->uri[0] = '\0';
		if (!k->cert)
			continue;
		if (!k->pubkey)
			k->pubkey = pubkey_ref(certificate_pubkey(k->cert));
		k->cert_matches =
			pubkey_equal(k->pubkey, certificate_pubkey(k->cert));
	}
}

static enum po_status walk_token(const struct inventory_request *req,
				 struct walk *w, struct po_error *err)
{
	static const CK_OBJECT_CLASS classes[] = { CKO_PRIVATE_KEY,
						   CKO_PUBLIC_KEY,
						   CKO_CERTIFICATE };
	enum po_status st = PO_OK;

	if (req->login && login_is_required(&w->session)) {
		struct kept_pin kept = { 0 };

		st = login_user(&w->session, &req->pin, &kept, err);
		kept_pin_clear(&kept);
		w->token->logged_in = st == PO_OK;
	}
	for (size_t i = 0; st == PO_OK && i < PO_ARRAY_SIZE(classes); i++)
		st = walk_class(w, classes[i], err);
	finish_keys(w);
	return st;
}

static void take_token(const struct token *from, struct inventory_token *t)
{
	CK_FLAGS flags = from->info.flags;

	memcpy(t->label, from->label, sizeof(t->label));
	memcpy(t->serial, from->serial, sizeof(t->serial));
	slot_copy_padded(t->manufacturer, sizeof(t->manufacturer),
			 from->info.manufacturerID,
			 sizeof(from->info.manufacturerID));
	slot_copy_padded(t->model, sizeof(t->model), from->info.model,
			 sizeof(from->info.model));
	if (!slot_uri(from, t->uri, sizeof(t->uri)))
		t->uri[0] = '\0';
	t->initialized = (flags & CKF_TOKEN_INITIALIZED) != 0;
	t->login_required = (flags & CKF_LOGIN_REQUIRED) != 0;
	t->pin_count_low = (flags & CKF_USER_PIN_COUNT_LOW) != 0;
	t->pin_final_try = (flags & CKF_USER_PIN_FINAL_TRY) != 0;
	t->pin_locked = (flags & CKF_USER_PIN_LOCKED) != 0;
	t->pinpad = (flags & CKF_PROTECTED_AUTHENTICATION_PATH) != 0;
}

/* One token's objects. */
static enum po_status read_token(const struct inventory_request *req,
				 const struct module *m,
				 const struct token *token, struct walk *w,
				 struct po_error *err)
{
	enum po_status st =
		session_open(req->clock, m, token, &w->session, err);

	return st == PO_OK ? walk_token(req, w, err) : st;
}

static enum po_status read_tokens(const struct inventory_request *req,
				  const struct module *m, P11KitUri *uri,
				  struct inventory *inv, struct po_error *err)
{
	struct token *tokens = calloc(TOKENS_MAX, sizeof(*tokens));
	size_t count = 0;
	enum po_status st;

	if (!tokens)
		return po_no_memory(err);
	st = slot_list(m, uri, tokens, TOKENS_MAX, &count, err);
	if (count > TOKENS_MAX)
		count = TOKENS_MAX;
	if (st == PO_OK && count > 0) {
		inv->tokens = calloc(count, sizeof(*inv->tokens));
		if (!inv->tokens)
			st = po_no_memory(err);
	}
	for (size_t i = 0; st == PO_OK && i < count; i++) {
		struct walk w = { .uri = uri, .token = &inv->tokens[i] };
		struct po_error why = { 0 };

		take_token(&tokens[i], w.token);
		inv->token_count = i + 1;
		if (!w.token->initialized)
			continue;
		st = read_token(req, m, &tokens[i], &w, &why);
		if (count > 1 && (st == PO_E_DEVICE || st == PO_E_TOKEN)) {
			memcpy(w.token->fault, why.text, sizeof(why.text));
			st = PO_OK;
		} else if (st != PO_OK && err && err->status == PO_OK) {
			*err = why;
		}
	}
	free(tokens);
	return st;
}

static enum po_status load(const struct inventory_request *req,
			   P11KitUri **ret_uri, struct module **ret_module,
			   struct po_error *err)
{
	po_auto_t(P11KitUri) *none = NULL;
	enum po_status st = PO_OK;
	char *path = NULL;

	if (req->uri)
		st = uri_parse(req->uri, ret_uri, err);
	else if (!(none = p11_kit_uri_new()))
		st = po_no_memory(err);
	if (st == PO_OK && req->pin.from)
		st = pin_source_check(req->pin.from, err);
	if (st == PO_OK)
		st = module_choose(req->module, req->uri ? *ret_uri : none,
				   &path, err);
	if (st == PO_OK)
		st = module_load(path, req->init_args, ret_module, err);
	free(path);
	return st;
}

/* What the device's thread works on. */
struct reading {
	const struct inventory_request *req;
	struct inventory *inventory;
};

static enum po_status read_job(void *arg, struct po_error *err)
{
	struct reading *r = arg;
	po_auto_t(P11KitUri) *uri = NULL;
	po_auto(module) *module = NULL;
	enum po_status st = load(r->req, &uri, &module, err);

	if (st != PO_OK)
		return st;
	return read_tokens(r->req, module, uri, r->inventory, err);
}

enum po_status inventory_read(const struct inventory_request *req,
			      struct inventory **ret_inventory,
			      struct po_error *err)
{
	struct device *device = device_new(req->clock, req->timeout_s);
	struct reading r = { req, calloc(1, sizeof(struct inventory)) };
	enum po_status st = device && r.inventory
				    ? device_run(device, read_job, &r, err)
				    : po_no_memory(err);

	if (st == PO_OK)
		*ret_inventory = r.inventory;
	else if (!device || !device_is_lost(device))
		inventory_free(r.inventory);
	device_free(device, NULL, NULL);
	return st;
}

void inventory_free(struct inventory *inventory)
{
	if (!inventory)
		return;
	for (size_t i = 0; i < inventory->token_count; i++) {
		struct inventory_token *t = &inventory->tokens[i];

		for (size_t j = 0; j < t->key_count; j++) {
			pubkey_free(t->keys[j].pubkey);
			certificate_free(t->keys[j].cert);
		}
		free(t->keys);
	}
	free(inventory->tokens);
	free(inventory);
}
