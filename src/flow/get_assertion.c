/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get_assertion.c - one assertion from the first of the profile's keys that
 * can give one.
 */
#include "base/interrupt.h"
#include "base/log.h"
#include "cryptoki/token_signer.h"
#include "flow/get_token.h"
#include "flow/open_key.h"
#include "oauth/assertion.h"
#include "oauth/server_rules.h"

#include <errno.h>
#include <string.h>

/* A server gets an assertion with at least this long to live, or half of its
 * life if that is less. */
#define ASSERTION_LIFE_LEFT_S 60

const struct server_rules *profile_rules(const struct profile *p)
{
	return server_rules_find(p->server ? p->server : "smart");
}

/* Everything an assertion needs, before the token is touched. */
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
	if (!profile_audience(p))
		return profile_missing(p, "token-endpoint", err);
	return PO_OK;
}

/* The stamp is the last thing before the signature. */
static enum po_status stamp_and_sign(const struct po_env *env,
				     const struct open_key *key,
				     const struct identity *id,
				     struct secret **ret_jwt,
				     int64_t *ret_expires_s,
				     struct po_error *err)
{
	const struct profile *p = key->profile;
	const struct server_rules *rules = profile_rules(p);
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
		.audience = profile_audience(p),
		.jti = jti,
		.lifetime_s = p->lifetime_s ? p->lifetime_s : rules->lifetime_s,
		.send_iat = rules->send_iat,
		.send_nbf = rules->send_nbf,
	};
	enum po_status st = env->new_id(jti, err);

	if (st != PO_OK)
		return st;
	req.now_s = env->now_s();
	*ret_expires_s = req.now_s + req.lifetime_s;
	log_debug(LOG_OAUTH,
		  "assertion: alg %s, kid %s, jti %s, aud %s, iat %lld, "
		  "exp %lld",
		  alg_name(req.alg), req.kid ? req.kid : "-", jti, req.audience,
		  (long long)req.now_s, (long long)req.now_s + req.lifetime_s);
	return assertion_sign(&req, key->signer, ret_jwt, err);
}

/* What is known of one key of the profile, over its attempts. */
struct attempt {
	const struct profile *profile;
	size_t index;            /* of the key in the profile */
	struct kept_pin kept;    /* owned */
	struct pubkey *expected; /* owned; of the first attempt, if it got so
				  * far */
	bool is_signing;         /* it failed at the signature */
};

static void attempt_clear(struct attempt *a)
{
	kept_pin_clear(&a->kept);
	pubkey_free(a->expected);
}

/* A device that comes back with another key is another device. */
static enum po_status check_same_key(struct attempt *a,
				     const struct pubkey *pubkey,
				     struct po_error *err)
{
	if (!a->expected)
		a->expected = pubkey_ref(pubkey);
	if (pubkey_equal(a->expected, pubkey))
		return PO_OK;
	return po_fail(err, PO_E_CRYPTO, 0,
		       "the token came back with another key");
}

/* Signs; and once more when the device took so long that little life is left.*/
static enum po_status sign_fresh(const struct po_env *env,
				 const struct open_key *key,
				 const struct identity *id,
				 struct secret **ret_jwt, struct po_error *err)
{
	po_auto(secret) *jwt = NULL;
	int64_t expires_s = 0, margin_s = ASSERTION_LIFE_LEFT_S;
	int64_t start_s = env->now_s();
	enum po_status st = stamp_and_sign(env, key, id, &jwt, &expires_s, err);

	if (st != PO_OK)
		return st;
	if (margin_s > (expires_s - start_s) / 2)
		margin_s = (expires_s - start_s) / 2;
	if (expires_s - env->now_s() < margin_s) {
		log_warn("signing took %lld s; the assertion is stamped and "
			 "signed anew",
			 (long long)(env->now_s() - start_s));
		secret_free(jwt);
		jwt = NULL;
		st = stamp_and_sign(env, key, id, &jwt, &expires_s, err);
	}
	if (st == PO_OK)
		*ret_jwt = po_steal(jwt);
	return st;
}

/* From the module to the assertion, once. */
static enum po_status try_once(const struct po_env *env, struct attempt *a,
			       struct secret **ret_jwt, struct po_error *err)
{
	po_auto(open_key) *key = NULL;
	struct identity id;
	enum po_status st;

	a->is_signing = false;
	st = open_key(env, a->profile, a->index, &a->kept, &key, err);
	if (st == PO_OK)
		st = open_key_unlock(key, err);
	if (st == PO_OK)
		st = check_same_key(a, key->signer->pubkey, err);
	if (st == PO_OK)
		st = identity_of(key, &id, err);
	if (st != PO_OK)
		return st;
	a->is_signing = true;
	st = sign_fresh(env, key, &id, ret_jwt, err);
	identity_clear(&id);
	return st;
}

/*
 * A session, card or server that was lost is looked for once more, from
 * C_Initialize on. Not after a login that failed: its PIN may have counted.
 */
static enum po_status try_key(const struct po_env *env, struct attempt *a,
			      struct secret **ret_jwt, struct po_error *err)
{
	struct po_error why = { 0 };
	enum po_status st = try_once(env, a, ret_jwt, &why);
	bool is_lost =
		(st == PO_E_DEVICE || st == PO_E_TOKEN || st == PO_E_PIN) &&
		token_signer_may_recover(&why) && !a->kept.in_doubt;

	if (is_lost) {
		log_debug(LOG_CRYPTOKI, "once more from the start, after: %s",
			  why.text);
		why = (struct po_error){ 0 };
		st = try_once(env, a, ret_jwt, &why);
	}
	if (st != PO_OK && err && err->status == PO_OK)
		*err = why;
	return st;
}

/* True when another token may do better: this one is absent or broken. */
static bool passes_on(enum po_status st, const struct attempt *a,
		      const struct po_error *why)
{
	switch (st) {
	case PO_E_TOKEN:
	case PO_E_NOT_FOUND: return true;
	case PO_E_DEVICE: return !interrupt_is_pending();
	case PO_E_USER: return why->native == ETIMEDOUT;
	case PO_E_CRYPTO: return a->is_signing; /* it signs rubbish */
	default: return false;
	}
}

enum po_status get_assertion(const struct po_env *env,
			     const struct profile *profile,
			     struct secret **ret_jwt, struct po_error *err)
{
	enum po_status st = get_assertion_check(profile, err);
	bool found = false;

	for (size_t i = 0; st == PO_OK && !found; i++) {
		struct attempt a = { .profile = profile, .index = i };
		struct po_error why = { 0 };

		st = try_key(env, &a, ret_jwt, &why);
		found = st == PO_OK;
		if (!found && profile->key[i + 1] && passes_on(st, &a, &why)) {
			log_warn("key '%s': %s; the next one is used",
				 profile->key[i], why.text);
			st = PO_OK;
		} else if (!found && err && err->status == PO_OK) {
			*err = why;
		}
		attempt_clear(&a);
	}
	return st;
}
