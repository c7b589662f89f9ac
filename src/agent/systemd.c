/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/systemd.h"

#include "base/environment.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define LISTEN_FDS_START 3

/* LISTEN_PID or WATCHDOG_PID; PO_E_CONFIG when it is no number. */
static enum po_status names_us(const char *pid, bool *ret_us,
			       struct po_error *err)
{
	uint64_t value;

	if (!text_to_uint(pid, INT_MAX, &value))
		return po_fail(err, PO_E_CONFIG, 0,
			       "LISTEN_PID is '%s', not a process", pid);
	*ret_us = (pid_t)value == getpid();
	return PO_OK;
}

static int option(int fd, int name)
{
	socklen_t len = sizeof(int);
	int value = -1;

	return getsockopt(fd, SOL_SOCKET, name, &value, &len) == 0 ? value : -1;
}

static enum po_status check_socket(int fd, struct po_error *err)
{
	if (option(fd, SO_DOMAIN) != AF_UNIX ||
	    option(fd, SO_TYPE) != SOCK_STREAM)
		return po_fail(err, PO_E_CONFIG, 0,
			       "systemd handed over something other than a "
			       "unix stream socket: use ListenStream=/PATH");
	if (option(fd, SO_ACCEPTCONN) != 1)
		return po_fail(err, PO_E_CONFIG, 0,
			       "systemd handed over a socket that does not "
			       "listen: use Accept=no");
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return po_fail(err, PO_E_INTERNAL, errno,
			       "the socket from systemd: %s", strerror(errno));
	return PO_OK;
}

static enum po_status take_socket(int *ret_fd, struct po_error *err)
{
	const char *pid = environment_get("LISTEN_PID");
	const char *fds = environment_get("LISTEN_FDS");
	enum po_status st;
	uint64_t count;
	bool us = false;

	*ret_fd = -1;
	if (!pid || !fds)
		return PO_OK;
	st = names_us(pid, &us, err);
	if (st != PO_OK || !us)
		return st;
	if (!text_to_uint(fds, INT_MAX, &count))
		return po_fail(err, PO_E_CONFIG, 0,
			       "LISTEN_FDS is '%s', not a number", fds);
	if (count > 1)
		return po_fail(err, PO_E_CONFIG, 0,
			       "systemd handed over %s sockets: the agent "
			       "takes one",
			       fds);
	if (count == 0)
		return PO_OK;
	st = check_socket(LISTEN_FDS_START, err);
	if (st == PO_OK)
		*ret_fd = LISTEN_FDS_START;
	return st;
}

enum po_status systemd_listen_fd(int *ret_fd, struct po_error *err)
{
	enum po_status st;
	int fd = -1;

	st = take_socket(&fd, err);
	environment_unset("LISTEN_PID");
	environment_unset("LISTEN_FDS");
	environment_unset("LISTEN_FDNAMES");
	environment_unset("LISTEN_PIDFDID");
	if (st == PO_OK)
		*ret_fd = fd;
	return st;
}

/* -1: no manager, or none that can be reached. */
static int notify_connect(void)
{
	const char *name = environment_get("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = name ? strlen(name) : 0;
	int fd;

	if (len < 2 || len >= sizeof(addr.sun_path) ||
	    (*name != '/' && *name != '@'))
		return -1;
	memcpy(addr.sun_path, name, len);
	if (*name == '@')
		addr.sun_path[0] = '\0';
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	/* an abstract name has no NUL at its end: its length counts */
	if (connect(fd, (struct sockaddr *)&addr,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
				len)) == 0)
		return fd;
	(void)close(fd);
	return -1;
}

void systemd_notify(const char *fmt, ...)
{
	static int fd = -1;
	char text[SYSTEMD_NOTIFY_MAX + 1];
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (len < 0)
		return;
	/* twice: the manager may have made its socket anew */
	for (int i = 0; i < 2; i++) {
		if (fd < 0)
			fd = notify_connect();
		if (fd < 0 || send(fd, text, strlen(text), MSG_NOSIGNAL) >= 0 ||
		    errno == EAGAIN)
			return;
		(void)close(fd);
		fd = -1;
	}
}

int64_t systemd_watchdog_ms(void)
{
	const char *usec = environment_get("WATCHDOG_USEC");
	const char *pid = environment_get("WATCHDOG_PID");
	uint64_t value;
	bool us = true;

	if (!usec || !text_to_uint(usec, INT64_MAX, &value) || value == 0)
		return 0;
	if (pid && (names_us(pid, &us, NULL) != PO_OK || !us))
		return 0;
	return value < 2000 ? 1 : (int64_t)(value / 2000);
}
