/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/tls_identity.h"

#include "cryptoki/token_signer.h"

#include <string.h>

bool profile_tls_is_proof(const struct profile *profile)
{
	const char *method = profile->client_auth;

	return method && (strcmp(method, "tls_client_auth") == 0 ||
			  strcmp(method, "self_signed_tls_client_auth") == 0);
}

bool profile_uses_tls(const struct profile *profile)
{
	return profile->tls_certificate || profile_tls_is_proof(profile);
}

static void add(struct tls_identity *id, const struct certificate *cert)
{
	struct http_der *der = &id->chain[id->http.chain_len++];

	der->data = certificate_der(cert, &der->len);
}

static bool is_in(const struct tls_identity *id, const struct certificate *cert)
{
	for (size_t i = 0; i < id->http.chain_len; i++)
		if (certificate_has_der(cert, id->chain[i].data,
					id->chain[i].len))
			return true;
	return false;
}

/* The leaf, then each that certifies the one before. */
static void add_chain(struct tls_identity *id, const struct open_key *key)
{
	const struct certificate *last = key->signer->cert;
	bool found = true;

	add(id, last);
	while (found) {
		found = false;
		for (size_t i = 0; !found && i < key->extra.count; i++) {
			const struct certificate *c = key->extra.items[i];

			found = !is_in(id, c) &&
				certificate_is_issued_by(last, c);
			if (found) {
				add(id, c);
				last = c;
			}
		}
	}
}

enum po_status tls_identity_of(const struct open_key *key,
			       struct tls_identity *ret_identity,
			       struct po_error *err)
{
	*ret_identity = (struct tls_identity){ 0 };
	ret_identity->http.chain = ret_identity->chain;
	if (!key->signer->cert)
		return po_fail(err, PO_E_NOT_FOUND, 0,
			       "TLS client authentication needs a certificate, "
			       "and there is none beside the key; name a "
			       "certificate-file");
	add_chain(ret_identity, key);
	return token_signer_evp(key->signer, &ret_identity->http.key, err);
}
