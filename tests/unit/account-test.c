/* SPDX-License-Identifier: Apache-2.0 */
/* Users and groups: numbers as they are, names looked up. */
#include "base/account.h"

#include "unit.h"

struct row {
	const char *name, *text;
	bool is_known;
	unsigned int number;
};

static const struct row rows[] = {
	{ "a name", "root", true, 0 },
	{ "a number", "1234567", true, 1234567 },
	{ "zero", "0", true, 0 },
	{ "the last number", "4294967294", true, 4294967294U },
	{ "what chown takes for unchanged", "4294967295", false, 0 },
	{ "more than 32 bits", "4294967296", false, 0 },
	{ "negative", "-1", false, 0 },
	{ "a number and more", "0x", false, 0 },
	{ "white space", " 0", false, 0 },
	{ "an unknown name", "nobody-has-this-name", false, 0 },
	{ "nothing", "", false, 0 },
};

ROWS(rows, uid_and_gid)
{
	uid_t uid = 77;
	gid_t gid = 77;

	assert_int_equal(account_uid(row->text, &uid), row->is_known);
	assert_int_equal(account_gid(row->text, &gid), row->is_known);
	assert_int_equal(uid, row->is_known ? row->number : 77);
	assert_int_equal(gid, row->is_known ? row->number : 77);
}

/* A user is no group of the same name, and the other way round. */
TEST(users_are_no_groups)
{
	uid_t uid = 0;
	gid_t gid = 0;

	assert_true(account_gid("shadow", &gid));
	assert_false(account_uid("shadow", &uid));
	assert_true(account_uid("sync", &uid));
	assert_false(account_gid("sync", &gid));
}
