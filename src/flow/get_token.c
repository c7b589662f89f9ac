/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/get_token.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "flow/assertion_source.h"
#include "flow/audit.h"
#include "flow/diagnose.h"
#include "flow/discover.h"
#include "flow/exchange.h"
#include "flow/key_desk.h"
#include "flow/tls_identity.h"
#include "oauth/refusal.h"
#include "oauth/token_request.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define RETRIES_MAX 4
#define BACKOFF_FIRST_MS 500
#define BACKOFF_MAX_MS 10000
#define RETRY_AFTER_MAX_S 60
#define SAID_WEIGHT_MIN 40 /* of a cause that is worth the one line */

/* ---- before anything is asked of token or server ------------------------ */

enum po_status get_assertion_check(const struct profile *p,
				   struct po_error *err)
{
	enum po_status st = profile_check(p, err);

	if (st != PO_OK)
		return st;
	if (!p->key[0])
		return profile_missing(p, "key", err);
	if (!p->client_id)
		return profile_missing(p, "client-id", err);
	if (p->extension && !p->hl7_b2b[0])
		return profile_missing(p, "hl7-b2b", err);
	if (!p->token_endpoint && !p->fhir_base && !p->issuer &&
	    !profile_audience(p))
		return profile_missing(p, "token-endpoint", err);
	return PO_OK;
}

static enum po_status check_audience(const struct profile *p,
				     struct po_error *err)
{
	if (profile_audience(p))
		return PO_OK;
	if (p->audience && strcmp(p->audience, "issuer") == 0)
		return profile_missing(p, "issuer", err);
	return profile_missing(p, "token-endpoint", err);
}

enum po_status get_token_check(const struct profile *p, struct po_error *err)
{
	enum po_status st = get_assertion_check(p, err);

	if (st != PO_OK)
		return st;
	if (!p->token_endpoint && !p->fhir_base && !p->issuer)
		return profile_missing(p, "token-endpoint", err);
	if (!p->scope && p->need_scope)
		return profile_missing(p, "scope", err);
	if (p->cacert && access(p->cacert, R_OK) != 0)
		return profile_fault(p, "cacert", err, "cannot read '%s': %s",
				     p->cacert, strerror(errno));
	return PO_OK;
}

/* ---- one assertion ------------------------------------------------------ */

enum po_status get_assertion(const struct po_env *env, struct profile *profile,
			     struct secret **ret_jwt, struct po_error *err)
{
	po_auto_http_response response = { 0 };
	po_auto(assertion_source) *source = NULL;
	enum po_status st = get_assertion_check(profile, err);

	http_response_init(&response);
	if (st == PO_OK && !profile_audience(profile))
		st = discover(env, profile, 0, NULL, &response, err);
	if (st == PO_OK)
		st = check_audience(profile, err);
	if (st != PO_OK)
		return st;
	source = assertion_source_new(env, profile);
	if (!source)
		return po_no_memory(err);
	return assertion_source_next(source, ret_jwt, err);
}

/* ---- one try at the server ---------------------------------------------- */

static enum po_status make_form(const struct profile *p, const char *assertion,
				struct secret **ret_form, struct po_error *err)
{
	bool is_bearer = p->grant && strcmp(p->grant, "jwt-bearer") == 0;
	bool is_claim = p->scope_in && strcmp(p->scope_in, "claim") == 0;
	const struct token_request request = {
		.grant =
			is_bearer ? GRANT_JWT_BEARER : GRANT_CLIENT_CREDENTIALS,
		.scope = is_claim ? NULL : p->scope,
		.client_id =
			p->send_client_id || !assertion ? p->client_id : NULL,
		.assertion = assertion,
		.params = (const char *const *)p->param,
		.form = (const char *const *)p->form,
	};

	return token_request_form(&request, ret_form, err);
}

struct lengths { /* for the assertion_expect below */
	const struct profile *profile;
	struct exchange *exchange;
};

/* Every character of an assertion stands for itself in the form. */
static void on_length(void *user, size_t len)
{
	const struct lengths *l = user;
	po_auto(secret) *empty = NULL;

	if (len > 0 && make_form(l->profile, "", &empty, NULL) == PO_OK)
		exchange_expect(l->exchange, secret_len(empty) + len);
}

