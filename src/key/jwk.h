/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwk.h - public keys as JSON Web Keys and JWK Sets, and their thumbprint.
 *
 * Source: RFC 7517 sections 4 and 5; RFC 7518 section 6 (minimal integers,
 * full-width coordinates); RFC 7638 section 3.
 */
#ifndef PO_KEY_JWK_H
#define PO_KEY_JWK_H

#include "base/json.h"
#include "key/pubkey.h"

#define JWK_THUMBPRINT_LEN 43 /* characters, base64url of a SHA-256 */
#define JWK_SET_KEYS_MAX 100

/* {"kty":…} with the required public members only, in RFC 7638 order. */
enum po_status jwk_from_pubkey(const struct pubkey *key, json_t **ret_jwk,
			       struct po_error *err) PO_MUST_CHECK;

/* Ignores private members. PO_E_CRYPTO: malformed, or not for JOSE here. */
enum po_status jwk_to_pubkey(const json_t *jwk, struct pubkey **ret_key,
			     struct po_error *err) PO_MUST_CHECK;

/* RFC 7638 thumbprint with SHA-256. */
enum po_status jwk_thumbprint(const struct pubkey *key,
			      char out[static JWK_THUMBPRINT_LEN + 1],
			      struct po_error *err) PO_MUST_CHECK;

/* Name of a member that is private (d, p, q, dp, dq, qi, oth, k), at any depth;
 * NULL: there is none. Static. */
const char *jwk_private_member(const json_t *jwk_or_set);
bool jwk_has_private_member(const json_t *jwk_or_set);

/*
 * A key out of a JWK Set (or of a single JWK): the one with this kid, else,
 * when kid is NULL or no key has it and the set has one key, that one.
 * PO_E_NOT_FOUND; PO_E_CRYPTO: the key is malformed or no public key.
 */
enum po_status jwk_set_find(const json_t *set, const char *kid,
			    struct pubkey **ret_key,
			    struct po_error *err) PO_MUST_CHECK;

#endif
