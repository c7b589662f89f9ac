/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process.h - what the program changes of its own process, and how a command
 * gives it back to another program that takes its place.
 */
#ifndef PO_CMD_PROCESS_H
#define PO_CMD_PROCESS_H

#include "base/error.h"

/* First thing in main(): files of ours are ours alone, signals only ask. */
void process_begin(void);

/*
 * No core file and no ptrace by others while secrets are in memory. The hard
 * limit stays, for process_give_back().
 */
void process_lock(void);

/*
 * Which descriptors were there before a module or a library opened its own;
 * what comes later is closed when another program takes over.
 */
void process_note_descriptors(void);

/*
 * Runs argv in our place, with the environment envp: file mode mask, signals,
 * limits and standard output are as we found them. Returns only when it fails:
 * errno says why.
 */
int process_become(char *const argv[], char *const envp[]);

#endif
