/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sandbox.h - Landlock: what this process may still touch, given away for good.
 *
 * By raw system calls and with the numbers of the kernel's ABI, so that it
 * builds with headers older than the kernel it runs on. Older kernels say less:
 * files need ABI 1 (Linux 5.13), TCP ABI 4 (6.7), ioctl on devices ABI 5
 * (6.10), abstract unix sockets ABI 6 (6.12).
 *
 * Source: Linux, Documentation/userspace-api/landlock.rst.
 */
#ifndef PO_BASE_SANDBOX_H
#define PO_BASE_SANDBOX_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum {
	SANDBOX_READ = 1 << 0, /* files and lists of folders */
	/* make, change, rename, remove; ioctl on a device */
	SANDBOX_WRITE = 1 << 1,
	SANDBOX_EXECUTE = 1 << 2, /* start; reading it is SANDBOX_READ */
};

/* A file, or a folder and everything below it. */
struct sandbox_rule {
	const char *path;
	unsigned int access; /* SANDBOX_… */
};

struct sandbox {
	const struct sandbox_rule *rules; /* what is in none is forbidden */
	size_t count;
	bool deny_bind;    /* TCP; a listening socket at hand stays */
	bool deny_connect; /* TCP */
	/* abstract unix sockets of others: those connected already stay */
	bool scope;
};

/*
 * Sets PR_SET_NO_NEW_PRIVS, then confines this thread and what it starts from
 * now on to s; files that are open stay open. *ret_abi is Landlock's version,
 * 0 when this kernel has none: PO_OK all the same, the caller tells. A path
 * that does not exist is passed over. PO_E_CONFIG: a path that cannot be
 * looked at; PO_E_INTERNAL: the kernel refused.
 */
enum po_status sandbox_enter(const struct sandbox *s, int *ret_abi,
			     struct po_error *err) PO_MUST_CHECK;

/*
 * Rules that are put together path by path: each path is a copy, and stands
 * once for each access. Adding does not fail; is_incomplete says at the end
 * that one was left out, for want of room or memory.
 */
#define SANDBOX_RULES_MAX 512
struct sandbox_rules {
	struct sandbox_rule items[SANDBOX_RULES_MAX];
	char *paths[SANDBOX_RULES_MAX]; /* owned; those of items */
	size_t count;
	bool is_incomplete;
};

/* path NULL: nothing to add. */
void sandbox_rules_add(struct sandbox_rules *rules, const char *path,
		       unsigned int access);

/* The folder of a file, because one that is replaced is another file; of one in
 * the root folder, the file. NULL: nothing to add. */
void sandbox_rules_add_folder_of(struct sandbox_rules *rules, const char *file,
				 unsigned int access);
void sandbox_rules_clear(struct sandbox_rules *rules);

#endif
