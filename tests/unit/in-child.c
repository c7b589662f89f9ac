/* SPDX-License-Identifier: Apache-2.0 */
#include "in-child.h"

#include <sys/wait.h>

bool in_child(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		return true;
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	return false;
}
