/* SPDX-License-Identifier: Apache-2.0 */
#include "base/account.h"

#include "base/text.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>

#define ENTRY_MAX (1024 * 1024) /* bytes; a group lists its members */
#define NUMBER_MAX 4294967294U  /* one less than "unchanged" of chown(2) */

static int find_uid(const char *name, char *entry, size_t size, unsigned *ret)
{
	struct passwd pw, *found = NULL;
	int e = getpwnam_r(name, &pw, entry, size, &found);

	if (found)
		*ret = found->pw_uid;
	return found ? 0 : e ? e : ENOENT;
}

static int find_gid(const char *name, char *entry, size_t size, unsigned *ret)
{
	struct group gr, *found = NULL;
	int e = getgrnam_r(name, &gr, entry, size, &found);

	if (found)
		*ret = found->gr_gid;
	return found ? 0 : e ? e : ENOENT;
}

static bool look_up(const char *text,
		    int (*find)(const char *, char *, size_t, unsigned *),
		    unsigned *ret_number)
{
	char *entry = NULL;
	uint64_t number;
	int e = ERANGE;

	if (text_to_uint(text, NUMBER_MAX, &number)) {
		*ret_number = (unsigned)number;
		return true;
	}
	for (size_t size = 4096; e == ERANGE && size <= ENTRY_MAX; size *= 4) {
		free(entry);
		entry = malloc(size);
		e = entry ? find(text, entry, size, ret_number) : ENOMEM;
	}
	free(entry);
	return e == 0;
}

bool account_uid(const char *text, uid_t *ret_uid)
{
	return look_up(text, find_uid, ret_uid);
}

bool account_gid(const char *text, gid_t *ret_gid)
{
	return look_up(text, find_gid, ret_gid);
}
