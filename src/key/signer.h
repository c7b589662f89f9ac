/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signer.h - the seam between the device and everything above it.
 *
 * cryptoki/ makes signers that sit on a PKCS #11 token; tests make soft ones.
 * What every signer promises, signer_sign() keeps: the algorithm fits the key
 * before the device is asked, one private-key operation, and the signature is
 * verified with the public key before anybody sees it.
 */
#ifndef PO_KEY_SIGNER_H
#define PO_KEY_SIGNER_H

#include "key/alg.h"
#include "key/certificate.h"

#define SIGNER_ID_MAX 255         /* bytes of a CKA_ID that we handle */
#define SIGNER_URI_MAX 1024       /* bytes of a canonical URI, with NUL */
#define SIGNATURE_MAX (16384 / 8) /* bytes: RSA of PUBKEY_RSA_BITS_MAX */

/* As JOSE has it: RSA as wide as the modulus, ECDSA as R || S. */
struct signature {
	uint8_t bytes[SIGNATURE_MAX];
	size_t len;
};

struct signer;

struct signer_ops {
	/*
	 * Makes the private key usable: login, finding it, comparing its public
	 * half. Called at most once, before the first sign.
	 */
	enum po_status (*unlock)(struct signer *s, struct po_error *err);

	/* Signs data (not a hash) once. */
	enum po_status (*sign)(struct signer *s, enum alg alg, const void *data,
			       size_t len, struct signature *ret_signature,
			       struct po_error *err);

	void (*free)(struct signer *s); /* frees the whole, s included */
};

/*
 * The public part is filled when the signer is opened; pubkey may stay NULL
 * until unlock when the token shows nothing public before login.
 */
struct signer {
	const struct signer_ops *ops;
	struct pubkey *pubkey;    /* owned */
	struct certificate *cert; /* owned; NULL: there is none */
	size_t cert_count;        /* that were to choose from */
	uint8_t id[SIGNER_ID_MAX];
	size_t id_len;
	char uri[SIGNER_URI_MAX]; /* canonical, RFC 7512; "" for a soft one */
	char token_label[33];
	char token_serial[17];
	struct signer_pin { /* what the token said when it was opened; a module
			     * that sets none of these flags counts as silent */
		bool is_needed, is_count_low, is_final_try, is_locked,
			is_pinpad;
	} pin;
	bool unlocked; /* kept by signer_unlock() */
};

/* A no-op when done already. After it pubkey is set. */
enum po_status signer_unlock(struct signer *s,
			     struct po_error *err) PO_MUST_CHECK;

/*
 * Signs data with alg.
 * PO_E_CRYPTO: alg does not fit the key (the device is not asked), or what
 * came back has the wrong length or does not verify. Otherwise as the device
 * fails: PO_E_DEVICE, PO_E_PIN, PO_E_USER, …
 */
enum po_status signer_sign(struct signer *s, enum alg alg, const void *data,
			   size_t len, struct signature *ret_signature,
			   struct po_error *err) PO_MUST_CHECK;

void signer_free(struct signer *s); /* NULL is a no-op */
PO_DEFINE_AUTO(signer, signer_free);

/*
 * Verifies a JOSE signature (RFC 7515 section 5.2). PO_E_CRYPTO when it does
 * not hold, has the wrong length, or alg does not fit the key.
 */
enum po_status signature_verify(const struct pubkey *key, enum alg alg,
				const void *data, size_t len,
				const struct signature *signature,
				struct po_error *err) PO_MUST_CHECK;

/* R || S as the DER that OpenSSL wants; OPENSSL_free() it. NULL: no memory. */
uint8_t *signature_to_der(const uint8_t *sig, size_t len,
			  size_t *ret_len) PO_MUST_CHECK;

#endif
