/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwks_check.h - is a published JWK Set one that servers will accept?
 *
 * Source: SMART App Launch 2.2, "Client Authentication: Asymmetric" (https, no
 * authentication, Cache-Control, a kid for each key); RFC 7517 sections 4 and
 * 5; RFC 7518 sections 3 and 6 (sizes, minimal integers, full-width
 * coordinates).
 */
#ifndef PO_OAUTH_JWKS_CHECK_H
#define PO_OAUTH_JWKS_CHECK_H

#include "base/findings.h"
#include "base/json.h"
#include "http/http.h"
#include "key/pubkey.h"

#define JWKS_ACCEPT "application/json"

struct jwks_expected { /* what should be in it; all borrowed */
	const struct pubkey *key;
	const char *kid; /* of the assertions; "": they have none */
	const char *alg; /* that they are signed with; NULL: not known yet */
	const struct jwks_expected *next; /* a further key; NULL: no more */
};

/*
 * Judges the answer to a GET without credentials. Reads on where it can: a
 * broken key is a finding, the others are still looked at. The names of the
 * checks are:
 *
 * access   status, redirect, credentials   type     Content-Type
 * cache    Cache-Control                   set      JSON, "keys", usefulness
 * private  private or symmetric members    kid      missing or twice
 * key      numbers, sizes, alg, use        x5c      another key, expired
 * ours     our key, under our kid (PO_E_NOT_FOUND: the kid is not there,
 *          PO_E_CRYPTO: it names another key)
 *
 * What fails has PO_E_SERVER otherwise. expected NULL: nothing is expected.
 * *ret_keys (NULL: not wanted): an array of {"kid","type","alg","use",
 * "thumbprint"}, null where it is not known; NULL when memory is out.
 */
void jwks_check(const struct http_response *response,
		const struct jwks_expected *expected, int64_t now_s,
		struct findings *findings, json_t **ret_keys);

#endif
