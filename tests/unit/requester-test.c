/* SPDX-License-Identifier: Apache-2.0 */
/* Who asked: looked up, written and read back. */
#include "audit/requester.h"

#include "unit.h"

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
