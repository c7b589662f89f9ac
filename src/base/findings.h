/* SPDX-License-Identifier: Apache-2.0 */
/*
 * findings.h - what a check found: one line of cause, one of remedy, each.
 *
 * Texts may quote a server: whatever is put in, a finding holds printable
 * UTF-8 on one line, cut to what fits. Adding does not fail; findings_status()
 * says at the end when something was left out.
 */
#ifndef PO_BASE_FINDINGS_H
#define PO_BASE_FINDINGS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

#define FINDINGS_MAX 1500 /* a dozen for each key of a JWK Set */
#define FINDING_TEXT_MAX 1024

enum severity {
	FINDING_OK,
	FINDING_WARNING,
	FINDING_FAILED,
};

struct finding {
	enum severity severity;
	enum po_status status; /* of a failed one, for the exit status */
	const char *check; /* "clock"; static, part of the --json contract */
	char text[FINDING_TEXT_MAX];
	char remedy[FINDING_TEXT_MAX]; /* "" when there is nothing to do */
	char kid[FINDING_TEXT_MAX];    /* of the key that it is about, or "" */
};

struct findings {
	struct finding *items; /* owned */
	size_t count;
	bool is_full;    /* further ones were dropped */
	const char *kid; /* what the next ones are about; borrowed; may be NULL
			  */
};

void findings_clear(struct findings *findings);

static inline void findings_autoclear(struct findings *f)
{
	findings_clear(f);
}
#define po_auto_findings \
	__attribute__((cleanup(findings_autoclear))) struct findings

/* Adds one; remedy may be NULL. When there is no room the last stays. */
void findings_add(struct findings *findings, enum severity severity,
		  const char *check, const char *remedy, const char *fmt, ...)
	PO_PRINTF(5, 6);

/* A failed one, of an error with its status. */
void findings_fail(struct findings *findings, const char *check,
		   const struct po_error *err, const char *remedy);

/* One of another list, under the name of check. */
void findings_take(struct findings *findings, const struct finding *finding,
		   const char *check);

/* PO_OK, or the status of the first that failed, or PO_E_INTERNAL when some
 * were dropped. */
enum po_status findings_status(const struct findings *findings);

const char *severity_name(enum severity severity); /* "ok" */

#endif
