/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/assertion_source.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/rng.h"
#include "cryptoki/token_signer.h"
#include "flow/audit.h"
#include "oauth/assertion.h"
#include "oauth/extension.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A server gets an assertion with at least this long to live, or half of its
 * life if that is less. */
#define ASSERTION_LIFE_LEFT_S 60

struct assertion_source {
	const struct po_env *env;
	const struct profile *profile;
	assertion_expect *expect;
	void *user;

	struct profile *own;    /* owned; what turn_to() copied, or NULL */
	struct profile *opened; /* owned; what the open key borrows from, when
				 * it is not the profile any more */

	size_t index;         /* of the key in the profile */
	int64_t left_ms;      /* when the first was given up */
	struct open_key *key; /* owned; NULL: not open */
	bool is_unlocked;
	bool is_signing;         /* whatever fails now is the signature */
	struct identity id;      /* valid while the key is unlocked */
	struct kept_pin kept;    /* of this key */
	struct pubkey *expected; /* owned; of the first opening */
	uint64_t last_seq;       /* of the record of the last signature */
};

struct assertion_source *assertion_source_new(const struct po_env *env,
					      const struct profile *profile)
{
	struct assertion_source *s = calloc(1, sizeof(*s));

	if (s) {
		s->env = env;
		s->profile = profile;
	}
	return s;
}

static void close_key(struct assertion_source *s)
{
	identity_clear(&s->id);
	open_key_free(s->key);
	s->key = NULL;
	profile_free(s->opened);
	s->opened = NULL;
	s->is_unlocked = false;
	s->is_signing = false;
}

/* Forgets one key of the profile. */
static void leave_key(struct assertion_source *s)
{
	close_key(s);
	kept_pin_clear(&s->kept);
	s->kept = (struct kept_pin){ 0 };
	pubkey_free(s->expected);
	s->expected = NULL;
}

void assertion_source_free(struct assertion_source *source)
{
	if (!source)
		return;
	leave_key(source);
	profile_free(source->own);
	free(source);
}

/* ---- for one profile after another -------------------------------------- */

static bool takes_same_key(const struct profile *a, const struct profile *b)
{
	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];

		if (s->group & (SETTING_FOR_TOKEN | SETTING_FOR_KEY) &&
		    !profile_has_same(a, b, s))
			return false;
	}
	return true;
}

/* The key stays open: what it says of itself is read anew. */
static void keep_key(struct assertion_source *s, struct profile *before)
{
	s->key->env = s->env;
	s->key->profile = s->profile;
	s->key->purpose.profile = s->profile->name;
	s->key->purpose.client_id = s->profile->client_id;
	s->key->purpose.audience = profile_audience(s->profile);
	s->key->now_s = clock_now_s(s->env->clock);
	if (s->opened)
		profile_free(before);
	else
		s->opened = before;
	identity_clear(&s->id);
	/* a lost session shows here first; signing knows what to do then */
	if (open_key_refresh(s->key, NULL) != PO_OK ||
	    identity_of(s->key, &s->id, NULL) != PO_OK)
		close_key(s);
}

enum po_status assertion_source_turn_to(struct assertion_source *s,
					const struct po_env *env,
					const struct profile *profile,
					struct po_error *err)
{
	struct profile *copy = profile_copy(profile);
	bool keeps = s->own && takes_same_key(s->own, profile);
	struct profile *before = s->own;

	if (!copy)
		return po_no_memory(err);
	if (keeps && s->index > 0 &&
	    clock_monotonic_ms(env->clock) - s->left_ms > FAILBACK_MS)
		keeps = false;
	if (!keeps) {
		leave_key(s);
		s->index = 0;
	}
	if (s->kept.in_doubt)
		kept_pin_clear(&s->kept);
	s->env = env;
	s->last_seq = 0;
	s->own = copy;
	s->profile = copy;
	if (s->key)
		keep_key(s, before);
	else
		profile_free(before);
	return PO_OK;
}

enum po_status assertion_source_check(struct assertion_source *s,
				      struct po_error *err)
{
	enum po_status st =
		s->key ? token_signer_check(s->key->signer, err) : PO_OK;

	if (st != PO_OK)
		leave_key(s);
	return st;
}

void assertion_source_close(struct assertion_source *source)
{
	leave_key(source);
}

enum po_status assertion_source_public(struct assertion_source *s,
				       struct open_key **ret_key,
				       struct po_error *err)
{
	enum po_status st = PO_OK;

	if (!s->key)
		st = open_key(s->env, s->profile, s->index, &s->kept, &s->key,
			      err);
	if (st == PO_OK)
		*ret_key = s->key;
	return st;
}

const struct open_key *assertion_source_open(const struct assertion_source *s)
{
	return s->key;
}

void assertion_source_on_length(struct assertion_source *source,
				assertion_expect *expect, void *user)
{
	source->expect = expect;
	source->user = user;
}

/* ---- one assertion ------------------------------------------------------ */

