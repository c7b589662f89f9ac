/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit-path.h - which ledger an audit command is about.
 */
#ifndef PO_CMD_AUDIT_PATH_H
#define PO_CMD_AUDIT_PATH_H

#include "cmd/commands.h"

#include <limits.h>

/*
 * The operand FILE; else the audit-file of the profile name (NULL: of the
 * environment); else the usual file. Nothing is made. PO_E_CONFIG: no variable
 * says where, or as commands_profile() fails.
 */
enum po_status audit_path(const struct cmd_context *ctx, const char *name,
			  char out[static PATH_MAX],
			  struct po_error *err) PO_MUST_CHECK;

#endif
