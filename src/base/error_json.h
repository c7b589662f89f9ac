/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error_json.h - an error as JSON: on stderr with --json, in the agent's
 * answers and between its processes.
 *
 * {"status":"pin","exit":7,"message":"…","native":160}
 */
#ifndef PO_BASE_ERROR_JSON_H
#define PO_BASE_ERROR_JSON_H

#include "base/json.h"

/* NULL: out of memory. The text is made printable. */
json_t *error_json(const struct po_error *err) PO_MUST_CHECK;

/* False: not such an object, or one that is no failure. */
bool error_from_json(const json_t *value,
		     struct po_error *ret_err) PO_MUST_CHECK;

#endif
