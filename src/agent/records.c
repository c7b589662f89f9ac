/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/agent_impl.h"

#include "audit/ledger.h"
#include "base/log.h"
#include "flow/audit.h"

/* What is of no profile goes where a profile's goes that says nothing else. */
static void record_of_agent(const struct agent *agent, json_t *record)
{
	struct po_error why = { 0 };
	char path[PATH_MAX];
	const struct ledger ledger = { path, agent->env->clock };
	enum po_status st = ledger_default_path(path, &why);

	if (st == PO_OK)
		st = ledger_append(&ledger, record, /* sync= */ true, NULL,
				   &why);
	if (st != PO_OK)
		log_debug(LOG_CONF, "not recorded: %s", why.text);
}

enum po_status agent_record(struct agent *agent, const char *event,
			    const struct served *served,
			    const struct requester *peer, json_t *members,
			    struct po_error *err)
{
	json_auto_t *more = members;
	json_auto_t *record = json_pack("{s:s}", "event", event);
	uint64_t seq;

	if (!record || !more ||
	    (served &&
	     json_object_set_new(record, "profile",
				 json_string(served->profile->name)) != 0) ||
	    json_object_update(record, more) != 0)
		return po_no_memory(err);
	if (served)
		return audit_write(agent->env->clock, served->profile,
				   po_steal(record), peer, &seq, err);
	record_of_agent(agent, record);
	return PO_OK;
}

enum po_status agent_worker_record(void *user, const json_t *peer,
				   json_t *record, uint64_t *ret_seq,
				   struct po_error *err)
{
	struct agent *agent = user;
	const char *name = json_text(record, "worker_profile");
	const struct served *s =
		name ? served_find(&agent->served, name) : NULL;
	struct requester requester;
	bool has_peer = requester_from_json(peer, &requester);

	(void)json_object_del(record, "worker_profile");
	if (s)
		return audit_write(agent->env->clock, s->profile, record,
				   has_peer ? &requester : NULL, ret_seq, err);
	json_decref(record);
	return po_fail(err, PO_E_CONFIG, 0,
		       "the profile was taken away meanwhile");
}
