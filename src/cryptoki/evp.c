/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/evp.h"

#include <libp11.h>
#include <openssl/err.h>
#ifndef OPENSSL_NO_ENGINE
#include <openssl/engine.h>
#endif
#include <stdlib.h>

struct evp_key {
	struct one_key source;
	bool shown; /* source, by us */
	PKCS11_CTX *context;
	bool loaded;
	PKCS11_SLOT *slots;
	unsigned int slot_count;
	EVP_PKEY *pkey;
};

/* libp11 and OpenSSL say why in a queue, or not at all. */
static enum po_status fail_libp11(const char *what, struct po_error *err)
{
	const char *reason = ERR_reason_error_string(ERR_peek_last_error());

	(void)po_fail(err, PO_E_INTERNAL, 0, "%s failed%s%s", what,
		      reason ? ": " : "", reason ? reason : "");
	ERR_clear_error();
	return PO_E_INTERNAL;
}

/*
 * A key of libp11 0.4.12 pads PSS by itself and asks for raw RSA, which many
 * keys forbid; the methods that it exports for engines ask for
 * CKM_RSA_PKCS_PSS. An engine that has nothing else takes them to the key. EC
 * keys are better off without: those methods do not cut a hash to the curve.
 * An OpenSSL without engines comes with a libp11 that does it by itself.
 */
#ifndef OPENSSL_NO_ENGINE
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* ENGINE_… */
static enum po_status set_pss_methods(EVP_PKEY *pkey, struct po_error *err)
{
	/* never freed: it would free libp11's methods, which are static */
	static ENGINE *engine;

	if (!engine) {
		engine = ENGINE_new();
		if (!engine || !ENGINE_set_id(engine, "p11oauth-tls") ||
		    !ENGINE_set_name(engine, "RSA-PSS by libp11") ||
		    !ENGINE_set_pkey_meths(engine, PKCS11_pkey_meths))
			return fail_libp11("ENGINE_new", err);
	}
	if (!EVP_PKEY_set1_engine(pkey, engine))
		return fail_libp11("EVP_PKEY_set1_engine", err);
	return PO_OK;
}
#pragma GCC diagnostic pop
#else
static enum po_status set_pss_methods(EVP_PKEY *pkey, struct po_error *err)
{
	(void)pkey;
	(void)err;
	return PO_OK;
}
#endif

static enum po_status make(struct evp_key *k, struct po_error *err)
{
	PKCS11_KEY *keys = NULL;
	unsigned int count = 0;

	k->context = PKCS11_CTX_new();
	if (!k->context)
		return po_no_memory(err);
	k->loaded = PKCS11_CTX_load(k->context, ONE_KEY_PATH) == 0;
	if (!k->loaded)
		return fail_libp11("PKCS11_CTX_load", err);
	if (PKCS11_enumerate_slots(k->context, &k->slots, &k->slot_count) != 0)
		return fail_libp11("PKCS11_enumerate_slots", err);
	if (k->slot_count != 1 || !k->slots[0].token ||
	    PKCS11_enumerate_keys(k->slots[0].token, &keys, &count) != 0 ||
	    count != 1)
		return fail_libp11("PKCS11_enumerate_keys", err);
	k->pkey = PKCS11_get_private_key(&keys[0]);
	if (!k->pkey)
		return fail_libp11("PKCS11_get_private_key", err);
	if (EVP_PKEY_eq(k->pkey, pubkey_evp(k->source.pubkey)) != 1)
		return fail_libp11("EVP_PKEY_eq", err);
	return EVP_PKEY_get_base_id(k->pkey) == EVP_PKEY_RSA
		       ? set_pss_methods(k->pkey, err)
		       : PO_OK;
}

enum po_status evp_key_new(const struct one_key *key, struct evp_key **ret_key,
			   struct po_error *err)
{
	po_auto(evp_key) *k = calloc(1, sizeof(*k));
	enum po_status st;

	if (!k)
		return po_no_memory(err);
	k->source = *key;
	st = one_key_show(&k->source, err);
	k->shown = st == PO_OK;
	if (st == PO_OK)
		st = make(k, err);
	if (st != PO_OK)
		return st;
	ERR_clear_error();
	*ret_key = po_steal(k);
	return PO_OK;
}

EVP_PKEY *evp_key_pkey(const struct evp_key *key)
{
	return key->pkey;
}

/* The order matters: a key uses its slot, and a slot its context. */
void evp_key_free(struct evp_key *key)
{
	if (!key)
		return;
	EVP_PKEY_free(key->pkey);
	if (key->slots)
		PKCS11_release_all_slots(key->context, key->slots,
					 key->slot_count);
	if (key->loaded)
		PKCS11_CTX_unload(key->context);
	if (key->context)
		PKCS11_CTX_free(key->context);
	if (key->shown)
		one_key_hide();
	free(key);
}
