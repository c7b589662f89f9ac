/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_signer_impl.h - what token_signer.c and token_tls.c share.
 */
#ifndef PO_CRYPTOKI_TOKEN_SIGNER_IMPL_H
#define PO_CRYPTOKI_TOKEN_SIGNER_IMPL_H

#include "cryptoki/device.h"
#include "cryptoki/sign.h"
#include "cryptoki/token_signer.h"

struct token_signer {
	struct signer signer; /* first: the seam casts back to us */
	struct token_signer_request request;
	P11KitUri *uri;
	struct module *module;
	struct session session;
	struct device *device;
	CK_OBJECT_HANDLE private_key;
	bool always_authenticate; /* the key wants a login for each signature */
	bool logged_in;           /* by us */
	struct tls_key *tls;      /* NULL: nobody asked for one */
};

extern const struct signer_ops token_signer_ops;

/*
 * One private-key operation in the device's thread, with the login that the
 * key wants. From any thread. Nothing is verified.
 */
enum po_status token_signer_make(struct token_signer *t,
				 const struct sign_operation *op,
				 struct signature *ret_sig,
				 struct po_error *err) PO_MUST_CHECK;

/* token_tls.c; NULL is a no-op. */
void tls_key_free(struct tls_key *tls);

#endif
