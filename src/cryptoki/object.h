/* SPDX-License-Identifier: Apache-2.0 */
/*
 * object.h - what we read of an object on a token: never anything private.
 *
 * Source: PKCS #11 v3.0 sections 4.6 (certificates), 4.7 to 4.9 (keys), 5.7
 * (C_GetAttributeValue: attributes that are missing or withheld do not spoil
 * the others); RFC 7512.
 */
#ifndef PO_CRYPTOKI_OBJECT_H
#define PO_CRYPTOKI_OBJECT_H

#include "cryptoki/slot.h"
#include "key/signer.h"

#define OBJECT_LABEL_MAX 255 /* bytes */

enum { /* what a module claims of a private key */
       OBJECT_SIGN,
       OBJECT_SENSITIVE,
       OBJECT_EXTRACTABLE,
       OBJECT_ALWAYS_SENSITIVE,
       OBJECT_NEVER_EXTRACTABLE,
       OBJECT_LOCAL,
       OBJECT_ALWAYS_AUTHENTICATE,
       OBJECT_CLAIMS,
};

struct object_name { /* what every object has */
	CK_OBJECT_CLASS class;
	uint8_t id[SIGNER_ID_MAX];
	size_t id_len;
	char label[OBJECT_LABEL_MAX + 1];
	/* private keys; each: 1 true, 0 false, -1 the module does not say */
	int claims[OBJECT_CLAIMS];
};

/*
 * Reads id, label and certificate. PO_E_CRYPTO: it is no X.509 certificate,
 * or holds a key that JOSE cannot use.
 */
enum po_status object_read_certificate(const struct session *session,
				       CK_OBJECT_HANDLE handle,
				       struct object_name *ret_name,
				       struct certificate **ret_cert,
				       struct po_error *err) PO_MUST_CHECK;

/*
 * Reads id, label and the public half of a public or a private key.
 * *ret_key is NULL when the object does not show it (EC private keys rarely
 * do). PO_E_CRYPTO: a key type or curve that JOSE has no algorithm for.
 */
enum po_status object_read_key(const struct session *session,
			       CK_OBJECT_CLASS class, CK_OBJECT_HANDLE handle,
			       struct object_name *ret_name,
			       struct pubkey **ret_key,
			       struct po_error *err) PO_MUST_CHECK;

/* Canonical URI of an object on its token; false: does not fit. */
bool object_uri(const struct session *session, const struct object_name *name,
		char out[static SIGNER_URI_MAX]) PO_MUST_CHECK;

#endif
