/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwt.h - the claims of a JSON Web Token and when they hold.
 *
 * Source: RFC 7519 sections 4.1 and 7.2; SMART App Launch 2.2 (exp at most
 * five minutes ahead).
 */
#ifndef PO_JOSE_JWT_H
#define PO_JOSE_JWT_H

#include "jose/jws.h"

struct jwt_times { /* seconds since the epoch; valid where has_… says so */
	int64_t iat_s, nbf_s, exp_s;
	bool has_iat, has_nbf, has_exp;
};

/*
 * The payload as an object. PO_E_CRYPTO: it is no JSON object. The claims are
 * whatever the JWS says; verify first.
 */
enum po_status jwt_claims(const struct jws *jws, json_t **ret_claims,
			  struct po_error *err) PO_MUST_CHECK;

/* PO_E_CRYPTO: a time claim that is no number of seconds. */
enum po_status jwt_read_times(const json_t *claims, struct jwt_times *ret_times,
			      struct po_error *err) PO_MUST_CHECK;

/*
 * PO_E_CRYPTO: expired, not yet valid, or issued in the future, each beyond
 * skew_s; the text says by how much.
 */
enum po_status jwt_check_times(const struct jwt_times *times, int64_t now_s,
			       int64_t skew_s,
			       struct po_error *err) PO_MUST_CHECK;

#endif
