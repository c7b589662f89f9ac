/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_settings.h - "agent { … }": what is not of one profile.
 */
#ifndef PO_CONF_AGENT_SETTINGS_H
#define PO_CONF_AGENT_SETTINGS_H

#include "base/error.h"

/* What struct sockaddr_un has room for, the NUL not counted; bytes. */
#define AGENT_SOCKET_MAX 107

struct agent_settings {     /* texts owned; NULL: not set */
	char *socket;       /* absolute path */
	char *socket_group; /* name or number, not looked up */
	const char *file;   /* of the section; borrowed; NULL: there is none */
	int line;
};

extern const char *const agent_keys[]; /* NULL-terminated */

/* Sets one key. PO_E_CONFIG; the text says what is wrong, not where. */
enum po_status agent_settings_set(struct agent_settings *agent, const char *key,
				  const char *text,
				  struct po_error *err) PO_MUST_CHECK;
void agent_settings_clear(struct agent_settings *agent);

#endif
