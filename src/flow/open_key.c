/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/open_key.h"

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/text.h"
#include "cryptoki/token_signer.h"
#include "flow/audit.h"

#include <stdlib.h>
#include <string.h>

#define EXPIRY_WARNING_S ((int64_t)30 * 86400)

static enum po_status read_certificate_file(struct open_key *key,
					    struct po_error *err)
{
	const char *path = key->profile->certificate_file;
	po_auto_buf text = { 0 };
	enum po_status st;

	if (!path)
		return PO_OK;
	buf_init(&text, CERTIFICATE_PEM_MAX);
	st = fs_read(path, &text, err);
	if (st == PO_OK)
		st = po_context(err,
				certificate_list_parse(buf_text(&text),
						       text.len, &key->extra,
						       err),
				"'%s'", path);
	return po_context(err, st, "certificate-file");
}

static enum po_status check_dates(const struct open_key *key,
				  const struct certificate *cert,
				  struct po_error *err)
{
	int64_t from_s = certificate_not_before_s(cert);
	int64_t until_s = certificate_not_after_s(cert);
	const char *expiry = key->profile->certificate_expiry;
	bool is_error = expiry && strcmp(expiry, "error") == 0;
	const char *subject = certificate_subject(cert);
	char date[32];

	if (key->now_s < from_s) {
		text_utc(date, from_s);
		if (is_error)
			return po_fail(err, PO_E_CRYPTO, 0,
				       "certificate '%s' is not valid before "
				       "%s",
				       subject, date);
		log_warn("certificate '%s' is not valid before %s", subject,
			 date);
		return PO_OK;
	}
	text_utc(date, until_s);
	if (key->now_s > until_s && is_error)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "certificate '%s' expired on %s; register a "
			       "renewed one with the server",
			       subject, date);
	if (key->now_s > until_s)
		log_warn("certificate '%s' expired on %s; some servers refuse "
			 "that with a bare invalid_client",
			 subject, date);
	else if (until_s - key->now_s < EXPIRY_WARNING_S)
		log_warn("certificate '%s' expires on %s", subject, date);
	return PO_OK;
}

/* The rules of a server name what it takes; a key may make something else. */
static void warn_of_algorithm(const struct open_key *key)
{
	const struct profile *p = key->profile;
	const char *const *rules = (const char *const *)p->algorithms;
	enum alg alg = alg_default(key->signer->pubkey);
	bool fits = false;

	if (!rules[0] ||
	    (p->algorithm && text_word_index(p->algorithm, rules) >= 0))
		return;
	for (size_t i = 0; !p->algorithm && !fits && rules[i]; i++)
		fits = alg_parse(rules[i], &alg, NULL) == PO_OK &&
		       alg_check_key(alg, key->signer->pubkey, NULL) == PO_OK;
	if (!fits)
		log_warn("the server takes %s%s, not the algorithm of this key "
			 "or profile; it is used all the same",
			 rules[0], rules[1] ? " and others" : "");
}

/* What the public side says, once: as soon as it is known. */
static enum po_status check_public_side(struct open_key *key,
					struct po_error *err)
{
	const struct signer *s = key->signer;
	enum po_status st = PO_OK;
	enum alg alg;

	if (s->pubkey && key->profile->algorithm) {
		st = alg_parse(key->profile->algorithm, &alg, err);
		if (st == PO_OK)
			st = alg_check_key(alg, s->pubkey, err);
	} else if (s->pubkey) {
		st = alg_check_key(alg_default(s->pubkey), s->pubkey, err);
	}
	if (st == PO_OK && s->pubkey && !key->algorithm_checked) {
		key->algorithm_checked = true;
		warn_of_algorithm(key);
	}
	if (st != PO_OK || !s->cert || key->certificate_checked)
		return st;
	key->certificate_checked = true;
	if (s->cert_count > 1) {
		char date[32];

		text_utc(date, certificate_not_before_s(s->cert));
		log_warn("%zu certificates of the key are on the token; the "
			 "one that is valid from %s is used",
			 s->cert_count, date);
	}
	if (!certificate_may_sign(s->cert))
		log_warn("certificate '%s' is not for digital signatures "
			 "(keyUsage)",
			 certificate_subject(s->cert));
	return check_dates(key, s->cert, err);
}

