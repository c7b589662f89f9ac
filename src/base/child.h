/* SPDX-License-Identifier: Apache-2.0 */
/*
 * child.h - another program, spoken to through its standard input and output.
 *
 * Started by posix_spawn(3), which runs no fork handlers: a PKCS #11 module
 * does not notice. The child has our environment, our stderr and no other
 * descriptor of ours; no shell is involved.
 */
#ifndef PO_BASE_CHILD_H
#define PO_BASE_CHILD_H

#include "base/error.h"
#include "base/secret.h"

#include <stdint.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int in;              /* its standard input; -1 when closed */
	int out;             /* its standard output */
	int64_t deadline_ms; /* clock_monotonic_ms() */
};

/*
 * argv[0] is a path, or a name that is looked for in PATH. Everything that
 * waits for the child ends after timeout_s, or when a signal comes.
 * PO_E_CONFIG: it cannot be started.
 */
enum po_status child_start(char *const argv[], int64_t timeout_s,
			   struct child *child,
			   struct po_error *err) PO_MUST_CHECK;

enum po_status child_write(struct child *child, const char *text,
			   struct po_error *err) PO_MUST_CHECK;

/*
 * Appends what the child writes, up to and with the next newline, or to its
 * end. Nothing appended: it has ended. PO_E_DEVICE: it took too long;
 * PO_E_USER: a signal came.
 */
enum po_status child_read_line(struct child *child, struct secret *line,
			       struct po_error *err) PO_MUST_CHECK;

/* Closes both ends and waits; kills it when it does not end. Its exit status
 * (0 .. 255), or -1 when it was killed. */
int child_end(struct child *child);

#endif
