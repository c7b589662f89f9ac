/* SPDX-License-Identifier: Apache-2.0 */
#include "key/signer.h"

enum po_status signer_unlock(struct signer *s, struct po_error *err)
{
	enum po_status st;

	if (s->unlocked)
		return PO_OK;
	st = s->ops->unlock(s, err);
	if (st != PO_OK)
		return st;
	if (!s->pubkey)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "the key was unlocked, but not its public half");
	if (s->cert && !pubkey_equal(certificate_pubkey(s->cert), s->pubkey))
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the certificate is of another key");
	s->unlocked = true;
	return PO_OK;
}

enum po_status signer_sign(struct signer *s, enum alg alg, const void *data,
			   size_t len, struct signature *ret_signature,
			   struct po_error *err)
{
	enum po_status st = signer_unlock(s, err);
	struct signature made = { .len = 0 };

	if (st == PO_OK)
		st = alg_check_key(alg, s->pubkey, err);
	if (st == PO_OK)
		st = s->ops->sign(s, alg, data, len, &made, err);
	if (st != PO_OK)
		return st;
	st = signature_verify(s->pubkey, alg, data, len, &made, err);
	if (st != PO_OK)
		return po_context(err, st,
				  "what the device signed is not used: it does "
				  "not verify with the public key%s",
				  s->cert ? " of the certificate" : "");
	*ret_signature = made;
	return PO_OK;
}

void signer_free(struct signer *s)
{
	if (s)
		s->ops->free(s);
}
