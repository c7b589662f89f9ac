/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evp.h - a private key that is not in memory as OpenSSL's EVP_PKEY, by libp11.
 *
 * For what OpenSSL itself signs, such as a TLS handshake. RSA keys sign with
 * CKM_RSA_PKCS_PSS and CKM_RSA_PKCS; where PSS is refused libp11 pads by itself
 * and tries CKM_RSA_X_509. EC keys sign with CKM_ECDSA.
 */
#ifndef PO_CRYPTOKI_EVP_H
#define PO_CRYPTOKI_EVP_H

#include "cryptoki/one_key.h"

struct evp_key;

/* One at a time in a process (one_key.h). key is borrowed. */
enum po_status evp_key_new(const struct one_key *key, struct evp_key **ret_key,
			   struct po_error *err) PO_MUST_CHECK;

/* Borrowed: whoever took a reference has dropped it before evp_key_free(). */
EVP_PKEY *evp_key_pkey(const struct evp_key *key);

void evp_key_free(struct evp_key *key); /* NULL is a no-op */
PO_DEFINE_AUTO(evp_key, evp_key_free);

#endif
