/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger_file.h - the parts of a ledger: its lines, the end of a file, the
 * names of the full ones. For ledger.c and verify.c.
 */
#ifndef PO_AUDIT_LEDGER_FILE_H
#define PO_AUDIT_LEDGER_FILE_H

#include "audit/ledger.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define LEDGER_HASH_MEMBER ",\"hash\":\""
/* ,"hash":"…"} */
#define LEDGER_HASH_BYTES (sizeof(LEDGER_HASH_MEMBER) - 1 + LEDGER_HASH_LEN + 2)
#define LEDGER_NUMBER_MAX 99999999

/* SHA-256 in lower-case hexadecimal. False: OpenSSL failed. */
bool ledger_sha256(const void *data, size_t len,
		   char out[static LEDGER_HASH_LEN + 1]) PO_MUST_CHECK;

bool ledger_is_hash(const char *text);

/* What a line without its newline says of itself. False: it has not the form
 * of a record. */
bool ledger_line_place(const char *line, size_t len,
		       struct ledger_place *ret_place) PO_MUST_CHECK;

struct ledger_tail {
	off_t size;
	off_t end; /* of the last whole line; less than size: torn */
	struct ledger_place place; /* seq 0: no whole line */
};

/* PO_E_CONFIG: unreadable, or the last whole line is no record. */
enum po_status ledger_read_tail(int fd, const char *path,
				struct ledger_tail *ret_tail,
				struct po_error *err) PO_MUST_CHECK;

/* Waits for flock(2), LEDGER_LOCK_WAIT_MS at most. how: LOCK_EX or LOCK_SH.
 * PO_E_CONFIG: another process keeps it; PO_E_USER: a signal came meanwhile. */
enum po_status ledger_lock(const struct ledger *ledger, int fd, int how,
			   struct po_error *err) PO_MUST_CHECK;

/* The full files of a ledger, oldest first. */
struct ledger_numbers {
	unsigned int *items; /* owned */
	size_t count;
};
enum po_status ledger_numbers_of(const char *path,
				 struct ledger_numbers *ret_numbers,
				 struct po_error *err) PO_MUST_CHECK;
void ledger_numbers_clear(struct ledger_numbers *numbers);

/* "PATH.00000001". False: too long. */
bool ledger_numbered(const char *path, unsigned int number,
		     char out[static PATH_MAX]) PO_MUST_CHECK;

/* The number at the end of such a name; 0: none. */
unsigned int ledger_number_in(const char *name);

/* PO_E_CONFIG with "cannot WHAT 'PATH': " and the text of errno e. */
enum po_status ledger_fail(struct po_error *err, int e, const char *what,
			   const char *path);

#endif
