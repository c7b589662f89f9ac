/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/worker_impl.h"

#include "base/dirs.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/sandbox.h"

#include <stdlib.h>
#include <string.h>

#define FILES (SANDBOX_READ | SANDBOX_WRITE)

/* Files that a profile names, which are read again and again. */
static void add_profile(struct sandbox_rules *r, const struct profile *p)
{
	static const char file[] = "file:";

	for (size_t i = 0; p->pin_from[i]; i++)
		if (strncmp(p->pin_from[i], file, strlen(file)) == 0)
			sandbox_rules_add_folder_of(
				r, p->pin_from[i] + strlen(file), SANDBOX_READ);
	sandbox_rules_add_folder_of(r, p->certificate_file, SANDBOX_READ);
	sandbox_rules_add_folder_of(r, p->cacert, SANDBOX_READ);
	sandbox_rules_add(r, p->module, SANDBOX_READ | SANDBOX_EXECUTE);
	for (size_t i = 0; p->module_paths[i]; i++)
		sandbox_rules_add(r, p->module_paths[i],
				  FILES | SANDBOX_EXECUTE);
}

static void add_system(struct sandbox_rules *r)
{
	static const char *const paths[] = { "/usr", "/lib",  "/lib64",
					     "/etc", "/proc", "/sys" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(paths); i++)
		sandbox_rules_add(r, paths[i], SANDBOX_READ | SANDBOX_EXECUTE);
	sandbox_rules_add(r, "/dev",
			  FILES); /* card readers, TPMs, random numbers */
	sandbox_rules_add(r, environment_get("CREDENTIALS_DIRECTORY"),
			  SANDBOX_READ);
}

enum po_status worker_confine(const struct served_list *served,
			      const char *module, struct po_error *err)
{
	static const enum dirs_kind kinds[] = { DIRS_STATE, DIRS_CACHE };
	char own[PO_ARRAY_SIZE(kinds)][PATH_MAX];
	struct sandbox_rules rules = { .count = 0 };
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
		sandbox_rules_clear(&rules);
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
			sandbox_rules_add(&rules, own[i], FILES);
	sandbox.rules = rules.items;
	sandbox.count = rules.count;
	st = rules.is_incomplete
		     ? po_fail(err, PO_E_CONFIG, 0,
			       "the profiles of module '%s' name more than %d "
			       "files and module-paths",
			       module, SANDBOX_RULES_MAX)
		     : sandbox_enter(&sandbox, &abi, err);
	sandbox_rules_clear(&rules);
	if (st == PO_OK && abi == 0)
		log_say("worker of module '%s': this kernel has no Landlock; "
			"module-paths do not count",
			module);
	return st;
}
