/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/profile.h"

#include "base/environment.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENVIRONMENT_PREFIX "P11OAUTH_"

static char **text_field(struct profile *p, const struct setting *s)
{
	return (char **)(void *)((char *)p + s->offset);
}

struct profile *profile_new(const char *name)
{
	struct profile *p = calloc(1, sizeof(*p));

	if (p && name && !(p->name = text_dup(name))) {
		free(p);
		return NULL;
	}
	return p;
}

static void clear_list(char **list)
{
	for (; *list; list++) {
		free(*list);
		*list = NULL;
	}
}

void profile_free(struct profile *profile)
{
	if (!profile)
		return;
	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];

		if (s->kind == SETTING_TEXT)
			free(*text_field(profile, s));
		else if (s->kind == SETTING_LIST)
			clear_list(text_field(profile, s));
	}
	sinks_free(profile->sinks, profile->sink_count);
	free(profile->discovered_at);
	free(profile->name);
	free(profile);
}

/* Gives the copy its own texts; on failure what is not copied yet is NULL. */
static bool own_texts(struct profile *copy)
{
	bool ok = true;

	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];
		char **field = text_field(copy, s);
		size_t n = s->kind == SETTING_TEXT   ? 1
			   : s->kind == SETTING_LIST ? PROFILE_LIST_MAX
						     : 0;

		for (size_t j = 0; j < n && field[j]; j++) {
			field[j] = ok ? text_dup(field[j]) : NULL;
			ok = ok && field[j];
		}
	}
	return ok;
}

struct profile *profile_copy(const struct profile *profile)
{
	po_auto(profile) *copy = malloc(sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *profile;
	copy->discovered_at = NULL; /* no copy is made after discovery */
	if (copy->name)
		copy->name = text_dup(copy->name);
	copy->sinks = sinks_copy(profile->sinks, profile->sink_count);
	copy->sink_count = copy->sinks ? profile->sink_count : 0;
	if (!own_texts(copy) || (profile->name && !copy->name) ||
	    copy->sink_count != profile->sink_count)
		return NULL;
	return po_steal(copy);
}

const struct setting *profile_setting(const char *name)
{
	for (size_t i = 0; i < profile_settings_count; i++)
		if (strcmp(profile_settings[i].name, name) == 0)
			return &profile_settings[i];
	return NULL;
}

static struct origin *origin_of(struct profile *p, const struct setting *s)
{
	return &p->origin[s - profile_settings];
}

/* ---- values ------------------------------------------------------------- */

static void list_words(const struct setting *s, struct buf *out)
{
	for (size_t i = 0; s->words[i]; i++)
		if (!buf_addf(out, "%s%s", i ? ", " : "", s->words[i]))
			return;
}

static enum po_status check_text(const struct profile *p,
				 const struct setting *s, const char *text,
				 struct po_error *err)
{
	size_t len = strlen(text);
	po_auto_buf words = { 0 };

