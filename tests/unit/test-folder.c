/* SPDX-License-Identifier: Apache-2.0 */
#include "test-folder.h"

#include "unit.h"

#include <ftw.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static char folder[32];
static bool is_inside;

void folder_enter(void)
{
	(void)snprintf(folder, sizeof(folder), "unit-test.XXXXXX");
	assert_non_null(mkdtemp(folder));
	assert_int_equal(chdir(folder), 0);
	is_inside = true;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *at)
{
	(void)st;
	(void)type;
	return at->level == 0 ? 0 : remove(path);
}

void folder_leave(void)
{
	assert_true(is_inside); /* else somebody's files would go */
	is_inside = false;
	assert_int_equal(nftw(".", remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(rmdir(folder), 0);
}
