/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent_impl.h"

#include "audit/ledger.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/sandbox.h"

#include <stdio.h>
#include <stdlib.h>

#define FILES (SANDBOX_READ | SANDBOX_WRITE)

static void add_configuration(struct sandbox_rules *r,
			      const struct agent *agent)
{
	const char *file = agent->options->config;
	const char *base = environment_get("XDG_CONFIG_HOME");
	char path[PATH_MAX];

	if (!file)
		file = environment_get("P11OAUTH_CONFIG");
	sandbox_rules_add_folder_of(r, file, SANDBOX_READ);
	if (base && snprintf(path, sizeof(path), "%s/p11oauth", base) > 0)
		sandbox_rules_add(r, path, SANDBOX_READ);
	base = environment_get("HOME");
	if (base &&
	    snprintf(path, sizeof(path), "%s/.config/p11oauth", base) > 0)
		sandbox_rules_add(r, path, SANDBOX_READ);
}

static void add_written(struct sandbox_rules *r, const struct agent *agent)
{
	char path[PATH_MAX];

	if (ledger_default_path(path, NULL) == PO_OK)
		sandbox_rules_add_folder_of(r, path, FILES);
	if (agent->listener.path[0])
		sandbox_rules_add_folder_of(r, agent->listener.path, FILES);
	for (size_t i = 0; i < agent->served.count; i++) {
		const struct profile *p = agent->served.items[i]->profile;

		sandbox_rules_add_folder_of(r, p->audit_file, FILES);
		for (size_t j = 0; j < p->sink_count; j++)
			sandbox_rules_add_folder_of(r, p->sinks[j].path, FILES);
	}
}

enum po_status agent_confine(struct agent *agent, struct po_error *err)
{
	/* the C library wants these for names of users and groups */
	static const char *const read[] = { "/etc", "/usr", "/lib", "/lib64" };
	struct sandbox_rules *rules = calloc(1, sizeof(*rules));
	struct sandbox sandbox = { .deny_bind = true,
				   .deny_connect = true,
				   .scope = true };
	enum po_status st;

	if (!rules)
		return po_no_memory(err);
	for (size_t i = 0; i < PO_ARRAY_SIZE(read); i++)
		sandbox_rules_add(rules, read[i], SANDBOX_READ);
	sandbox_rules_add(rules, PO_SYSCONFDIR "/p11oauth", SANDBOX_READ);
	sandbox_rules_add(rules, "/dev/null", FILES);
	sandbox_rules_add(rules, "/proc/self",
			  SANDBOX_READ); /* this process alone */
	add_configuration(rules, agent);
	add_written(rules, agent);
	sandbox.rules = rules->items;
	sandbox.count = rules->count;
	st = rules->is_incomplete
		     ? po_fail(err, PO_E_CONFIG, 0,
			       "ledgers and sinks are in more than %d folders",
			       SANDBOX_RULES_MAX)
		     : sandbox_enter(&sandbox, &agent->landlock_abi, err);
	sandbox_rules_clear(rules);
	free(rules);
	if (st == PO_OK && agent->landlock_abi == 0)
		log_say("agent: this kernel has no Landlock; the agent is "
			"confined by its user alone");
	return st;
}
