/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/process.h"

#include "base/interrupt.h"
#include "base/log.h"
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define DESCRIPTORS_MAX 1024

static mode_t mask_before;
static struct rlimit core_before;
static bool core_is_cut;
static bool was_there[DESCRIPTORS_MAX];

void process_begin(void)
{
	mask_before = umask(077);
	interrupt_install();
}

void process_lock(void)
{
	struct rlimit none = { 0, 0 };
	bool ok;

	core_is_cut = getrlimit(RLIMIT_CORE, &core_before) == 0;
	none.rlim_max = core_is_cut ? core_before.rlim_max : 0;
	ok = setrlimit(RLIMIT_CORE, &none) == 0;
	/* each for itself: a filter of system calls may refuse one */
	ok = prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 && ok;
	if (!ok)
		log_warn("core dumps cannot be switched off");
}

/* Descriptors that another program would get. */
static bool is_inherited(int fd)
{
	int flags = fcntl(fd, F_GETFD);

	return flags >= 0 && !(flags & FD_CLOEXEC);
}

void process_note_descriptors(void)
{
	for (int fd = 0; fd < DESCRIPTORS_MAX; fd++)
		was_there[fd] = is_inherited(fd);
}

static void close_ours(void)
{
	for (int fd = STDERR_FILENO + 1; fd < DESCRIPTORS_MAX; fd++)
		if (!was_there[fd] && is_inherited(fd))
			(void)fcntl(fd, F_SETFD, FD_CLOEXEC);
}

int process_become(char *const argv[], char *const envp[])
{
	close_ours();
	if (!output_give_back())
		return -1;
	(void)umask(mask_before);
	if (core_is_cut)
		(void)setrlimit(RLIMIT_CORE, &core_before);
	interrupt_uninstall();
	interrupt_reraise(); /* one that came before the line above */
	(void)execvpe(argv[0], argv, envp);
	return -1;
}
