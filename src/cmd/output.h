/* SPDX-License-Identifier: Apache-2.0 */
/*
 * output.h - the result, on the standard output that the caller gave us.
 *
 * The real standard output is moved away before anything else happens, so
 * that nothing but a result can reach it: a vendor's module that prints,
 * prints into /dev/null (or, when cryptoki is debugged, to stderr).
 */
#ifndef PO_CMD_OUTPUT_H
#define PO_CMD_OUTPUT_H

#include "base/json.h"
#include "base/secret.h"

/* Once, first thing in main(). Standing streams that are closed are opened. */
enum po_status output_init(struct po_error *err) PO_MUST_CHECK;

/* What file descriptor 1 is from now on: /dev/null or a copy of stderr. */
void output_show_chatter(bool show);

/* File descriptor 1 is what the caller gave us again. False: errno says why. */
bool output_give_back(void) PO_MUST_CHECK;

/* All of it or PO_E_INTERNAL (a full disk, a closed pipe). */
enum po_status output_text(const char *text,
			   struct po_error *err) PO_MUST_CHECK;

/* Indented, and a newline. */
enum po_status output_json(const json_t *value,
			   struct po_error *err) PO_MUST_CHECK;

/*
 * A credential and a newline: to path (mode 0600, whole or not at all) or,
 * when path is NULL, to the output; warns when others may read that file.
 */
enum po_status output_credential(const char *path, const char *text, size_t len,
				 struct po_error *err) PO_MUST_CHECK;

#endif
