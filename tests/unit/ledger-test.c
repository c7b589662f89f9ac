/* SPDX-License-Identifier: Apache-2.0 */
/* The ledger: appended, recovered, rotated, shared; and every change found. */
#include "audit/ledger.h"

#include "audit/verify.h"
#include "test-folder.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NAME "ledger.jsonl"

/* in real time: processes wait for each other */
static const struct ledger ledger = { NAME, &po_clock_system };

BEFORE_ALL
{
	(void)signal(SIGXFSZ, SIG_IGN);
}

BEFORE_EACH
{
	folder_enter();
}

AFTER_EACH
{
	folder_leave();
}

static json_t *record_of(const char *event, size_t pad)
{
	json_t *record = json_pack("{s:s}", "event", event);
	char *text = malloc(pad + 1);

	assert_non_null(record);
	assert_non_null(text);
	memset(text, 'x', pad);
	text[pad] = '\0';
	if (pad > 0)
		assert_int_equal(
			json_object_set_new(record, "pad", json_string(text)),
			0);
	free(text);
	return record;
}

static enum po_status append(const char *event, size_t pad,
			     struct ledger_place *place, struct po_error *err)
{
	json_auto_t *record = record_of(event, pad);

	return ledger_append(&ledger, record, false, place, err);
}

static void append_n(size_t n)
{
	for (size_t i = 0; i < n; i++)
		assert_int_equal(append("sign", 0, NULL, NULL), PO_OK);
}

static off_t size_now(void)
{
	struct stat sb;

	assert_int_equal(stat(NAME, &sb), 0);
	return sb.st_size;
}

static size_t read_file(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	assert_true(fd >= 0);
	n = read(fd, out, size - 1);
	assert_true(n >= 0);
	out[n] = '\0';
	assert_int_equal(close(fd), 0);
	return (size_t)n;
}

static void write_file(const char *path, const char *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	assert_int_equal(close(fd), 0);
}

static struct ledger_report verify(void)
{
	struct ledger_report report;
	struct po_error err = { 0 };

	if (ledger_verify(&ledger, NULL, &report, &err) != PO_OK)
		fail_msg("%s", err.text);
	return report;
}

static void fails_at(const char *at)
{
	struct ledger_report report;
	struct po_error err = { 0 };

	assert_int_equal(ledger_verify(&ledger, NULL, &report, &err),
			 PO_E_CRYPTO);
	if (strncmp(err.text, at, strlen(at)) != 0)
		fail_msg("'%s' is not about %s", err.text, at);
}

TEST(test_append)
{
	struct ledger_place place, now;
	struct ledger_report report;
	char text[4096];

	assert_int_equal(ledger_place_of(&ledger, &now, NULL), PO_OK);
	assert_int_equal(now.seq, 0);
	for (uint64_t i = 1; i <= 3; i++) {
		assert_int_equal(append("sign", 0, &place, NULL), PO_OK);
		assert_int_equal(place.seq, i);
		assert_int_equal(ledger_place_of(&ledger, &now, NULL), PO_OK);
		assert_int_equal(now.seq, i);
		assert_string_equal(now.hash, place.hash);
	}
	report = verify();
	assert_int_equal(report.records, 3);
	assert_int_equal(report.first_seq, 1);
	assert_int_equal(report.last_seq, 3);
	assert_int_equal(report.files, 1);
	assert_string_equal(report.head, place.hash);
	assert_false(report.older_removed);
	assert_string_equal(report.unfinished, "");
	(void)read_file(NAME, text, sizeof(text));
	assert_memory_equal(text, "{\"seq\":1,\"time\":\"20", 19);
	assert_non_null(strstr(text, "Z\",\"event\":\"sign\",\"prev\":\"0000"));
}

TEST(test_refused_records)
{
	static const char *const bad[] = { "{}",           "{\"seq\":1}",
					   "{\"time\":1}", "{\"prev\":1}",
					   "{\"hash\":1}", "[1]" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(bad); i++) {
		json_auto_t *record = json_loads(bad[i], 0, NULL);

		assert_int_equal(
			ledger_append(&ledger, record, false, NULL, NULL),
			PO_E_INTERNAL);
	}
	assert_int_equal(access(NAME, F_OK), -1);
}

