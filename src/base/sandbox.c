/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The numbers are the same on every architecture. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

#define VERSION_QUERY (1U << 0) /* LANDLOCK_CREATE_RULESET_VERSION */
#define RULE_PATH_BENEATH 1     /* LANDLOCK_RULE_PATH_BENEATH */

/* LANDLOCK_ACCESS_FS_… */
#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_CHAR (UINT64_C(1) << 6)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_MAKE_SOCK (UINT64_C(1) << 9)
#define FS_MAKE_FIFO (UINT64_C(1) << 10)
#define FS_MAKE_BLOCK (UINT64_C(1) << 11)
#define FS_MAKE_SYM (UINT64_C(1) << 12)
#define FS_REFER (UINT64_C(1) << 13)     /* ABI 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define FS_ABI_1 ((UINT64_C(1) << 13) - 1)

#define NET_BIND_TCP (UINT64_C(1) << 0)    /* ABI 4 */
#define NET_CONNECT_TCP (UINT64_C(1) << 1) /* ABI 4 */
#define SCOPE_ABSTRACT (UINT64_C(1) << 0)  /* ABI 6 */

/* All that a rule for something other than a folder may name. */
#define FS_ON_FILES \
	(FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

#define READ_RIGHTS (FS_READ_FILE | FS_READ_DIR)
/* No device nodes: nobody here makes any. */
#define WRITE_RIGHTS                                                          \
	(FS_WRITE_FILE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR |       \
	 FS_MAKE_REG | FS_MAKE_SOCK | FS_MAKE_FIFO | FS_MAKE_SYM | FS_REFER | \
	 FS_TRUNCATE | FS_IOCTL_DEV)

/* struct landlock_ruleset_attr; an older kernel wants its unknown end zero. */
struct ruleset {
	uint64_t fs;
	uint64_t net;
	uint64_t scoped;
};

/* struct landlock_path_beneath_attr */
struct beneath {
	uint64_t allowed;
	int32_t parent;
} __attribute__((packed));

/*
 * 0: no Landlock in the kernel, switched off at boot, or (EPERM) a container
 * whose system call filter does not know it.
 */
static int probe_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0,
			   VERSION_QUERY);

	return abi > 0 ? (int)abi : 0;
}

static struct ruleset ruleset_for(const struct sandbox *s, int abi)
{
	struct ruleset all = { .fs = FS_ABI_1 };

	if (abi >= 2)
		all.fs |= FS_REFER;
	if (abi >= 3)
		all.fs |= FS_TRUNCATE;
	if (abi >= 5)
		all.fs |= FS_IOCTL_DEV;
	if (abi >= 4 && s->deny_bind)
		all.net |= NET_BIND_TCP;
	if (abi >= 4 && s->deny_connect)
		all.net |= NET_CONNECT_TCP;
	if (abi >= 6 && s->scope)
		all.scoped |= SCOPE_ABSTRACT;
	return all;
}

static uint64_t rights(unsigned int access)
{
	uint64_t fs = 0;

	if (access & SANDBOX_READ)
		fs |= READ_RIGHTS;
	if (access & SANDBOX_WRITE)
		fs |= WRITE_RIGHTS;
	if (access & SANDBOX_EXECUTE)
		fs |= FS_EXECUTE;
	return fs;
}

/* fd: the rule's path, opened. */
static int add_opened(int ruleset, int fd, uint64_t allowed)
{
	struct beneath rule = { .allowed = allowed, .parent = fd };
	struct stat st;

	if (fstat(fd, &st) != 0)
		return errno;
	if (!S_ISDIR(st.st_mode))
		rule.allowed &= FS_ON_FILES;
	if (!rule.allowed)
		return 0; /* such as an ioctl right before ABI 5: EINVAL */
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule,
		    0U) != 0)
		return errno;
	return 0;
}

static enum po_status add_rule(int ruleset, const struct sandbox_rule *rule,
			       uint64_t handled, struct po_error *err)
{
	int fd = open(rule->path, O_PATH | O_CLOEXEC);
	int error = errno;

	if (fd < 0 && (error == ENOENT || error == ENOTDIR))
		return PO_OK;
	if (fd < 0)
		return po_fail(err, PO_E_CONFIG, error, "cannot open '%s': %s",
			       rule->path, strerror(error));
	error = add_opened(ruleset, fd, rights(rule->access) & handled);
	(void)close(fd);
	if (error)
		return po_fail(err, PO_E_INTERNAL, error,
			       "Landlock refuses a rule for '%s': %s",
			       rule->path, strerror(error));
	return PO_OK;
}

static enum po_status restrict_self(const struct sandbox *s, int ruleset,
				    uint64_t handled, struct po_error *err)
{
	enum po_status st = PO_OK;

	for (size_t i = 0; st == PO_OK && i < s->count; i++)
		st = add_rule(ruleset, &s->rules[i], handled, err);
	if (st == PO_OK &&
	    syscall(SYS_landlock_restrict_self, ruleset, 0U) != 0)
		st = po_fail(err, PO_E_INTERNAL, errno,
			     "Landlock refuses the rules: %s", strerror(errno));
	return st;
}

enum po_status sandbox_enter(const struct sandbox *s, int *ret_abi,
			     struct po_error *err)
{
	int abi = probe_abi(), ruleset;
	struct ruleset attr = ruleset_for(s, abi);
	enum po_status st;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1L, 0L, 0L, 0L) != 0)
		return po_fail(err, PO_E_INTERNAL, errno,
			       "cannot give up new privileges: %s",
			       strerror(errno));
	if (abi == 0) {
		*ret_abi = 0;
		return PO_OK;
	}
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr),
			       0U);
	if (ruleset < 0)
		return po_fail(err, PO_E_INTERNAL, errno,
			       "Landlock makes no rules: %s", strerror(errno));
	st = restrict_self(s, ruleset, attr.fs, err);
	(void)close(ruleset);
	if (st == PO_OK)
		*ret_abi = abi;
	return st;
}

/* ---- rules that are put together ---------------------------------------- */

void sandbox_rules_add(struct sandbox_rules *rules, const char *path,
		       unsigned int access)
{
	char *copy;

	if (!path)
		return;
	for (size_t i = 0; i < rules->count; i++)
		if (rules->items[i].access == access &&
		    strcmp(rules->items[i].path, path) == 0)
			return;
	copy = rules->count < SANDBOX_RULES_MAX ? strdup(path) : NULL;
	if (!copy) {
		rules->is_incomplete = true;
		return;
	}
	rules->paths[rules->count] = copy;
	rules->items[rules->count++] = (struct sandbox_rule){ copy, access };
}

void sandbox_rules_add_folder_of(struct sandbox_rules *rules, const char *file,
				 unsigned int access)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	char *folder;

	if (!file)
		return;
	if (slash == file)
		folder = strdup(file); /* the root folder is everything */
	else
		folder = slash ? strndup(file, (size_t)(slash - file))
			       : strdup(".");
	if (folder)
		sandbox_rules_add(rules, folder, access);
	else
		rules->is_incomplete = true;
	free(folder);
}

void sandbox_rules_clear(struct sandbox_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		free(rules->paths[i]);
	*rules = (struct sandbox_rules){ 0 };
}
