/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/audit.h"

#include "audit/ledger.h"
#include "base/log.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <stdatomic.h>
#include <string.h>

#define FINGERPRINT_BYTES 8
#define SHOWN_MAX (4 * PROFILE_TEXT_MAX)

/* ---- to the ledger ------------------------------------------------------- */

static bool is_word(const char *value, const char *word)
{
	return value && strcmp(value, word) == 0;
}

static enum po_status path_of(const struct profile *p, char out[PATH_MAX],
			      struct po_error *err)
{
	if (!p->audit_file)
		return ledger_default_path(out, err);
	if (strlen(p->audit_file) >= PATH_MAX)
		return profile_fault(p, "audit-file", err,
				     "the path is too long");
	(void)snprintf(out, PATH_MAX, "%s", p->audit_file);
	return PO_OK;
}

static bool add_peer(json_t *record, const struct requester *peer)
{
	static const char *const events[] = { "sign", "issue",  "pin", "refuse",
					      "lock", "unlock", NULL };

	if (text_word_index(json_text(record, "event"), events) < 0)
		return true;
	return json_object_set_new(record, "peer",
				   peer ? requester_json(peer) : json_null()) ==
	       0;
}

static enum po_status write_record(const struct ledger *ledger, json_t *record,
				   const struct requester *peer,
				   uint64_t *ret_seq, struct po_error *err)
{
	bool sync = is_word(json_text(record, "event"), "sign");
	struct ledger_place place;
	enum po_status st;

	if (!add_peer(record, peer))
		return po_no_memory(err);
	st = ledger_append(ledger, record, sync, &place, err);
	if (st == PO_OK)
		*ret_seq = place.seq;
	return st;
}

/*
 * A user without any folder for state has no ledger unless he asked for one: a
 * warning at each run would be noise that hides others.
 */
static void warn_once(const struct profile *p, bool has_place,
		      const struct po_error *why)
{
	static atomic_flag warned = ATOMIC_FLAG_INIT;

	if (!has_place && !profile_chose(p, "audit"))
		log_debug(LOG_CONF, "no ledger is kept: %s", why->text);
	else if (!atomic_flag_test_and_set(&warned))
		log_warn("the use of the key is not recorded: %s", why->text);
}

enum po_status audit_write(const struct po_clock *clock,
			   const struct profile *profile, json_t *record,
			   const struct requester *peer, uint64_t *ret_seq,
			   struct po_error *err)
{
	json_auto_t *owned = record;
	struct po_error why = { 0 };
	char path[PATH_MAX];
	const struct ledger ledger = { path, clock };
	bool has_place;
	enum po_status st;

	*ret_seq = 0;
	if (is_word(profile->audit, "off"))
		return PO_OK;
	if (!owned)
		return po_no_memory(err);
	st = path_of(profile, path, &why);
	has_place = st == PO_OK || why.native != 0 || profile->audit_file;
	if (st == PO_OK)
		st = write_record(&ledger, owned, peer, ret_seq, &why);
	if (st == PO_OK)
		return PO_OK;
	if (is_word(profile->audit, "required") || st == PO_E_USER)
		return po_fail(err, st, why.native, "audit: %s", why.text);
	warn_once(profile, has_place, &why);
	return PO_OK;
}

static enum po_status record_as_process(void *user,
					const struct po_clock *clock,
					const struct profile *profile,
					json_t *record, uint64_t *ret_seq,
					struct po_error *err)
{
	struct requester self;

	(void)user;
	requester_self(&self);
	return audit_write(clock, profile, record, &self, ret_seq, err);
}

struct audit_trail audit_trail_of_process(void)
{
	return (struct audit_trail){ .record = record_as_process };
}

static enum po_status hand_over(const struct po_env *env,
				const struct profile *profile, json_t *record,
				uint64_t *ret_seq, struct po_error *err)
{
	*ret_seq = 0;
	if (env->audit.record)
		return env->audit.record(env->audit.user, env->clock, profile,
					 record, ret_seq, err);
	json_decref(record);
	return PO_OK;
}

/* ---- the records --------------------------------------------------------- */

/* What comes from outside may hold any byte, a JSON text may not. */
static json_t *text_or_null(const char *text)
{
	json_t *value = text ? json_string(text) : json_null();
	po_auto_buf shown = { 0 };

	if (value)
		return value;
	buf_init(&shown, SHOWN_MAX);
	if (!text_add_printable(&shown, text, strlen(text)))
		return NULL;
	return json_string(buf_text(&shown));
}

static json_t *hex(const uint8_t *data, size_t len)
{
	char out[2 * PUBKEY_SHA256_LEN + 1];

	text_hex_upper(out, data, len);
	for (char *c = out; *c; c++)
		if (*c >= 'A')
			*c = (char)(*c - 'A' + 'a');
	return json_string(out);
}

static json_t *spki_of(const struct signer *signer)
{
	uint8_t hash[PUBKEY_SHA256_LEN];

	if (!signer->pubkey ||
	    pubkey_spki_sha256(signer->pubkey, hash, NULL) != PO_OK)
		return json_null();
	return hex(hash, sizeof(hash));
}

static json_t *token_of(const struct signer *signer)
{
	return json_pack("{s:o, s:o}", "label",
			 text_or_null(signer->token_label), "serial",
			 text_or_null(signer->token_serial));
}

/* What all records about a key begin with. */
static json_t *record_of_key(const char *event, const struct open_key *key)
{
	const struct profile *p = key->profile;

	return json_pack("{s:s, s:o, s:o, s:o}", "event", event, "profile",
			 text_or_null(p->name), "client_id",
			 text_or_null(p->client_id), "token",
			 token_of(key->signer));
}