TEST(test_size_of_a_record)
{
	size_t rest;

	assert_int_equal(append("sign", 1, NULL, NULL), PO_OK);
	rest = LEDGER_RECORD_MAX - (size_t)size_now();
	assert_int_equal(append("sign", 2 + rest, NULL, NULL), PO_E_INTERNAL);
	assert_int_equal(size_now() + (off_t)rest, LEDGER_RECORD_MAX);
	assert_int_equal(append("sign", 1 + rest, NULL, NULL), PO_OK);
	assert_int_equal(size_now() + (off_t)rest, 2 * LEDGER_RECORD_MAX);
	append_n(2);
	assert_int_equal(verify().records, 4);
}

/* Every length to which a kill may have cut the last line. */
static void recover_all(size_t pad, size_t step)
{
	static char whole[4 * LEDGER_RECORD_MAX];
	size_t before, len;

	append_n(2);
	before = (size_t)size_now();
	assert_int_equal(append("sign", pad, NULL, NULL), PO_OK);
	len = read_file(NAME, whole, sizeof(whole));
	for (size_t cut = before + 1; cut < len; cut += step) {
		char torn[64], at[32];
		char now[8192] = "";
		struct ledger_place place;

		write_file(NAME, whole, cut);
		assert_string_equal(verify().unfinished, NAME ":3");
		assert_int_equal(ledger_place_of(&ledger, &place, NULL), PO_OK);
		assert_int_equal(place.seq, 2);
		assert_int_equal(append("answer", 0, &place, NULL), PO_OK);
		assert_int_equal(place.seq, 4);
		assert_int_equal(verify().records, 4);
		assert_string_equal(verify().unfinished, "");
		(void)read_file(NAME, now, sizeof(now));
		(void)snprintf(torn, sizeof(torn), "\"torn\",\"bytes\":%zu,",
			       cut - before);
		(void)snprintf(at, sizeof(at), "\"seq\":%d,", 3);
		assert_non_null(strstr(now, torn));
		assert_true(strstr(now, torn) > strstr(now, at));
	}
	assert_int_equal(unlink(NAME), 0);
}

TEST(test_recover)
{
	recover_all(0, 1);
	recover_all(5000, 97); /* longer than what is read at first */
	recover_all(LEDGER_RECORD_MAX - 300, 4999);
}

TEST(test_recover_the_first)
{
	write_file(NAME, "{\"seq\":1,", 9);
	assert_string_equal(verify().unfinished, NAME ":1");
	append_n(1);
	assert_int_equal(verify().records, 2);
}

TEST(test_not_a_ledger)
{
	static const char *const bad[] = { "\n", "rubbish\n", "{\"seq\":1}\n" };
	struct ledger_place place;
	struct po_error err = { 0 };
	static char zeros[3 * LEDGER_RECORD_MAX];

	for (size_t i = 0; i < PO_ARRAY_SIZE(bad); i++) {
		write_file(NAME, bad[i], strlen(bad[i]));
		assert_int_equal(append("sign", 0, NULL, NULL), PO_E_CONFIG);
		assert_int_equal(ledger_place_of(&ledger, &place, NULL),
				 PO_E_CONFIG);
		assert_int_equal(size_now(), strlen(bad[i]));
		fails_at(NAME ":1: ");
	}
	write_file(NAME, zeros, sizeof(zeros));
	assert_int_equal(append("sign", 0, NULL, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, "does not end in a record"));
	assert_int_equal(size_now(), sizeof(zeros));
	fails_at(NAME ":1: the line is too long");
}

