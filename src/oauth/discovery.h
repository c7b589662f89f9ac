/* SPDX-License-Identifier: Apache-2.0 */
/*
 * discovery.h - what an authorization server publishes of itself.
 *
 * Source: SMART App Launch 2.2, "Conformance" (.well-known/smart-configuration
 * is appended to the FHIR base, relative URLs are resolved against it);
 * RFC 8414 sections 3.1 (inserted between host and path) and 3.3 (the issuer
 * is checked); OpenID Connect Discovery 1.0 section 4 (appended); RFC 8705
 * section 5 (mtls_endpoint_aliases).
 *
 * Only the endpoints and the issuer are taken at their word. The lists are
 * hints: servers were seen to omit and to misstate them.
 */
#ifndef PO_OAUTH_DISCOVERY_H
#define PO_OAUTH_DISCOVERY_H

#include "base/json.h"
#include "http/http.h"

#define DISCOVERY_ACCEPT "application/json"

enum discovery_kind {
	DISCOVERY_SMART,  /* below a FHIR base */
	DISCOVERY_OAUTH,  /* of an issuer, RFC 8414 */
	DISCOVERY_OPENID, /* of an issuer, OpenID Connect */
};

/* Appends the document's URL; base has passed http_check_url(). False: it does
 * not fit. */
bool discovery_url(enum discovery_kind kind, const char *base,
		   struct buf *out) PO_MUST_CHECK;

struct server_metadata { /* owned; NULL: the document does not say */
	char *issuer;
	char *token_endpoint; /* absolute */
	char *mtls_token_endpoint;
	json_t *document;
};

/*
 * PO_E_SERVER: no document (status, HTML, not one JSON object), no
 * token_endpoint, or, for the issuer kinds, the metadata of another issuer.
 */
enum po_status discovery_read(enum discovery_kind kind, const char *base,
			      const struct http_response *response,
			      struct server_metadata **ret_metadata,
			      struct po_error *err) PO_MUST_CHECK;

/* The same of a document that was kept; it becomes the metadata's. */
enum po_status discovery_take(enum discovery_kind kind, const char *base,
			      json_t *document,
			      struct server_metadata **ret_metadata,
			      struct po_error *err) PO_MUST_CHECK;
void server_metadata_free(struct server_metadata *metadata);
PO_DEFINE_AUTO(server_metadata, server_metadata_free);

/* A list of texts such as "grant_types_supported", or NULL. Borrowed. */
const json_t *server_metadata_list(const struct server_metadata *metadata,
				   const char *name);
bool server_metadata_lists(const json_t *list, const char *word);

#endif
