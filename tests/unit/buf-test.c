/* SPDX-License-Identifier: Apache-2.0 */
/* Growing bytes: the maximum holds, and nothing is left behind. */
#include "base/buf.h"

#include "freed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define CANARY "canary-5f0c41"

static void starts_empty(void **state)
{
	struct buf b;

	(void)state;
	buf_init(&b, 10);
	assert_null(b.data);
	assert_int_equal(b.len, 0);
	assert_string_equal(buf_text(&b), "");
	buf_clear(&b);
	assert_int_equal(b.max, 10);
}

static void max_and_one_more(void **state)
{
	po_auto_buf b = { 0 };

	(void)state;
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

static void format_at_max(void **state)
{
	po_auto_buf b = { 0 };

	(void)state;
	buf_init(&b, 8);
	assert_true(buf_addf(&b, "%d-%s", 12, "abc"));
	assert_false(buf_addf(&b, "%s", "xyz"));
	assert_string_equal(buf_text(&b), "12-abc");
	assert_true(buf_addf(&b, "%s", "xy"));
	assert_string_equal(buf_text(&b), "12-abcxy");
}

static void zero_max(void **state)
{
	po_auto_buf b = { 0 };

	(void)state;
	buf_init(&b, 0);
	assert_true(buf_add(&b, "", 0));
	assert_false(buf_add(&b, "a", 1));
	assert_string_equal(buf_text(&b), "");
}

static void huge_lengths_do_not_wrap(void **state)
{
	po_auto_buf b = { 0 };

	(void)state;
	buf_init(&b, SIZE_MAX);
	assert_true(buf_add(&b, "a", 1));
	assert_false(buf_add(&b, "a", SIZE_MAX));
	assert_false(buf_add(&b, "a", SIZE_MAX - 1));
	assert_string_equal(buf_text(&b), "a");
}

static void keeps_nul_bytes(void **state)
{
	po_auto_buf b = { 0 };

	(void)state;
	buf_init(&b, 10);
	assert_true(buf_add(&b, "a\0b", 3));
	assert_int_equal(b.len, 3);
	assert_memory_equal(b.data, "a\0b\0", 4);
}

static void usable_after_clear(void **state)
{
	po_auto_buf b = { 0 };

	(void)state;
	buf_init(&b, 4);
	assert_true(buf_adds(&b, "abcd"));
	buf_clear(&b);
	assert_string_equal(buf_text(&b), "");
	assert_true(buf_adds(&b, "efgh"));
	assert_string_equal(buf_text(&b), "efgh");
}

static void growing_wipes(void **state)
{
	po_auto_buf b = { 0 };

	(void)state;
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
static void clear_wipes_all(void **state)
{
	static const unsigned char zeros[1001];
	struct buf b;

	(void)state;
	buf_init(&b, 1000);
	for (int i = 0; i < 1000; i++)
		assert_true(buf_add(&b, "\xa5", 1));
	assert_int_equal(b.capacity, 1001);
	freed_watch(b.data, b.capacity);
	buf_clear(&b);
	assert_non_null(freed_bytes());
	assert_memory_equal(freed_bytes(), zeros, sizeof(zeros));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(starts_empty),
		cmocka_unit_test(max_and_one_more),
		cmocka_unit_test(format_at_max),
		cmocka_unit_test(zero_max),
		cmocka_unit_test(huge_lengths_do_not_wrap),
		cmocka_unit_test(keeps_nul_bytes),
		cmocka_unit_test(usable_after_clear),
		cmocka_unit_test(growing_wipes),
		cmocka_unit_test(clear_wipes_all),
	};

	freed_hook_openssl();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
