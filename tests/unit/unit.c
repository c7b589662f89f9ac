/* SPDX-License-Identifier: Apache-2.0 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

static struct CMUnitTest *tests;
static size_t count, room;
static void (*before_all)(void), (*after_all)(void);

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
		.initial_state = (void *)(uintptr_t)row,
	};
}

void unit_before_all(void (*function)(void))
{
	before_all = function;
}

void unit_after_all(void (*function)(void))
{
	after_all = function;
}

static int before(void **state)
{
	(void)state;
	if (before_all)
		before_all();
	return 0;
}

static int after(void **state)
{
	(void)state;
	if (after_all)
		after_all();
	return 0;
}

int main(void)
{
	int failed;

	if (count == 0) {
		(void)fprintf(stderr, "this program has no tests\n");
		return EXIT_FAILURE;
	}
	failed = _cmocka_run_group_tests(program_invocation_short_name, tests,
					 count, before, after);
	free(tests);
	return failed;
}
