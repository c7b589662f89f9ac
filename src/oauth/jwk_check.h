/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwk_check.h - one key of a published JWK Set, as jwks_check() judges it.
 *
 * Source: RFC 7517 section 4; RFC 7518 sections 3 and 6; SMART App Launch 2.2,
 * "Client Authentication: Asymmetric" (a kid for each key).
 */
#ifndef PO_OAUTH_JWK_CHECK_H
#define PO_OAUTH_JWK_CHECK_H

#include "base/findings.h"
#include "base/json.h"
#include "key/pubkey.h"

#define JWK_NAME_MAX 160 /* bytes of a key's name in a text */

/* The two usual remedies. */
#define JWK_PUBLISH "publish the output of 'p11oauth jwks'"
#define JWK_IS_KNOWN \
	"it is known to everybody now: take it out, and use another key"

struct jwk_seen {
	const json_t *jwk;       /* borrowed from the set */
	const char *kid;         /* likewise; NULL: it has none */
	char name[JWK_NAME_MAX]; /* "kid 'x'", or "key 2" */
	struct pubkey *key;      /* owned; NULL: none that can be read */
	bool is_for_signatures;  /* as use, key_ops and alg say */
};

/*
 * Judges the key at index; the findings are "private", "kid", "key", "x5c".
 * ret_seen is filled in any case; clear it.
 */
void jwk_check(const json_t *keys, size_t index, int64_t now_s,
	       struct findings *findings, struct jwk_seen *ret_seen);
void jwk_seen_clear(struct jwk_seen *seen);

#endif
