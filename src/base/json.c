/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void wiping_free(void *p)
{
	if (!p)
		return;
	OPENSSL_cleanse(p, malloc_usable_size(p));
	free(p);
}

void json_use_wiping_allocator(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
}

/* jansson recurses up to 2048 levels; look before it does. */
static bool too_deep(const char *text, size_t len)
{
	bool in_string = false;
	unsigned int depth = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string) {
			if (c == '\\')
				i++;
			else if (c == '"')
				in_string = false;
		} else if (c == '"') {
			in_string = true;
		} else if (c == '{' || c == '[') {
			if (++depth > JSON_DEPTH_MAX)
				return true;
		} else if ((c == '}' || c == ']') && depth > 0) {
			depth--;
		}
	}
	return false;
}

enum po_status json_parse_object(const char *text, size_t len,
				 json_t **ret_object, struct po_error *err)
{
	json_auto_t *value = NULL;
	json_error_t why;

	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		len -= 3;
	}
	if (len > JSON_TEXT_MAX)
		return po_fail(err, PO_E_SERVER, 0,
			       "JSON text of more than %d bytes",
			       JSON_TEXT_MAX);
	if (too_deep(text, len))
		return po_fail(err, PO_E_SERVER, 0,
			       "JSON nested deeper than %d levels",
			       JSON_DEPTH_MAX);
	value = json_loadb(text, len, JSON_REJECT_DUPLICATES, &why);
	if (!value) /* the reason only: the text beside it may be a secret */
		return po_fail(err, PO_E_SERVER, 0, "not JSON: %s at byte %d",
			       json_error_code(&why) == json_error_duplicate_key
				       ? "repeated member name"
				       : "syntax error",
			       why.position);
	if (!json_is_object(value))
		return po_fail(err, PO_E_SERVER, 0, "JSON, but not an object");
	*ret_object = po_steal(value);
	return PO_OK;
}

const char *json_text(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static int add_chunk(const char *data, size_t len, void *out)
{
	return buf_add(out, data, len) ? 0 : -1;
}

bool json_compact(struct buf *out, const json_t *value)
{
	return json_dump_callback(value, add_chunk, out,
				  JSON_COMPACT | JSON_ENCODE_ANY) == 0;
}
