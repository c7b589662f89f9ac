/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request-fields.h - the header fields of a request that a test server logged.
 */
#ifndef PO_TESTS_UNIT_REQUEST_FIELDS_H
#define PO_TESTS_UNIT_REQUEST_FIELDS_H

#include "base/json.h"
#include "unit.h"

#include <string.h>

/* "Name: value\n" of each field, in the order sent, but for Host. */
static inline void fields_of(const json_t *request, struct buf *out)
{
	const json_t *fields = json_object_get(request, "headers");

	for (size_t i = 0; i < json_array_size(fields); i++) {
		const json_t *f = json_array_get(fields, i);
		const char *name = json_string_value(json_array_get(f, 0));
		const char *value = json_string_value(json_array_get(f, 1));

		if (strcmp(name, "Host") != 0)
			assert_true(buf_addf(out, "%s: %s\n", name, value));
	}
}

#endif
