/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/discover.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "flow/metadata_cache.h"
#include "key/alg.h"

#include <stdlib.h>
#include <string.h>

#define URL_SHOWN "%.512s"

struct search { /* for one document */
	const struct po_env *env;
	const struct profile *profile;
	unsigned int flags;
	enum discovery_kind kind;
	const char *base;
	char url[HTTP_URL_MAX + 1];
};

static void keep(const struct search *s, const struct http_response *response,
		 const struct server_metadata *metadata)
{
	int64_t now_s = clock_now_s(s->env->clock);
	int64_t fresh_s = http_fresh_s(response, now_s);

	if (fresh_s > DISCOVER_KEEP_MAX_S)
		fresh_s = DISCOVER_KEEP_MAX_S;
	if (fresh_s > 0)
		metadata_cache_put(s->url, metadata->document, now_s + fresh_s);
}

static enum po_status fetch(const struct search *s,
			    struct server_metadata **ret_metadata,
			    struct http_response *response,
			    struct po_error *err)
{
	const struct profile *p = s->profile;
	struct http_request request = {
		.method = HTTP_GET,
		.url = s->url,
		.accept = DISCOVERY_ACCEPT,
		.ca_file = p->cacert,
		.timeout_ms = p->timeout_s * 1000,
		.allow_loopback_http = p->allow_loopback_http,
	};
	enum po_status st;

	http_response_clear(response);
	http_response_init(response);
	st = s->env->http->perform(s->env->http, &request, response, err);
	if (st != PO_OK)
		return st;
	st = discovery_read(s->kind, s->base, response, ret_metadata, err);
	if (st == PO_OK)
		keep(s, response, *ret_metadata);
	return po_context(err, st, URL_SHOWN, s->url);
}

static enum po_status look(struct search *s, enum discovery_kind kind,
			   struct server_metadata **ret_metadata,
			   struct http_response *response, struct po_error *err)
{
	po_auto_buf url = { 0 };
	json_t *kept = NULL;

	buf_init(&url, HTTP_URL_MAX);
	if (!discovery_url(kind, s->base, &url))
		return po_fail(err, PO_E_USAGE, 0, "the URL is too long");
	memcpy(s->url, buf_text(&url), url.len + 1);
	s->kind = kind;
	if (!(s->flags & DISCOVER_FRESH))
		kept = metadata_cache_get(s->url, clock_now_s(s->env->clock));
	if (kept &&
	    discovery_take(kind, s->base, kept, ret_metadata, NULL) == PO_OK)
		return PO_OK;
	return fetch(s, ret_metadata, response, err);
}

static enum po_status find(struct search *s,
			   struct server_metadata **ret_metadata,
			   struct http_response *response, struct po_error *err)
{
	struct po_error why = { 0 };
	enum po_status st;

	s->base = s->profile->fhir_base ? s->profile->fhir_base
					: s->profile->issuer;
	if (s->profile->fhir_base)
		return look(s, DISCOVERY_SMART, ret_metadata, response, err);
	st = look(s, DISCOVERY_OAUTH, ret_metadata, response, &why);
	/* many servers have the one and not the other */
	if (st == PO_E_SERVER && response->status < 500) {
		struct po_error other = { 0 };

		st = look(s, DISCOVERY_OPENID, ret_metadata, response, &other);
		if (st == PO_OK)
			return PO_OK;
		return po_fail(err, st, other.native, "%s; and %s", other.text,
			       why.text);
	}
	if (st != PO_OK && err && err->status == PO_OK)
		*err = why;
	return st;
}

/* ---- what the document says --------------------------------------------- */

static enum po_status check_pin(const struct profile *p, const char *name,
				const char *pinned, const char *found,
				struct po_error *err)
{
	if (!pinned || !found || strcmp(pinned, found) == 0)
		return PO_OK;
	return po_fail(err, PO_E_SERVER, 0,
		       URL_SHOWN ": its %s is '" URL_SHOWN
				 "', but the profile pins '" URL_SHOWN "'",
		       p->discovered_at, name, found, pinned);
}

static enum po_status take_endpoint(struct profile *p, const char *name,
				    const char *member, const char *pinned,
				    const char *found, struct po_error *err)
{
	enum po_status st = check_pin(p, member, pinned, found, err);

	if (st != PO_OK || pinned || !found)
		return st;
	st = profile_discover(p, name, found, err);
	if (st == PO_OK)
		st = profile_blame(
			p, name,
			http_check_url(found, p->allow_loopback_http, err),
			err);
	return st;
}

/* What the rules prefer, as far as the server lists it; then what else it
 * lists. */
