/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/agent_settings.h"

#include "base/fs.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

const char *const agent_keys[] = { "socket", "socket-group", NULL };

enum po_status agent_settings_set(struct agent_settings *agent, const char *key,
				  const char *text, struct po_error *err)
{
	bool is_path = strcmp(key, "socket") == 0;
	char **field = is_path ? &agent->socket : &agent->socket_group;
	enum po_status st = PO_OK;

	if (*field)
		st = po_fail(err, PO_E_CONFIG, 0, "this is set twice");
	else if (is_path)
		st = fs_check_path(text, AGENT_SOCKET_MAX, err);
	else if (!*text)
		st = po_fail(err, PO_E_CONFIG, 0, "the value is empty");
	if (st == PO_OK && !(*field = text_dup(text)))
		st = po_no_memory(err);
	return po_context(err, st, "agent: %s", key);
}

void agent_settings_clear(struct agent_settings *agent)
{
	free(agent->socket);
	free(agent->socket_group);
	memset(agent, 0, sizeof(*agent));
}