static bool is_word(const char *value, const char *word)
{
	return value && strcmp(value, word) == 0;
}

/* Everything but the extension, which the caller owns, and the stamp. */
static struct assertion_request request_of(const struct profile *p,
					   const struct identity *id)
{
	bool is_bearer = is_word(p->grant, "jwt-bearer");

	return (struct assertion_request){
		.alg = id->alg,
		.typ = is_word(p->typ, "none") ? NULL : p->typ,
		.kid = id->kid[0] ? id->kid : NULL,
		.x5t = p->x5t ? id->x5t : NULL,
		.x5t_s256 = p->x5t_s256 ? id->x5t_s256 : NULL,
		.x5c = id->x5c,
		.jku = p->jku,
		.issuer = p->assertion_issuer ? p->assertion_issuer
					      : p->client_id,
		/* a sub beside such an iss would ask for delegation */
		.subject = is_bearer ? NULL : p->client_id,
		.audience = profile_audience(p),
		.scope = is_word(p->scope_in, "claim") ? p->scope : NULL,
		.lifetime_s = p->lifetime_s ? p->lifetime_s
					    : ASSERTION_LIFETIME_DEFAULT_S,
		.send_iat = p->iat,
		.send_nbf = p->nbf,
	};
}

static enum po_status extension_of(const struct profile *p,
				   json_t **ret_extensions,
				   struct po_error *err)
{
	if (!p->hl7_b2b[0])
		return PO_OK;
	return extension_hl7_b2b((const char *const *)p->hl7_b2b,
				 ret_extensions, err);
}

/* The use of the key is on record before it happens. */
static enum po_status sign_on_record(struct assertion_source *s,
				     const struct assertion_request *req,
				     struct secret **ret_jwt,
				     struct po_error *err)
{
	enum po_status st = audit_sign(s->env, s->key, req, &s->last_seq, err);

	if (st != PO_OK)
		return st;
	st = assertion_sign(req, s->key->signer, ret_jwt, err);
	if (st == PO_OK)
		return PO_OK;
	audit_pin(s->env, s->key, open_key_pin_failed(s->key), st);
	audit_failure(s->env, s->profile, s->last_seq, st, 0);
	return st;
}

/* The stamp is the last thing before the record and the signature. */
static enum po_status stamp_and_sign(struct assertion_source *s,
				     struct secret **ret_jwt,
				     int64_t *ret_expires_s,
				     struct po_error *err)
{
	struct assertion_request req = request_of(s->profile, &s->id);
	json_auto_t *extensions = NULL;
	char jti[RNG_ID_LEN + 1];
	enum po_status st = extension_of(s->profile, &extensions, err);

	if (st == PO_OK)
		st = rng_id(s->env->clock, jti, err);
	if (st != PO_OK)
		return st;
	req.extensions = extensions;
	req.jti = jti;
	req.now_s = clock_now_s(s->env->clock) + s->profile->clock_offset_s;
	*ret_expires_s = req.now_s + req.lifetime_s;
	log_debug(LOG_OAUTH,
		  "assertion: alg %s, kid %s, jti %s, aud %s, iat %lld, "
		  "exp %lld",
		  alg_name(req.alg), req.kid ? req.kid : "-", jti, req.audience,
		  (long long)req.now_s, (long long)req.now_s + req.lifetime_s);
	return sign_on_record(s, &req, ret_jwt, err);
}

/* Signs; and once more when the device took so long that little life is left.*/
static enum po_status sign_fresh(struct assertion_source *s,
				 struct secret **ret_jwt, struct po_error *err)
{
	po_auto(secret) *jwt = NULL;
	int64_t expires_s = 0, margin_s = ASSERTION_LIFE_LEFT_S;
	int64_t offset_s = s->profile->clock_offset_s;
	int64_t start_s = clock_now_s(s->env->clock);
	int64_t life_s;
	enum po_status st = stamp_and_sign(s, &jwt, &expires_s, err);

	if (st != PO_OK)
		return st;
	life_s = expires_s - offset_s - start_s;
	if (margin_s > life_s / 2)
		margin_s = life_s / 2;
	if (expires_s - offset_s - clock_now_s(s->env->clock) < margin_s) {
		log_warn("signing took %lld s; the assertion is stamped and "
			 "signed anew",
			 (long long)(clock_now_s(s->env->clock) - start_s));
		secret_free(jwt);
		jwt = NULL;
		st = stamp_and_sign(s, &jwt, &expires_s, err);
	}
	if (st == PO_OK)
		*ret_jwt = po_steal(jwt);
	return st;
}

/* ---- the key ------------------------------------------------------------ */

static void announce(const struct assertion_source *s,
		     const struct identity *id)
{
	struct assertion_request req = request_of(s->profile, id);
	json_auto_t *extensions = NULL;
	char jti[RNG_ID_LEN + 1];

	if (!s->expect || extension_of(s->profile, &extensions, NULL) != PO_OK)
		return;
	memset(jti, '0', RNG_ID_LEN);
	jti[RNG_ID_LEN] = '\0';
	req.jti = jti;
	req.extensions = extensions;
	req.now_s = clock_now_s(s->env->clock);
	s->expect(s->user, assertion_length(&req, s->key->signer->pubkey));
}