static enum po_status take_algorithms(struct profile *p, const json_t *listed,
				      struct po_error *err)
{
	char *preferred[PROFILE_LIST_MAX + 1] = { NULL };
	enum po_status st = PO_OK;
	size_t n = 0;

	memcpy(preferred, p->algorithms, sizeof(preferred));
	memset(p->algorithms, 0, sizeof(p->algorithms));
	for (; preferred[n]; n++)
		if (st == PO_OK && server_metadata_lists(listed, preferred[n]))
			st = profile_discover(p, "algorithms", preferred[n],
					      err);
	for (size_t i = 0; st == PO_OK && alg_names[i]; i++)
		if (server_metadata_lists(listed, alg_names[i]) &&
		    text_word_index(alg_names[i],
				    (const char *const *)p->algorithms) < 0)
			st = profile_discover(p, "algorithms", alg_names[i],
					      err);
	if (!p->algorithms[0]) { /* nothing we know: no guide */
		memcpy(p->algorithms, preferred, sizeof(preferred));
		return st;
	}
	while (n > 0)
		free(preferred[--n]);
	return st;
}

void discover_doubts(const struct profile *profile,
		     const struct server_metadata *metadata,
		     struct findings *findings)
{
	const struct {
		const char *list, *word;
	} expected[] = {
		{ "grant_types_supported", "client_credentials" },
		{ "token_endpoint_auth_methods_supported",
		  profile->client_auth ? profile->client_auth
				       : "private_key_jwt" },
		{ "token_endpoint_auth_signing_alg_values_supported",
		  profile->algorithm },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(expected); i++) {
		const json_t *list =
			server_metadata_list(metadata, expected[i].list);

		if (list && expected[i].word &&
		    !server_metadata_lists(list, expected[i].word))
			findings_add(findings, FINDING_WARNING, "discovery",
				     NULL,
				     "the server's %s does not list %s; it is "
				     "used all the same",
				     expected[i].list, expected[i].word);
	}
}

static void warn_of_doubts(const struct profile *p,
			   const struct server_metadata *m)
{
	po_auto_findings doubts = { 0 };

	discover_doubts(p, m, &doubts);
	for (size_t i = 0; i < doubts.count; i++)
		log_warn("%s", doubts.items[i].text);
}

static enum po_status take(struct profile *p, const struct server_metadata *m,
			   struct po_error *err)
{
	const json_t *algs = server_metadata_list(
		m, "token_endpoint_auth_signing_alg_values_supported");
	enum po_status st = check_pin(p, "issuer", p->issuer, m->issuer, err);

	if (st == PO_OK)
		st = take_endpoint(p, "token-endpoint", "token_endpoint",
				   p->token_endpoint, m->token_endpoint, err);
	if (st == PO_OK)
		st = take_endpoint(p, "mtls-token-endpoint",
				   "mtls_endpoint_aliases.token_endpoint",
				   p->mtls_token_endpoint,
				   m->mtls_token_endpoint, err);
	if (st == PO_OK && json_array_size(algs) > 0)
		st = take_algorithms(p, algs, err);
	if (st == PO_OK)
		warn_of_doubts(p, m);
	return st;
}

static bool is_wanted(const struct profile *p, unsigned int flags)
{
	if (p->discovered_at)
		return false;
	/* beside a pinned endpoint the issuer is but a name */
	return p->fhir_base ||
	       (p->issuer && (!p->token_endpoint || flags & DISCOVER_FRESH));
}

enum po_status discover(const struct po_env *env, struct profile *profile,
			unsigned int flags,
			struct server_metadata **ret_metadata,
			struct http_response *response, struct po_error *err)
{
	po_auto(server_metadata) *m = NULL;
	struct search s = { .env = env, .profile = profile, .flags = flags };
	struct po_error why = { 0 };
	enum po_status st;

	if (!is_wanted(profile, flags))
		return PO_OK;
	st = find(&s, &m, response, &why);
	if (st == PO_OK || profile->token_endpoint) { /* it is not done again */
		profile->discovered_at = text_dup(s.url);
		if (!profile->discovered_at)
			return po_no_memory(err);
	}
	if (st != PO_OK && st != PO_E_USER && profile->token_endpoint) {
		log_warn("%s; the token-endpoint of the profile is used",
			 why.text);
		return PO_OK;
	}
	if (st != PO_OK)
		return po_fail(err, st, why.native, "%s%s", why.text,
			       st == PO_E_SERVER
				       ? "; a token-endpoint in the profile "
					 "works without it"
				       : "");
	st = m ? take(profile, m, err) : po_no_memory(err);
	if (st == PO_OK && ret_metadata)
		*ret_metadata = po_steal(m);
	return st;
}