enum po_status audit_sign(const struct po_env *env, const struct open_key *key,
			  const struct assertion_request *req,
			  uint64_t *ret_seq, struct po_error *err)
{
	json_auto_t *record = record_of_key("sign", key);
	json_auto_t *more = json_pack(
		"{s:o, s:o, s:s, s:s, s:o, s:o, s:I, s:s}", "spki",
		spki_of(key->signer), "kid", text_or_null(req->kid), "alg",
		alg_name(req->alg), "jti", req->jti, "aud",
		text_or_null(req->audience), "scope",
		text_or_null(key->profile->scope), "exp",
		(json_int_t)req->now_s + req->lifetime_s, "use", "assertion");

	if (!record || json_object_update(record, more) != 0)
		return po_no_memory(err);
	return hand_over(env, key->profile, po_steal(record), ret_seq, err);
}

enum po_status audit_sign_tls(const struct po_env *env,
			      const struct open_key *key, const char *url,
			      uint64_t of, uint64_t *ret_seq,
			      struct po_error *err)
{
	json_auto_t *record = record_of_key("sign", key);
	json_auto_t *more =
		json_pack("{s:o, s:o, s:s}", "spki", spki_of(key->signer),
			  "aud", text_or_null(url), "use", "tls");

	if (!record || json_object_update(record, more) != 0 ||
	    (of > 0 && json_object_set_new(record, "of",
					   json_integer((json_int_t)of)) != 0))
		return po_no_memory(err);
	return hand_over(env, key->profile, po_steal(record), ret_seq, err);
}

static json_t *fingerprint_of(const struct access_token *token)
{
	char text[sizeof("sha256:") + 2 * (size_t)FINGERPRINT_BYTES];
	uint8_t hash[PUBKEY_SHA256_LEN];
	json_auto_t *digits = NULL;

	if (!EVP_Digest(secret_reveal(token->value), secret_len(token->value),
			hash, NULL, EVP_sha256(), NULL))
		return NULL;
	digits = hex(hash, FINGERPRINT_BYTES);
	(void)snprintf(text, sizeof(text), "sha256:%s",
		       digits ? json_string_value(digits) : "");
	return json_string(text);
}

static json_t *answer_record(uint64_t of, enum po_status status,
			     long http_status)
{
	return json_pack("{s:s, s:I, s:s, s:o}", "event", "answer", "of",
			 (json_int_t)of, "status", po_status_name(status),
			 "http_status",
			 http_status ? json_integer(http_status) : json_null());
}

enum po_status audit_answer(const struct po_env *env,
			    const struct profile *profile, uint64_t of,
			    long http_status, const struct access_token *token,
			    struct po_error *err)
{
	json_auto_t *record = NULL;
	uint64_t seq;

	if (of == 0)
		return PO_OK;
	record = answer_record(of, PO_OK, http_status);
	if (!record ||
	    json_object_set_new(record, "access_token",
				fingerprint_of(token)) != 0 ||
	    json_object_set_new(record, "expires_at",
				json_integer(token->expires_at_s)) != 0)
		return po_no_memory(err);
	return hand_over(env, profile, po_steal(record), &seq, err);
}

void audit_failure(const struct po_env *env, const struct profile *profile,
		   uint64_t of, enum po_status status, long http_status)
{
	json_auto_t *record = NULL;
	struct po_error why = { 0 };
	uint64_t seq;
	enum po_status st;

	if (of == 0)
		return;
	record = answer_record(of, status, http_status);
	st = record ? hand_over(env, profile, po_steal(record), &seq, &why)
		    : po_no_memory(&why);
	if (st != PO_OK)
		log_warn("%s", why.text);
}

enum po_status audit_issue(const struct po_env *env,
			   const struct profile *profile, uint64_t of,
			   const struct access_token *token,
			   struct po_error *err)
{
	json_auto_t *record = json_pack(
		"{s:s, s:o, s:o, s:o, s:o, s:I}", "event", "issue", "of",
		of ? json_integer((json_int_t)of) : json_null(), "profile",
		text_or_null(profile->name), "scope",
		text_or_null(token->scope ? token->scope : profile->scope),
		"access_token", fingerprint_of(token), "expires_at",
		(json_int_t)token->expires_at_s);
	uint64_t seq;

	if (!record)
		return po_no_memory(err);
	return hand_over(env, profile, po_steal(record), &seq, err);
}

/* "file" of "file:/etc/pin": where a PIN lies is nobody's business. */
static json_t *source_kind(const struct open_key *key)
{
	static const char *const kinds[] = { "prompt", "pinpad", "file", "fd",
					     "env",    "cred",   "cmd",  NULL };
	const char *source = pin_request_source(&key->pin);

	for (size_t i = 0; kinds[i]; i++)
		if (strlen(kinds[i]) == strcspn(source, ":") &&
		    strncmp(source, kinds[i], strlen(kinds[i])) == 0)
			return json_string(kinds[i]);
	return json_null();
}

void audit_pin(const struct po_env *env, const struct open_key *key, bool sent,
	       enum po_status status)
{
	json_auto_t *record = NULL;
	struct po_error why = { 0 };
	uint64_t seq;

	if (status != PO_E_PIN && status != PO_E_PIN_LOCKED)
		return;
	record = record_of_key("pin", key);
	if (!record ||
	    json_object_set_new(record, "source", source_kind(key)) != 0 ||
	    json_object_set_new(record, "sent", json_boolean(sent)) != 0 ||
	    json_object_set_new(record, "status",
				json_string(po_status_name(status))) != 0)
		return;
	if (hand_over(env, key->profile, po_steal(record), &seq, &why) != PO_OK)
		log_warn("%s", why.text);
}