static void warn_of_length(const struct profile *p, size_t len)
{
	if (p->assertion_max && len > (size_t)p->assertion_max)
		log_warn("the assertion has %zu bytes, and this server takes "
			 "%lld; leave out x5c, shorten names",
			 len, (long long)p->assertion_max);
}

/* The form of a client that TLS authenticates: the key is needed, not its
 * signature. */
static enum po_status form_for_tls(const struct profile *p,
				   struct assertion_source *source,
				   struct exchange *exchange,
				   struct secret **ret_form,
				   struct po_error *err)
{
	struct open_key *key = NULL;
	enum po_status st = assertion_source_key(source, &key, err);

	if (st != PO_OK)
		return st;
	exchange_use_key(exchange, key);
	return make_form(p, NULL, ret_form, err);
}

static enum po_status form_with_assertion(const struct profile *p,
					  struct assertion_source *source,
					  struct exchange *exchange,
					  struct secret **ret_form,
					  struct po_error *err)
{
	struct lengths lengths = { p, exchange };
	po_auto(secret) *assertion = NULL;
	const struct identity *id;
	enum po_status st;

	assertion_source_on_length(source, on_length, &lengths);
	st = assertion_source_next(source, &assertion, err);
	assertion_source_on_length(source, NULL, NULL);
	if (st != PO_OK)
		return st;
	exchange_set_sign_seq(exchange, assertion_source_last_seq(source));
	if (profile_uses_tls(p))
		exchange_use_key(exchange, assertion_source_last(source, &id));
	warn_of_length(p, secret_len(assertion));
	return make_form(p, secret_reveal(assertion), ret_form, err);
}

enum po_status get_token_form(const struct profile *profile,
			      struct assertion_source *source,
			      struct exchange *exchange,
			      struct secret **ret_form, struct po_error *err)
{
	if (profile_tls_is_proof(profile))
		return form_for_tls(profile, source, exchange, ret_form, err);
	return form_with_assertion(profile, source, exchange, ret_form, err);
}

enum po_status get_token_send(const struct po_env *env,
			      struct exchange *exchange,
			      const struct secret *form,
			      struct access_token **ret_token,
			      struct http_response *response,
			      struct po_error *err)
{
	const struct profile *p = exchange_profile(exchange);
	po_auto(access_token) *token = NULL;
	/* the server counts from its answer, which is later */
	int64_t asked_ms = clock_boottime_ms(env->clock);
	int64_t asked_s = clock_now_s(env->clock);
	uint64_t seq;
	enum po_status st = exchange_post(exchange, form, response, err);

	if (st == PO_OK)
		st = access_token_read(response, asked_s, &token, err);
	if (st == PO_OK)
		token->asked_ms = asked_ms;
	seq = exchange_sign_seq(exchange);
	if (st != PO_OK)
		audit_failure(env, p, seq, st, response->status);
	else
		st = audit_answer(env, p, seq, response->status, token, err);
	if (st == PO_OK)
		*ret_token = po_steal(token);
	return st;
}

/* What is odd about an answer, and no reason to refuse it. */
static void warn_of_answer(const struct access_token *token,
			   const struct http_response *response)
{
	uint64_t age_s = 0;

	if (token->members_repeat)
		log_warn("the answer has a member twice; the last one counts");
	if (token->type_is_assumed)
		log_warn("the server did not say the access token's type; "
			 "Bearer is assumed");
	if (token->expiry_is_capped)
		log_warn("the server gave the access token more than ten years "
			 "of life; ten are assumed");
	if (secret_len(token->value) > ACCESS_TOKEN_LONG_BYTES)
		log_warn("the access token has %zu bytes; many servers do not "
			 "take that much in a header",
			 secret_len(token->value));
	if (text_to_uint(response->age, UINT32_MAX, &age_s) && age_s > 0)
		log_warn("the answer was kept by a cache for %llu s (Age); it "
			 "may be somebody else's",
			 (unsigned long long)age_s);
}

/* ---- and the next ------------------------------------------------------- */

struct tries {
	const struct po_env *env;
	struct profile *profile;
	struct key_desk *desk;
	struct server_metadata *metadata; /* owned; NULL: none was read */
	int count;                        /* that failed */
	int refusals;                     /* among them */
	int64_t until_ms;                 /* no new one after this */
	uint64_t seq;                     /* of the last signature's record */
};

