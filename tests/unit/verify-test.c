/* SPDX-License-Identifier: Apache-2.0 */
/* Chains made by hand, each hash of which fits its line: what else is looked at.
 */
#include "audit/verify.h"

#include "audit/ledger_file.h"
#include "test-folder.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define NAME "ledger.jsonl"
#define ZEROS                              \
	"00000000000000000000000000000000" \
	"00000000000000000000000000000000"

static const struct ledger ledger = { NAME, &po_clock_system };
static char last[LEDGER_HASH_LEN + 1];

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

static void a_number_is_left_out(void **state)
{
	(void)state;
	put_record(NAME, 1, "sign", ZEROS);
	put_record(NAME, 2, "sign", last);
	holds(2);
	put_record(NAME, 4, "sign", last);
	breaks(NAME ":3: record 4 stands where record 3 should");
}

static void a_number_is_there_twice(void **state)
{
	(void)state;
	put_record(NAME, 1, "sign", ZEROS);
	put_record(NAME, 1, "sign", last);
	breaks(NAME ":2: record 1 stands where record 2 should");
}

static void another_record_before(void **state)
{
	(void)state;
	put_record(NAME, 1, "sign", ZEROS);
	put_record(NAME, 2, "sign", ZEROS);
	breaks(NAME ":2: it does not follow the record before it");
}

static void the_first_has_one_before(void **state)
{
	(void)state;
	put_record(NAME, 1, "sign", ZEROS "0");
	breaks(NAME ":1: it is not a record");
	assert_int_equal(unlink(NAME), 0);
	put_record(NAME, 1, "sign",
		   "1000000000000000000000000000000000000000000000000000000000"
		   "000000");
	breaks(NAME ":1: the first record has one before it");
}

static void a_chain_that_begins_late(void **state)
{
	(void)state;
	put_record(NAME, 7, "sign", ZEROS);
	breaks(NAME ":1: the records before it are missing");
	assert_int_equal(unlink(NAME), 0);
	put_record(NAME, 7, "rotate", ZEROS);
	holds(1);
	put_record(NAME, 8, "sign", last);
	holds(2);
}

static void a_file_that_does_not_begin_with_rotate(void **state)
{
	(void)state;
	put_record(NAME ".00000001", 1, "sign", ZEROS);
	put_record(NAME, 2, "sign", last);
	breaks(NAME ":1: the records before it are missing");
}

static void a_chain_that_begins_again(void **state)
{
	(void)state;
	put_record(NAME ".00000001", 1, "sign", ZEROS);
	put_record(NAME, 1, "sign", ZEROS);
	breaks(NAME ":1: record 1 stands where record 2 should");
}

static void lines_that_are_none(void **state)
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

	(void)state;
	for (size_t i = 0; i < PO_ARRAY_SIZE(heads); i++) {
		put(NAME, heads[i]);
		breaks(NAME ":1: it is not a record");
		assert_int_equal(unlink(NAME), 0);
	}
}

static void nothing_in_it(void **state)
{
	struct ledger_report report;
	int fd = open(NAME, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	holds(0);
	assert_int_equal(unlink(NAME), 0);
	assert_int_equal(ledger_verify(&ledger, NULL, &report, NULL),
			 PO_E_CONFIG);
}

#define in_folder(f) \
	cmocka_unit_test_setup_teardown(f, folder_enter, folder_leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		in_folder(a_number_is_left_out),
		in_folder(a_number_is_there_twice),
		in_folder(another_record_before),
		in_folder(the_first_has_one_before),
		in_folder(a_chain_that_begins_late),
		in_folder(a_file_that_does_not_begin_with_rotate),
		in_folder(a_chain_that_begins_again),
		in_folder(lines_that_are_none),
		in_folder(nothing_in_it),
	};

	return cmocka_run_group_tests_name("verify", tests, NULL, NULL);
}
