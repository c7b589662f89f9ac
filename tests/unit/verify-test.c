/* SPDX-License-Identifier: Apache-2.0 */
/* Chains made by hand, each hash of which fits its line: what else is looked
 * at.
 */
#include "audit/verify.h"

#include "audit/ledger_file.h"
#include "test-folder.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "ledger.jsonl"
#define ZEROS                              \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000"

static const struct ledger ledger = { NAME, &po_clock_system };
static char last[LEDGER_HASH_LEN + 1];

BEFORE_EACH
{
	folder_enter();
}

AFTER_EACH
{
	folder_leave();
}

/* Appends head and the hash that fits it; to path, which may be new. */
static void put(const char *path, const char *head)
{
	char line[1024];
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	int n;

	assert_true(fd >= 0);
	assert_true(ledger_sha256(head, strlen(head), last));
	n = snprintf(line, sizeof(line), "%s" LEDGER_HASH_MEMBER "%s\"}\n",
		     head, last);
	assert_true(n > 0 && n < (int)sizeof(line));
	assert_int_equal(write(fd, line, (size_t)n), n);
	assert_int_equal(close(fd), 0);
}

static void put_record(const char *path, int seq, const char *event,
		       const char *prev)
{
	char head[512];

	(void)snprintf(head, sizeof(head),
		       "{\"seq\":%d,\"event\":\"%s\",\"prev\":\"%s\"", seq,
		       event, prev);
	put(path, head);
}

static void holds(uint64_t records)
{
	struct ledger_report report;
	struct po_error err = { 0 };

	if (ledger_verify(&ledger, NULL, &report, &err) != PO_OK)
		fail_msg("%s", err.text);
	assert_int_equal(report.records, records);
}

static void breaks(const char *text)
{
	struct ledger_report report;
	struct po_error err = { 0 };

	assert_int_equal(ledger_verify(&ledger, NULL, &report, &err),
			 PO_E_CRYPTO);
	assert_string_equal(err.text, text);
}

TEST(a_number_is_left_out)
{
	put_record(NAME, 1, "sign", ZEROS);
	put_record(NAME, 2, "sign", last);
	holds(2);
	put_record(NAME, 4, "sign", last);
	breaks(NAME ":3: record 4 stands where record 3 should");
}

TEST(a_number_is_there_twice)
{
	put_record(NAME, 1, "sign", ZEROS);
	put_record(NAME, 1, "sign", last);
	breaks(NAME ":2: record 1 stands where record 2 should");
}

TEST(another_record_before)
{
	put_record(NAME, 1, "sign", ZEROS);
	put_record(NAME, 2, "sign", ZEROS);
	breaks(NAME ":2: it does not follow the record before it");
}

TEST(the_first_has_one_before)
{
	put_record(NAME, 1, "sign", ZEROS "0");
	breaks(NAME ":1: it is not a record");
	assert_int_equal(unlink(NAME), 0);
	put_record(NAME, 1, "sign",
		   "1000000000000000000000000000000000000000000000000000000000"
		   "000000");
	breaks(NAME ":1: the first record has one before it");
}

TEST(a_chain_that_begins_late)
{
	put_record(NAME, 7, "sign", ZEROS);
	breaks(NAME ":1: the records before it are missing");
	assert_int_equal(unlink(NAME), 0);
	put_record(NAME, 7, "rotate", ZEROS);
	holds(1);
	put_record(NAME, 8, "sign", last);
	holds(2);
}

TEST(a_file_that_does_not_begin_with_rotate)
{
	put_record(NAME ".00000001", 1, "sign", ZEROS);
	put_record(NAME, 2, "sign", last);
	breaks(NAME ":1: the records before it are missing");
}

TEST(a_chain_that_begins_again)
{
	put_record(NAME ".00000001", 1, "sign", ZEROS);
	put_record(NAME, 1, "sign", ZEROS);
	breaks(NAME ":1: record 1 stands where record 2 should");
}

TEST(lines_that_are_none)
{
	static const char *const heads[] = {
		"{\"seq\":1,\"event\":\"sign\"",
		"{\"seq\":1,\"prev\":7",
		"{\"seq\":1,\"prev\":\"" ZEROS "\",\"seq\":1",
		"{\"seq\":1,\"prev\":\"" ZEROS "\",\"x\":",
		"{\"seq\":0,\"prev\":\"" ZEROS "\"",
		"{\"seq\":-1,\"prev\":\"" ZEROS "\"",
		"{\"seq\":1.0,\"prev\":\"" ZEROS "\"",
		"{\"seq\":\"1\",\"prev\":\"" ZEROS "\"",
		"{\"seq\":99999999999999999999,\"prev\":\"" ZEROS "\"",
		"{ \"seq\":1,\"prev\":\"" ZEROS "\"",
		"[\"seq\",1",
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(heads); i++) {
		put(NAME, heads[i]);
		breaks(NAME ":1: it is not a record");
		assert_int_equal(unlink(NAME), 0);
	}
}

static void put_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

/* A writer that died has left the end of the newest file so, and no other. */
TEST(a_line_is_unfinished)
{
	put_record(NAME ".00000001", 1, "sign", ZEROS);
	put_text(NAME ".00000001", "{\"seq\":2");
	holds(1); /* the newer file is not there yet */
	put_record(NAME, 2, "rotate", last);
	breaks(NAME ".00000001:2: the line is cut off");
}

TEST(the_last_line_of_all_is_unfinished)
{
	put_record(NAME ".00000001", 1, "sign", ZEROS);
	put_record(NAME, 2, "rotate", last);
	put_text(NAME, "{\"seq\":3");
	holds(2);
}

struct stranger_row {
	const char *name; /* also the file's */
};
static const struct stranger_row stranger_rows[] = {
	{ NAME ".old.00000007" }, { NAME ".0000007" },
	{ NAME ".000000007" },    { NAME "2.00000007" },
	{ NAME ".00000007~" },    { NAME "-00000007" },
	{ NAME ".0000000x" },     { "2" NAME ".00000007" },
};

ROWS(stranger_rows, another_file_is_none_of_the_ledgers)
{
	put_record(NAME ".00000001", 1, "sign", ZEROS);
	put_record(NAME, 2, "rotate", last);
	put_text(row->name, "not a ledger\n");
	holds(2);
}

TEST(nothing_in_it)
{
	struct ledger_report report;
	int fd = open(NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	holds(0);
	assert_int_equal(unlink(NAME), 0);
	assert_int_equal(ledger_verify(&ledger, NULL, &report, NULL),
			 PO_E_CONFIG);
}
