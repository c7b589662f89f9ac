/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assertion.h - the signed JWT by which a client proves who it is.
 *
 * Source: RFC 7523 section 3 (claims and their checks); SMART App Launch 2.2,
 * "Client Authentication: Asymmetric": exp no more than five minutes ahead, a
 * jti that is used once, alg, kid and typ in the header.
 *
 * Times are whole seconds since the epoch, UTC. The result is a credential
 * until it expires, so it is a struct secret and must not be logged.
 */
#ifndef PO_OAUTH_ASSERTION_H
#define PO_OAUTH_ASSERTION_H

#include "base/json.h"
#include "base/secret.h"
#include "key/signer.h"

#define ASSERTION_LIFETIME_MAX_S 300
#define ASSERTION_LIFETIME_DEFAULT_S 240 /* leaves a minute of clock skew */

struct assertion_request { /* all borrowed; NULL: leave the member out */
	enum alg alg;
	const char *typ;
	const char *kid;
	const char *x5t;
	const char *x5t_s256;
	const json_t *x5c; /* an array of strings */
	const char *jku;
	const char *issuer;   /* iss */
	const char *subject;  /* sub */
	const char *audience; /* aud, one string, byte for byte */
	const char *jti;
	const char *scope;        /* where it is a claim */
	const json_t *extensions; /* an object (UDAP) */
	int64_t now_s;
	int64_t lifetime_s; /* 1 .. ASSERTION_LIFETIME_MAX_S */
	bool send_iat;
	bool send_nbf;
};

/* Header and claims as compact JSON, in the order of the published examples. */
enum po_status assertion_build(const struct assertion_request *req,
			       struct buf *header, struct buf *claims,
			       struct po_error *err) PO_MUST_CHECK;

/* Characters of the assertion, whenever it will be signed; 0: it cannot be. */
size_t assertion_length(const struct assertion_request *req,
			const struct pubkey *key);

/*
 * Builds and signs. Uses the token once; may block for as long as the token
 * wants a touch.
 *
 * PO_E_USAGE   lifetime out of range; empty or non-UTF-8 issuer or audience
 * others       as signer_sign()
 */
enum po_status assertion_sign(const struct assertion_request *req,
			      struct signer *signer, struct secret **ret_jwt,
			      struct po_error *err) PO_MUST_CHECK;

#endif
