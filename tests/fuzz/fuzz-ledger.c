/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ledger that holds has as many records as lines, goes on holding with its
 * head, and breaks when a byte of it is changed. One that a writer takes for
 * its own, and goes on with, holds as far as it did before.
 */
#include "fuzz.h"

#include "audit/verify.h"

#include <unistd.h>

static enum po_status ignore(void *user, const char *line, size_t len,
			     const json_t *record, struct po_error *err)
{
	(void)user;
	(void)err;
	fuzz_require(line[len] == '\n' && json_is_object(record));
	return PO_OK;
}

static size_t lines_in(const uint8_t *data, size_t size)
{
	size_t n = 0;

	for (size_t i = 0; i < size; i++)
		n += data[i] == '\n';
	return n;
}

static void check_whole(int fd, const struct ledger *ledger,
			const uint8_t *data, size_t size,
			const struct ledger_report *report)
{
	size_t at = (size_t)(report->records * 7919) % size;
	uint8_t changed = data[at] ^ 1;
	struct ledger_report other;

	fuzz_require(report->records == lines_in(data, size));
	fuzz_require(ledger_verify(ledger, report->head, &other, NULL) ==
		     PO_OK);
	fuzz_require(pwrite(fd, &changed, 1, (off_t)at) == 1);
	fuzz_require(ledger_verify(ledger, NULL, &other, NULL) != PO_OK ||
		     other.unfinished[0]);
	fuzz_require(pwrite(fd, &data[at], 1, (off_t)at) == 1);
}

static void check(int fd, const struct ledger *ledger, const uint8_t *data,
		  size_t size)
{
	json_auto_t *record = json_pack("{s:s}", "event", "sign");
	struct ledger_filter filter = { .jti = "a" };
	struct ledger_report report, after;
	struct po_error err = { 0 };
	char at[LEDGER_AT_MAX];
	enum po_status st = ledger_verify(ledger, NULL, &report, &err);
	enum po_status st_find;

	if (st != PO_OK)
		fuzz_check_error(st, &err);
	else if (report.records > 0 && !report.unfinished[0])
		check_whole(fd, ledger, data, size, &report);
	st_find = ledger_find(ledger, &filter, ignore, NULL, at, NULL);
	fuzz_require(st_find == PO_OK || size > LEDGER_RECORD_MAX);
	if (!record ||
	    ledger_append(ledger, record, false, NULL, NULL) != PO_OK)
		return;
	fuzz_require((ledger_verify(ledger, NULL, &after, NULL) == PO_OK) ==
		     (st == PO_OK));
	fuzz_require(st != PO_OK || after.records > report.records);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[] = "fuzz-ledger.XXXXXX";
	const struct ledger ledger = { path, &po_clock_system };
	int fd = mkstemp(path);

	fuzz_require(fd >= 0);
	fuzz_require(write(fd, data, size) == (ssize_t)size);
	check(fd, &ledger, data, size);
	fuzz_require(close(fd) == 0 && unlink(path) == 0);
	return 0;
}
