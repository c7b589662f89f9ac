/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discover.h - a profile completed by what its server publishes.
 *
 * fhir-base leads to a SMART configuration, issuer to RFC 8414 metadata and,
 * where there is none, OpenID metadata. What is pinned in the profile wins, and
 * a document that says otherwise is an error: it may be somebody's attempt to
 * lead the assertion elsewhere (RFC 9700 section 4.4). The lists in a document
 * guide the choice of the algorithm and are otherwise hints.
 *
 * Documents are kept as long as their cache fields allow (RFC 9111), at most
 * DISCOVER_KEEP_MAX_S.
 */
#ifndef PO_FLOW_DISCOVER_H
#define PO_FLOW_DISCOVER_H

#include "base/findings.h"
#include "conf/profile.h"
#include "flow/env.h"
#include "http/http.h"
#include "oauth/discovery.h"

#define DISCOVER_KEEP_MAX_S 86400

enum discover_flags {
	/* never a kept document, and also beside a pinned token endpoint */
	DISCOVER_FRESH = 1 << 0,
};

/*
 * Sets token-endpoint, mtls-token-endpoint and the order of algorithms where
 * the profile leaves them open. A no-op when neither fhir-base nor issuer asks
 * for it, and when it was done already. ret_metadata (NULL: not wanted) is NULL
 * when there was none. response: the last answer, for those who may try again.
 *
 * With a pinned token endpoint a document that cannot be had is a warning.
 * Otherwise PO_E_NETWORK and PO_E_SERVER as discovery_read() and perform().
 */
enum po_status discover(const struct po_env *env, struct profile *profile,
			unsigned int flags,
			struct server_metadata **ret_metadata,
			struct http_response *response,
			struct po_error *err) PO_MUST_CHECK;

/* What the document lists otherwise than the profile has it; warnings. */
void discover_doubts(const struct profile *profile,
		     const struct server_metadata *metadata,
		     struct findings *findings);

#endif
