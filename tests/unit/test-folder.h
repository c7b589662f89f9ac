/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test-folder.h - for a test that writes files: the working directory is one of
 * its own, and goes away with all that is in it.
 */
#ifndef PO_TESTS_TEST_FOLDER_H
#define PO_TESTS_TEST_FOLDER_H

/* Both fail the running test when they cannot. */
void folder_enter(void);
void folder_leave(void);

#endif
