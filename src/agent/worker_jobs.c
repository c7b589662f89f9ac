/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker_jobs.c - what a worker does for the agent.
 */
#include "agent/worker_impl.h"

#include "flow/get_token.h"

#include <string.h>

bool job_is(const struct job *job, const char *op)
{
	const char *named = json_text(job->message, "op");

	return named && strcmp(named, op) == 0;
}

/* ---- what is known of the key in use ------------------------------------ */

static bool set(json_t *object, const char *name, json_t *value)
{
	return value && json_object_set_new(object, name, value) == 0;
}

static void describe_certificate(const struct certificate *cert, json_t *answer)
{
	(void)set(answer, "certificate",
		  json_pack("{s:s, s:I}", "subject", certificate_subject(cert),
			    "not_after",
			    (json_int_t)certificate_not_after_s(cert)));
}

static void describe_key(const struct open_key *key, json_t *answer)
{
	const struct signer *s = key->signer;

	(void)set(answer, "token",
		  json_pack("{s:s, s:s}", "label", s->token_label, "serial",
			    s->token_serial));
	if (s->cert)
		describe_certificate(s->cert, answer);
}

/* At the end of each job that took the desk. */
static void describe(struct job *job, struct assertion_source *source)
{
	const struct open_key *key = assertion_source_open(source);

	if (key)
		describe_key(key, job->answer);
}

/* What a failure means for the PINs that are kept here. */
static void judge_failure(struct job *job, struct assertion_source *source,
			  const struct po_error *why)
{
	const struct open_key *key = assertion_source_open(source);
	bool is_about_pin =
		why->status == PO_E_PIN || why->status == PO_E_PIN_LOCKED;

	if (is_about_pin && served_wants_person(job->served))
		(void)set(job->answer, "locked", json_true());
	if (is_about_pin && key)
		(void)pins_forget(job->worker->pins, key->signer->token_label,
				  key->signer->token_serial);
	/* a card that was taken away is another one when it comes back */
	if (why->status == PO_E_TOKEN) {
		if (job->served->token_label[0])
			(void)pins_forget(job->worker->pins,
					  job->served->token_label,
					  job->served->token_serial);
		assertion_source_close(source);
		if (served_wants_person(job->served))
			(void)set(job->answer, "locked", json_true());
	}
}

static void remember_token(struct job *job)
{
	served_learn(job->served, job->answer, NULL);
}

/* ---- the jobs ----------------------------------------------------------- */

static struct profile *profile_for(const struct job *job, struct po_error *err)
{
	static const struct origin origin = { .kind = ORIGIN_OPTION };
	struct profile *p = profile_copy(job->served->profile);
	const char *scope = json_text(job->message, "scope");

	if (!p) {
		(void)po_no_memory(err);
		return NULL;
	}
	if (scope && profile_set(p, profile_setting("scope"), scope, &origin,
				 err) != PO_OK) {
		profile_free(p);
		return NULL;
	}
	return p;
}

static enum po_status put_token(struct job *job,
				const struct access_token *token, uint64_t seq,
				struct po_error *err)
{
	json_auto_t *members = json_copy(token->answer);

	if (members)
		(void)json_object_del(members, "access_token");
	if (members && token->expiry_is_assumed &&
	    !set(members, "expires_in_assumed", json_true()))
		return po_no_memory(err);
	if (members &&
	    set(job->answer, "access_token",
		json_string(secret_reveal(token->value))) &&
	    json_object_set(job->answer, "answer", members) == 0 &&
	    set(job->answer, "life_s", json_integer(token->expires_in_s)) &&
	    set(job->answer, "asked_ms", json_integer(token->asked_ms)) &&
	    set(job->answer, "sign_seq", json_integer((json_int_t)seq)))
		return PO_OK;
	return po_no_memory(err);
}

static void after_token(struct job *job, const struct profile *profile,
			const struct po_error *why)
{
	struct assertion_source *source =
		key_desk_look(job->worker->desk, profile);

	if (source && why->status != PO_OK)
		judge_failure(job, source, why);
	if (source)
		describe(job, source);
	remember_token(job);
	key_desk_give(job->worker->desk);
	if (why->status == PO_OK && served_wants_person(job->served))
		(void)set(job->answer, "locked", json_false());
}

static enum po_status do_token(struct job *job, struct po_error *err)
{
	po_auto(access_token) *token = NULL;
	po_auto(profile) *profile = profile_for(job, err);
	uint64_t seq = 0;
	enum po_status st;

	if (!profile)
		return err->status;
	st = get_token_unissued(&job->env, profile, &token, &seq, err);
	after_token(job, profile, err);
	return st == PO_OK ? put_token(job, token, seq, err) : st;
}

/* Reaches the key: publicly, or with what PIN there is. */
static enum po_status reach(struct job *job, struct assertion_source *source,
			    bool login, struct po_error *err)
{
	struct open_key *key = NULL;
	enum po_status st = assertion_source_check(source, err);

	if (st != PO_OK)
		po_error_clear(err);
	st = login ? assertion_source_key(source, &key, err)
		   : assertion_source_public(source, &key, err);
	if (st != PO_OK)
		judge_failure(job, source, err);
	describe(job, source);
	remember_token(job);
	return st;
}

