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
 * Opens a file that must be private: regular, no symbolic link, owned by the
 * caller or root, no access for group or others. PO_E_CONFIG otherwise; the
 * text names the remedy.
 */
enum po_status fs_open_private(const char *path, int *ret_fd,
			       struct po_error *err) PO_MUST_CHECK;

/*
 * The same for a file below $CREDENTIALS_DIRECTORY: one that belongs to root may
 * have mode 0440. systemd lets the service's user in by an access control list,
 * which stat(2) shows as the group's right to read; Kubernetes by a group.
 */
enum po_status fs_open_credential(const char *path, int *ret_fd,
				  struct po_error *err) PO_MUST_CHECK;

/*
 * Writes path with mode 0600 through a temporary file in the same directory,
 * so that a reader sees the old file or the new one. PO_E_CONFIG on failure.
 */
enum po_status fs_write_private(const char *path, const char *data, size_t len,
				struct po_error *err) PO_MUST_CHECK;

#endif
