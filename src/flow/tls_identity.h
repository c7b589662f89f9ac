/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_identity.h - the profile's key and certificate as a TLS client's.
 *
 * Source: RFC 8705 section 2 (client authentication), section 3 (access tokens
 * bound to the certificate), section 5 (mtls_endpoint_aliases).
 */
#ifndef PO_FLOW_TLS_IDENTITY_H
#define PO_FLOW_TLS_IDENTITY_H

#include "flow/open_key.h"
#include "http/http.h"

/* True when a request of this profile shows a certificate. */
bool profile_uses_tls(const struct profile *profile);

/* True when that takes the place of an assertion. */
bool profile_tls_is_proof(const struct profile *profile);

struct tls_identity {
	struct http_identity http;
	struct http_der chain[CERTIFICATE_CHAIN_MAX + 1];
};

/*
 * key must be unlocked and outlive ret_identity, which may not be moved.
 * PO_E_NOT_FOUND: there is no certificate. Else as token_signer_evp().
 */
enum po_status tls_identity_of(const struct open_key *key,
			       struct tls_identity *ret_identity,
			       struct po_error *err) PO_MUST_CHECK;

#endif
