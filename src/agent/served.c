/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/served.h"

#include "base/log.h"
#include "base/text.h"
#include "conf/profile_json.h"
#include "flow/get_token.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S 86400

/* ---- what a profile says ------------------------------------------------ */

bool served_wants_person(const struct served *served)
{
	const char *from = served->profile->pin_from[0];

	return !from || strcmp(from, "prompt") == 0 ||
	       strcmp(from, "pinpad") == 0;
}

bool served_is_locked(const struct served *s, struct po_error *err)
{
	if (!s->is_held && !(s->is_locked && served_wants_person(s)))
		return false;
	if (!s->is_held && s->token_state == TOKEN_ABSENT)
		(void)po_fail(err, PO_E_TOKEN, 0,
			      "profile '%s': token '%s' is not there; put it "
			      "back, then 'p11oauth unlock %s'",
			      s->profile->name, s->token_label,
			      s->profile->name);
	else
		(void)po_fail(err, PO_E_PIN, 0,
			      "profile '%s' is locked; 'p11oauth unlock %s' "
			      "unlocks it",
			      s->profile->name, s->profile->name);
	return true;
}

/* The module, else what the first URI says of it, else nothing: its default. */
static char *module_of(const struct profile *p)
{
	static const char *const names[] = { "module-path=", "module-name=" };
	const char *query = p->key[0] ? strchr(p->key[0], '?') : NULL;

	if (p->module)
		return text_dup(p->module);
	for (size_t i = 0; query && i < PO_ARRAY_SIZE(names); i++) {
		const char *at = strstr(query, names[i]);

		if (at) {
			at += strlen(names[i]);
			return strndup(at, strcspn(at, "&"));
		}
	}
	return text_dup("default");
}

static void served_free(struct served *s)
{
	if (!s)
		return;
	profile_free(s->profile);
	free(s->module);
	free(s);
}

/* Takes over profile, which is complete. NULL: out of memory. */
static struct served *served_new(struct profile *profile)
{
	struct served *s = calloc(1, sizeof(*s));

	if (!s) {
		profile_free(profile);
		return NULL;
	}
	s->profile = profile;
	s->module = module_of(profile);
	if (s->module && profile_digest(profile, s->digest))
		return s;
	served_free(s);
	return NULL;
}

static enum po_status complete(const struct config *config,
			       const struct profile *from,
			       struct served **ret_served, struct po_error *err)
{
	po_auto(profile) *profile = profile_copy(from);
	enum po_status st;

	if (!profile)
		return po_no_memory(err);
	st = config_apply_server(config, profile, err);
	if (st == PO_OK)
		st = get_token_check(profile, err);
	if (st != PO_OK)
		return st;
	*ret_served = served_new(po_steal(profile));
	return *ret_served ? PO_OK : po_no_memory(err);
}

/* ---- the list ----------------------------------------------------------- */

static void take_over(struct served *s, const struct served *old)
{
	if (!old || strcmp(old->digest, s->digest) != 0)
		return;
	s->is_held = old->is_held;
	s->token_state = old->token_state;
	memcpy(s->token_label, old->token_label, sizeof(s->token_label));
	memcpy(s->token_serial, old->token_serial, sizeof(s->token_serial));
	memcpy(s->subject, old->subject, sizeof(s->subject));
	s->not_after_s = old->not_after_s;
	s->warned_days = old->warned_days;
}

static enum po_status take_profiles(const struct config *config,
				    const struct served_list *old,
				    struct served_list *list,
				    struct po_error *err)
{
	list->items =
		calloc(config->profiles.count + 1, sizeof(struct served *));
	if (!list->items)
		return po_no_memory(err);
	for (size_t i = 0; i < config->profiles.count; i++) {
		const struct profile *p = config->profiles.items[i];
		struct po_error why = { 0 };
		struct served *s = NULL;
		enum po_status st = complete(config, p, &s, &why);

		if (st == PO_E_INTERNAL)
			return po_no_memory(err);
		if (st != PO_OK || !s) {
			log_warn("profile '%s' is not served: %s", p->name,
				 why.text);
			continue;
		}
		if (old)
			take_over(s, served_find(old, p->name));
		list->items[list->count++] = s;
	}
	return PO_OK;
}

enum po_status served_load(const char *path, const struct served_list *old,
			   struct served_list *ret_list, struct po_error *err)
{
	struct served_list list = { 0 };
	po_auto(config) *config = NULL;
	enum po_status st = config_load(path, &config, err);

	if (st != PO_OK || !config)
		return st;
	/* profiles borrow the names of files from it */
	list.config = po_steal(config);
	st = take_profiles(list.config, old, &list, err);
	if (st != PO_OK) {
		served_clear(&list);
		return st;
	}
	*ret_list = list;
	return PO_OK;
}

