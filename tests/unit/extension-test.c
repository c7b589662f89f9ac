/* SPDX-License-Identifier: Apache-2.0 */
/* UDAP's hl7-b2b extension out of NAME=VALUE. */
#include "oauth/extension.h"

#include "unit.h"

#include <string.h>

#define ORG "organization_id=https://example.org"
#define USE "purpose_of_use=urn:oid:2.16.840.1.113883.5.8#TREAT"

struct row {
	const char *name;
	const char *members[6];
	const char *json; /* NULL: refused … */
	const char *said; /* … with this */
};

static const struct row rows[] = {
	{ "the least",
	  { ORG, USE },
	  "{\"hl7-b2b\":{\"version\":\"1\",\"organization_id\":"
	  "\"https://example.org\",\"purpose_of_use\":["
	  "\"urn:oid:2.16.840.1.113883.5.8#TREAT\"]}}",
	  NULL },
	{ "two purposes",
	  { USE, ORG, "purpose_of_use=b=c" },
	  "{\"hl7-b2b\":{\"version\":\"1\",\"purpose_of_use\":["
	  "\"urn:oid:2.16.840.1.113883.5.8#TREAT\",\"b=c\"],"
	  "\"organization_id\":\"https://example.org\"}}",
	  NULL },
	{ "no organization", { USE }, NULL, "organization_id is missing" },
	{ "no purpose", { ORG }, NULL, "purpose_of_use is missing" },
	{ "twice", { ORG, USE, ORG }, NULL, "organization_id is there twice" },
	{ "unknown", { ORG, USE, "organisation=x" }, NULL, "'organisation=x'" },
	{ "no value", { ORG, USE, "subject_id=" }, NULL, "'subject_id='" },
	{ "no equals sign", { ORG, USE, "subject_id" }, NULL, "'subject_id'" },
	{ "version is not theirs to set",
	  { ORG, USE, "version=2" },
	  NULL,
	  "'version=2'" },
	{ "a reference without a policy",
	  { ORG, USE, "consent_reference=https://x" },
	  NULL,
	  "consent_policy" },
};

ROWS(rows, extension_row)
{
	json_auto_t *extensions = NULL;
	struct po_error err = { 0 };
	po_auto_buf json = { 0 };
	enum po_status st = extension_hl7_b2b(row->members, &extensions, &err);

	assert_int_equal(st, row->json ? PO_OK : PO_E_USAGE);
	if (!row->json) {
		if (!strstr(err.text, row->said))
			fail_msg("'%s' is not in '%s'", row->said, err.text);
		return;
	}
	buf_init(&json, 4096);
	assert_true(json_compact(&json, extensions));
	assert_string_equal(buf_text(&json), row->json);
}
