/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_tls.c - the key of a token_signer for TLS.
 */
#include "base/log.h"
#include "cryptoki/evp.h"
#include "cryptoki/token_signer_impl.h"

#include <stdlib.h>

struct tls_key {
	struct token_signer *t;
	struct evp_key *evp;
	struct po_error failure; /* of the signature that TLS wanted */
};

static bool is_mechanism_refused(const struct po_error *why)
{
	return why->native == CKR_MECHANISM_INVALID ||
	       why->native == CKR_MECHANISM_PARAM_INVALID ||
	       why->native == CKR_FUNCTION_NOT_SUPPORTED;
}

/*
 * In the thread that shakes hands. libp11 asks again with raw RSA whatever the
 * reason was; only where the key cannot do PSS it is another try.
 */
static CK_RV sign_for_tls(void *user, const struct sign_operation *op,
			  struct signature *ret_sig)
{
	struct tls_key *k = user;
	struct po_error why = { 0 };
	enum po_status st;

	if (k->failure.status != PO_OK && !is_mechanism_refused(&k->failure))
		return CKR_GENERAL_ERROR;
	log_debug(LOG_CRYPTOKI, "TLS wants a signature (mechanism 0x%lx)",
		  op->mechanism);
	st = token_signer_make(k->t, op, ret_sig, &why);
	if (st == PO_OK)
		st = sign_check(k->t->signer.pubkey, op, ret_sig, &why);
	if (st == PO_OK) {
		po_error_clear(&k->failure);
		return CKR_OK;
	}
	if (is_mechanism_refused(&why) && op->mechanism != CKM_ECDSA)
		(void)po_context(&why, st,
				 "TLS with an RSA key needs CKM_RSA_PKCS_PSS "
				 "or CKM_RSA_X_509");
	if (k->failure.status == PO_OK || !is_mechanism_refused(&why))
		k->failure = why;
	return CKR_GENERAL_ERROR;
}

enum po_status token_signer_evp(struct signer *s, EVP_PKEY **ret_key,
				struct po_error *err)
{
	struct token_signer *t = (struct token_signer *)(void *)s;
	struct one_key key = { .sign = sign_for_tls };
	enum po_status st;

	if (s->ops != &token_signer_ops || !s->unlocked)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "TLS wants a key on a token that is unlocked");
	if (!t->tls) {
		struct tls_key *k = calloc(1, sizeof(*k));

		if (!k)
			return po_no_memory(err);
		k->t = t;
		key.pubkey = s->pubkey;
		key.user = k;
		st = evp_key_new(&key, &k->evp, err);
		if (st != PO_OK) {
			free(k);
			return po_context(err, st, "a key for TLS");
		}
		t->tls = k;
	}
	*ret_key = evp_key_pkey(t->tls->evp);
	return PO_OK;
}

enum po_status token_signer_run(struct signer *s, device_job *job, void *arg,
				struct po_error *err)
{
	struct token_signer *t = (struct token_signer *)(void *)s;
	struct po_error why = { 0 };
	struct po_error *failure = t->tls ? &t->tls->failure : NULL;
	enum po_status st;

	if (failure)
		po_error_clear(failure);
	st = job(arg, &why);
	if (st == PO_OK)
		return PO_OK;
	if (failure && failure->status != PO_OK) {
		why = *failure;
		st = po_context(&why, why.status, "TLS handshake");
	}
	if (err && err->status == PO_OK)
		*err = why;
	return st;
}

void tls_key_free(struct tls_key *tls)
{
	if (!tls)
		return;
	evp_key_free(tls->evp);
	free(tls);
}
