/* SPDX-License-Identifier: Apache-2.0 */
/*
 * alg.h - the signature algorithms of JOSE that an assertion may use.
 *
 * Source: RFC 7518 section 3.1 and 3.3 to 3.5. There is no "none" and no HMAC
 * on purpose (RFC 8725 section 3.1).
 */
#ifndef PO_KEY_ALG_H
#define PO_KEY_ALG_H

#include "key/pubkey.h"

#include <openssl/evp.h>

enum alg {
	ALG_RS256,
	ALG_RS384,
	ALG_RS512,
	ALG_PS256,
	ALG_PS384,
	ALG_PS512,
	ALG_ES256,
	ALG_ES384,
	ALG_ES512,
};

enum alg_kind {
	ALG_PKCS1, /* RSASSA-PKCS1-v1_5 */
	ALG_PSS,   /* RSASSA-PSS, MGF1 of the same hash, salt as long as it */
	ALG_ECDSA, /* R || S, each as wide as the field */
};

/* "RS256" … "ES512", NULL-terminated, in the order of enum alg. */
extern const char *const alg_names[];

const char *alg_name(enum alg alg);
enum alg_kind alg_kind(enum alg alg);
const EVP_MD *alg_md(enum alg alg); /* static, never NULL */

/* PO_E_USAGE: unknown name; the text lists the known ones. */
enum po_status alg_parse(const char *name, enum alg *ret_alg,
			 struct po_error *err) PO_MUST_CHECK;

/* The algorithm SMART asks for: RS384 for RSA, ES256/384/512 by the curve. */
enum alg alg_default(const struct pubkey *key);

/*
 * PO_E_CRYPTO: this key cannot be used with alg (RFC 7518 section 3.3 to 3.5):
 * other key type or curve, or RSA of less than 2048 bits.
 */
enum po_status alg_check_key(enum alg alg, const struct pubkey *key,
			     struct po_error *err) PO_MUST_CHECK;

#endif
