/* SPDX-License-Identifier: Apache-2.0 */
/*
 * in-child.h - unit.h's tests, each in a child of its own, for what has no way
 * back.
 *
 *	TEST_IN_CHILD(name_of_the_test) { … }
 *	ROWS_IN_CHILD(table, name_of_the_test) { … row->member … }
 *
 * They look by CHECK(): cmocka's assertions would go on in the child with what
 * is the parent's.
 */
#ifndef PO_TESTS_IN_CHILD_H
#define PO_TESTS_IN_CHILD_H

#include "unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A child's check: it ends there. */
#define CHECK(condition)                                                      \
	do {                                                                  \
		if (!(condition)) {                                           \
			(void)fprintf(stderr, "# line %d: %s (%s)\n",         \
				      __LINE__, #condition, strerror(errno)); \
			_exit(1);                                             \
		}                                                             \
	} while (0)

/* True in a new child; false in the parent, when it ended without an error. */
bool in_child(void);

#define TEST_IN_CHILD(name)                \
	static void name##_in_child(void); \
	TEST(name)                         \
	{                                  \
		if (in_child()) {          \
			name##_in_child(); \
			_exit(0);          \
		}                          \
	}                                  \
	static void name##_in_child(void)

#define ROWS_IN_CHILD(table, test)                                      \
	static void test##_in_child(const __typeof__((table)[0]) *row); \
	ROWS(table, test)                                               \
	{                                                               \
		if (in_child()) {                                       \
			test##_in_child(row);                           \
			_exit(0);                                       \
		}                                                       \
	}                                                               \
	static void test##_in_child(const __typeof__((table)[0]) *row)

#endif
