/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pubkey.h - a public key, wherever it came from.
 *
 * Source: RFC 5280 section 4.1 (SubjectPublicKeyInfo), PKCS #11 (CKA_MODULUS,
 * CKA_EC_PARAMS, CKA_EC_POINT), RFC 7518 section 6.
 */
#ifndef PO_KEY_PUBKEY_H
#define PO_KEY_PUBKEY_H

#include "base/error.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PUBKEY_RSA_BITS_MIN 2048
#define PUBKEY_RSA_BITS_MAX 16384
#define PUBKEY_FIELD_MAX 66 /* bytes of a P-521 coordinate */
#define PUBKEY_SHA256_LEN 32

PO_DEFINE_AUTO_T(EVP_PKEY, EVP_PKEY_free);

enum pubkey_type {
	PUBKEY_RSA,
	PUBKEY_P256,
	PUBKEY_P384,
	PUBKEY_P521,
};

struct pubkey; /* immutable */

/*
 * Takes its own reference to evp. PO_E_CRYPTO: a key type or curve that JOSE
 * has no algorithm for, or RSA of more than PUBKEY_RSA_BITS_MAX bits.
 */
enum po_status pubkey_from_evp(EVP_PKEY *evp, struct pubkey **ret_key,
			       struct po_error *err) PO_MUST_CHECK;

/* Big-endian integers; leading zero octets are allowed. */
enum po_status pubkey_from_rsa(const uint8_t *n, size_t n_len, const uint8_t *e,
			       size_t e_len, struct pubkey **ret_key,
			       struct po_error *err) PO_MUST_CHECK;

/*
 * params: DER of a named-curve OID (CKA_EC_PARAMS). point: the uncompressed
 * point, as such or wrapped in a DER OCTET STRING (CKA_EC_POINT comes in both).
 */
enum po_status pubkey_from_ec(const uint8_t *params, size_t params_len,
			      const uint8_t *point, size_t point_len,
			      struct pubkey **ret_key,
			      struct po_error *err) PO_MUST_CHECK;

/* DER SubjectPublicKeyInfo. */
enum po_status pubkey_from_spki(const uint8_t *der, size_t len,
				struct pubkey **ret_key,
				struct po_error *err) PO_MUST_CHECK;

void pubkey_free(struct pubkey *key);
PO_DEFINE_AUTO(pubkey, pubkey_free);

/* A second reference to the same key; never fails. */
struct pubkey *pubkey_ref(const struct pubkey *key);

enum pubkey_type pubkey_type(const struct pubkey *key);
bool pubkey_equal(const struct pubkey *a, const struct pubkey *b);

unsigned int pubkey_bits(const struct pubkey *key); /* modulus or field */

/* Bytes of a JOSE signature by this key: modulus, or twice the field. */
size_t pubkey_signature_len(const struct pubkey *key);

/* "RSA-2048", "P-384"; out has room for 16 bytes. */
void pubkey_describe(const struct pubkey *key, char out[static 16]);

/* SHA-256 of the DER SubjectPublicKeyInfo. */
enum po_status pubkey_spki_sha256(const struct pubkey *key,
				  uint8_t hash[static PUBKEY_SHA256_LEN],
				  struct po_error *err) PO_MUST_CHECK;

/* Borrowed; only to verify and to encode, in key/, cryptoki/ and jose/. */
EVP_PKEY *pubkey_evp(const struct pubkey *key);

#endif