/* True when the open key is logged in and another's: it is not closed for a
 * look. */
static bool is_in_use(struct job *job)
{
	struct assertion_source *mine =
		key_desk_look(job->worker->desk, job->served->profile);
	const struct identity *id;
	bool in_use = false;

	if (!mine) {
		key_desk_give(job->worker->desk);
		mine = key_desk_look(job->worker->desk, NULL);
		in_use = mine && assertion_source_last(mine, &id) != NULL;
	}
	key_desk_give(job->worker->desk);
	return in_use;
}

/*
 * First what can be seen without a login. Where a person types the PIN, a login
 * is then tried without one: it ends where the PIN is asked for, and tells
 * whether there is need of one.
 */
static enum po_status do_look(struct job *job, struct po_error *err)
{
	bool wants_person = served_wants_person(job->served);
	struct assertion_source *source = NULL;
	enum po_status st;

	if (is_in_use(job))
		return PO_OK;
	st = key_desk_take(job->worker->desk, &job->env, job->served->profile,
			   &source, err);
	if (st != PO_OK)
		return st;
	st = reach(job, source, /* login= */ false, err);
	if (wants_person && (st == PO_OK || st == PO_E_NOT_FOUND)) {
		po_error_clear(err);
		st = reach(job, source, /* login= */ true, err);
	}
	if (st == PO_OK && wants_person)
		(void)set(job->answer, "locked", json_false());
	key_desk_give(job->worker->desk);
	if (wants_person && st == PO_E_PIN) { /* that was the question */
		po_error_clear(err);
		return PO_OK;
	}
	return st;
}

/* After the key was reached with the PIN that is offered, or without need of
 * one. */
static enum po_status keep_pin(struct job *job, struct po_error *err)
{
	const json_t *token = json_object_get(job->answer, "token");
	const char *label = json_text(token, "label");
	const char *serial = json_text(token, "serial");
	struct pins *pins = job->worker->pins;

	if (!label || !serial)
		return PO_OK;
	if (!pins_offer_fits(pins, label, serial))
		return po_fail(err, PO_E_PIN, 0,
			       "token '%s' is unlocked, by another PIN than "
			       "this one, which was not sent",
			       label);
	pins_keep(pins, label, serial);
	return PO_OK;
}

static enum po_status do_unlock(struct job *job, struct po_error *err)
{
	const char *text = json_text(job->message, "pin");
	struct secret *pin = text ? secret_from(text, strlen(text)) : NULL;
	struct worker *w = job->worker;
	struct assertion_source *source = NULL;
	enum po_status st = key_desk_take(w->desk, &job->env,
					  job->served->profile, &source, err);

	if (st != PO_OK) {
		secret_free(pin);
		return st;
	}
	pins_offer(w->pins, pin);
	st = reach(job, source, /* login= */ true, err);
	if (st == PO_OK) {
		(void)set(job->answer, "locked", json_false());
		st = keep_pin(job, err);
	}
	pins_withdraw(w->pins);
	key_desk_give(w->desk);
	return st;
}

static enum po_status do_jwks(struct job *job, struct po_error *err)
{
	struct assertion_source *source = NULL;
	struct open_key *key = NULL;
	json_auto_t *jwk = NULL;
	struct identity id;
	enum po_status st = key_desk_take(job->worker->desk, &job->env,
					  job->served->profile, &source, err);

	if (st != PO_OK)
		return st;
	st = assertion_source_public(source, &key, err);
	if (st == PO_OK && !key->signer->pubkey)
		st = assertion_source_key(source, &key, err);
	if (st == PO_OK)
		st = identity_of(key, &id, err);
	if (st == PO_OK) {
		st = identity_jwk(key, &id, &jwk, err);
		identity_clear(&id);
	}
	describe(job, source);
	key_desk_give(job->worker->desk);
	if (st == PO_OK &&
	    !set(job->answer, "jwks", json_pack("{s:[O]}", "keys", jwk)))
		return po_no_memory(err);
	return st;
}

static const struct {
	const char *op;
	enum po_status (*run)(struct job *job, struct po_error *err);
} ops[] = {
	{ "token", do_token },
	{ "look", do_look },
	{ "unlock", do_unlock },
	{ "jwks", do_jwks },
};

static enum po_status check_profile(struct job *job, struct po_error *err)
{
	const char *name = json_text(job->message, "profile");
	const char *digest = json_text(job->message, "digest");

	job->served = name ? served_find(&job->worker->served, name) : NULL;
	if (job->served && digest && strcmp(digest, job->served->digest) == 0)
		return PO_OK;
	return po_fail(err, PO_E_INTERNAL, 0,
		       "the worker was told another profile than the agent "
		       "has");
}

enum po_status job_run(struct job *job, struct po_error *err)
{
	enum po_status st = check_profile(job, err);

	for (size_t i = 0; st == PO_OK && i < PO_ARRAY_SIZE(ops); i++)
		if (job_is(job, ops[i].op))
			return ops[i].run(job, err);
	return st == PO_OK ? po_fail(err, PO_E_INTERNAL, 0, "no such job") : st;
}
