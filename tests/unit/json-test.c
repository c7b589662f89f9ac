/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in and out: one object, within limits, and wiped when freed. */
#include "base/json.h"

#include "freed.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#define CANARY "canary-c2e811"

BEFORE_ALL
{
	freed_hook_openssl();
	json_use_wiping_allocator();
}

struct row {
	const char *name;
	const char *text;
	const char *complaint; /* part of the error; NULL: it parses */
};

static const struct row rows[] = {
	{ "empty object", "{}", NULL },
	{ "white space around", " \r\n\t{ } \n", NULL },
	{ "one byte order mark", "\xef\xbb\xbf{}", NULL },
	{ "two byte order marks", "\xef\xbb\xbf\xef\xbb\xbf{}", "not JSON" },
	{ "nothing", "", "not JSON" },
	{ "an array", "[]", "not an object" },
	{ "a string", "\"a\"", "not" },
	{ "null", "null", "not" },
	{ "garbage after it", "{}x", "not JSON" },
	{ "two objects", "{}{}", "not JSON" },
	{ "cut off", "{\"a\":", "not JSON" },
	{ "trailing comma", "{\"a\":1,}", "not JSON" },
	{ "single quotes", "{'a':1}", "not JSON" },
	{ "comment", "{/**/}", "not JSON" },
	{ "HTML", "<html>", "not JSON" },
	{ "repeated member", "{\"a\":1,\"a\":1}", "repeated" },
	{ "repeated, spelt otherwise", "{\"a\":1,\"\\u0061\":2}", "repeated" },
	{ "repeated deep inside", "{\"x\":[{\"a\":1,\"a\":1}]}", "repeated" },
	{ "same name at two levels", "{\"a\":{\"a\":1}}", NULL },
	{ "escaped NUL", "{\"a\":\"\\u0000\"}", "not JSON" },
	{ "bad UTF-8", "{\"a\":\"\xff\"}", "not JSON" },
	{ "overlong UTF-8", "{\"a\":\"\xc0\xaf\"}", "not JSON" },
	{ "lone surrogate", "{\"a\":\"\\ud800\"}", "not JSON" },
	{ "control character", "{\"a\":\"\n\"}", "not JSON" },
	{ "number too large", "{\"a\":99999999999999999999}", "not JSON" },
	{ "braces in a string", "{\"a\":\"[[[[\\\"{{{{\"}", NULL },
};

ROWS(rows, parse_row)
{
	struct po_error err = { 0 };
	json_auto_t *value = NULL;
	enum po_status st =
		json_parse_object(row->text, strlen(row->text), &value, &err);

	assert_int_equal(st, row->complaint ? PO_E_SERVER : PO_OK);
	if (!row->complaint) {
		assert_true(json_is_object(value));
		return;
	}
	assert_null(value);
	if (!strstr(err.text, row->complaint))
		fail_msg("'%s' does not say '%s'", err.text, row->complaint);
}

/* What stands beside an error may be a secret, so the text never quotes. */
TEST(errors_do_not_quote)
{
	static const char text[] = "{\"access_token\":\"" CANARY "\" oops}";
	struct po_error err = { 0 };
	json_auto_t *value = NULL;

	assert_int_equal(json_parse_object(text, strlen(text), &value, &err),
			 PO_E_SERVER);
	assert_null(strstr(err.text, "canary"));
	assert_null(strstr(err.text, "oops"));
}

static enum po_status parse_nested(unsigned int depth)
{
	json_auto_t *value = NULL;
	po_auto_buf text = { 0 };
	unsigned int i;

	buf_init(&text, JSON_TEXT_MAX);
	assert_true(buf_adds(&text, "{\"a\":"));
	for (i = 1; i < depth; i++)
		assert_true(buf_adds(&text, "["));
	for (i = 1; i < depth; i++)
		assert_true(buf_adds(&text, "]"));
	if (depth == 1)
		assert_true(buf_adds(&text, "1"));
	assert_true(buf_adds(&text, "}"));
	return json_parse_object(text.data, text.len, &value, NULL);
}

TEST(depth_at_max_and_one_more)
{
	assert_int_equal(parse_nested(1), PO_OK);
	assert_int_equal(parse_nested(JSON_DEPTH_MAX), PO_OK);
	assert_int_equal(parse_nested(JSON_DEPTH_MAX + 1), PO_E_SERVER);
	assert_int_equal(parse_nested(100000), PO_E_SERVER);
}

TEST(size_at_max_and_one_more)
{
	char *text = malloc(JSON_TEXT_MAX + 1);
	json_auto_t *value = NULL, *none = NULL;

	assert_non_null(text);
	memset(text, ' ', JSON_TEXT_MAX + 1);
	memcpy(text, "{}", 2);
	assert_int_equal(json_parse_object(text, JSON_TEXT_MAX, &value, NULL),
			 PO_OK);
	assert_int_equal(
		json_parse_object(text, JSON_TEXT_MAX + 1, &none, NULL),
		PO_E_SERVER);
	free(text);
}

struct lenient_row {
	const char *name;
	const char *text;
	const char *value;     /* of "v"; NULL: it does not parse */
	const char *complaint; /* part of the error */
	bool repeats;
};

