/* SPDX-License-Identifier: Apache-2.0 */
/* PIN sources: what is a PIN, what is refused before a token sees it. */
#include "cryptoki/pin.h"

#include "test-folder.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const struct pin_token lab = { .label = "lab", .serial = "01" };

BEFORE_ALL
{
	folder_enter();
}

AFTER_ALL
{
	folder_leave();
}

struct source {
	const char *name;
	const char *text;
	bool good;
};

static const struct source sources[] = {
	{ "source prompt", "prompt", true },
	{ "source file", "file:/run/pin", true },
	{ "source fd", "fd:3", true },
	{ "source env", "env:PIN", true },
	{ "source cred", "cred:pin", true },
	{ "source cmd", "cmd:/bin/pin lab", true },
	{ "source pinpad", "pinpad", true },
	{ "source cmd without program", "cmd: ", false },
	{ "source that is a PIN", "1234", false },
	{ "source empty", "", false },
	{ "source file without path", "file:", false },
	{ "source fd without number", "fd:", false },
	{ "source fd of letters", "fd:x", false },
	{ "source fd too large", "fd:1024", false },
	{ "source env without name", "env:", false },
	{ "source cred with a slash", "cred:../pin", false },
	{ "source of another tool", "pass:1234", false },
};

ROWS(sources, source_row)
{
	struct po_error err = { 0 };

	assert_int_equal(pin_source_check(row->text, &err),
			 row->good ? PO_OK : PO_E_USAGE);
	assert_null(strstr(err.text, "1234"));
}

struct content {
	const char *name;
	const char *bytes;
	size_t len;
	const char *pin;   /* NULL: refused */
	const char *named; /* in the error text */
	mode_t mode;
};

#define BYTES(s) s, sizeof(s) - 1
#define X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X255                                                                   \
	X64 X64 X64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx" \
		    "xxxxxxx"

static const struct content contents[] = {
	{ "plain", BYTES("1234"), "1234", NULL, 0600 },
	{ "one newline", BYTES("1234\n"), "1234", NULL, 0600 },
	{ "read-only file", BYTES("1234\n"), "1234", NULL, 0400 },
	{ "space is kept", BYTES(" 12 34 \n"), " 12 34 ", NULL, 0600 },
	{ "UTF-8", BYTES("\xc3\xa4z\n"), "\xc3\xa4z", NULL, 0600 },
	{ "longest", BYTES(X255), X255, NULL, 0600 },
	{ "longest and newline", BYTES(X255 "\n"), X255, NULL, 0600 },
	{ "too long", BYTES(X255 "x"), NULL, "longer", 0600 },
	{ "far too long", BYTES(X255 X255), NULL, "too long", 0600 },
	{ "empty", BYTES(""), NULL, "empty", 0600 },
	{ "newline only", BYTES("\n"), NULL, "empty", 0600 },
	{ "two newlines", BYTES("1234\n\n"), NULL, "line break", 0600 },
	{ "CR LF", BYTES("1234\r\n"), NULL, "line break", 0600 },
	{ "two lines", BYTES("1234\n5678\n"), NULL, "line break", 0600 },
	{ "NUL inside",
	  BYTES("12\0"
		"34"),
	  NULL, "UTF-8", 0600 },
	{ "not UTF-8", BYTES("12\xff"), NULL, "UTF-8", 0600 },
};
static const struct content modes[] = {
	{ "readable by group", BYTES("1234"), NULL, "chmod 600", 0640 },
	{ "readable by all", BYTES("1234"), NULL, "chmod 600", 0604 },
	{ "writable by group", BYTES("1234"), NULL, "chmod 600", 0620 },
};

static void put(const char *path, const char *bytes, size_t len, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	assert_int_equal(fchmod(fd, mode), 0);
	assert_int_equal(close(fd), 0);
}

