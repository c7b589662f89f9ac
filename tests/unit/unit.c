/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct unit_hooks unit_hooks;

static struct CMUnitTest *tests;
static size_t count, room;

static int call(void (*hook)(void))
{
	if (hook)
		hook();
	return 0; /* a hook fails as a test does, by an assertion */
}

static int before_all(void **state)
{
	(void)state;
	return call(unit_hooks.before_all);
}

static int after_all(void **state)
{
	(void)state;
	return call(unit_hooks.after_all);
}

static int before_each(void **state)
{
	(void)state;
	return call(unit_hooks.before_each);
}

static int after_each(void **state)
{
	(void)state;
	return call(unit_hooks.after_each);
}

void unit_add(const char *name, CMUnitTestFunction function, const void *row)
{
	if (count == room) {
		room = room ? 2 * room : 64;
		tests = reallocarray(tests, room, sizeof(*tests));
		if (!tests)
			abort();
	}
	tests[count++] = (struct CMUnitTest){
		.name = name,
		.test_func = function,
		.setup_func = before_each,
		.teardown_func = after_each,
		.initial_state = (void *)(uintptr_t)row,
	};
}

int main(void)
{
	int failed;

	if (count == 0) {
		(void)fprintf(stderr, "this program has no tests\n");
		return EXIT_FAILURE;
	}
	failed = _cmocka_run_group_tests(program_invocation_short_name, tests,
					 count, before_all, after_all);
	free(tests);
	return failed;
}
