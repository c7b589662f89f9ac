/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/setting-text.h"

#include "base/text.h"

#include <string.h>

static const void *field_of(const struct profile *p, const struct setting *s)
{
	return (const char *)p + s->offset;
}

json_t *setting_json(const struct profile *p, const struct setting *s)
{
	const void *field = field_of(p, s);
	char *const *texts = field;
	json_t *list;

	switch (s->kind) {
	case SETTING_BOOL: return json_boolean(*(const bool *)field);
	case SETTING_SECONDS:
	case SETTING_OFFSET:
	case SETTING_BYTES: return json_integer(*(const int64_t *)field);
	case SETTING_TEXT: return json_string(*texts);
	case SETTING_LIST: break;
	}
	list = json_array();
	for (; list && *texts; texts++)
		if (json_array_append_new(list, json_string(*texts)) != 0) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static bool add_text(struct buf *out, const char *text)
{
	json_auto_t *value = json_string(text);

	return value && json_compact(out, value);
}

bool setting_add_value(const struct profile *p, const struct setting *s,
		       struct buf *out)
{
	const void *field = field_of(p, s);
	char *const *texts = field;

	switch (s->kind) {
	case SETTING_BOOL:
		return buf_adds(out, *(const bool *)field ? "yes" : "no");
	case SETTING_SECONDS:
	case SETTING_OFFSET:
	case SETTING_BYTES:
		return buf_addf(out, "%lld",
				(long long)*(const int64_t *)field);
	case SETTING_TEXT: return add_text(out, *texts);
	case SETTING_LIST: break;
	}
	if (!buf_adds(out, "{ "))
		return false;
	for (size_t i = 0; texts[i]; i++)
		if (!buf_adds(out, i ? ", " : "") || !add_text(out, texts[i]))
			return false;
	return buf_adds(out, " }");
}

bool setting_is_prose(const struct setting *s)
{
	static const char *const names[] = { "summary", "source", "unknown",
					     NULL };

	return text_word_index(s->name, names) >= 0;
}