/* A refusal that says nothing, as a server known for it gives to good
 * clients. */
static bool is_bare_refusal(const struct http_response *r)
{
	return r->status == 400 && refusal_is(r, "invalid_client") &&
	       !refusal_has_description(r);
}

/* True when the same request, signed anew, may fare better. */
static bool is_worth_another(struct tries *t, enum po_status st,
			     const struct http_response *r)
{
	if (st == PO_E_NETWORK)
		return r->failure == HTTP_FAILED_CONNECT;
	if (st != PO_E_SERVER && st != PO_E_REFUSED)
		return false;
	switch (r->status) {
	case 429:
	case 502:
	case 503:
	case 504: return true;
	default: break;
	}
	if (refusal_is(r, "temporarily_unavailable"))
		return true;
	return t->profile->retry_refusal && is_bare_refusal(r) &&
	       t->refusals++ == 0;
}

/* Exponential, with jitter: half of it is chance. */
static int64_t backoff_ms(const struct po_clock *clock, int count)
{
	int64_t ms = BACKOFF_FIRST_MS;
	uint16_t chance = 0;

	while (count-- > 0 && ms < BACKOFF_MAX_MS)
		ms *= 2;
	if (ms > BACKOFF_MAX_MS)
		ms = BACKOFF_MAX_MS;
	if (rng_bytes(clock, &chance, sizeof(chance), NULL) != PO_OK)
		return ms;
	return ms / 2 + ms / 2 * chance / UINT16_MAX;
}

/* Waits for the next try; false: there is none, err says why not. */
static bool wait_for_next(struct tries *t, enum po_status st,
			  const struct http_response *r, struct po_error *err)
{
	const struct po_clock *clock = t->env->clock;
	int64_t now_ms = clock_monotonic_ms(clock);
	int64_t ms, after_s = -1;

	if (!is_worth_another(t, st, r))
		return false;
	ms = backoff_ms(clock, t->count);
	if (http_retry_after_s(r, clock_now_s(clock), &after_s) &&
	    after_s * 1000 > ms)
		ms = after_s * 1000;
	t->count++;
	if (t->count > RETRIES_MAX || now_ms + ms > t->until_ms ||
	    after_s > RETRY_AFTER_MAX_S) {
		if (after_s >= 0)
			(void)po_context(err, st,
					 "tried %d time%s, the server asks to "
					 "wait %lld s",
					 t->count, t->count > 1 ? "s" : "",
					 (long long)after_s);
		else if (t->count > 1)
			(void)po_context(err, st, "tried %d times", t->count);
		return false;
	}
	log_warn("%s; trying again in %lld.%lld s", err->text,
		 (long long)ms / 1000, (long long)ms % 1000 / 100);
	*err = (struct po_error){ 0 };
	return clock_sleep_ms(clock, ms, err) == PO_OK;
}

/* The likeliest cause, as far as it shows without looking further. */
static enum po_status explain(const struct tries *t, enum po_status st,
			      const struct http_response *response,
			      struct po_error *err)
{
	const char *name = t->profile->name ? t->profile->name : "";
	struct evidence evidence = {
		.profile = t->profile,
		.response = response,
		.metadata = t->metadata,
		.now_s =
			clock_now_s(t->env->clock) + t->profile->clock_offset_s,
	};
	struct causes causes = { .count = 0 };
	const struct assertion_source *source;

	if (st != PO_E_REFUSED || response->status < 400)
		return st;
	source = key_desk_look(t->desk, t->profile);
	if (source)
		evidence.key = assertion_source_last(source, &evidence.id);
	diagnose(&evidence, &causes);
	key_desk_give(t->desk);
	if (causes.count > 0 && causes.items[0].weight >= SAID_WEIGHT_MIN)
		return po_append(err, st,
				 "; likely: %s; %s ('p11oauth doctor%s%s' "
				 "looks closer)",
				 causes.items[0].text, causes.items[0].remedy,
				 *name ? " " : "", name);
	return po_append(err, st, "; 'p11oauth doctor%s%s' looks for the cause",
			 *name ? " " : "", name);
}

