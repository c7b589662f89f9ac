/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test-folder.h - cmocka's setup and teardown for a test that writes files: the
 * working directory is one of its own, and goes away with all that is in it.
 */
#ifndef PO_TESTS_TEST_FOLDER_H
#define PO_TESTS_TEST_FOLDER_H

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static inline int folder_enter(void **state)
{
	char *dir = strdup("unit-test.XXXXXX");

	*state = dir;
	return dir && mkdtemp(dir) && chdir(dir) == 0 ? 0 : -1;
}

static inline int folder_leave(void **state)
{
	char *dir = *state;
	DIR *here = opendir(".");
	struct dirent *entry;
	int failed;

	while (here && (entry = readdir(here)))
		if (strcmp(entry->d_name, ".") != 0 &&
		    strcmp(entry->d_name, "..") != 0 &&
		    unlink(entry->d_name) != 0)
			(void)rmdir(entry->d_name);
	if (here)
		(void)closedir(here);
	failed = chdir("..") != 0 || rmdir(dir) != 0;
	free(dir);
	return failed ? -1 : 0;
}

#endif
