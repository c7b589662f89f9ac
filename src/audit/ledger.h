/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ledger.h - the record of every use of a private key: JSON Lines, append-only,
 * hash-chained.
 *
 * A line is {"seq":N,"time":"…",…,"prev":"<64 hex>","hash":"<64 hex>"}: hash is
 * the SHA-256 of the line's bytes before ,"hash": and prev is the hash of the
 * record before, 64 zeros in the first. A full file is renamed to NAME.00000001
 * and so on; the next one starts with a record "rotate" that goes on with the
 * chain.
 *
 * Stateless: each call opens the file, takes flock(2), reads its last line and
 * closes, so that many processes may share one ledger.
 *
 * Source: JSON Lines (jsonlines.org), RFC 8259, RFC 3339 (time: UTC, with
 * milliseconds), FIPS 180-4.
 */
#ifndef PO_AUDIT_LEDGER_H
#define PO_AUDIT_LEDGER_H

#include "base/clock.h"
#include "base/json.h"

#include <limits.h>
#include <stdint.h>

#define LEDGER_FILE_NAME "audit.jsonl"
#define LEDGER_HASH_LEN 64                     /* hexadecimal characters */
#define LEDGER_RECORD_MAX 65536                /* bytes, with the newline */
#define LEDGER_ROTATE_BYTES (16 * 1024 * 1024) /* a file that is full */
#define LEDGER_LOCK_WAIT_MS 10000

struct ledger { /* all borrowed */
	const char *path;
	const struct po_clock *clock; /* records have its time */
};

struct ledger_place { /* of the last record; seq 0: none yet */
	uint64_t seq;
	char hash[LEDGER_HASH_LEN + 1];
};

/*
 * LEDGER_FILE_NAME in the directory for state (base/dirs.h), which is made.
 * PO_E_CONFIG: no variable says where (native 0), or it cannot be made.
 */
enum po_status ledger_default_path(char out[static PATH_MAX],
				   struct po_error *err) PO_MUST_CHECK;

/*
 * Appends record: an object with members, none of them seq, time, prev or hash
 * (PO_E_INTERNAL otherwise, and when the line would be over LEDGER_RECORD_MAX).
 *
 * All or nothing: what was written of a line that does not fit is cut off
 * again. An unfinished last line that a killed writer left is cut off and told
 * in a record "torn" (bytes, sha256) of its own. The file has mode 0600 and is
 * made when it is absent; one that is a symbolic link, not regular, open to
 * others or another user's (but root's) is refused. sync: on the disk before
 * this returns. ret_place may be NULL.
 *
 * PO_E_CONFIG: not written; the text has path and cause, native the errno.
 * PO_E_USER: a signal came while another process held the lock.
 */
enum po_status ledger_append(const struct ledger *ledger, const json_t *record,
			     bool sync, struct ledger_place *ret_place,
			     struct po_error *err) PO_MUST_CHECK;

/*
 * Renames the file now and starts the next one. ret_old: what it is called now;
 * may be NULL. PO_E_CONFIG also when it holds no record.
 */
enum po_status ledger_rotate(const struct ledger *ledger,
			     char *ret_old /* PATH_MAX */,
			     struct po_error *err) PO_MUST_CHECK;

/* Where the chain stands now, without writing. No file: seq 0. */
enum po_status ledger_place_of(const struct ledger *ledger,
			       struct ledger_place *ret_place,
			       struct po_error *err) PO_MUST_CHECK;

#endif
