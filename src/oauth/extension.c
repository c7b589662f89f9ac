/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/extension.h"

#include <stdbool.h>
#include <string.h>

static const struct member {
	const char *name;
	bool is_list;
	bool is_needed;
} known[] = {
	{ "organization_id", false, true },
	{ "organization_name", false, false },
	{ "subject_id", false, false },
	{ "subject_name", false, false },
	{ "subject_role", false, false },
	{ "purpose_of_use", true, true },
	{ "consent_policy", true, false },
	{ "consent_reference", true, false },
};

static const struct member *find(const char *text, size_t len)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(known); i++)
		if (strlen(known[i].name) == len &&
		    memcmp(known[i].name, text, len) == 0)
			return &known[i];
	return NULL;
}

static bool add_to_list(json_t *object, const char *name, const char *value)
{
	json_t *list = json_object_get(object, name);

	if (!list) {
		list = json_array();
		if (json_object_set_new(object, name, list) != 0)
			return false;
	}
	return json_array_append_new(list, json_string(value)) == 0;
}

static enum po_status add(json_t *object, const char *text,
			  struct po_error *err)
{
	size_t len = strcspn(text, "=");
	const struct member *m = find(text, len);
	const char *value = text + len + 1;

	if (!m || !text[len] || !*value)
		return po_fail(err, PO_E_USAGE, 0,
			       "'%.64s' is no NAME=VALUE with a name of the "
			       "hl7-b2b extension, such as organization_id",
			       text);
	if (!m->is_list && json_object_get(object, m->name))
		return po_fail(err, PO_E_USAGE, 0, "%s is there twice",
			       m->name);
	if (m->is_list ? !add_to_list(object, m->name, value)
		       : json_object_set_new(object, m->name,
					     json_string(value)) != 0)
		return po_no_memory(err);
	return PO_OK;
}

enum po_status extension_hl7_b2b(const char *const *members,
				 json_t **ret_extensions, struct po_error *err)
{
	json_auto_t *object = json_pack("{s:{s:s}}", "hl7-b2b", "version", "1");
	json_t *b2b = json_object_get(object, "hl7-b2b"); /* object's */
	enum po_status st = object ? PO_OK : po_no_memory(err);

	for (size_t i = 0; st == PO_OK && members[i]; i++)
		st = add(b2b, members[i], err);
	for (size_t i = 0; st == PO_OK && i < PO_ARRAY_SIZE(known); i++)
		if (known[i].is_needed && !json_object_get(b2b, known[i].name))
			st = po_fail(err, PO_E_USAGE, 0, "%s is missing",
				     known[i].name);
	if (st == PO_OK && json_object_get(b2b, "consent_reference") &&
	    !json_object_get(b2b, "consent_policy"))
		st = po_fail(err, PO_E_USAGE, 0,
			     "consent_reference needs consent_policy");
	if (st == PO_OK)
		*ret_extensions = po_steal(object);
	return st;
}