json_t *served_for_worker(const struct served_list *list, const char *module)
{
	json_t *profiles = json_array();

	for (size_t i = 0; profiles && i < list->count; i++) {
		const struct served *s = list->items[i];

		if (strcmp(s->module, module) == 0 &&
		    json_array_append_new(profiles,
					  profile_to_json(s->profile)) != 0) {
			json_decref(profiles);
			return NULL;
		}
	}
	return profiles;
}

enum po_status served_add(struct served_list *list, const json_t *value,
			  struct po_error *err)
{
	struct profile *profile = NULL;
	struct served *s;
	struct served **grown;
	enum po_status st = profile_from_json(value, &profile, err);

	if (st != PO_OK)
		return st;
	s = served_new(profile);
	grown = s ? reallocarray(list->items, list->count + 1,
				 sizeof(struct served *))
		  : NULL;
	if (!grown) {
		served_free(s);
		return po_no_memory(err);
	}
	list->items = grown;
	list->items[list->count++] = s;
	return PO_OK;
}

void served_clear(struct served_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		served_free(list->items[i]);
	free(list->items);
	config_free(list->config);
	*list = (struct served_list){ 0 };
}

struct served *served_find(const struct served_list *list, const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i]->profile->name, name) == 0)
			return list->items[i];
	return NULL;
}

enum po_status served_fail_unknown(const struct served_list *list,
				   const char *name, struct po_error *err)
{
	po_auto_buf names = { 0 };

	buf_init(&names, PO_ERROR_TEXT_MAX / 2);
	for (size_t i = 0; i < list->count; i++)
		if (!buf_addf(&names, "%s%s", i ? ", " : "",
			      list->items[i]->profile->name))
			break;
	return po_fail(err, PO_E_CONFIG, 0,
		       "the agent has no profile '%.64s'; it serves: %s", name,
		       names.len ? buf_text(&names) : "none");
}

/* ---- token and certificate ---------------------------------------------- */

static void copy_text(char *out, size_t size, const char *text)
{
	if (text)
		(void)snprintf(out, size, "%s", text);
}

bool served_has_same_key(const struct served *a, const struct served *b)
{
	char *const *keys_a = a->profile->key;
	char *const *keys_b = b->profile->key;

	while (*keys_a && *keys_b && strcmp(*keys_a, *keys_b) == 0) {
		keys_a++;
		keys_b++;
	}
	return !*keys_a && !*keys_b && strcmp(a->module, b->module) == 0;
}

void served_learn(struct served *s, const json_t *answer,
		  const struct po_error *why)
{
	const json_t *locked = json_object_get(answer, "locked");

	if (locked)
		s->is_locked = json_is_true(locked);
	served_learn_of_key(s, answer, why);
}

void served_learn_of_key(struct served *s, const json_t *answer,
			 const struct po_error *why)
{
	const json_t *token = json_object_get(answer, "token");
	const json_t *cert = json_object_get(answer, "certificate");

	copy_text(s->token_label, sizeof(s->token_label),
		  json_text(token, "label"));
	copy_text(s->token_serial, sizeof(s->token_serial),
		  json_text(token, "serial"));
	if (token)
		s->token_state = TOKEN_PRESENT;
	if (why && why->status == PO_E_TOKEN)
		s->token_state = TOKEN_ABSENT;
	else if (why && why->status == PO_E_DEVICE)
		s->token_state = TOKEN_FAILED;
	if (cert && json_text(cert, "subject")) {
		int64_t not_after_s =
			json_integer_value(json_object_get(cert, "not_after"));

		if (not_after_s != s->not_after_s)
			s->warned_days = 0;
		s->not_after_s = not_after_s;
		copy_text(s->subject, sizeof(s->subject),
			  json_text(cert, "subject"));
	}
}

int served_days_warning(const struct served *s, int64_t now_s)
{
	static const int steps[] = { 0, 1, 7, 14, 30 };

	if (!s->subject[0])
		return -1;
	for (size_t i = 0; i < PO_ARRAY_SIZE(steps); i++)
		if (s->not_after_s - now_s <= (int64_t)steps[i] * DAY_S)
			return steps[i];
	return -1;
}

void served_watch(struct served *s, int64_t now_s)
{
	int days = served_days_warning(s, now_s);
	char date[32];

	/* warned_days is one more than the step, so that 0 is "none yet" */
	if (days < 0 || (s->warned_days && days + 1 >= s->warned_days))
		return;
	s->warned_days = days + 1;
	text_utc(date, s->not_after_s);
	if (days == 0)
		log_warn("profile '%s': certificate '%s' ended on %s",
			 s->profile->name, s->subject, date);
	else
		log_warn("profile '%s': certificate '%s' ends on %s, in less "
			 "than %d day%s; have a successor for the same key put "
			 "on the token",
			 s->profile->name, s->subject, date, days,
			 days == 1 ? "" : "s");
}
