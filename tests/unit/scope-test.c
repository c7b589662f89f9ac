/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of scopes, and whether what was granted is what was asked. */
#include "oauth/access_token.h"

#include "oauth/token_request.h"
#include "unit.h"

#include <string.h>

struct grammar {
	const char *name;
	const char *scope;
	const char *said; /* NULL: the scope is good */
};

static const struct grammar grammars[] = {
	{ "one", "system/*.read", NULL },
	{ "two", "system/*.read system/*.write", NULL },
	{ "query", "system/Observation.rs?category=http://x|y", NULL },
	{ "foreign", "https://fhir.example/.default", NULL },
	{ "edges of the set", "! # [ ] ~", NULL },
	{ "empty", "", "not empty" },
	{ "space alone", " ", "one space" },
	{ "space in front", " a", "one space" },
	{ "space behind", "a ", "one space" },
	{ "two spaces", "a  b", "one space" },
	{ "tab", "a\tb", "0x09 at 1" },
	{ "newline", "a\n", "0x0a at 1" },
	{ "quote", "a\"b", "0x22 at 1" },
	{ "backslash", "ab\\", "0x5c at 2" },
	{ "delete", "\x7f", "0x7f at 0" },
	{ "not ASCII", "a \xc3\xa4", "0xc3 at 2" },
};

ROWS(grammars, grammar_row)
{
	struct po_error err = { 0 };

	assert_int_equal(scope_check(row->scope, &err),
			 row->said ? PO_E_USAGE : PO_OK);
	if (row->said)
		assert_non_null(strstr(err.text, row->said));
}

struct grant {
	const char *name;
	const char *asked;
	const char *granted; /* NULL: the server did not say */
	bool is_granted;
};

static const struct grant grants[] = {
	{ "nothing said", "system/*.read", NULL, true },
	{ "same", "system/*.read", "system/*.read", true },
	{ "more", "a", "b a c", true },
	{ "other order", "a b", "b a", true },
	{ "granted twice", "a b", "a a b", true },
	{ "v1 read, v2", "system/Patient.read", "system/Patient.rs", true },
	{ "v2 read, v1", "system/Patient.rs", "system/Patient.read", true },
	{ "write", "user/Patient.write", "user/Patient.cud", true },
	{ "all", "patient/*.*", "patient/*.cruds", true },
	{ "query kept", "system/Observation.read?a=b",
	  "system/Observation.rs?a=b", true },
	{ "dot in the query", "system/Observation.rs?a=b.c",
	  "system/Observation.rs?a=b.c", true },
	{ "nothing granted", "a", "", false },
	{ "one missing", "a b", "a", false },
	{ "less", "system/Patient.*", "system/Patient.read", false },
	{ "other resource", "system/Patient.read", "system/Person.rs", false },
	{ "other context", "system/Patient.read", "user/Patient.rs", false },
	{ "query lost", "system/Patient.rs?a=b", "system/Patient.rs", false },
	{ "query added", "system/Patient.rs", "system/Patient.rs?a=b", false },
	{ "other query", "system/A.read?a=b", "system/A.rs?a=c", false },
	{ "query only looks so", "system/A?x.read", "system/A?x.rs", false },
	{ "case matters", "system/Patient.read", "system/patient.rs", false },
	{ "prefix", "ab", "a", false },
	{ "no prefix", "a", "ab", false },
	{ "foreign read is no rs", "x/y.read", "x/y.rs", false },
};

ROWS(grants, grant_row)
{
	char scope[128] = "";
	struct access_token token = { 0 };

	if (row->granted) {
		memcpy(scope, row->granted, strlen(row->granted) + 1);
		token.scope = scope;
	}
	assert_int_equal(access_token_grants(&token, row->asked),
			 row->is_granted);
}
