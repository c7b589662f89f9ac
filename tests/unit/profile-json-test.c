/* SPDX-License-Identifier: Apache-2.0 */
/* A profile that goes to another process and arrives as it was. */
#include "conf/profile_json.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 128

static const char *const files[] = { "a.conf", NULL };

/* Something that the setting takes. */
static void value_for(const struct setting *s, char out[static TEXT_MAX])
{
	const char *word = s->words ? s->words[0] : NULL;
	size_t len = word ? strlen(word) : 0;
	const char *end = len && strchr(":=", word[len - 1]) ? "x" : "";

	switch (s->kind) {
	case SETTING_BOOL: word = "yes"; break;
	case SETTING_SECONDS:
	case SETTING_BYTES: word = "7"; break;
	case SETTING_OFFSET: word = "-7"; break;
	case SETTING_TEXT:
	case SETTING_LIST: break;
	}
	(void)snprintf(out, TEXT_MAX, "%s%s",
		       word ? word : "odd \"t\xc3\xa9xt\\", end);
}

static struct origin origin_for(const struct setting *s, size_t i)
{
	return (struct origin){
		.kind = s->only_option ? ORIGIN_OPTION
				       : (enum origin_kind)(1 + i % 5),
		.file = files[i % 2],
		.line = (int)i,
	};
}

/* All settings at once. */
static struct profile *full(void)
{
	struct profile *p = profile_new("every.thing-1");

	assert_non_null(p);
	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];
		const struct origin origin = origin_for(s, i);
		struct po_error err = { 0 };
		char text[TEXT_MAX];

		value_for(s, text);
		for (int n = 0; n < (s->kind == SETTING_LIST ? 2 : 1); n++)
			if (profile_set(p, s, text, &origin, &err) != PO_OK)
				fail_msg("%s: %s", s->name, err.text);
	}
	return p;
}

/* Through the text, as between processes. */
static json_t *sent(const struct profile *p)
{
	json_auto_t *value = profile_to_json(p);
	json_t *arrived = NULL;
	po_auto_buf text = { 0 };

	buf_init(&text, JSON_TEXT_MAX);
	assert_non_null(value);
	assert_true(json_compact(&text, value));
	assert_int_equal(json_parse_object(text.data, text.len, &arrived, NULL),
			 PO_OK);
	return arrived;
}

static void expect_same(const struct profile *a, const struct profile *b)
{
	char one[PROFILE_DIGEST_LEN + 1], other[PROFILE_DIGEST_LEN + 1];

	assert_true(profile_digest(a, one));
	assert_true(profile_digest(b, other));
	assert_string_equal(one, other);
	assert_string_equal(a->name, b->name);
	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct origin *x = &a->origin[i], *y = &b->origin[i];

		assert_int_equal(x->kind, y->kind);
		assert_int_equal(x->line, y->line);
		if (!x->file)
			assert_null(y->file);
		else
			assert_string_equal(x->file, y->file);
	}
}

TEST(all_settings)
{
	po_auto(profile) *p = full();
	json_auto_t *value = sent(p);
	po_auto(profile) *back = NULL;
	struct po_error err = { 0 };

	if (profile_from_json(value, &back, &err) != PO_OK)
		fail_msg("%s", err.text);
	expect_same(p, back);
}

TEST(no_setting)
{
	po_auto(profile) *p = profile_new("bare");
	json_auto_t *value = sent(p);
	po_auto(profile) *back = NULL;

	assert_int_equal(profile_from_json(value, &back, NULL), PO_OK);
	expect_same(p, back);
}

static const char *const wrong[] = {
	"{}",
	"{\"name\":\"a\"}",
	"{\"settings\":[]}",
	"{\"name\":1,\"settings\":[]}",
	"{\"name\":\"a\",\"settings\":{}}",
	"{\"name\":\"a\",\"settings\":[1]}",
	"{\"name\":\"a\",\"settings\":[{}]}",
	"{\"name\":\"a\",\"settings\":[{\"name\":\"nothing\",\"value\":\"x\","
	"\"origin\":3,\"line\":1}]}",
	"{\"name\":\"a\",\"settings\":[{\"name\":\"scope\",\"value\":\"x\","
	"\"origin\":0,\"line\":1}]}",
	"{\"name\":\"a\",\"settings\":[{\"name\":\"scope\",\"value\":\"x\","
	"\"origin\":99,\"line\":1}]}",
	"{\"name\":\"a\",\"settings\":[{\"name\":\"key\",\"value\":[1],"
	"\"origin\":3,\"line\":1}]}",
};

TEST(not_ours)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(wrong); i++) {
		json_auto_t *value = NULL;
		struct profile *p = NULL;
		struct po_error err = { 0 };

		assert_int_equal(json_parse_object(wrong[i], strlen(wrong[i]),
						   &value, NULL),
				 PO_OK);
		if (profile_from_json(value, &p, &err) != PO_E_INTERNAL)
			fail_msg("taken: %s", wrong[i]);
		assert_null(p);
	}
}