/* One source for all keys, or each key its own. */
static const char *pin_source_of(const struct profile *p, size_t index)
{
	return p->pin_from[0] && p->pin_from[1] ? p->pin_from[index]
						: p->pin_from[0];
}

static enum po_status open_signer(struct open_key *key, size_t index,
				  struct kept_pin *kept, struct po_error *err)
{
	const struct profile *p = key->profile;
	struct token_signer_request req = {
		.clock = key->env->clock,
		.uri = p->key[index],
		.module = p->module,
		.init_args = p->module_init_args,
		.timeout_s = p->token_timeout_s,
		.certificates = &key->extra,
		.pin = &key->pin,
		.kept = kept ? kept : &key->own_kept,
		.spki = (const char *const *)p->key_spki,
		.claims = (const char *const *)p->key_policy,
	};

	key->kept = req.kept;
	if (key->extra.count == 0)
		req.certificates = NULL;
	return token_signer_open(&req, &key->signer, err);
}

enum po_status open_key(const struct po_env *env, const struct profile *profile,
			size_t index, struct kept_pin *kept,
			struct open_key **ret_key, struct po_error *err)
{
	po_auto(open_key) *key = NULL;
	enum po_status st;

	if (!profile->key[0])
		return profile_missing(profile, "key", err);
	st = profile_check(profile, err);
	if (st != PO_OK)
		return st;
	key = calloc(1, sizeof(*key));
	if (!key)
		return po_no_memory(err);
	key->env = env;
	key->profile = profile;
	key->now_s = clock_now_s(env->clock);
	key->purpose = (struct pin_purpose){
		.profile = profile->name,
		.client_id = profile->client_id,
		.audience = profile_audience(profile),
	};
	key->pin = (struct pin_request){
		.from = pin_source_of(profile, index),
		.pinentry = profile->pinentry,
		.asker = env->asker,
		.purpose = &key->purpose,
		.retry = profile->retry_pin,
	};
	st = read_certificate_file(key, err);
	if (st == PO_OK)
		st = open_signer(key, index, kept, err);
	if (st == PO_OK)
		st = check_public_side(key, err);
	if (st == PO_OK)
		*ret_key = po_steal(key);
	return st;
}

enum po_status open_key_unlock(struct open_key *key, struct po_error *err)
{
	bool failed_before = open_key_pin_failed(key);
	enum po_status st = signer_unlock(key->signer, err);

	if (st == PO_OK)
		return check_public_side(key, err);
	audit_pin(key->env, key, open_key_pin_failed(key) && !failed_before,
		  st);
	return st;
}

bool open_key_pin_failed(const struct open_key *key)
{
	return key->kept->in_doubt;
}

/* len 0: none. */
static bool is_same_certificate(const struct certificate *a, const uint8_t *der,
				size_t len)
{
	return a ? certificate_has_der(a, der, len) : len == 0;
}

enum po_status open_key_refresh(struct open_key *key, struct po_error *err)
{
	struct signer *s = key->signer;
	size_t len = 0;
	const uint8_t *der = s->cert ? certificate_der(s->cert, &len) : NULL;
	uint8_t *before = len ? malloc(len) : NULL;
	enum po_status st = PO_OK;

	if (len && !before)
		return po_no_memory(err);
	if (len)
		memcpy(before, der, len);
	if (key->extra.count > 0) { /* the signer borrows the list itself */
		certificate_list_clear(&key->extra);
		st = read_certificate_file(key, err);
	}
	if (st == PO_OK)
		st = token_signer_refresh(s, err);
	if (st == PO_OK && !is_same_certificate(s->cert, before, len)) {
		log_say("profile '%s': another certificate of the key is used "
			"from now on: '%s'",
			key->profile->name ? key->profile->name : "",
			certificate_subject(s->cert));
		key->certificate_checked = false;
	}
	free(before);
	return st == PO_OK ? check_public_side(key, err) : st;
}

void open_key_free(struct open_key *key)
{
	if (!key)
		return;
	signer_free(key->signer); /* borrows the list */
	kept_pin_clear(&key->own_kept);
	certificate_list_clear(&key->extra);
	free(key);
}
