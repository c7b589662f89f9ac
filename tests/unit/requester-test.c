/* SPDX-License-Identifier: Apache-2.0 */
/* Who asked: looked up, written and read back. */
#include "audit/requester.h"

#include "unit.h"

#include <string.h>
#include <unistd.h>

TEST(test_requester)
{
	struct requester self, back;
	json_auto_t *value = NULL;
	char exe[PATH_MAX];
	ssize_t n;

	requester_self(&self);
	n = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
	assert_true(n > 0);
	exe[n] = '\0';
	assert_string_equal(self.executable, exe);
	assert_int_equal(self.pid, getpid());
	value = requester_json(&self);
	assert_non_null(value);
	assert_true(requester_from_json(value, &back));
	assert_int_equal(back.uid, self.uid);
	assert_int_equal(back.gid, self.gid);
	assert_int_equal(back.pid, self.pid);
	assert_string_equal(back.executable, exe);
	assert_string_equal(back.unit, self.unit);
	assert_int_equal(json_object_set_new(value, "uid", json_integer(-1)),
			 0);
	assert_false(requester_from_json(value, &back));
	assert_int_equal(json_object_set_new(value, "uid", json_string("0")),
			 0);
	assert_false(requester_from_json(value, &back));
	/* nobody of that number */
	requester_of_pid(INT32_MAX, 1, 2, &back);
	assert_string_equal(back.executable, "");
	assert_string_equal(back.unit, "");
	json_decref(value);
	value = requester_json(&back);
	assert_true(json_is_null(json_object_get(value, "executable")));
	assert_true(requester_from_json(value, &self));
}

struct unit_row {
	const char *name, *cgroup, *unit;
};
static const struct unit_row unit_rows[] = {
	{ "unit: a service", "0::/system.slice/etl.service\n", "etl.service" },
	{ "unit: the end of the text ends it", "0::/system.slice/etl.service",
	  "etl.service" },
	{ "unit: a folder in a service",
	  "0::/system.slice/etl.service/payload\n", "etl.service" },
	{ "unit: a service of a user's manager",
	  "0::/user.slice/user-1000.slice/user@1000.service/app.slice/"
	  "job.service\n",
	  "job.service" },
	{ "unit: a session", "0::/user.slice/user-0.slice/session-3.scope\n",
	  "session-3.scope" },
	{ "unit: a scope in a service", "0::/a.service/b.scope\n", "b.scope" },
	{ "unit: none", "0::/\n", "" },
	{ "unit: nothing", "", "" },
	{ "unit: a slice is none", "0::/system.slice\n", "" },
	{ "unit: an end alone is none", "0::/.service/.scope\n", "" },
	{ "unit: an end in the middle", "0::/a.service.d/b.scopes\n", "" },
	{ "unit: version 1",
	  "12:cpu:/x.service\n1:name=systemd:/system.slice/one.service\n",
	  "one.service" },
	{ "unit: another hierarchy is not asked",
	  "12:cpu:/x.service\n0::/y.service\n", "y.service" },
};

ROWS(unit_rows, a_unit_is_the_last_of_the_path)
{
	char unit[REQUESTER_UNIT_MAX];

	requester_unit(row->cgroup, unit);
	assert_string_equal(unit, row->unit);
}

TEST(a_unit_at_max_and_one_more)
{
	char text[REQUESTER_UNIT_MAX + 16], unit[REQUESTER_UNIT_MAX];
	const char *end = ".service";

	for (size_t len = REQUESTER_UNIT_MAX - 1; len <= REQUESTER_UNIT_MAX;
	     len++) {
		memcpy(text, "0::/", 4);
		memset(text + 4, 'u', len - strlen(end));
		memcpy(text + 4 + len - strlen(end), end, strlen(end) + 1);
		requester_unit(text, unit);
		assert_string_equal(unit,
				    len < REQUESTER_UNIT_MAX ? text + 4 : "");
	}
}
