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

static enum po_status parse(const char *text, size_t len, size_t flags,
			    json_t **ret_object, struct po_error *err)
{
	json_auto_t *value = NULL;
	json_error_t why;

	if (len > JSON_TEXT_MAX)
		return po_fail(err, PO_E_SERVER, 0,
			       "JSON text of more than %d bytes",
			       JSON_TEXT_MAX);
	if (too_deep(text, len))
		return po_fail(err, PO_E_SERVER, 0,
			       "JSON nested deeper than %d levels",
			       JSON_DEPTH_MAX);
	value = json_loadb(text, len, flags, &why);
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

static void skip_byte_order_mark(const char **text, size_t *len)
{
	if (*len >= 3 && memcmp(*text, "\xef\xbb\xbf", 3) == 0) {
		*text += 3;
		*len -= 3;
	}
}

enum po_status json_parse_object(const char *text, size_t len,
				 json_t **ret_object, struct po_error *err)
{
	skip_byte_order_mark(&text, &len);
	return parse(text, len, JSON_REJECT_DUPLICATES, ret_object, err);
}

static bool spells(const char *quoted, size_t len, const char *name)
{
	json_auto_t *text = json_loadb(quoted, len, JSON_DECODE_ANY, NULL);

	return text && strcmp(json_string_value(text), name) == 0;
}

/* Where the string that starts at text[i] ends, in sound JSON. */
static size_t string_end(const char *text, size_t i)
{
	for (i++; text[i] != '"'; i++)
		if (text[i] == '\\')
			i++;
	return i;
}

/* How many members of the object have this name; text is sound JSON. */
static size_t count_members(const char *text, size_t len, const char *name)
{
	unsigned int depth = 0;
	size_t count = 0;

	for (size_t i = 0, end; i < len; i++) {
		if (text[i] == '{' || text[i] == '[')
			depth++;
		else if (text[i] == '}' || text[i] == ']')
			depth--;
		if (text[i] != '"')
			continue;
		end = string_end(text, i) + 1;
		if (depth == 1 &&
		    text[end + strspn(text + end, " \t\r\n")] == ':' &&
		    spells(text + i, end - i, name))
			count++;
		i = end - 1;
	}
	return count;
}

enum po_status json_parse_lenient(const char *text, size_t len,
				  const char *const *once, json_t **ret_object,
				  bool *ret_repeats, struct po_error *err)
{
	json_auto_t *value = NULL;
	enum po_status st;

	skip_byte_order_mark(&text, &len);
	if (parse(text, len, JSON_REJECT_DUPLICATES, ret_object, NULL) == PO_OK)
		return PO_OK;
	st = parse(text, len, 0, &value, err);
	if (st != PO_OK)
		return st;
	for (; *once; once++)
		if (count_members(text, len, *once) > 1)
			return po_fail(err, PO_E_SERVER, 0,
				       "repeated member '%s'", *once);
	*ret_object = po_steal(value);
	*ret_repeats = true;
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
