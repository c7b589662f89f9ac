/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - which keys may be used, by what the module claims of them.
 *
 * A claim is the module's word and no proof (an attestation would be one); an
 * attribute that the module does not have denies.
 *
 * Source: PKCS #11 v3.0 sections 4.9 and 4.10 (common private key attributes).
 */
#ifndef PO_CRYPTOKI_POLICY_H
#define PO_CRYPTOKI_POLICY_H

#include "cryptoki/object.h"

/*
 * words: NULL-terminated, of sensitive, non-extractable, never-extractable,
 * local, always-authenticate. PO_E_POLICY with the first that does not hold.
 */
enum po_status policy_check_claims(const int claims[static OBJECT_CLAIMS],
				   const char *const *words,
				   struct po_error *err) PO_MUST_CHECK;

/*
 * PO_E_POLICY unless the SHA-256 of the key's SubjectPublicKeyInfo is one of
 * pins (64 hexadecimal digits each); none at all: any key.
 */
enum po_status policy_check_spki(const struct pubkey *key,
				 const char *const *pins,
				 struct po_error *err) PO_MUST_CHECK;

#endif
