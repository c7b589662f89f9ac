/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit.h - unit programs whose tests count themselves: what is written here
 * runs, in the order in which it is written.
 *
 *	TEST(name_of_the_test) { … }
 *	ROWS(table, name_of_the_test) { … row->member … }
 *
 * Each row of a table is a test of its own, and its first member is its name.
 * BEFORE_ALL { … } and AFTER_ALL { … } run around all of them, BEFORE_EACH { …
 * } and AFTER_EACH { … } around every one, a row as well. main() is in unit.c;
 * the assertions are cmocka's.
 */
#ifndef PO_TESTS_UNIT_H
#define PO_TESTS_UNIT_H

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* Both are borrowed. */
void unit_add(const char *name, CMUnitTestFunction function, const void *row);

struct unit_hooks {
	void (*before_all)(void);
	void (*after_all)(void);
	void (*before_each)(void);
	void (*after_each)(void);
};
extern struct unit_hooks unit_hooks;

#define UNIT_REGISTER(name) \
	__attribute__((constructor)) static void register_##name(void)

#define TEST(name)                                 \
	static void name(void);                    \
	static void run_##name(void **state)       \
	{                                          \
		(void)state;                       \
		name();                            \
	}                                          \
	UNIT_REGISTER(name)                        \
	{                                          \
		unit_add(#name, run_##name, NULL); \
	}                                          \
	static void name(void)

#define ROWS(table, test)                                                   \
	static void test(const __typeof__((table)[0]) *row);                \
	static void run_##test(void **state)                                \
	{                                                                   \
		test(*state);                                               \
	}                                                                   \
	UNIT_REGISTER(test)                                                 \
	{                                                                   \
		for (size_t i = 0; i < PO_ARRAY_SIZE(table); i++)           \
			unit_add((table)[i].name, run_##test, &(table)[i]); \
	}                                                                   \
	static void test(const __typeof__((table)[0]) *row)

#define UNIT_HOOK(name)                 \
	static void name(void);         \
	UNIT_REGISTER(name)             \
	{                               \
		unit_hooks.name = name; \
	}                               \
	static void name(void)

#define BEFORE_ALL UNIT_HOOK(before_all)
#define AFTER_ALL UNIT_HOOK(after_all)
#define BEFORE_EACH UNIT_HOOK(before_each)
#define AFTER_EACH UNIT_HOOK(after_each)

#endif