	buf_init(&words, 512);
	if (len > PROFILE_TEXT_MAX)
		return profile_fault(p, s->name, err, "longer than %d bytes",
				     PROFILE_TEXT_MAX);
	if (!text_is_utf8(text, len))
		return profile_fault(p, s->name, err, "not UTF-8 text");
	if (len == 0)
		return profile_fault(p, s->name, err, "the value is empty");
	if (!s->only_words || text_word_index(text, s->words) >= 0)
		return PO_OK;
	list_words(s, &words);
	return profile_fault(p, s->name, err, "'%s' is none of %s", text,
			     buf_text(&words));
}

static enum po_status set_list(struct profile *p, const struct setting *s,
			       const char *text, struct po_error *err)
{
	char **list = text_field(p, s);
	size_t n = 0;

	while (list[n])
		n++;
	if (n == PROFILE_LIST_MAX)
		return profile_fault(p, s->name, err, "more than %d values",
				     PROFILE_LIST_MAX);
	list[n] = text_dup(text);
	return list[n] ? PO_OK : po_no_memory(err);
}

static bool number(const struct setting *s, const char *text, int64_t *value)
{
	bool negative = s->kind == SETTING_OFFSET && *text == '-';
	int64_t limit = negative ? -s->min : s->max;
	uint64_t digits = 0;

	if (s->kind == SETTING_OFFSET && (*text == '-' || *text == '+'))
		text++;
	if (s->kind == SETTING_BYTES) {
		if (!text_to_uint(text, (uint64_t)limit, &digits))
			return false;
		*value = (int64_t)digits;
	} else if (!text_to_seconds(text, limit, value)) {
		return false;
	}
	if (negative)
		*value = -*value;
	return *value >= s->min;
}

static enum po_status set_value(struct profile *p, const struct setting *s,
				const char *text, struct po_error *err)
{
	void *field = (char *)p + s->offset;
	int64_t value = 0;
	char **slot = text_field(p, s);
	char *copy;

	switch (s->kind) {
	case SETTING_LIST: return set_list(p, s, text, err);
	case SETTING_BOOL:
		if (text_to_bool(text, field))
			return PO_OK;
		return profile_fault(p, s->name, err, "'%s' is not yes or no",
				     text);
	case SETTING_SECONDS:
	case SETTING_OFFSET:
	case SETTING_BYTES:
		if (number(s, text, &value)) {
			*(int64_t *)field = value;
			return PO_OK;
		}
		return profile_fault(
			p, s->name, err,
			"'%s' is no number of %s from %lld to "
			"%lld",
			text, s->kind == SETTING_BYTES ? "bytes" : "seconds",
			(long long)s->min, (long long)s->max);
	case SETTING_TEXT: break;
	}
	copy = text_dup(text);
	if (!copy)
		return po_no_memory(err);
	free(*slot);
	*slot = copy;
	return PO_OK;
}

enum po_status profile_set(struct profile *profile,
			   const struct setting *setting, const char *text,
			   const struct origin *origin, struct po_error *err)
{
	struct origin *had = origin_of(profile, setting);
	enum po_status st;

	if (setting->kind == SETTING_LIST && had->kind != origin->kind)
		clear_list(text_field(profile, setting));
	*had = *origin; /* first, so that a fault names the right place */
	if (setting->only_option && origin->kind != ORIGIN_OPTION)
		return profile_fault(profile, setting->name, err,
				     "this is for a person to say, on the "
				     "command line");
	st = check_text(profile, setting, text, err);
	return st == PO_OK ? set_value(profile, setting, text, err) : st;
}

/* "token-endpoint" as P11OAUTH_TOKEN_ENDPOINT; out has room for 64 bytes. */
static void environment_name(const struct setting *s, char out[static 64])
{
	int n = snprintf(out, 64, "%s%s", ENVIRONMENT_PREFIX, s->name);

	for (int i = 0; i < n && i < 63; i++) {
		if (out[i] == '-')
			out[i] = '_';
		else if (out[i] >= 'a' && out[i] <= 'z')
			out[i] = (char)(out[i] - 'a' + 'A');
	}
}

enum po_status profile_apply_environment(struct profile *profile,
					 struct po_error *err)
{
	const struct origin origin = { .kind = ORIGIN_ENVIRONMENT };
	enum po_status st = PO_OK;

	for (size_t i = 0; st == PO_OK && i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];
		const char *value;
		char name[64];

		environment_name(s, name);
		value = environment_get(name);
		if (value && s->place != SETTING_IN_SERVER &&
		    s->group != SETTING_FOR_AGENT)
			st = profile_set(profile, s, value, &origin, err);
	}
	return st;
}

/* ---- what others say ----------------------------------------------------- */

static bool copy_value(struct profile *to, const struct profile *from,
		       const struct setting *s)
{
	const char *source = (const char *)from + s->offset;
	char *const *texts = (char *const *)(const void *)source;
	void *field = (char *)to + s->offset;
	size_t n = s->kind == SETTING_LIST ? PROFILE_LIST_MAX : 1;

	switch (s->kind) {
	case SETTING_BOOL: *(bool *)field = *(const bool *)source; return true;
	case SETTING_SECONDS:
	case SETTING_OFFSET:
	case SETTING_BYTES:
		*(int64_t *)field = *(const int64_t *)(const void *)source;
		return true;
	case SETTING_TEXT:
	case SETTING_LIST: break;
	}
	for (size_t i = 0; i < n && texts[i]; i++)
		if (!(text_field(to, s)[i] = text_dup(texts[i])))
			return false;
	return true;
}

