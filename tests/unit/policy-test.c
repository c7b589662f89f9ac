/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's policy: who, for which scope, and who may lock. */
#include "agent/policy.h"

#include "unit.h"

#include <stdlib.h>
#include <string.h>

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

static const struct peer_row peer_rows[] = {
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

ROWS(peer_rows, peer_row)
{
	po_auto(profile) *p = profile_new("p");
	struct peer_ids ids = { .uid = row->uid, .gid_count = row->gid_count };

	assert_non_null(p);
	memcpy(ids.gids, row->gids, sizeof(row->gids));
	set_list(p, "allow-uid", row->allow_uid);
	set_list(p, "allow-gid", row->allow_gid);
	set_list(p, "allow-scope", "1000,50");
	assert_int_equal(policy_allows_peer(p, &ids), row->gets);
	assert_int_equal(policy_may_control(p, &ids, AGENT_UID), row->controls);
}

struct scope_row {
	const char *name;
	const char *scope, *allow_scope; /* of the profile */
	const char *asked;
	const char *refused; /* NULL: allowed */
};

static const struct scope_row scope_rows[] = {
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

ROWS(scope_rows, scope_row)
{
	po_auto(profile) *p = profile_new("p");
	const char *word = NULL;
	size_t len = 0;

	assert_non_null(p);
	set_list(p, "scope", row->scope);
	set_list(p, "allow-scope", row->allow_scope);
	assert_int_equal(policy_allows_scope(p, row->asked, &word, &len),
			 !row->refused);
	assert_int_equal(len, row->refused ? strlen(row->refused) : 0);
	if (row->refused)
		assert_memory_equal(word, row->refused, len);
}
