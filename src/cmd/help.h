/* SPDX-License-Identifier: Apache-2.0 */
/*
 * help.h - help texts, made of the command and option tables.
 */
#ifndef PO_CMD_HELP_H
#define PO_CMD_HELP_H

#include "cmd/commands.h"

enum po_status help_overview(struct po_error *err) PO_MUST_CHECK;
enum po_status help_command(const struct cmd *cmd,
			    struct po_error *err) PO_MUST_CHECK;

/* COMMAND, OPTION, ARG, HELP of every option, separated by tabs; for lints. */
enum po_status help_dump_options(struct po_error *err) PO_MUST_CHECK;

#endif