/* "a" and "b" are to be there once. */
static const struct lenient_row lenient_rows[] = {
	{ "lenient: none repeats", "{\"a\":1,\"v\":\"x\",\"b\":2}", "x", NULL,
	  false },
	{ "lenient: another repeats", "{\"v\":\"x\",\"a\":1,\"v\":\"y\"}", "y",
	  NULL, true },
	{ "lenient: mark and repeats", "\xef\xbb\xbf{\"v\":\"x\",\"v\":\"y\"}",
	  "y", NULL, true },
	{ "lenient: deep inside", "{\"v\":\"x\",\"c\":[{\"a\":1,\"a\":2}]}",
	  "x", NULL, true },
	{ "lenient: as values", "{\"v\":\"a\",\"c\":\"a\",\"v\":\"b\"}", "b",
	  NULL, true },
	{ "lenient: quotes and braces in strings",
	  "{\"v\":\"x\",\"c\":\"\\\"a\\\":{\\\\\",\"a\":1,\"v\":\"y\"}", "y",
	  NULL, true },
	{ "lenient: the first repeats", "{\"a\":1,\"v\":\"x\",\"a\":1}", NULL,
	  "repeated member 'a'", false },
	{ "lenient: the second repeats", "{\"b\":1,\"v\":[{\"b\":1}],\"b\" :1}",
	  NULL, "repeated member 'b'", false },
	{ "lenient: spelt otherwise", "{\"\\u0061\":1,\"a\"\n\t:1}", NULL,
	  "repeated member 'a'", false },
	{ "lenient: and garbage", "{\"v\":1,\"v\":2}x", NULL, "not JSON",
	  false },
	{ "lenient: an array", "[1]", NULL, "not an object", false },
	{ "lenient: nothing", "", NULL, "not JSON", false },
};

ROWS(lenient_rows, lenient_row)
{
	static const char *const once[] = { "a", "b", NULL };
	struct po_error err = { 0 };
	json_auto_t *value = NULL;
	bool repeats = false;
	enum po_status st = json_parse_lenient(row->text, strlen(row->text),
					       once, &value, &repeats, &err);

	assert_int_equal(st, row->value ? PO_OK : PO_E_SERVER);
	assert_int_equal(repeats, row->repeats);
	if (row->value) {
		assert_string_equal(json_text(value, "v"), row->value);
		assert_int_equal(err.status, PO_OK);
		return;
	}
	assert_null(value);
	if (!strstr(err.text, row->complaint))
		fail_msg("'%s' does not say '%s'", err.text, row->complaint);
}

TEST(raw_nul_is_refused)
{
	json_auto_t *value = NULL;

	assert_int_equal(json_parse_object("{}\0", 3, &value, NULL),
			 PO_E_SERVER);
}

TEST(text_members)
{
	static const char text[] =
		"{\"s\":\"v\",\"e\":\"\",\"n\":null,\"i\":1,\"a\":[\"v\"]}";
	json_auto_t *o = NULL;

	assert_int_equal(json_parse_object(text, strlen(text), &o, NULL),
			 PO_OK);
	assert_string_equal(json_text(o, "s"), "v");
	assert_string_equal(json_text(o, "e"), "");
	assert_null(json_text(o, "n"));
	assert_null(json_text(o, "i"));
	assert_null(json_text(o, "a"));
	assert_null(json_text(o, "absent"));
	assert_null(json_text(NULL, "s"));
}

TEST(compact_keeps_order)
{
	static const char text[] = "{\"z\":1,\"a\":\"\\u00eb\\n/\",\"m\":[{}]}";
	json_auto_t *o = NULL;
	po_auto_buf out = { 0 }, small = { 0 };

	buf_init(&out, 100);
	buf_init(&small, 10);
	assert_int_equal(json_parse_object(text, strlen(text), &o, NULL),
			 PO_OK);
	assert_true(json_compact(&out, o));
	assert_string_equal(buf_text(&out),
			    "{\"z\":1,\"a\":\"\xc3\xab\\n/\",\"m\":[{}]}");
	assert_false(json_compact(&small, o));
}

/* Parse and free a text with the canary in a name, a value and a number. */
static void parse_canary(void)
{
	static const char text[] =
		"{\"access_token\":\"" CANARY CANARY CANARY CANARY "\","
		"\"" CANARY "\":[\"" CANARY "\"],\"x\":\"\\u00eb" CANARY "\"}";
	static const char broken[] = "{\"access_token\":\"" CANARY "\" oops}";
	json_t *value = NULL;
	po_auto_buf out = { 0 };

	buf_init(&out, 1000);
	assert_int_equal(json_parse_object(text, strlen(text), &value, NULL),
			 PO_OK);
	assert_true(json_compact(&out, value));
	json_decref(value);
	value = NULL;
	assert_int_equal(
		json_parse_object(broken, strlen(broken), &value, NULL),
		PO_E_SERVER);
}

TEST(jansson_wipes)
{
	freed_look_for(CANARY, strlen(CANARY));
	parse_canary();
	assert_int_equal(freed_with_canary(), 0);
}

/* Every byte of a block, the last included, as jansson would free it. */
TEST(wiping_free_wipes_all)
{
	static const unsigned char zeros[4096];
	json_malloc_t take = NULL;
	json_free_t give = NULL;
	unsigned char *p;

	json_get_alloc_funcs(&take, &give);
	for (size_t n = 1; n < 4000; n = n * 3 + 1) {
		p = take(n);
		assert_non_null(p);
		memset(p, 0xa5, n);
		freed_watch(p, n);
		give(p);
		assert_non_null(freed_bytes());
		assert_memory_equal(freed_bytes(), zeros, n);
	}
	give(NULL);
}

/*
 * The looking itself works: without the wiping the canary is seen. Last: it
 * leaves the canary in memory.
 */
TEST(canary_bites)
{
	json_set_alloc_funcs(malloc, free);
	freed_look_for(CANARY, strlen(CANARY));
	parse_canary();
	assert_true(freed_with_canary() > 3);
	json_use_wiping_allocator();
}
