/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's policy: who, for which scope, and who may lock. */
#include "agent/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define AGENT_UID 900

/* Sets a list from words apart by commas; NULL or "": it stays empty. */
static void set_list(struct profile *p, const char *name, const char *words)
{
	const struct origin origin = { ORIGIN_FILE, "conf", 1 };
	char *copy = strdup(words ? words : ""), *rest = copy, *word;

	assert_non_null(copy);
	while ((word = strsep(&rest, ",")) != NULL)
		if (*word)
			assert_int_equal(profile_set(p, profile_setting(name),
						     word, &origin, NULL),
					 PO_OK);
	free(copy);
}

struct peer_row {
	const char *name;
	const char *allow_uid, *allow_gid;
	uid_t uid;
	gid_t gids[3];
	size_t gid_count;
	bool gets, controls;
};

static struct peer_row peer_rows[] = {
	{ "no lists: anybody", NULL, NULL, 1000, { 1000 }, 1, true, false },
	{ "no lists: root", NULL, NULL, 0, { 0 }, 1, true, true },
	{ "no lists: the agent", NULL, NULL, AGENT_UID, { 1 }, 1, true, true },
	{ "uid: the number", "1000", NULL, 1000, { 1 }, 1, true, true },
	{ "uid: the second", "7,1000", NULL, 1000, { 1 }, 1, true, true },
	{ "uid: another", "1000", NULL, 1001, { 1000 }, 1, false, false },
	{ "uid: part of the number",
	  "100",
	  NULL,
	  1000,
	  { 1 },
	  1,
	  false,
	  false },
	{ "uid: a name", "root", NULL, 0, { 1 }, 1, true, true },
	{ "uid: the name of another", "root", NULL, 9, { 0 }, 1, false, false },
	{ "uid: an unknown name",
	  "nobody-has-this-name",
	  NULL,
	  1000,
	  { 1 },
	  1,
	  false,
	  false },
	{ "uid: an unknown name before a known number",
	  "nobody-has-this-name,1000",
	  NULL,
	  1000,
	  { 1 },
	  1,
	  true,
	  true },
	{ "uid: -1 is nobody",
	  "4294967295",
	  NULL,
	  (uid_t)-1,
	  { 1 },
	  1,
	  false,
	  false },
	{ "root is no exception: uid", "1000", NULL, 0, { 0 }, 1, false, true },
	{ "root is no exception: gid", NULL, "50", 0, { 0 }, 1, false, true },
	{ "the agent is no exception",
	  "1000",
	  NULL,
	  AGENT_UID,
	  { 1 },
	  1,
	  false,
	  true },
	{ "gid: the only one", NULL, "50", 1000, { 50 }, 1, true, true },
	{ "gid: the last", NULL, "7,50", 1000, { 1, 2, 50 }, 3, true, true },
	{ "gid: one that is not counted",
	  NULL,
	  "50",
	  1000,
	  { 1, 2, 50 },
	  2,
	  false,
	  false },
	{ "gid: another", NULL, "50", 50, { 51 }, 1, false, false },
	{ "gid: none at all", NULL, "0", 1000, { 0 }, 0, false, false },
	{ "gid: a name", NULL, "root", 1000, { 5, 0 }, 2, true, true },
	{ "gid: an unknown name",
	  NULL,
	  "nobody-has-this-name",
	  1000,
	  { 0 },
	  1,
	  false,
	  false },
	{ "both lists: the user", "1000", "50", 1000, { 1 }, 1, true, true },
	{ "both lists: the group", "1000", "50", 7, { 50 }, 1, true, true },
	{ "both lists: neither", "1000", "50", 50, { 1000 }, 1, false, false },
	{ "a list of a scope is no list of users",
	  NULL,
	  NULL,
	  5,
	  { 5 },
	  1,
	  true,
	  false },
};

static void peer_row(void **state)
{
	const struct peer_row *r = *state;
	po_auto(profile) *p = profile_new("p");
	struct peer_ids ids = { .uid = r->uid, .gid_count = r->gid_count };

	assert_non_null(p);
	memcpy(ids.gids, r->gids, sizeof(r->gids));
	set_list(p, "allow-uid", r->allow_uid);
	set_list(p, "allow-gid", r->allow_gid);
	set_list(p, "allow-scope", "1000,50");
	assert_int_equal(policy_allows_peer(p, &ids), r->gets);
	assert_int_equal(policy_may_control(p, &ids, AGENT_UID), r->controls);
}

struct scope_row {
	const char *name;
	const char *scope, *allow_scope; /* of the profile */
	const char *asked;
	const char *refused; /* NULL: allowed */
};

static struct scope_row scope_rows[] = {
	{ "none is asked for", NULL, NULL, NULL, NULL },
	{ "an empty one is asked for", NULL, NULL, "", NULL },
	{ "the profile's", "a b", NULL, "a b", NULL },
	{ "the profile's, in another order", "a b", NULL, "b a", NULL },
	{ "less than the profile's", "a b", NULL, "b", NULL },
	{ "one that is allowed", "a", "c", "c", NULL },
	{ "the second that is allowed", NULL, "c,d", "d", NULL },
	{ "two in one text", NULL, "c d", "d", NULL },
	{ "one of each", "a", "c", "a c", NULL },
	{ "an unknown one", "a", "c", "x", "x" },
	{ "an unknown one at the end", "a", "c", "a c x y", "x" },
	{ "nothing is allowed", NULL, NULL, "a", "a" },
	{ "the beginning of one", "abc", "abd", "ab", "ab" },
	{ "one and more", "ab", "ab", "abc", "abc" },
	{ "another case", "a", "b", "A", "A" },
	{ "a star is a letter", "system/*.read", NULL, "system/Patient.read",
	  "system/Patient.read" },
	{ "spaces all around", "a  b", NULL, "  b  a ", NULL },
	{ "a tab is no space", "a b", NULL, "a\tb", "a\tb" },
};

static void scope_row(void **state)
{
	const struct scope_row *r = *state;
	po_auto(profile) *p = profile_new("p");
	const char *word = NULL;
	size_t len = 0;

	assert_non_null(p);
	set_list(p, "scope", r->scope);
	set_list(p, "allow-scope", r->allow_scope);
	assert_int_equal(policy_allows_scope(p, r->asked, &word, &len),
			 !r->refused);
	assert_int_equal(len, r->refused ? strlen(r->refused) : 0);
	if (r->refused)
		assert_memory_equal(word, r->refused, len);
}

#define PEER_ROWS (sizeof(peer_rows) / sizeof(peer_rows[0]))
#define SCOPE_ROWS (sizeof(scope_rows) / sizeof(scope_rows[0]))

int main(void)
{
	struct CMUnitTest tests[PEER_ROWS + SCOPE_ROWS];
	size_t n = 0;

	for (size_t i = 0; i < PEER_ROWS; i++)
		tests[n++] = (struct CMUnitTest){ peer_rows[i].name, peer_row,
						  NULL, NULL, &peer_rows[i] };
	for (size_t i = 0; i < SCOPE_ROWS; i++)
		tests[n++] = (struct CMUnitTest){ scope_rows[i].name, scope_row,
						  NULL, NULL, &scope_rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
