/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fs.h"

#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum po_status fail_errno(struct po_error *err, const char *what,
				 const char *path)
{
	int e = errno;

	return po_fail(err, PO_E_CONFIG, e, "cannot %s '%s': %s", what, path,
		       strerror(e));
}

static enum po_status read_all(int fd, const char *path, struct buf *out,
			       struct po_error *err)
{
	enum po_status st = PO_OK;
	char chunk[4096];
	ssize_t n;

	while (st == PO_OK && (n = read(fd, chunk, sizeof(chunk))) != 0) {
		if (n < 0)
			st = fail_errno(err, "read", path);
		else if (!buf_add(out, chunk, (size_t)n))
			st = po_fail(err, PO_E_CONFIG, 0,
				     "'%s' is larger than %zu bytes", path,
				     out->max);
	}
	OPENSSL_cleanse(chunk, sizeof(chunk));
	return st;
}

enum po_status fs_read(const char *path, struct buf *out, struct po_error *err)
{
	enum po_status st;
	struct stat sb;
	int fd;

	if (strcmp(path, "-") == 0)
		return read_all(STDIN_FILENO, "standard input", out, err);

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "open", path);
	if (fstat(fd, &sb) != 0)
		st = fail_errno(err, "examine", path);
	else if (S_ISDIR(sb.st_mode))
		st = po_fail(err, PO_E_CONFIG, EISDIR, "'%s' is a directory",
			     path);
	else
		st = read_all(fd, path, out, err);
	(void)close(fd);
	return st;
}

enum po_status fs_read_secret_fd(int fd, struct secret *s, struct po_error *err)
{
	enum po_status st = PO_OK;
	char chunk[64]; /* read(2), not stdio: a FILE would keep a copy */
	ssize_t n = 1;

	while (st == PO_OK && n != 0) {
		if (!interrupt_wait_readable(fd)) {
			st = interrupt_check(err);
			break;
		}
		n = read(fd, chunk, sizeof(chunk));
		if (n > 0)
			st = secret_append(s, chunk, (size_t)n, err);
		else if (n < 0 && errno != EINTR)
			st = po_fail(err, PO_E_CONFIG, errno, "cannot read: %s",
				     strerror(errno));
	}
	OPENSSL_cleanse(chunk, sizeof(chunk));
	return st;
}

enum po_status fs_check_path(const char *path, size_t max, struct po_error *err)
{
	size_t len = strlen(path);

	if (len == 0)
		return po_fail(err, PO_E_CONFIG, 0, "the path is empty");
	if (path[0] != '/')
		return po_fail(err, PO_E_CONFIG, 0,
			       "'%s' is a relative path; give an absolute one",
			       path);
	if (len > max)
		return po_fail(err, PO_E_CONFIG, ENAMETOOLONG,
			       "the path is longer than %zu bytes", max);
	if (path[len - 1] == '/')
		return po_fail(err, PO_E_CONFIG, EISDIR,
			       "'%s' names a folder, not a file", path);
	for (size_t i = 0; i < len; i++)
		if ((unsigned char)path[i] < ' ' || path[i] == 0x7f)
			return po_fail(err, PO_E_CONFIG, 0,
				       "the path has a control character");
	return PO_OK;
}

enum po_status fs_open_private(const char *path, int *ret_fd,
			       struct po_error *err)
{
	enum po_status st = PO_OK;
	struct stat sb;
	/* O_NONBLOCK: a FIFO must not hang us before it is refused */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	if (fd < 0 && errno == ELOOP)
		return po_fail(err, PO_E_CONFIG, ELOOP,
			       "'%s' is a symbolic link; name the file itself",
			       path);
	if (fd < 0)
		return fail_errno(err, "open", path);

	if (fstat(fd, &sb) != 0)
		st = fail_errno(err, "examine", path);
	else if (!S_ISREG(sb.st_mode))
		st = po_fail(err, PO_E_CONFIG, 0, "'%s' is not a regular file",
			     path);
	else if (sb.st_uid != geteuid() && sb.st_uid != 0)
		st = po_fail(err, PO_E_CONFIG, 0,
			     "'%s' belongs to another user (uid %u)", path,
			     (unsigned int)sb.st_uid);
	else if (sb.st_mode & (S_IRWXG | S_IRWXO))
		st = po_fail(err, PO_E_CONFIG, 0,
			     "'%s' is open to others (mode %04o); "
			     "chmod 600 it",
			     path, (unsigned int)(sb.st_mode & 07777));
	if (st != PO_OK) {
		(void)close(fd);
		return st;
	}
	*ret_fd = fd;
	return PO_OK;
}

