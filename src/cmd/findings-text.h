/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings-text.h - findings as doctor and jwks check print them.
 */
#ifndef PO_CMD_FINDINGS_TEXT_H
#define PO_CMD_FINDINGS_TEXT_H

#include "base/buf.h"
#include "base/findings.h"
#include "base/json.h"

#define FINDINGS_TEXT_MAX \
	((size_t)FINDINGS_MAX * (2 * FINDING_TEXT_MAX + 64)) /* bytes */

/* "failed   clock        …" and, indented, "-> remedy". False: does not fit. */
bool findings_add_text(const struct findings *findings,
		       struct buf *out) PO_MUST_CHECK;

/* An array of {"check","severity","text","remedy"} (null: nothing to do), and
 * "kid" where it is about a key; NULL: out of memory. */
json_t *findings_json(const struct findings *findings);

/* PO_OK, or the first failure again, for the one line of a command. */
enum po_status findings_fail_first(const struct findings *findings,
				   struct po_error *err) PO_MUST_CHECK;

#endif
