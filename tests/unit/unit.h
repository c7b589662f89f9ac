/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit.h - unit programs whose tests count themselves: what is written here
 * runs, in the order in which it is written.
 *
 *	TEST(name_of_the_test) { … }
 *	ROWS(table, name_of_the_test) { … row->member … }
 *
 * Each row of a table is a test of its own, and its first member is its name.
 * BEFORE_ALL { … } and AFTER_ALL { … } run around all of them. main() is in
 * unit.c; the assertions are cmocka's.
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
void unit_before_all(void (*function)(void));
void unit_after_all(void (*function)(void));

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

#define ROWS(table, name)                                                   \
	static void name(const __typeof__((table)[0]) *row);                \
	static void run_##name(void **state)                                \
	{                                                                   \
		name(*state);                                               \
	}                                                                   \
	UNIT_REGISTER(name)                                                 \
	{                                                                   \
		for (size_t i = 0; i < PO_ARRAY_SIZE(table); i++)           \
			unit_add((table)[i].name, run_##name, &(table)[i]); \
	}                                                                   \
	static void name(const __typeof__((table)[0]) *row)

#define BEFORE_ALL                           \
	static void before_all(void);        \
	UNIT_REGISTER(before_all)            \
	{                                    \
		unit_before_all(before_all); \
	}                                    \
	static void before_all(void)

#define AFTER_ALL                          \
	static void after_all(void);       \
	UNIT_REGISTER(after_all)           \
	{                                  \
		unit_after_all(after_all); \
	}                                  \
	static void after_all(void)

#endif