static enum po_status write_all(int fd, const char *path, const char *data,
				size_t len, struct po_error *err)
{
	while (len > 0) {
		ssize_t n = write(fd, data, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "write", path);
		data += n;
		len -= (size_t)n;
	}
	if (fsync(fd) != 0)
		return fail_errno(err, "write", path);
	return PO_OK;
}

enum po_status fs_write_private(const char *path, const char *data, size_t len,
				struct po_error *err)
{
	enum po_status st;
	char temp[4096];
	int fd;
	int n = snprintf(temp, sizeof(temp), "%s.XXXXXX", path);

	if (n < 0 || (size_t)n >= sizeof(temp))
		return po_fail(err, PO_E_CONFIG, ENAMETOOLONG,
			       "the path is too long");
	fd = mkostemp(temp, O_CLOEXEC); /* created with mode 0600 */
	if (fd < 0)
		return fail_errno(err, "write beside", path);

	st = write_all(fd, path, data, len, err);
	if (close(fd) != 0 && st == PO_OK)
		st = fail_errno(err, "write", path);
	if (st == PO_OK && rename(temp, path) != 0)
		st = fail_errno(err, "replace", path);
	if (st != PO_OK)
		(void)unlink(temp);
	return st;
}

/* A file that is about to be replaced. */
struct replacement {
	const char *path; /* for messages */
	const char *name; /* in its folder; part of path */
	int folder;       /* O_PATH */
	char temp[NAME_MAX + 1];
};

static enum po_status open_folder(const char *path, struct replacement *r,
				  struct po_error *err)
{
	const char *slash = strrchr(path, '/');
	int n;
	char dir[PATH_MAX];

	r->path = path;
	r->name = slash ? slash + 1 : path;
	n = snprintf(r->temp, sizeof(r->temp), ".%s.new", r->name);
	if (n < 0 || (size_t)n >= sizeof(r->temp) || strlen(path) >= PATH_MAX)
		return po_fail(err, PO_E_CONFIG, ENAMETOOLONG,
			       "the path is too long");
	if (!*r->name)
		return po_fail(err, PO_E_CONFIG, EISDIR, "'%s' is a directory",
			       path);
	n = slash ? (int)(slash + 1 - path) : 2;
	(void)snprintf(dir, sizeof(dir), "%.*s", n, slash ? path : "./");
	r->folder = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (r->folder < 0 && errno == ENOENT)
		return po_fail(err, PO_E_CONFIG, ENOENT,
			       "cannot write '%s': there is no folder '%s'; "
			       "create it first",
			       path, dir);
	return r->folder < 0 ? fail_errno(err, "open the folder of", path)
			     : PO_OK;
}

/* Nobody can open the file before it has its owner and, last, its mode. */
static enum po_status give(int fd, const char *path,
			   const struct fs_owner *owner, struct po_error *err)
{
	bool is_mine = owner->uid == (uid_t)-1 && owner->gid == (gid_t)-1;

	if (!is_mine && fchown(fd, owner->uid, owner->gid) != 0)
		return po_append(
			err, fail_errno(err, "set owner and group of", path),
			errno == EPERM ? "; that takes root or CAP_CHOWN, "
					 "or a group of one's own"
				       : "");
	if (fchmod(fd, owner->mode) != 0)
		return fail_errno(err, "set the mode of", path);
	return PO_OK;
}

/* Best effort: a folder that we may not read is no reason to fail. */
static void sync_folder(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return;
	(void)fsync(fd);
	(void)close(fd);
}

static enum po_status replace(const struct replacement *r,
			      const struct fs_owner *owner, const char *data,
			      size_t len, struct po_error *err)
{
	enum po_status st;
	int fd;

	(void)unlinkat(r->folder, r->temp, 0); /* of a writer that was killed */
	fd = openat(r->folder, r->temp,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
		    /* mode= */ 0);
	if (fd < 0)
		return fail_errno(err, "write beside", r->path);
	st = give(fd, r->path, owner, err);
	if (st == PO_OK)
		st = write_all(fd, r->path, data, len, err);
	if (close(fd) != 0 && st == PO_OK)
		st = fail_errno(err, "write", r->path);
	if (st == PO_OK &&
	    renameat(r->folder, r->temp, r->folder, r->name) != 0)
		st = fail_errno(err, "replace", r->path);
	if (st == PO_OK)
		sync_folder(r->folder);
	else
		(void)unlinkat(r->folder, r->temp, 0);
	return st;
}

enum po_status fs_write_owned(const char *path, const struct fs_owner *owner,
			      const char *data, size_t len,
			      struct po_error *err)
{
	struct replacement r;
	enum po_status st = open_folder(path, &r, err);

	if (st != PO_OK)
		return st;
	st = replace(&r, owner, data, len, err);
	(void)close(r.folder);
	return st;
}
