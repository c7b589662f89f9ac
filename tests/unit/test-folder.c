/* SPDX-License-Identifier: Apache-2.0 */
#include "test-folder.h"

#include "unit.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

void folder_leave(void)
{
	struct dirent *entry;
	DIR *here;

	assert_true(is_inside); /* else somebody's files would go */
	is_inside = false;
	here = opendir(".");
	assert_non_null(here);
	while ((entry = readdir(here)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    unlink(entry->d_name) != 0)
			(void)rmdir(entry->d_name);
	(void)closedir(here);
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(rmdir(folder), 0);
}