TEST(test_files_that_are_refused)
{
	struct po_error err = { 0 };

	append_n(1);
	assert_int_equal(chmod(NAME, 0640), 0);
	assert_int_equal(append("sign", 0, NULL, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, "chmod 600"));
	assert_int_equal(chmod(NAME, 0600), 0);
	assert_int_equal(rename(NAME, "other"), 0);
	assert_int_equal(symlink("other", NAME), 0);
	err = (struct po_error){ 0 };
	assert_int_equal(append("sign", 0, NULL, &err), PO_E_CONFIG);
	assert_int_equal(err.native, ELOOP);
	assert_int_equal(unlink(NAME), 0);
	assert_int_equal(mkfifo(NAME, 0600), 0);
	assert_int_equal(append("sign", 0, NULL, NULL), PO_E_CONFIG);
	assert_int_equal(unlink(NAME), 0);
	assert_int_equal(mkdir(NAME, 0700), 0);
	assert_int_equal(append("sign", 0, NULL, NULL), PO_E_CONFIG);
	assert_int_equal(rmdir(NAME), 0);
	append_n(1);
	assert_int_equal(verify().records, 1);
}

/* With a limit the kernel writes what fits, as on a full disk. */
TEST(test_a_full_disk)
{
	struct rlimit was, now;
	static char before[65536], after[65536];
	size_t len;

	append_n(3);
	len = read_file(NAME, before, sizeof(before));
	memcpy(before + len, "{\"seq\":4,\"torn", 14);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	for (size_t torn = 0; torn <= 14; torn += 14)
		for (rlim_t room = 0; room < 300; room += 7) {
			struct po_error err = { 0 };
			enum po_status st;

			write_file(NAME, before, len + torn);
			now = was;
			now.rlim_cur = len + torn + room;
			assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
			st = append("sign", 300, NULL, &err);
			assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
			assert_int_equal(st, PO_E_CONFIG);
			assert_non_null(strstr(err.text, NAME));
			assert_non_null(strstr(err.text, "File too large"));
			assert_int_equal(read_file(NAME, after, sizeof(after)),
					 len + torn);
			assert_memory_equal(before, after, len + torn);
		}
	append_n(1);
	assert_int_equal(verify().records, 5);
}

TEST(test_rotation)
{
	char old[PATH_MAX], text[8192];
	struct ledger_report report;

	append_n(2);
	assert_int_equal(ledger_rotate(&ledger, old, NULL), PO_OK);
	assert_string_equal(old, NAME ".00000001");
	(void)read_file(NAME, text, sizeof(text));
	assert_non_null(strstr(text, "\"seq\":3,"));
	assert_non_null(
		strstr(text, "\"rotate\",\"from\":\"" NAME ".00000001\""));
	append_n(2);
	assert_int_equal(ledger_rotate(&ledger, old, NULL), PO_OK);
	assert_string_equal(old, NAME ".00000002");
	append_n(1);
	report = verify();
	assert_int_equal(report.files, 3);
	assert_int_equal(report.records, 7);
	/* older ones may go; their numbers are not given again */
	assert_int_equal(unlink(NAME ".00000001"), 0);
	report = verify();
	assert_true(report.older_removed);
	assert_int_equal(report.first_seq, 3);
	assert_int_equal(unlink(NAME ".00000002"), 0);
	assert_int_equal(ledger_rotate(&ledger, old, NULL), PO_OK);
	assert_string_equal(old, NAME ".00000003");
	assert_int_equal(verify().last_seq, 8);
	/* what was not of this name does not matter */
	write_file(NAME ".0000000x", "x", 1);
	write_file(NAME ".000000009", "x", 1);
	append_n(1);
	assert_int_equal(verify().records, 4);
}

struct gone_row {
	const char *name, *gone;
};
static const struct gone_row gone_rows[] = {
	{ "gone: the oldest", NAME ".00000001" },
	{ "gone: one in the middle", NAME ".00000002" },
	{ "gone: the newest", NAME ".00000003" },
};

ROWS(gone_rows, a_number_is_not_given_again)
{
	char old[PATH_MAX];

	for (int i = 0; i < 3; i++) {
		append_n(1);
		assert_int_equal(ledger_rotate(&ledger, old, NULL), PO_OK);
	}
	assert_int_equal(unlink(row->gone), 0);
	append_n(1);
	assert_int_equal(ledger_rotate(&ledger, old, NULL), PO_OK);
	assert_string_equal(old, NAME ".00000004");
	assert_int_equal(access(row->gone, F_OK), -1);
}