/* Signs and sends; the desk is free again as soon as the key is not needed. */
static enum po_status sign_and_send(struct tries *t, struct exchange *exchange,
				    struct access_token **ret_token,
				    struct http_response *response,
				    struct po_error *err)
{
	struct assertion_source *source = NULL;
	bool keeps_key = profile_uses_tls(t->profile);
	po_auto(secret) *form = NULL;
	enum po_status st =
		key_desk_take(t->desk, t->env, t->profile, &source, err);

	if (st != PO_OK)
		return st;
	st = get_token_form(t->profile, source, exchange, &form, err);
	if (st != PO_OK || !keeps_key)
		key_desk_give(t->desk);
	if (st != PO_OK)
		return st;
	st = get_token_send(t->env, exchange, form, ret_token, response, err);
	if (keeps_key)
		key_desk_give(t->desk);
	return st;
}

static enum po_status try_once(struct tries *t, struct access_token **ret_token,
			       struct http_response *response,
			       struct po_error *err)
{
	po_auto(exchange) *exchange = NULL;
	enum po_status st =
		discover(t->env, t->profile, 0, &t->metadata, response, err);

	if (st == PO_OK)
		st = check_audience(t->profile, err);
	if (st != PO_OK)
		return st;
	exchange = exchange_new(t->env, t->profile);
	if (!exchange)
		return po_no_memory(err);
	st = sign_and_send(t, exchange, ret_token, response, err);
	t->seq = exchange_sign_seq(exchange);
	return st;
}

static enum po_status try_all(struct tries *t, struct access_token **ret_token,
			      struct po_error *err)
{
	struct po_error why = { 0 };

	for (;;) {
		po_auto_http_response response = { 0 };
		enum po_status st;

		http_response_init(&response);
		st = try_once(t, ret_token, &response, &why);
		if (st == PO_OK && *ret_token) {
			warn_of_answer(*ret_token, &response);
			return PO_OK;
		}
		if (wait_for_next(t, st, &response, &why))
			continue;
		if (why.status == st)
			(void)explain(t, st, &response, &why);
		if (err && err->status == PO_OK)
			*err = why;
		return why.status;
	}
}

static enum po_status check_scope(const struct profile *p,
				  const struct access_token *token,
				  struct po_error *err)
{
	const char *granted = token->scope ? token->scope : "";

	if (!p->scope || access_token_grants(token, p->scope))
		return PO_OK;
	if (p->require_scope)
		return po_fail(err, PO_E_REFUSED, 0,
			       "asked for scope '%s', the server granted '%s'",
			       p->scope, granted);
	log_warn("asked for scope '%s', the server granted '%s'", p->scope,
		 granted);
	return PO_OK;
}

enum po_status get_token_unissued(const struct po_env *env,
				  struct profile *profile,
				  struct access_token **ret_token,
				  uint64_t *ret_seq, struct po_error *err)
{
	po_auto(access_token) *token = NULL;
	po_auto(key_desk) *own = NULL;
	int64_t retry_s = profile_has(profile, "retry-time")
				  ? profile->retry_time_s
				  : RETRY_TIME_DEFAULT_S;
	struct tries t = {
		.env = env,
		.profile = profile,
		.until_ms = clock_monotonic_ms(env->clock) + retry_s * 1000,
	};
	enum po_status st = get_token_check(profile, err);

	if (st != PO_OK)
		return st;
	own = env->desk ? NULL : key_desk_new();
	t.desk = env->desk ? env->desk : own;
	if (!t.desk)
		return po_no_memory(err);
	st = try_all(&t, &token, err);
	server_metadata_free(t.metadata);
	if (st == PO_OK && token)
		st = check_scope(profile, token, err);
	if (st != PO_OK)
		return st;
	*ret_token = po_steal(token);
	*ret_seq = t.seq;
	return PO_OK;
}

enum po_status get_token(const struct po_env *env, struct profile *profile,
			 struct access_token **ret_token, struct po_error *err)
{
	po_auto(access_token) *token = NULL;
	uint64_t seq = 0;
	enum po_status st = get_token_unissued(env, profile, &token, &seq, err);

	if (st == PO_OK)
		st = audit_issue(env, profile, seq, token, err);
	if (st == PO_OK)
		*ret_token = po_steal(token);
	return st;
}
