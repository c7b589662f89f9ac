/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dirs.h - the directories where the program keeps things between runs.
 *
 * Source: XDG Base Directory Specification 0.8; systemd.exec(5) for
 * STATE_DIRECTORY and CACHE_DIRECTORY.
 */
#ifndef PO_BASE_DIRS_H
#define PO_BASE_DIRS_H

#include "base/error.h"

#include <limits.h>
#include <stdbool.h>

enum dirs_kind {
	DIRS_STATE, /* what may not be lost */
	DIRS_CACHE, /* what can be had again */
};

/* The same path without making anything; false: no variable says where. */
bool dirs_find(enum dirs_kind kind, const char *below,
	       char out[static PATH_MAX]);

/*
 * Makes the directory "below" of this kind (mode 0700) and writes its path.
 * PO_E_CONFIG: no variable says where, or it cannot be made.
 */
enum po_status dirs_make(enum dirs_kind kind, const char *below,
			 char out[static PATH_MAX],
			 struct po_error *err) PO_MUST_CHECK;

#endif
