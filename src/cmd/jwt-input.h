/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwt-input.h - the JWT that jwt inspect and jwt verify are given.
 */
#ifndef PO_CMD_JWT_INPUT_H
#define PO_CMD_JWT_INPUT_H

#include "cmd/commands.h"
#include "jose/jwt.h"

/*
 * Reads the file that the operand names, or standard input. PO_E_USAGE: the
 * operand is a JWT itself, which every user of the machine could read.
 */
enum po_status jwt_input(const struct cmd_context *ctx, struct jws **ret_jws,
			 struct po_error *err) PO_MUST_CHECK;

#endif
