/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - reading a ledger: is its chain whole, and what is in it.
 *
 * A ledger is its full files, NAME.00000001 and so on, and NAME itself. It is
 * read as it stands at the first moment; writers go on meanwhile.
 *
 * What a chain without a key can show: that nothing between its first and last
 * record was changed, put in, taken out or moved. Not that its end is still
 * there, unless its last hash was noted elsewhere, nor that it was not written
 * anew from some record on by somebody who may write the file.
 */
#ifndef PO_AUDIT_VERIFY_H
#define PO_AUDIT_VERIFY_H

#include "audit/ledger.h"

#define LEDGER_AT_MAX (PATH_MAX + 32)

struct ledger_report {
	uint64_t records, first_seq, last_seq; /* 0: no record */
	size_t files;
	char head[LEDGER_HASH_LEN + 1]; /* hash of the last; "": no record */
	bool older_removed;             /* the chain begins with a later file */
	char unfinished[LEDGER_AT_MAX]; /* "FILE:LINE" of a last line that was
					 * not written to its end; "": none */
};

/*
 * Checks the whole chain; head: a hash that must be in it, or NULL.
 *
 * PO_E_CRYPTO: it is broken; the text is "FILE:LINE: what is wrong"
 * PO_E_CONFIG: there is no such file, or it cannot be read
 */
enum po_status ledger_verify(const struct ledger *ledger, const char *head,
			     struct ledger_report *ret_report,
			     struct po_error *err) PO_MUST_CHECK;

struct ledger_filter { /* NULL: any; borrowed */
	const char *jti;
	const char *profile;
	const char *since; /* as records have it, "2026-11-25T01:02:03.000Z" */
};

/* One record, as it stands in the file; anything but PO_OK ends the search. */
typedef enum po_status ledger_found(void *user, const char *line, size_t len,
				    const json_t *record, struct po_error *err);

/*
 * Calls found for each record "sign" that fits, and for each that refers to one
 * by "of", in their order. Does not verify; lines that are no record are
 * counted, and *ret_at is where the first of them is ("" when there is none).
 */
enum po_status ledger_find(const struct ledger *ledger,
			   const struct ledger_filter *filter,
			   ledger_found *found, void *user,
			   char ret_at[static LEDGER_AT_MAX],
			   struct po_error *err) PO_MUST_CHECK;

#endif
