/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sign.h - one signature with the mechanisms that every module has.
 *
 * Data is hashed here; the token gets a DigestInfo (CKM_RSA_PKCS), a hash with
 * PSS parameters (CKM_RSA_PKCS_PSS) or a hash (CKM_ECDSA). The mechanism list
 * of a token is no authority and is not asked.
 *
 * Source: PKCS #11 v3.0 sections 2.1.6, 2.1.10 and 2.3; RFC 8017 section 9.2,
 * note 1 (DigestInfo).
 */
#ifndef PO_CRYPTOKI_SIGN_H
#define PO_CRYPTOKI_SIGN_H

#include "cryptoki/slot.h"
#include "key/signer.h"

#define SIGN_INPUT_MAX SIGNATURE_MAX /* bytes: a hash, a DigestInfo, a block */

struct to_be_signed { /* borrowed */
	const void *data;
	size_t len;
};

struct sign_operation {   /* what C_SignInit and C_Sign get */
	const char *what; /* for error texts; static */
	CK_MECHANISM_TYPE mechanism;
	CK_RSA_PKCS_PSS_PARAMS pss; /* of CKM_RSA_PKCS_PSS */
	uint8_t input[SIGN_INPUT_MAX];
	size_t input_len;
};

/* Hashes the data; no device is asked. */
enum po_status sign_prepare(enum alg alg, const struct to_be_signed *input,
			    struct sign_operation *op,
			    struct po_error *err) PO_MUST_CHECK;

/* C_SignInit, once. op is not changed, but PKCS #11 takes no const. */
enum po_status sign_start(const struct session *session, CK_OBJECT_HANDLE key,
			  struct sign_operation *op,
			  struct po_error *err) PO_MUST_CHECK;

/* C_Sign, once. */
enum po_status sign_finish(const struct session *session,
			   struct sign_operation *op, struct signature *ret_sig,
			   struct po_error *err) PO_MUST_CHECK;

/*
 * PO_E_CRYPTO unless sig is a signature of the operation's input by key: for
 * what does not go through signer_sign().
 */
enum po_status sign_check(const struct pubkey *key,
			  const struct sign_operation *op,
			  const struct signature *sig,
			  struct po_error *err) PO_MUST_CHECK;

#endif
