/* SPDX-License-Identifier: Apache-2.0 */
/*
 * error.h - errors as values: a category, a native code and one line of text.
 *
 * A function that can fail returns enum po_status and takes, last, the
 * caller's struct po_error (NULL when the text is not wanted). The first error
 * wins; callers put context in front of it on the way up; main() prints it
 * once. Nothing here allocates, so it works when memory is gone.
 *
 * The negated status is the exit status of the program; the numbers are
 * frozen and documented in p11oauth-exit-status(7).
 */
#ifndef PO_BASE_ERROR_H
#define PO_BASE_ERROR_H

#include "base/compiler.h"

#include <stdarg.h>

#define PO_ERROR_TEXT_MAX 2048 /* long enough to list candidates */

enum po_status {
	PO_OK = 0,
	PO_E_INTERNAL = -1,   /* a bug, or out of memory */
	PO_E_USAGE = -2,      /* the command line */
	PO_E_CONFIG = -3,     /* the configuration file */
	PO_E_TOKEN = -4,      /* token absent, module not loadable */
	PO_E_NOT_FOUND = -5,  /* no such key or certificate */
	PO_E_AMBIGUOUS = -6,  /* several match */
	PO_E_PIN = -7,        /* PIN needed, or wrong */
	PO_E_PIN_LOCKED = -8, /* PIN locked, or its last try withheld */
	PO_E_USER = -9,       /* the user did not act, or refused */
	PO_E_DEVICE = -10,    /* device or module failed, or took too long */
	PO_E_CRYPTO = -11,    /* key, certificate and signature disagree */
	PO_E_NETWORK = -12,   /* network or TLS */
	PO_E_REFUSED = -13,   /* the server said no */
	PO_E_SERVER = -14,    /* the server is unavailable or talks nonsense */
	PO_E_POLICY = -15,    /* denied by policy */
	PO_E_AGENT = -16,     /* the agent cannot be reached */
};

#define PO_STATUS_LAST PO_E_AGENT

struct po_error {
	enum po_status status;
	long native; /* CK_RV, errno, HTTP status, CURLcode; 0 when none */
	char text[PO_ERROR_TEXT_MAX];
};

/* Records the error unless err is NULL or holds one already; returns status. */
enum po_status po_fail(struct po_error *err, enum po_status status, long native,
		       const char *fmt, ...) PO_PRINTF(4, 5);
enum po_status po_vfail(struct po_error *err, enum po_status status,
			long native, const char *fmt, va_list ap)
	PO_PRINTF(4, 0);

/* po_fail() for the one case that needs no words. */
enum po_status po_no_memory(struct po_error *err);

/*
 * Puts "CONTEXT: " in front of the text when st is a failure; returns st, so
 * that it can end a function: return po_context(err, st, "token '%s'", label).
 */
enum po_status po_context(struct po_error *err, enum po_status st,
			  const char *fmt, ...) PO_PRINTF(3, 4);

/* The same behind the text. */
enum po_status po_append(struct po_error *err, enum po_status st,
			 const char *fmt, ...) PO_PRINTF(3, 4);

/* Takes back a recorded error, for a caller that found another way. */
void po_error_clear(struct po_error *err);

/* One lower-case word, such as "pin-locked"; part of the --json contract. */
const char *po_status_name(enum po_status st);

#endif
