/* SPDX-License-Identifier: Apache-2.0 */
/*
 * systemd.h - what a service and its manager say to each other: a socket
 * handed over, notifications, the watchdog. Without a manager all of it does
 * nothing.
 *
 * Source: sd_listen_fds(3), sd_notify(3), sd_watchdog_enabled(3): the
 * protocols described there, stable by systemd's interface promise.
 */
#ifndef PO_AGENT_SYSTEMD_H
#define PO_AGENT_SYSTEMD_H

#include "base/error.h"

#include <stdint.h>

#define SYSTEMD_NOTIFY_MAX 1024 /* bytes of one notification */

/*
 * The listening unix stream socket that the manager handed over, close-on-exec;
 * -1 when there is none, or it is meant for another process. The caller owns
 * it, but its path is the manager's: do not unlink it. Takes LISTEN_PID,
 * LISTEN_FDS, LISTEN_FDNAMES and LISTEN_PIDFDID out of the environment,
 * whatever the result: call it once. PO_E_CONFIG: several sockets, another kind
 * of socket, or variables that make no sense.
 */
enum po_status systemd_listen_fd(int *ret_fd,
				 struct po_error *err) PO_MUST_CHECK;

/*
 * Sends a notification, such as "READY=1\nSTATUS=serving", to $NOTIFY_SOCKET; a
 * longer one than SYSTEMD_NOTIFY_MAX is cut. It never waits and nobody needs to
 * know when it fails. The connection is kept, so that one made before
 * sandbox_enter() works behind it. For the agent's one thread.
 */
void systemd_notify(const char *fmt, ...) PO_PRINTF(1, 2);

/*
 * How often "WATCHDOG=1" is due: half of what the manager allows, in ms, at
 * least 1. 0: no watchdog, or not for this process.
 */
int64_t systemd_watchdog_ms(void);

#endif
