/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs.h - files: read with a limit, written whole or not at all.
 */
#ifndef PO_BASE_FS_H
#define PO_BASE_FS_H

#include "base/buf.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/*
 * Reads a regular file (or, for "-", standard input) into out, at most the
 * buffer's maximum. PO_E_CONFIG: absent, unreadable, too large, a directory.
 */
enum po_status fs_read(const char *path, struct buf *out,
		       struct po_error *err) PO_MUST_CHECK;

/*
 * Reads fd to its end into s. PO_E_CONFIG: read error; PO_E_INTERNAL: more than
 * fits; PO_E_USER: a signal came.
 */
enum po_status fs_read_secret_fd(int fd, struct secret *s,
				 struct po_error *err) PO_MUST_CHECK;

/*
 * PO_E_CONFIG unless path could be a file whatever the working directory is:
 * absolute, not ending in a slash, at most max bytes, no control characters.
 * Nothing is looked up.
 */
enum po_status fs_check_path(const char *path, size_t max,
			     struct po_error *err) PO_MUST_CHECK;

/*
 * Opens a file that must be private: regular, no symbolic link, owned by the
 * caller or root, no access for group or others. PO_E_CONFIG otherwise; the
 * text names the remedy.
 */
enum po_status fs_open_private(const char *path, int *ret_fd,
			       struct po_error *err) PO_MUST_CHECK;

/*
 * The same for a file below $CREDENTIALS_DIRECTORY: one that belongs to root
 * may have mode 0440. systemd lets the service's user in by an access control
 * list, which stat(2) shows as the group's right to read; Kubernetes by a
 * group.
 */
enum po_status fs_open_credential(const char *path, int *ret_fd,
				  struct po_error *err) PO_MUST_CHECK;

/*
 * Writes path with mode 0600 through a temporary file in the same directory,
 * so that a reader sees the old file or the new one. PO_E_CONFIG on failure.
 */
enum po_status fs_write_private(const char *path, const char *data, size_t len,
				struct po_error *err) PO_MUST_CHECK;

struct fs_owner {
	uid_t uid; /* (uid_t)-1: as the process has it */
	gid_t gid; /* (gid_t)-1: the same */
	mode_t mode;
};

/*
 * The same for a file that others are to read: it has owner and mode before
 * the first byte is in it. The temporary file is .NAME.new, so that writers
 * that were killed leave one at most; one writer at a time. A symbolic link at
 * path is replaced, not followed. PO_E_CONFIG on failure.
 */
enum po_status fs_write_owned(const char *path, const struct fs_owner *owner,
			      const char *data, size_t len,
			      struct po_error *err) PO_MUST_CHECK;

#endif
