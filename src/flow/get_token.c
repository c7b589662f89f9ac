/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/get_token.h"

#include "base/log.h"
#include "flow/open_key.h"
#include "http/http.h"
#include "oauth/assertion.h"
#include "oauth/server_rules.h"
#include "oauth/token_request.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static const struct server_rules *rules_of(const struct profile *p)
{
	return server_rules_find(p->server ? p->server : "smart");
}

/* aud: one string, byte for byte; never the guess of a document. */
static const char *audience_of(const struct profile *p)
{
	if (!p->audience || strcmp(p->audience, "token-endpoint") == 0)
		return p->token_endpoint;
	return p->audience;
}

/* Everything an assertion needs, before the token is touched. */
static enum po_status check_assertion(const struct profile *p,
				      struct po_error *err)
{
	enum po_status st = profile_check(p, err);

	if (st != PO_OK)
		return st;
	if (!p->key[0])
		return profile_missing(p, "key", err);
	if (!p->client_id)
		return profile_missing(p, "client-id", err);
	if (!audience_of(p))
		return profile_missing(p, "token-endpoint", err);
	return PO_OK;
}

static enum po_status check_exchange(const struct profile *p,
				     struct po_error *err)
{
	enum po_status st = check_assertion(p, err);

	if (st != PO_OK)
		return st;
	if (!p->token_endpoint)
		return profile_missing(p, "token-endpoint", err);
	if (!p->scope && rules_of(p)->need_scope)
		return profile_missing(p, "scope", err);
	if (p->cacert && access(p->cacert, R_OK) != 0)
		return profile_fault(p, "cacert", err, "cannot read '%s': %s",
				     p->cacert, strerror(errno));
	return PO_OK;
}

/* The stamp is the last thing before the signature. */
static enum po_status stamp_and_sign(const struct po_env *env,
				     const struct open_key *key,
				     const struct identity *id,
				     struct secret **ret_jwt,
				     struct po_error *err)
{
	const struct profile *p = key->profile;
	const struct server_rules *rules = rules_of(p);
	char jti[RNG_ID_LEN + 1];
	struct assertion_request req = {
		.alg = id->alg,
		.typ = rules->typ,
		.kid = id->kid[0] ? id->kid : NULL,
		.x5t = p->x5t ? id->x5t : NULL,
		.x5t_s256 = p->x5t_s256 ? id->x5t_s256 : NULL,
		.x5c = id->x5c,
		.jku = p->jku,
		.issuer = p->assertion_issuer ? p->assertion_issuer
					      : p->client_id,
		.subject = p->client_id,
		.audience = audience_of(p),
		.jti = jti,
		.lifetime_s = p->lifetime_s ? p->lifetime_s : rules->lifetime_s,
		.send_iat = rules->send_iat,
		.send_nbf = rules->send_nbf,
	};
	enum po_status st = env->new_id(jti, err);

	if (st != PO_OK)
		return st;
	req.now_s = env->now_s();
	log_debug(LOG_OAUTH,
		  "assertion: alg %s, kid %s, jti %s, aud %s, iat %lld, "
		  "exp %lld",
		  alg_name(req.alg), req.kid ? req.kid : "-", jti, req.audience,
		  (long long)req.now_s, (long long)req.now_s + req.lifetime_s);
	return assertion_sign(&req, key->signer, ret_jwt, err);
}

enum po_status get_assertion(const struct po_env *env,
			     const struct profile *profile,
			     struct secret **ret_jwt, struct po_error *err)
{
	po_auto(open_key) *key = NULL;
	struct identity id;
	enum po_status st = check_assertion(profile, err);

	if (st == PO_OK)
		st = open_key(env, profile, &key, err);
	if (st == PO_OK)
		st = open_key_unlock(key, err);
	if (st != PO_OK)
		return st;
	st = identity_of(key, &id, err);
	if (st != PO_OK)
		return st;
	st = stamp_and_sign(env, key, &id, ret_jwt, err);
	identity_clear(&id);
	return st;
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
	if (rules_of(profile)->send_client_id)
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
