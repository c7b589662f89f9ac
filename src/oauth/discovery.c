/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/discovery.h"

#include "base/text.h"
#include "oauth/refusal.h"

#include <stdlib.h>
#include <string.h>

static bool append(const char *base, size_t len, const char *tail,
		   struct buf *out)
{
	while (len > 0 && base[len - 1] == '/')
		len--;
	return buf_add(out, base, len) && buf_adds(out, tail);
}

bool discovery_url(enum discovery_kind kind, const char *base, struct buf *out)
{
	size_t len = strcspn(base, "?#");
	size_t path = (size_t)(strstr(base, "://") + 3 - base);

	switch (kind) {
	case DISCOVERY_SMART:
		return append(base, len, "/.well-known/smart-configuration",
			      out);
	case DISCOVERY_OPENID:
		return append(base, len, "/.well-known/openid-configuration",
			      out);
	case DISCOVERY_OAUTH: break;
	}
	path += strcspn(base + path, "/?#");
	return buf_add(out, base, path) &&
	       buf_adds(out, "/.well-known/oauth-authorization-server") &&
	       append(base + path, len - path, "", out);
}

/* "member": a string, absolute; NULL stays when there is none. */
static enum po_status take_url(enum discovery_kind kind, const char *base,
			       const json_t *object, const char *member,
			       char **ret_url, struct po_error *err)
{
	const char *text = json_text(object, member);
	po_auto_buf url = { 0 };

	buf_init(&url, HTTP_URL_MAX);
	if (!text)
		return PO_OK;
	if (!*text)
		return po_fail(err, PO_E_SERVER, 0, "%s is empty", member);
	if (kind != DISCOVERY_SMART || strstr(text, "://")) {
		if (!buf_adds(&url, text))
			return po_fail(err, PO_E_SERVER, 0, "%s is too long",
				       member);
	} else if (!http_resolve_url(base, text, &url)) {
		return po_fail(err, PO_E_SERVER, 0,
			       "%s is no URL below the FHIR base", member);
	}
	*ret_url = text_dup(buf_text(&url));
	return *ret_url ? PO_OK : po_no_memory(err);
}

/* A key that means the endpoint but is spelt in another way. */
static enum po_status fail_no_endpoint(const json_t *document,
				       struct po_error *err)
{
	static const char *const wanted[] = { "token_endpoint", NULL };
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)(uintptr_t)document, key, value)
		if (json_is_string(value) && text_nearest(key, wanted))
			return po_fail(err, PO_E_SERVER, 0,
				       "the document has no token_endpoint, "
				       "but '%.64s'",
				       key);
	return po_fail(err, PO_E_SERVER, 0,
		       "the document has no token_endpoint");
}

enum po_status discovery_take(enum discovery_kind kind, const char *base,
			      json_t *document,
			      struct server_metadata **ret_metadata,
			      struct po_error *err)
{
	po_auto(server_metadata) *m = calloc(1, sizeof(*m));
	const char *issuer = json_text(document, "issuer");
	enum po_status st;

	if (!m) {
		json_decref(document);
		return po_no_memory(err);
	}
	m->document = document;
	if (kind != DISCOVERY_SMART && (!issuer || strcmp(issuer, base) != 0))
		return po_fail(err, PO_E_SERVER, 0,
			       "the document is of issuer '%.256s', not of "
			       "'%s'",
			       issuer ? issuer : "", base);
	if (issuer && !(m->issuer = text_dup(issuer)))
		return po_no_memory(err);
	st = take_url(kind, base, document, "token_endpoint",
		      &m->token_endpoint, err);
	if (st == PO_OK)
		st = take_url(
			kind, base,
			json_object_get(document, "mtls_endpoint_aliases"),
			"token_endpoint", &m->mtls_token_endpoint, err);
	if (st == PO_OK && !m->token_endpoint)
		st = fail_no_endpoint(document, err);
	if (st == PO_OK)
		*ret_metadata = po_steal(m);
	return st;
}

enum po_status discovery_read(enum discovery_kind kind, const char *base,
			      const struct http_response *response,
			      struct server_metadata **ret_metadata,
			      struct po_error *err)
{
	struct po_error why = { 0 };
	json_t *document = NULL;

	if (response->status != 200)
		return refusal_nonsense(response, "there is no document", err);
	if (json_parse_object(buf_text(&response->body), response->body.len,
			      &document, &why) != PO_OK)
		return refusal_nonsense(response, why.text, err);
	return discovery_take(kind, base, document, ret_metadata, err);
}

void server_metadata_free(struct server_metadata *metadata)
{
	if (!metadata)
		return;
	free(metadata->issuer);
	free(metadata->token_endpoint);
	free(metadata->mtls_token_endpoint);
	json_decref(metadata->document);
	free(metadata);
}

const json_t *server_metadata_list(const struct server_metadata *metadata,
				   const char *name)
{
	const json_t *list = json_object_get(metadata->document, name);

	return json_is_array(list) ? list : NULL;
}

bool server_metadata_lists(const json_t *list, const char *word)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		if (text && strcmp(text, word) == 0)
			return true;
	}
	return false;
}