/* A full file ends in a whole line. */
TEST(test_rotation_of_what_is_torn)
{
	char old[PATH_MAX];
	int fd;

	append_n(2);
	fd = open(NAME, O_WRONLY | O_APPEND | O_CLOEXEC);
	assert_int_equal(write(fd, "{\"seq\":3", 8), 8);
	assert_int_equal(close(fd), 0);
	assert_int_equal(ledger_rotate(&ledger, old, NULL), PO_OK);
	append_n(1);
	assert_int_equal(verify().files, 2);
}

TEST(test_rotation_of_nothing)
{
	assert_int_equal(ledger_rotate(&ledger, NULL, NULL), PO_E_CONFIG);
	assert_int_equal(ledger_rotate(&ledger, NULL, NULL), PO_E_CONFIG);
	append_n(1);
	assert_int_equal(verify().records, 1);
}

/* The renaming was done, and then the machine failed. */
TEST(test_interrupted_rotation)
{
	struct ledger_place place;

	append_n(2);
	assert_int_equal(rename(NAME, NAME ".00000001"), 0);
	assert_int_equal(verify().records, 2);
	assert_int_equal(ledger_place_of(&ledger, &place, NULL), PO_OK);
	assert_int_equal(place.seq, 2);
	assert_int_equal(append("sign", 0, &place, NULL), PO_OK);
	assert_int_equal(place.seq, 4);
	/* and in the middle of the first line of the new file */
	assert_int_equal(rename(NAME, NAME ".00000002"), 0);
	write_file(NAME, "{\"seq", 5);
	assert_int_equal(append("sign", 0, &place, NULL), PO_OK);
	assert_int_equal(place.seq, 7);
	assert_int_equal(verify().records, 7);
}

TEST(test_rotation_by_size)
{
	struct ledger_report report;
	off_t last = 0;

	do {
		last = access(NAME, F_OK) == 0 ? size_now() : 0;
		assert_int_equal(append("sign", 60000, NULL, NULL), PO_OK);
		assert_true(size_now() <
			    LEDGER_ROTATE_BYTES + LEDGER_RECORD_MAX);
	} while (access(NAME ".00000001", F_OK) != 0);
	assert_true(last >= LEDGER_ROTATE_BYTES);
	assert_true(size_now() > 60000 && size_now() < 61000);
	report = verify();
	assert_int_equal(report.files, 2);
	assert_int_equal(report.records, report.last_seq);
}

static void append_in_a_process(int count, bool rotates)
{
	for (int i = 0; i < count; i++) {
		if (append("sign", (size_t)(i % 5) * 30, NULL, NULL) != PO_OK)
			_exit(1);
		if (rotates && i % 20 == 7 &&
		    ledger_rotate(&ledger, NULL, NULL) != PO_OK)
			_exit(2);
	}
	_exit(0);
}

