/* SPDX-License-Identifier: Apache-2.0 */
/* Other programs: what they are given, what they say, and how they end. */
#include "base/child.h"

#include "unit.h"

#include <string.h>

#define TIMEOUT_S 60

struct end_row {
	const char *name;
	const char *script;
	int status;
};
static const struct end_row end_rows[] = {
	{ "end: well", "exit 0", 0 },
	{ "end: with a status", "exit 7", 7 },
	{ "end: with the highest status", "exit 255", 255 },
	{ "end: killed", "kill -KILL $$", -1 },
	{ "end: terminated", "kill -TERM $$", -1 },
	{ "end: killed after it said something", "echo 1; kill -KILL $$", -1 },
};

static void start(const char *script, struct child *child)
{
	static char shell[] = "/bin/sh", option[] = "-c";
	char words[256];
	char *argv[] = { shell, option, words, NULL };
	struct po_error err = { 0 };

	assert_true(strlen(script) < sizeof(words));
	memcpy(words, script, strlen(script) + 1);
	if (child_start(argv, TIMEOUT_S, child, &err) != PO_OK)
		fail_msg("%s", err.text);
}

/* One more line; "" when it has ended. */
static void reads(struct child *child, const char *line)
{
	po_auto(secret) *text = secret_new(1024);

	assert_int_equal(child_read_line(child, text, NULL), PO_OK);
	assert_string_equal(secret_reveal(text), line);
}

ROWS(end_rows, an_end_is_told_from_a_death)
{
	po_auto(secret) *text = secret_new(1024);
	struct child child;

	start(row->script, &child);
	while (secret_len(text) == 0 || secret_reveal(text)[0]) {
		size_t before = secret_len(text);

		assert_int_equal(child_read_line(&child, text, NULL), PO_OK);
		if (secret_len(text) == before)
			break;
	}
	assert_int_equal(child_end(&child), row->status);
}

TEST(lines_come_one_by_one_and_the_last_one_needs_no_end)
{
	struct child child;

	start("printf 'one\\ntwo\\n\\nlast'", &child);
	reads(&child, "one\n");
	reads(&child, "two\n");
	reads(&child, "\n");
	reads(&child, "last");
	reads(&child, "");
	assert_int_equal(child_end(&child), 0);
}

TEST(it_hears_what_is_written)
{
	struct child child;

	start("read -r a; read -r b; echo \"$b $a\"; exit 3", &child);
	assert_int_equal(child_write(&child, "one\n", NULL), PO_OK);
	assert_int_equal(child_write(&child, "two\n", NULL), PO_OK);
	reads(&child, "two one\n");
	assert_int_equal(child_end(&child), 3);
}

TEST(it_ends_when_it_is_left_alone)
{
	struct child child;

	start("cat; exit 5", &child);
	assert_int_equal(child_end(&child), 5);
}

TEST(a_program_that_is_not_there_is_named)
{
	static char nowhere[] = "/nowhere/program";
	char *argv[] = { nowhere, NULL };
	struct po_error err = { 0 };
	struct child child;

	assert_int_equal(child_start(argv, TIMEOUT_S, &child, &err),
			 PO_E_CONFIG);
	assert_non_null(strstr(err.text, "/nowhere/program"));
}
