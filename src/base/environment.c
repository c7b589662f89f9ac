/* SPDX-License-Identifier: Apache-2.0 */
#include "base/environment.h"

#include <stdlib.h>

const char *environment_get(const char *name)
{
	const char *value = secure_getenv(name);

	return value && *value ? value : NULL;
}

void environment_unset(const char *name)
{
	(void)unsetenv(name);
}
