/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listen.h - the socket at which the agent is asked.
 *
 * Source: unix(7); systemd.exec(5) for RUNTIME_DIRECTORY; XDG Base Directory
 * Specification 0.8 for XDG_RUNTIME_DIR.
 */
#ifndef PO_AGENT_LISTEN_H
#define PO_AGENT_LISTEN_H

#include "conf/agent_settings.h"

#include <stdbool.h>

struct listener {
	int fd;
	int lock_fd; /* who has it serves at this path; -1: none */
	char path[AGENT_SOCKET_MAX + 1]; /* "": the service manager's */
};

/*
 * Takes what the service manager hands over; else binds named (--socket; NULL),
 * $P11OAUTH_SOCKET, settings, $RUNTIME_DIRECTORY/agent.sock,
 * $XDG_RUNTIME_DIR/p11oauth/agent.sock or, for root, /run/p11oauth/agent.sock.
 * Its folder is made when it is absent. Mode 0600; with a socket-group, that
 * group and 0660. A socket that an agent left behind is replaced.
 *
 * PO_E_AGENT: another agent serves there. PO_E_CONFIG: no path, or it cannot be
 * bound.
 */
enum po_status listener_open(const char *named,
			     const struct agent_settings *settings,
			     struct listener *ret_listener,
			     struct po_error *err) PO_MUST_CHECK;

/* Closes the socket and removes what listener_open() made. */
void listener_close(struct listener *listener);

#endif
