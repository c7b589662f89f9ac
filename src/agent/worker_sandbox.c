/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/worker_impl.h"

#include "base/dirs.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/sandbox.h"

#include <stdlib.h>
#include <string.h>

#define RULES_MAX 512
#define FILES (SANDBOX_READ | SANDBOX_WRITE)

struct rules {
	struct sandbox_rule items[RULES_MAX];
	char *owned[RULES_MAX]; /* the path of the item, or NULL */
	size_t count;
	bool is_full;
};

static void add(struct rules *r, const char *path, unsigned int access)
{
	if (!path)
		return;
	if (r->count == RULES_MAX) {
		r->is_full = true;
		return;
	}
	r->items[r->count++] = (struct sandbox_rule){ path, access };
}

/* The folder: a file that is replaced is another file. */
static void add_beside(struct rules *r, const char *file)
{
	const char *slash = file ? strrchr(file, '/') : NULL;
	char *folder;

	if (!slash || slash == file)
		return;
	folder = strndup(file, (size_t)(slash - file));
	add(r, folder, SANDBOX_READ);
	if (folder && !r->is_full)
		r->owned[r->count - 1] = folder;
	else
		free(folder);
}

static void rules_clear(struct rules *r)
{
	for (size_t i = 0; i < r->count; i++)
		free(r->owned[i]);
}

/* Files that a profile names, which are read again and again. */
static void add_profile(struct rules *r, const struct profile *p)
{
	static const char file[] = "file:";

	for (size_t i = 0; p->pin_from[i]; i++)
		if (strncmp(p->pin_from[i], file, strlen(file)) == 0)
			add_beside(r, p->pin_from[i] + strlen(file));
	add_beside(r, p->certificate_file);
	add_beside(r, p->cacert);
	add(r, p->module, SANDBOX_READ | SANDBOX_EXECUTE);
	for (size_t i = 0; p->module_paths[i]; i++)
		add(r, p->module_paths[i], FILES | SANDBOX_EXECUTE);
}

static void add_system(struct rules *r)
{
	static const char *const paths[] = { "/usr", "/lib",  "/lib64",
					     "/etc", "/proc", "/sys" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(paths); i++)
		add(r, paths[i], SANDBOX_READ | SANDBOX_EXECUTE);
	add(r, "/dev", FILES); /* card readers, TPMs, random numbers */
	add(r, environment_get("CREDENTIALS_DIRECTORY"), SANDBOX_READ);
}

enum po_status worker_confine(const struct served_list *served,
			      const char *module, struct po_error *err)
{
	static const enum dirs_kind kinds[] = { DIRS_STATE, DIRS_CACHE };
	char own[PO_ARRAY_SIZE(kinds)][PATH_MAX];
	struct rules rules = { .count = 0 };
	struct sandbox sandbox = { .deny_bind = true };
	bool is_wanted = false;
	int abi = 0;
	enum po_status st;

	for (size_t i = 0; i < served->count; i++) {
		const struct served *s = served->items[i];

		if (strcmp(s->module, module) != 0)
			continue;
		is_wanted = is_wanted || s->profile->module_paths[0];
		add_profile(&rules, s->profile);
	}
	if (!is_wanted) {
		rules_clear(&rules);
		log_debug(LOG_CRYPTOKI,
			  "worker of module '%s': not confined; its profiles "
			  "name no module-paths",
			  module);
		return PO_OK;
	}
	add_system(&rules);
	/* refused PINs, and documents of servers; made, so that they can be
	 * named */
	for (size_t i = 0; i < PO_ARRAY_SIZE(kinds); i++)
		if (dirs_make(kinds[i], "", own[i], NULL) == PO_OK)
			add(&rules, own[i], FILES);
	sandbox.rules = rules.items;
	sandbox.count = rules.count;
	st = rules.is_full
		     ? po_fail(err, PO_E_CONFIG, 0,
			       "the profiles of module '%s' name more than %d "
			       "files and module-paths",
			       module, RULES_MAX)
		     : sandbox_enter(&sandbox, &abi, err);
	rules_clear(&rules);
	if (st == PO_OK && abi == 0)
		log_say("worker of module '%s': this kernel has no Landlock; "
			"module-paths do not count",
			module);
	return st;
}
