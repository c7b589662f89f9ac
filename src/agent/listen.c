/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/listen.h"

#include "agent/systemd.h"
#include "base/account.h"
#include "base/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024
#define NO_GROUP ((gid_t)-1)

/* ---- where -------------------------------------------------------------- */

static bool join(char out[static AGENT_SOCKET_MAX + 1], const char *folder,
		 const char *below)
{
	/* systemd's list of folders: the first */
	int n = snprintf(out, AGENT_SOCKET_MAX + 1, "%.*s%s",
			 (int)strcspn(folder, ":"), folder, below);

	return n > 0 && n <= AGENT_SOCKET_MAX;
}

static enum po_status choose_path(const char *named,
				  const struct agent_settings *settings,
				  char out[static AGENT_SOCKET_MAX + 1],
				  struct po_error *err)
{
	const char *runtime = environment_get("RUNTIME_DIRECTORY");
	const char *session = environment_get("XDG_RUNTIME_DIR");
	bool fits;

	if (!named)
		named = environment_get("P11OAUTH_SOCKET");
	if (!named)
		named = settings->socket;
	if (named)
		fits = strlen(named) <= AGENT_SOCKET_MAX &&
		       join(out, named, "");
	else if (runtime)
		fits = join(out, runtime, "/agent.sock");
	else if (session)
		fits = join(out, session, "/p11oauth/agent.sock");
	else if (geteuid() == 0)
		fits = join(out, "/run/p11oauth", "/agent.sock");
	else
		return po_fail(err, PO_E_CONFIG, 0,
			       "there is no place for the socket: set "
			       "XDG_RUNTIME_DIR, or name one with --socket");
	if (!fits)
		return po_fail(err, PO_E_CONFIG, ENAMETOOLONG,
			       "the socket's path is longer than %d bytes",
			       AGENT_SOCKET_MAX);
	if (out[0] != '/')
		return po_fail(err, PO_E_CONFIG, 0,
			       "socket '%s': give an absolute path", out);
	return PO_OK;
}

static enum po_status find_group(const struct agent_settings *settings,
				 gid_t *ret_gid, struct po_error *err)
{
	*ret_gid = NO_GROUP;
	if (!settings->socket_group ||
	    account_gid(settings->socket_group, ret_gid))
		return PO_OK;
	return po_fail(err, PO_E_CONFIG, 0, "socket-group: no group '%s'",
		       settings->socket_group);
}

/* ---- making it ---------------------------------------------------------- */

static enum po_status make_folder(const char *path, gid_t group,
				  struct po_error *err)
{
	char folder[AGENT_SOCKET_MAX + 1];
	char *slash;

	(void)snprintf(folder, sizeof(folder), "%s", path);
	slash = strrchr(folder, '/');
	*slash = '\0';
	if (slash == folder)
		return PO_OK;
	if (mkdir(folder, group == NO_GROUP ? 0700 : 0750) == 0) {
		if (group == NO_GROUP ||
		    (chown(folder, (uid_t)-1, group) == 0 &&
		     chmod(folder, 0750) == 0))
			return PO_OK;
	} else if (errno == EEXIST) {
		return PO_OK;
	}
	return po_fail(err, PO_E_CONFIG, errno, "folder '%s': %s", folder,
		       strerror(errno));
}

/* Another agent may have removed the file between our open and our lock. */
static bool is_still_there(int fd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && stat(path, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
}

/* Two agents at one path would take each other's jobs. */
static enum po_status take_lock(struct listener *l, struct po_error *err)
{
	char path[AGENT_SOCKET_MAX + 8];

	(void)snprintf(path, sizeof(path), "%s.lock", l->path);
	l->lock_fd =
		open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (l->lock_fd < 0)
		return po_fail(err, PO_E_CONFIG, errno, "'%s': %s", path,
			       strerror(errno));
	if (flock(l->lock_fd, LOCK_EX | LOCK_NB) == 0 &&
	    is_still_there(l->lock_fd, path))
		return PO_OK;
	return po_fail(err, PO_E_AGENT, errno,
		       "another agent serves at '%s'; --socket names another "
		       "place",
		       l->path);
}

static enum po_status bind_socket(struct listener *l, gid_t group,
				  struct po_error *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	mode_t mask;
	bool ok;

	memcpy(address.sun_path, l->path, strlen(l->path) + 1);
	l->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->fd < 0)
		return po_fail(err, PO_E_INTERNAL, errno, "socket: %s",
			       strerror(errno));
	(void)unlink(l->path); /* the lock says that nobody serves there */
	mask = umask(0177);
	ok = bind(l->fd, (const struct sockaddr *)&address, sizeof(address)) ==
	     0;
	(void)umask(mask);
	if (ok && group != NO_GROUP)
		ok = chown(l->path, (uid_t)-1, group) == 0 &&
		     chmod(l->path, 0660) == 0;
	if (ok && listen(l->fd, BACKLOG) == 0)
		return PO_OK;
	return po_fail(err, PO_E_CONFIG, errno, "socket '%s': %s", l->path,
		       strerror(errno));
}

enum po_status listener_open(const char *named,
			     const struct agent_settings *settings,
			     struct listener *ret_listener,
			     struct po_error *err)
{
	struct listener l = { .fd = -1, .lock_fd = -1 };
	gid_t group = NO_GROUP;
	enum po_status st = systemd_listen_fd(&l.fd, err);

	if (st == PO_OK && l.fd < 0) {
		st = choose_path(named, settings, l.path, err);
		if (st == PO_OK)
			st = find_group(settings, &group, err);
		if (st == PO_OK)
			st = make_folder(l.path, group, err);
		if (st == PO_OK)
			st = take_lock(&l, err);
		if (st == PO_OK)
			st = bind_socket(&l, group, err);
	}
	if (st != PO_OK) {
		if (l.fd >= 0)
			(void)close(l.fd);
		if (l.lock_fd >= 0)
			(void)close(l.lock_fd);
		return st;
	}
	*ret_listener = l;
	return PO_OK;
}

void listener_close(struct listener *l)
{
	char path[AGENT_SOCKET_MAX + 8];

	if (l->fd >= 0)
		(void)close(l->fd);
	if (l->lock_fd >= 0) {
		(void)unlink(l->path);
		(void)snprintf(path, sizeof(path), "%s.lock", l->path);
		(void)unlink(path);
		(void)close(l->lock_fd);
	}
	l->fd = l->lock_fd = -1;
}