static void expect_pin(const char *source, const struct content *c)
{
	po_auto(secret) *pin = NULL;
	struct po_error err = { 0 };
	const struct pin_request request = { .from = source };
	enum po_status st = pin_read(&request, &lab, &pin, &err);

	if (c->pin) {
		assert_int_equal(st, PO_OK);
		assert_string_equal(secret_reveal(pin), c->pin);
		return;
	}
	assert_int_equal(st, PO_E_PIN);
	assert_int_equal(err.status, PO_E_PIN);
	assert_non_null(strstr(err.text, c->named));
	assert_null(strstr(err.text, "1234"));
}

static void expect_file(const struct content *row)
{
	(void)unlink("pin");
	put("pin", row->bytes, row->len, row->mode);
	expect_pin("file:pin", row);
}

static void expect_fd(const struct content *row)
{
	char source[64];
	int fd;

	(void)unlink("pin");
	put("pin", row->bytes, row->len, 0600);
	fd = open("pin", O_RDONLY);
	assert_int_equal(fchmod(fd, row->mode), 0);
	(void)snprintf(source, sizeof(source), "fd:%d", fd);
	expect_pin(source, row);
	assert_int_equal(close(fd), 0);
}

ROWS(contents, file_row)
{
	expect_file(row);
}

ROWS(modes, mode_row)
{
	expect_file(row);
}

ROWS(contents, fd_row)
{
	expect_fd(row);
}

/* A mode says nothing of who else has the descriptor. */
ROWS(modes, fd_mode_row)
{
	struct content open_to_all = *row;

	open_to_all.pin = row->bytes;
	expect_fd(&open_to_all);
}

TEST(credential)
{
	struct content good = { .pin = "1234" };
	struct content unset = { .named = "CREDENTIALS_DIRECTORY" };

	(void)unlink("pin");
	put("pin", "1234\n", 5, 0400);
	assert_int_equal(unsetenv("CREDENTIALS_DIRECTORY"), 0);
	expect_pin("cred:pin", &unset);
	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", ".", 1), 0);
	expect_pin("cred:pin", &good);
}

/* How a manager that lets us in by a list or a group shows its file. */
TEST(credential_of_root)
{
	const bool root = geteuid() == 0;
	struct content good = { .pin = "1234" };
	struct content open_to_others = { .named = "open to others" };

	assert_int_equal(setenv("CREDENTIALS_DIRECTORY", ".", 1), 0);
	(void)unlink("pin");
	put("pin", "1234\n", 5, 0440);
	expect_pin("cred:pin", root ? &good : &open_to_others);
	expect_pin("file:pin", &open_to_others);
	assert_int_equal(chmod("pin", 0444), 0);
	expect_pin("cred:pin", &open_to_others);
	assert_int_equal(chmod("pin", 0460), 0);
	expect_pin("cred:pin", &open_to_others);
	if (!root) {
		assert_int_equal(unlink("pin"), 0);
		return;
	}
	/* our own file is ours to close */
	assert_int_equal(chmod("pin", 0440), 0);
	assert_int_equal(chown("pin", 12345, 0), 0);
	assert_int_equal(chmod(".", 0755), 0);
	assert_int_equal(seteuid(12345), 0);
	expect_pin("cred:pin", &open_to_others);
	assert_int_equal(seteuid(0), 0);
}

TEST(environment)
{
	struct content good = { .pin = "1234" };
	struct content unset = { .named = "not set" };

	assert_int_equal(setenv("PO_TEST_PIN", "1234", 1), 0);
	expect_pin("env:PO_TEST_PIN", &good);
	assert_int_equal(unsetenv("PO_TEST_PIN"), 0);
	expect_pin("env:PO_TEST_PIN", &unset);
}

TEST(not_a_plain_file)
{
	struct content link = { .named = "symbolic link" };
	struct content folder = { .named = "not a regular file" };
	struct content fifo = { .named = "not a regular file" };
	struct content absent = { .named = "No such file" };

	put("pin", "1234\n", 5, 0600);
	assert_int_equal(symlink("pin", "link"), 0);
	expect_pin("file:link", &link);
	expect_pin("file:.", &folder);
	assert_int_equal(mkfifo("fifo", 0600), 0);
	expect_pin("file:fifo", &fifo);
	expect_pin("file:absent", &absent);
}
