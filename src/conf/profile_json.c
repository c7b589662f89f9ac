/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/profile_json.h"

/* ---- to JSON ------------------------------------------------------------ */

static json_t *list_value(char *const *list)
{
	json_t *value = json_array();

	for (size_t i = 0; value && list[i]; i++)
		if (json_array_append_new(value, json_string(list[i])) != 0) {
			json_decref(value);
			return NULL;
		}
	return value;
}

/* As profile_set() reads it. */
static json_t *value_of(const struct profile *p, const struct setting *s)
{
	const void *at = (const char *)p + s->offset;
	const char *text;

	switch (s->kind) {
	case SETTING_LIST: return list_value(at);
	case SETTING_BOOL: return json_string(*(const bool *)at ? "yes" : "no");
	case SETTING_TEXT:
		text = *(char *const *)at;
		return json_string(text ? text : "");
	case SETTING_SECONDS:
	case SETTING_OFFSET:
	case SETTING_BYTES: break;
	}
	return json_sprintf("%lld", (long long)*(const int64_t *)at);
}

static json_t *setting_json(const struct profile *p, const struct setting *s)
{
	const struct origin *origin = &p->origin[s - profile_settings];

	return json_pack("{s:s, s:o, s:i, s:s?, s:i}", "name", s->name, "value",
			 value_of(p, s), "origin", (int)origin->kind, "file",
			 origin->file, "line", origin->line);
}

json_t *profile_to_json(const struct profile *profile)
{
	json_auto_t *settings = json_array();

	for (size_t i = 0; settings && i < profile_settings_count; i++)
		if (profile->origin[i].kind != ORIGIN_DEFAULT &&
		    json_array_append_new(
			    settings,
			    setting_json(profile, &profile_settings[i])) != 0)
			return NULL;
	return json_pack("{s:s, s:O}", "name", profile->name, "settings",
			 settings);
}

/* ---- from JSON ---------------------------------------------------------- */

static enum po_status fail(struct po_error *err)
{
	return po_fail(err, PO_E_INTERNAL, 0, "no profile of ours");
}

static enum po_status take_setting(struct profile *p, const json_t *value,
				   struct po_error *err)
{
	const char *name = json_text(value, "name");
	const struct setting *s = name ? profile_setting(name) : NULL;
	const json_t *text = json_object_get(value, "value");
	const struct origin origin = {
		.kind = (enum origin_kind)json_integer_value(
			json_object_get(value, "origin")),
		.file = json_text(value, "file"),
		.line = (int)json_integer_value(json_object_get(value, "line")),
	};
	enum po_status st = PO_OK;

	if (!s || origin.kind <= ORIGIN_DEFAULT || origin.kind > ORIGIN_OPTION)
		return fail(err);
	if (json_is_string(text))
		return profile_set(p, s, json_string_value(text), &origin, err);
	for (size_t i = 0; st == PO_OK && i < json_array_size(text); i++) {
		const char *item = json_string_value(json_array_get(text, i));

		st = item ? profile_set(p, s, item, &origin, err) : fail(err);
	}
	return st;
}

enum po_status profile_from_json(const json_t *value,
				 struct profile **ret_profile,
				 struct po_error *err)
{
	const json_t *settings = json_object_get(value, "settings");
	const char *name = json_text(value, "name");
	po_auto(profile) *p = name ? profile_new(name) : NULL;
	enum po_status st = PO_OK;

	if (!name || !json_is_array(settings))
		return fail(err);
	if (!p)
		return po_no_memory(err);
	for (size_t i = 0; st == PO_OK && i < json_array_size(settings); i++)
		st = take_setting(p, json_array_get(settings, i), err);
	if (st == PO_OK)
		*ret_profile = po_steal(p);
	return st;
}