bool profile_take_rules(struct profile *profile, const struct profile *rules)
{
	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];

		if (profile->origin[i].kind != ORIGIN_DEFAULT ||
		    rules->origin[i].kind == ORIGIN_DEFAULT)
			continue;
		if (!copy_value(profile, rules, s))
			return false;
		profile->origin[i] = rules->origin[i];
		profile->origin[i].kind = ORIGIN_SERVER;
	}
	return true;
}

enum po_status profile_discover(struct profile *profile, const char *name,
				const char *text, struct po_error *err)
{
	const struct origin origin = { ORIGIN_DISCOVERY, profile->discovered_at,
				       0 };

	return profile_set(profile, profile_setting(name), text, &origin, err);
}

bool profile_has(const struct profile *profile, const char *name)
{
	const struct setting *s = profile_setting(name);

	return profile->origin[s - profile_settings].kind != ORIGIN_DEFAULT;
}

bool profile_chose(const struct profile *profile, const char *name)
{
	const struct setting *s = profile_setting(name);

	return profile->origin[s - profile_settings].kind >= ORIGIN_FILE;
}

/* ---- faults ------------------------------------------------------------- */

static enum po_status status_of(const struct origin *origin)
{
	switch (origin->kind) {
	case ORIGIN_SERVER:
	case ORIGIN_FILE: return PO_E_CONFIG;
	case ORIGIN_DISCOVERY: return PO_E_SERVER;
	default: return PO_E_USAGE;
	}
}

static enum po_status add_place(const struct setting *s,
				const struct origin *origin, enum po_status st,
				struct po_error *err)
{
	char name[64];

	switch (origin->kind) {
	case ORIGIN_SERVER:
	case ORIGIN_FILE:
		return po_context(err, st, "%s:%d: %s", origin->file,
				  origin->line, s->name);
	case ORIGIN_DISCOVERY:
		return po_context(err, st, "%s: %s", origin->file, s->name);
	case ORIGIN_ENVIRONMENT:
		environment_name(s, name);
		return po_context(err, st, "%s", name);
	case ORIGIN_OPTION: return po_context(err, st, "--%s", s->name);
	case ORIGIN_DEFAULT: break;
	}
	return po_context(err, st, "%s", s->name);
}

const char *profile_audience(const struct profile *profile)
{
	if (!profile->audience ||
	    strcmp(profile->audience, "token-endpoint") == 0)
		return profile->token_endpoint;
	if (strcmp(profile->audience, "issuer") == 0)
		return profile->issuer;
	return profile->audience;
}

enum po_status profile_fault(const struct profile *profile, const char *name,
			     struct po_error *err, const char *fmt, ...)
{
	const struct setting *s = profile_setting(name);
	const struct origin *origin = &profile->origin[s - profile_settings];
	enum po_status st = status_of(origin);
	va_list ap;

	va_start(ap, fmt);
	st = po_vfail(err, st, 0, fmt, ap);
	va_end(ap);
	return add_place(s, origin, st, err);
}

enum po_status profile_missing(const struct profile *profile, const char *name,
			       struct po_error *err)
{
	const struct setting *s = profile_setting(name);

	if (profile->name)
		return po_fail(err, PO_E_CONFIG, 0, "'%s' is not set (%s)",
			       s->name, s->help);
	return po_fail(err, PO_E_USAGE, 0,
		       "no profile is named, and --%s is not given (%s)",
		       s->name, s->help);
}

enum po_status profile_blame(const struct profile *profile, const char *name,
			     enum po_status st, struct po_error *err)
{
	const struct setting *s = profile_setting(name);
	const struct origin *origin = &profile->origin[s - profile_settings];

	if (st != PO_E_USAGE)
		return st;
	st = status_of(origin);
	if (err)
		err->status = st;
	return add_place(s, origin, st, err);
}