static void many(bool rotate)
{
	enum { PROCESSES = 4, RECORDS = 200 };
	pid_t pids[PROCESSES];
	struct ledger_report report;

	for (int i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (pids[i] == 0)
			append_in_a_process(RECORDS, rotate);
		assert_true(pids[i] > 0);
	}
	for (int i = 0; i < PROCESSES; i++) {
		int status = -1;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	report = verify();
	assert_int_equal(report.first_seq, 1);
	assert_int_equal(report.files, rotate ? 41 : 1);
	assert_int_equal(report.records,
			 PROCESSES * RECORDS + (rotate ? 40 : 0));
}

TEST(test_many_at_once)
{
	many(false);
}

TEST(test_many_at_once_with_rotation)
{
	many(true);
}

TEST(test_every_byte_counts)
{
	static char whole[65536], changed[65536];
	size_t len, line = 1;

	append_n(5);
	len = read_file(NAME, whole, sizeof(whole));
	for (size_t i = 0; i < len; i++) {
		char at[32];

		memcpy(changed, whole, len);
		changed[i] ^= 1;
		write_file(NAME, changed, len);
		(void)snprintf(at, sizeof(at), NAME ":%zu", line);
		if (i + 1 == len) /* without its newline */
			assert_string_equal(verify().unfinished, at);
		else
			fails_at(at);
		line += whole[i] == '\n';
	}
	assert_int_equal(line, 6);
}

TEST(test_head)
{
	struct ledger_report report;
	struct ledger_place place;
	struct po_error err = { 0 };
	off_t size;

	append_n(3);
	size = size_now();
	assert_int_equal(append("sign", 0, &place, NULL), PO_OK);
	assert_int_equal(ledger_verify(&ledger, place.hash, &report, NULL),
			 PO_OK);
	append_n(1);
	assert_int_equal(ledger_verify(&ledger, place.hash, &report, NULL),
			 PO_OK);
	assert_int_equal(truncate(NAME, size), 0);
	assert_int_equal(verify().records, 3);
	assert_int_equal(ledger_verify(&ledger, place.hash, &report, &err),
			 PO_E_CRYPTO);
	assert_non_null(strstr(err.text, place.hash));
}

struct count {
	size_t n;
	json_int_t last;
};

static enum po_status count_one(void *user, const char *line, size_t len,
				const json_t *record, struct po_error *err)
{
	struct count *c = user;

	(void)err;
	assert_int_equal(line[0], '{');
	assert_int_equal(line[len - 1], '}');
	c->n++;
	c->last = json_integer_value(json_object_get(record, "seq"));
	return PO_OK;
}

static size_t found(const struct ledger_filter *f, json_int_t *ret_last)
{
	struct count c = { 0 };
	char at[LEDGER_AT_MAX];

	assert_int_equal(ledger_find(&ledger, f, count_one, &c, at, NULL),
			 PO_OK);
	assert_string_equal(at, "");
	if (ret_last)
		*ret_last = c.last;
	return c.n;
}

static void add(json_t *record)
{
	assert_int_equal(ledger_append(&ledger, record, true, NULL, NULL),
			 PO_OK);
	json_decref(record);
}

TEST(test_find)
{
	struct ledger_filter f = { .jti = "b" };
	char at[LEDGER_AT_MAX];
	struct count c = { 0 };
	json_int_t last;

	add(json_pack("{s:s, s:s, s:s}", "event", "sign", "jti", "a", "profile",
		      "p"));
	add(json_pack("{s:s, s:s, s:s}", "event", "sign", "jti", "b", "profile",
		      "q"));
	add(json_pack("{s:s, s:i}", "event", "answer", "of", 1));
	assert_int_equal(ledger_rotate(&ledger, NULL, NULL), PO_OK);
	add(json_pack("{s:s, s:i}", "event", "answer", "of", 2));
	add(json_pack("{s:s, s:i}", "event", "issue", "of", 2));
	add(json_pack("{s:s, s:s}", "event", "pin", "profile", "p"));
	assert_int_equal(found(&f, &last), 3);
	assert_int_equal(last, 6);
	f = (struct ledger_filter){ .profile = "p" };
	assert_int_equal(found(&f, &last), 2);
	assert_int_equal(last, 3);
	f = (struct ledger_filter){ .since = "2001-01-01T00:00:00.000Z" };
	assert_int_equal(found(&f, NULL), 5);
	f.since = "2999-01-01T00:00:00.000Z";
	assert_int_equal(found(&f, NULL), 0);
	f = (struct ledger_filter){ .jti = "c" };
	assert_int_equal(found(&f, NULL), 0);
	/* a line that is no record is passed over, and named */
	write_file(NAME ".00000002", "x\n{}\n", 5);
	f.jti = "b";
	assert_int_equal(ledger_find(&ledger, &f, count_one, &c, at, NULL),
			 PO_OK);
	assert_int_equal(c.n, 3);
	assert_string_equal(at, NAME ".00000002:1");
}
