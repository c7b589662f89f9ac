/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jws.h - JSON Web Signatures in compact serialization.
 *
 * Source: RFC 7515 sections 3.1, 5.1, 5.2 and 7.1.
 */
#ifndef PO_JOSE_JWS_H
#define PO_JOSE_JWS_H

#include "base/json.h"
#include "base/secret.h"
#include "key/signer.h"

#define JWS_TEXT_MAX (256 * 1024) /* characters of a compact JWS */

/*
 * Signs header and payload, byte for byte as given, with one private-key
 * operation. The header must name alg already.
 */
enum po_status jws_sign(struct signer *signer, enum alg alg, const char *header,
			const char *payload, struct secret **ret_jws,
			struct po_error *err) PO_MUST_CHECK;

/* Characters of what jws_sign() makes of so many bytes. */
size_t jws_length(size_t header_len, size_t payload_len, size_t sig_len);

/* A parsed JWS. Nothing in it is verified yet. */
struct jws {
	json_t *header;         /* owned; an object */
	struct secret *payload; /* owned; the decoded bytes */
	char *signing_input;    /* owned; "header.payload" in base64url */
	struct signature signature;
};

/* text is not modified and may end in white space. PO_E_CRYPTO: not a JWS. */
enum po_status jws_parse(const char *text, size_t len, struct jws **ret_jws,
			 struct po_error *err) PO_MUST_CHECK;
void jws_free(struct jws *jws);
PO_DEFINE_AUTO(jws, jws_free);

/*
 * PO_E_CRYPTO: alg missing, unknown, "none" or not for this key; a crit
 * header; or the signature does not hold.
 */
enum po_status jws_verify(const struct jws *jws, const struct pubkey *key,
			  struct po_error *err) PO_MUST_CHECK;

#endif
