/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A configuration file that is refused is refused with its name; in one that is
 * not, paths are absolute and no sink is open to everyone.
 */
#include "fuzz.h"

#include "conf/config_file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

static void check_profile(const struct profile *p)
{
	fuzz_require(p->name != NULL && p->sink_count <= SINKS_MAX);
	for (size_t i = 0; i < p->sink_count; i++)
		fuzz_require(p->sinks[i].path && p->sinks[i].path[0] == '/' &&
			     (p->sinks[i].mode & ~0660U) == 0 &&
			     (p->sinks[i].mode & 0400) && p->sinks[i].line > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	po_auto(config) *config = NULL;
	struct po_error err = { 0 };
	char path[64];
	int fd = memfd_create("config", MFD_CLOEXEC);
	enum po_status st;

	fuzz_require(fd >= 0 && write(fd, data, size) == (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	st = config_load(path, &config, &err);
	(void)close(fd);
	if (st != PO_OK) {
		fuzz_check_error(st, &err);
		fuzz_require(st == PO_E_CONFIG && strstr(err.text, path));
		return 0;
	}
	for (size_t i = 0; i < config->profiles.count; i++)
		check_profile(config->profiles.items[i]);
	fuzz_require(!config->agent.socket || config->agent.socket[0] == '/');
	return 0;
}
