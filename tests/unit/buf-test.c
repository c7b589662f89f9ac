/* SPDX-License-Identifier: Apache-2.0 */
/* Growing bytes: the maximum holds, and nothing is left behind. */
#include "base/buf.h"

#include "freed.h"
#include "unit.h"

#include <string.h>

#define CANARY "canary-5f0c41"

BEFORE_ALL
{
	freed_hook_openssl();
}

TEST(starts_empty)
{
	struct buf b;

	buf_init(&b, 10);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_text(&b), "");
	buf_clear(&b);
	assert_int_equal(b.max, 10);
}

TEST(max_and_one_more)
{
	po_auto_buf b = { 0 };

	buf_init(&b, 5);
	assert_true(buf_add(&b, "abc", 3));
	assert_false(buf_add(&b, "def", 3)); /* all or nothing */
	assert_string_equal(buf_text(&b), "abc");
	assert_true(buf_adds(&b, "de"));
	assert_false(buf_adds(&b, "f"));
	assert_true(buf_add(&b, "", 0));
	assert_string_equal(buf_text(&b), "abcde");
	assert_int_equal(b.len, 5);
	assert_int_equal(b.capacity, 6);
}

TEST(format_at_max)
{
	po_auto_buf b = { 0 };

	buf_init(&b, 8);
	assert_true(buf_addf(&b, "%d-%s", 12, "abc"));
	assert_false(buf_addf(&b, "%s", "xyz"));
	assert_string_equal(buf_text(&b), "12-abc");
	assert_true(buf_addf(&b, "%s", "xy"));
	assert_string_equal(buf_text(&b), "12-abcxy");
}

TEST(zero_max)
{
	po_auto_buf b = { 0 };

	buf_init(&b, 0);
	assert_true(buf_add(&b, "", 0));
	assert_false(buf_add(&b, "a", 1));
	assert_string_equal(buf_text(&b), "");
}

TEST(huge_lengths_do_not_wrap)
{
	po_auto_buf b = { 0 };

	buf_init(&b, SIZE_MAX);
	assert_true(buf_add(&b, "a", 1));
	assert_false(buf_add(&b, "a", SIZE_MAX));
	assert_false(buf_add(&b, "a", SIZE_MAX - 1));
	assert_string_equal(buf_text(&b), "a");
}

TEST(keeps_nul_bytes)
{
	po_auto_buf b = { 0 };

	buf_init(&b, 10);
	assert_true(buf_add(&b, "a\0b", 3));
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b\0", 4);
}

TEST(usable_after_clear)
{
	po_auto_buf b = { 0 };

	buf_init(&b, 4);
	assert_true(buf_adds(&b, "abcd"));
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	assert_true(buf_adds(&b, "efgh"));
	assert_string_equal(buf_text(&b), "efgh");
}

TEST(growing_wipes)
{
	po_auto_buf b = { 0 };

	freed_look_for(CANARY, strlen(CANARY));
	buf_init(&b, 100000);
	assert_true(buf_adds(&b, CANARY));
	for (int i = 0; i < 10000; i++)
		assert_true(buf_addf(&b, "%05d", i));
	assert_int_equal(strncmp(b.data, CANARY, strlen(CANARY)), 0);
	assert_memory_equal(b.data + b.len - 10, "0999809999", 10);
	buf_clear(&b);
	assert_int_equal(freed_with_canary(), 0);
}

/* Every byte, the last included. */
TEST(clear_wipes_all)
{
	static const unsigned char zeros[1001];
	struct buf b;

	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		assert_true(buf_add(&b, "\xa5", 1));
	assert_int_equal(b.capacity, 1001);
	freed_watch(b.data, b.capacity);
	buf_clear(&b);
	assert_non_null(freed_bytes());
	assert_memory_equal(freed_bytes(), zeros, sizeof(zeros));
}
