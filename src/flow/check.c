/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check.c - what can be said of a profile without its token or its server.
 */
#include "cryptoki/pin.h"
#include "cryptoki/token_signer.h"
#include "flow/open_key.h"
#include "http/http.h"
#include "oauth/extension.h"
#include "oauth/token_request.h"

#include <string.h>

static size_t count(char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

static enum po_status check_pin_sources(const struct profile *p,
					struct po_error *err)
{
	size_t n = count(p->pin_from);
	enum po_status st = PO_OK;

	for (size_t i = 0; st == PO_OK && i < n; i++)
		st = profile_blame(p, "pin-from",
				   pin_source_check(p->pin_from[i], err), err);
	if (st == PO_OK && n > 1 && n != count(p->key))
		st = profile_fault(p, "pin-from", err,
				   "there are %zu sources for %zu keys; give "
				   "one for all or one for each",
				   n, count(p->key));
	return st;
}

static enum po_status check_key(const struct profile *p, struct po_error *err)
{
	enum po_status st = PO_OK;

	for (size_t i = 0; st == PO_OK && p->key[i]; i++)
		st = profile_blame(p, "key", token_uri_check(p->key[i], err),
				   err);
	for (size_t i = 0; st == PO_OK && p->key_spki[i]; i++)
		st = profile_blame(p, "key-spki",
				   token_spki_check(p->key_spki[i], err), err);
	if (st != PO_OK)
		return st;
	if (p->module && strchr(p->module, '/') && p->module[0] != '/')
		return profile_fault(p, "module", err,
				     "'%s' is a relative path; only absolute "
				     "ones are loaded",
				     p->module);
	return check_pin_sources(p, err);
}

static enum po_status check_identity(const struct profile *p,
				     struct po_error *err)
{
	enum po_status st = PO_OK;
	struct kid_rule rule;
	enum alg alg;

	if (p->algorithm)
		st = profile_blame(p, "algorithm",
				   alg_parse(p->algorithm, &alg, err), err);
	if (st == PO_OK && p->kid)
		st = profile_blame(p, "kid", kid_rule_parse(p->kid, &rule, err),
				   err);
	if (st == PO_OK && p->jku)
		st = profile_blame(
			p, "jku",
			http_check_url(p->jku, /* allow_loopback_http= */ false,
				       err),
			err);
	return st;
}

static enum po_status check_url(const struct profile *p, const char *name,
				const char *url, struct po_error *err)
{
	if (!url)
		return PO_OK;
	return profile_blame(
		p, name, http_check_url(url, p->allow_loopback_http, err), err);
}

static enum po_status check_urls(const struct profile *p, struct po_error *err)
{
	enum po_status st =
		check_url(p, "token-endpoint", p->token_endpoint, err);

	if (st == PO_OK)
		st = check_url(p, "mtls-token-endpoint", p->mtls_token_endpoint,
			       err);
	if (st == PO_OK)
		st = check_url(p, "fhir-base", p->fhir_base, err);
	if (st == PO_OK)
		st = check_url(p, "issuer", p->issuer, err);
	return st == PO_OK ? check_url(p, "jwks-url", p->jwks_url, err) : st;
}

static enum po_status check_extension(const struct profile *p,
				      struct po_error *err)
{
	json_auto_t *extension = NULL;

	if (!p->hl7_b2b[0])
		return PO_OK;
	return profile_blame(p, "hl7-b2b",
			     extension_hl7_b2b((const char *const *)p->hl7_b2b,
					       &extension, err),
			     err);
}

static enum po_status check_request(const struct profile *p,
				    struct po_error *err)
{
	const char *const *param = (const char *const *)p->param;
	const char *const *form = (const char *const *)p->form;
	enum po_status st = check_urls(p, err);

	if (st == PO_OK && p->scope)
		st = profile_blame(p, "scope", scope_check(p->scope, err), err);
	if (st == PO_OK && param[0])
		st = profile_blame(p, "param", params_check(param, form, err),
				   err);
	return st == PO_OK ? check_extension(p, err) : st;
}

static enum po_status check_agent(const struct profile *p, struct po_error *err)
{
	enum po_status st = PO_OK;

	for (size_t i = 0; st == PO_OK && p->allow_scope[i]; i++)
		st = profile_blame(p, "allow-scope",
				   scope_check(p->allow_scope[i], err), err);
	for (size_t i = 0; st == PO_OK && p->module_paths[i]; i++)
		if (p->module_paths[i][0] != '/')
			st = profile_fault(p, "module-paths", err,
					   "'%s' is a relative path; the "
					   "agent's folder is not the "
					   "module's",
					   p->module_paths[i]);
	return st;
}

enum po_status profile_check(const struct profile *profile,
			     struct po_error *err)
{
	enum po_status st = check_key(profile, err);

	if (st == PO_OK)
		st = check_identity(profile, err);
	if (st == PO_OK)
		st = check_request(profile, err);
	return st == PO_OK ? check_agent(profile, err) : st;
}
