/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/get_token.h"

#include "base/log.h"
#include "http/http.h"
#include "oauth/server_rules.h"
#include "oauth/token_request.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static enum po_status check_exchange(const struct profile *p,
				     struct po_error *err)
{
	enum po_status st = get_assertion_check(p, err);

	if (st != PO_OK)
		return st;
	if (!p->token_endpoint)
		return profile_missing(p, "token-endpoint", err);
	if (!p->scope && profile_rules(p)->need_scope)
		return profile_missing(p, "scope", err);
	if (p->cacert && access(p->cacert, R_OK) != 0)
		return profile_fault(p, "cacert", err, "cannot read '%s': %s",
				     p->cacert, strerror(errno));
	return PO_OK;
}

static enum po_status exchange(const struct po_env *env,
			       const struct profile *p,
			       const struct secret *form,
			       struct access_token **ret_token,
			       struct po_error *err)
{
	struct http_request request = {
		.method = HTTP_POST,
		.url = p->token_endpoint,
		.accept = TOKEN_REQUEST_ACCEPT,
		.content_type = TOKEN_REQUEST_CONTENT_TYPE,
		.body = form,
		.ca_file = p->cacert,
		.timeout_ms = p->timeout_s * 1000,
		.allow_loopback_http = p->allow_loopback_http,
	};
	po_auto_http_response response = { 0 };
	enum po_status st;

	http_response_init(&response);
	st = env->http->perform(env->http, &request, &response, err);
	if (st != PO_OK)
		return st;
	return access_token_read(&response, env->now_s(), ret_token, err);
}

enum po_status get_token(const struct po_env *env,
			 const struct profile *profile,
			 struct access_token **ret_token, struct po_error *err)
{
	po_auto(access_token) *token = NULL;
	po_auto(secret) *assertion = NULL;
	po_auto(secret) *form = NULL;
	struct token_request request = {
		.scope = profile->scope,
		.params = (const char *const *)profile->param,
	};
	enum po_status st = check_exchange(profile, err);

	if (st == PO_OK)
		st = get_assertion(env, profile, &assertion, err);
	if (st != PO_OK)
		return st;
	request.assertion = assertion;
	if (profile_rules(profile)->send_client_id)
		request.client_id = profile->client_id;
	st = token_request_form(&request, &form, err);
	if (st == PO_OK)
		st = exchange(env, profile, form, &token, err);
	if (st != PO_OK)
		return st;
	if (profile->scope && !access_token_grants(token, profile->scope))
		log_warn("asked for scope '%s', the server granted '%s'",
			 profile->scope, token->scope ? token->scope : "");
	*ret_token = po_steal(token);
	return PO_OK;
}
