/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error_json.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define PRINTABLE_MAX (4 * (size_t)PO_ERROR_TEXT_MAX)

json_t *error_json(const struct po_error *err)
{
	po_auto_buf text = { 0 };

	buf_init(&text, PRINTABLE_MAX);
	if (!text_add_printable(&text, err->text, strlen(err->text)))
		return NULL;
	return json_pack("{s:s, s:i, s:s, s:I}", "status",
			 po_status_name(err->status), "exit", -err->status,
			 "message", buf_text(&text), "native",
			 (json_int_t)err->native);
}

bool error_from_json(const json_t *value, struct po_error *ret_err)
{
	json_int_t exit_status =
		json_integer_value(json_object_get(value, "exit"));
	const char *message = json_text(value, "message");

	if (!message || exit_status < 1 || exit_status > -PO_STATUS_LAST)
		return false;
	*ret_err = (struct po_error){
		.status = (enum po_status) - exit_status,
		.native = (long)json_integer_value(
			json_object_get(value, "native")),
	};
	(void)snprintf(ret_err->text, sizeof(ret_err->text), "%s", message);
	return true;
}