/* What the token shows before the login is enough for the length. */
static void announce_early(const struct assertion_source *s)
{
	struct identity id;

	if (!s->expect || !s->key->signer->pubkey ||
	    identity_of(s->key, &id, NULL) != PO_OK)
		return;
	announce(s, &id);
	identity_clear(&id);
}

/* A device that comes back with another key is another device. */
static enum po_status check_same_key(struct assertion_source *s,
				     struct po_error *err)
{
	const struct pubkey *pubkey = s->key->signer->pubkey;

	if (!s->expected)
		s->expected = pubkey_ref(pubkey);
	if (pubkey_equal(s->expected, pubkey))
		return PO_OK;
	return po_fail(err, PO_E_CRYPTO, 0,
		       "the token came back with another key");
}

static enum po_status reach_key(struct assertion_source *s,
				struct po_error *err)
{
	enum po_status st = PO_OK;

	if (s->is_unlocked)
		return PO_OK;
	if (!s->key)
		st = open_key(s->env, s->profile, s->index, &s->kept, &s->key,
			      err);
	if (st != PO_OK)
		return st;
	announce_early(s);
	st = open_key_unlock(s->key, err);
	if (st == PO_OK)
		st = check_same_key(s, err);
	if (st == PO_OK)
		st = identity_of(s->key, &s->id, err);
	s->is_unlocked = st == PO_OK;
	return st;
}

/* From the module to the assertion, once; ret_jwt NULL: to the key. */
static enum po_status try_once(struct assertion_source *s,
			       struct secret **ret_jwt, struct po_error *err)
{
	enum po_status st = reach_key(s, err);

	if (st == PO_OK && ret_jwt) {
		s->is_signing = true;
		announce(s, &s->id);
		st = sign_fresh(s, ret_jwt, err);
	}
	return st;
}

/*
 * A session, card or server that was lost is looked for once more, from
 * C_Initialize on. Not after a login that failed: its PIN may have counted.
 */
static enum po_status try_key(struct assertion_source *s,
			      struct secret **ret_jwt, struct po_error *err)
{
	struct po_error why = { 0 };
	enum po_status st = try_once(s, ret_jwt, &why);
	bool is_lost =
		(st == PO_E_DEVICE || st == PO_E_TOKEN || st == PO_E_PIN) &&
		token_signer_may_recover(&why) && !s->kept.in_doubt;

	if (is_lost) {
		log_debug(LOG_CRYPTOKI, "once more from the start, after: %s",
			  why.text);
		why = (struct po_error){ 0 };
		close_key(s);
		st = try_once(s, ret_jwt, &why);
	}
	if (st != PO_OK && err && err->status == PO_OK)
		*err = why;
	return st;
}

/* True when another token may do better: this one is absent or broken. */
static bool passes_on(enum po_status st, const struct assertion_source *s,
		      const struct po_error *why)
{
	switch (st) {
	case PO_E_TOKEN:
	case PO_E_NOT_FOUND: return true;
	case PO_E_DEVICE: return !interrupt_is_pending();
	case PO_E_USER: return why->native == ETIMEDOUT;
	case PO_E_CRYPTO: return s->is_signing; /* it signs rubbish */
	default: return false;
	}
}

static enum po_status next(struct assertion_source *s, struct secret **ret_jwt,
			   struct po_error *err)
{
	char *const *keys = s->profile->key;

	for (;;) {
		struct po_error why = { 0 };
		enum po_status st = try_key(s, ret_jwt, &why);
		bool goes_on = st != PO_OK && keys[s->index + 1] &&
			       passes_on(st, s, &why);

		if (st == PO_OK)
			return PO_OK;
		if (!goes_on) {
			close_key(s);
			if (err && err->status == PO_OK)
				*err = why;
			return st;
		}
		leave_key(s);
		if (s->index == 0)
			s->left_ms = clock_monotonic_ms(s->env->clock);
		log_warn("key '%s': %s; the next one is used", keys[s->index],
			 why.text);
		s->index++;
	}
}

enum po_status assertion_source_next(struct assertion_source *source,
				     struct secret **ret_jwt,
				     struct po_error *err)
{
	return next(source, ret_jwt, err);
}

enum po_status assertion_source_key(struct assertion_source *source,
				    struct open_key **ret_key,
				    struct po_error *err)
{
	enum po_status st = next(source, NULL, err);

	if (st == PO_OK)
		*ret_key = source->key;
	return st;
}

uint64_t assertion_source_last_seq(const struct assertion_source *source)
{
	return source->last_seq;
}

const struct open_key *assertion_source_last(
	const struct assertion_source *source, const struct identity **ret_id)
{
	*ret_id = source->is_unlocked ? &source->id : NULL;
	return source->is_unlocked ? source->key : NULL;
}
