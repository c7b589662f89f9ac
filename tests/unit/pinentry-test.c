/* SPDX-License-Identifier: Apache-2.0 */
/* A PIN from a pinentry: the Assuan protocol, with the test as the program. */
#include "cryptoki/pinentry.h"

#include "base/child.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static const char *const *answers; /* lines to come; NULL: it has ended */
static char told[4096];            /* what it was told */
static char program[64];
static int64_t timeout_s;
static unsigned int ends;
static enum po_status start_fails;

/* NOLINTBEGIN */
enum po_status __wrap_child_start(char *const argv[], int64_t seconds,
				  struct child *child, struct po_error *err);
enum po_status __wrap_child_write(struct child *child, const char *text,
				  struct po_error *err);
enum po_status __wrap_child_read_line(struct child *child, struct secret *line,
				      struct po_error *err);
int __wrap_child_end(struct child *child);
/* NOLINTEND */

enum po_status __wrap_child_start(char *const argv[], int64_t seconds,
				  struct child *child, struct po_error *err)
{
	(void)child;
	(void)snprintf(program, sizeof(program), "%s", argv[0]);
	assert_null(argv[1]);
	timeout_s = seconds;
	if (start_fails != PO_OK)
		return po_fail(err, start_fails, 0, "no such program");
	return PO_OK;
}

enum po_status __wrap_child_write(struct child *child, const char *text,
				  struct po_error *err)
{
	size_t len = strlen(told);

	(void)child;
	(void)err;
	assert_true(snprintf(told + len, sizeof(told) - len, "%s", text) <
		    (int)(sizeof(told) - len));
	return PO_OK;
}

enum po_status __wrap_child_read_line(struct child *child, struct secret *line,
				      struct po_error *err)
{
	(void)child;
	if (!*answers)
		return PO_OK;
	return secret_append(line, *answers, strlen(*answers), err) == PO_OK &&
			       answers++
		       ? PO_OK
		       : PO_E_INTERNAL;
}

int __wrap_child_end(struct child *child)
{
	(void)child;
	ends++;
	return 0;
}

static enum po_status ask(const char *const *lines, const char *question,
			  struct secret *pin, struct po_error *err)
{
	answers = lines;
	told[0] = program[0] = '\0';
	ends = 0;
	return pinentry_ask("/usr/bin/pinentry", question, pin, err);
}

#define SET "OK\n", "OK\n", "OK\n"

struct row {
	const char *name;
	const char *lines[12]; /* the greeting first */
	enum po_status status;
	long native;
	const char *said; /* the PIN, or what is said */
};
static const struct row rows[] = {
	{ "a PIN",
	  { "OK hello\n", SET, "D 739154\n", "OK\n" },
	  PO_OK,
	  0,
	  "739154" },
	{ "with escapes",
	  { "OK\n", SET, "D %25%41%6a%0A%zz%4\n", "OK\n" },
	  PO_OK,
	  0,
	  "%Aj\n%zz%4" },
	{ "in pieces",
	  { "OK\n", SET, "D 739\n", "D 154\n", "OK\n" },
	  PO_OK,
	  0,
	  "739154" },
	{ "with remarks",
	  { "# hi\n", "OK\n", SET, "S PIN_REPEATED\n", "D 1\n", "# D 2\n",
	    "OK\n" },
	  PO_OK,
	  0,
	  "1" },
	{ "none", { "OK\n", SET, "OK\n" }, PO_OK, 0, "" },
	{ "only in the answer to GETPIN",
	  { "D 1\n", "OK\n", "D 2\n", SET, "D 3\n", "OK\n" },
	  PO_OK,
	  0,
	  "3" },
	/* libgpg-error: the source is above the lower 16 bits */
	{ "cancelled",
	  { "OK\n", SET, "ERR 83886179 Operation cancelled <Pinentry>\n" },
	  PO_E_USER,
	  83886179,
	  "no PIN was typed (cancelled)" },
	{ "cancelled altogether",
	  { "OK\n", SET, "ERR 83886278 Fully cancelled\n" },
	  PO_E_USER,
	  83886278,
	  "cancelled" },
	{ "cancelled, without a source",
	  { "OK\n", SET, "ERR 99\n" },
	  PO_E_USER,
	  99,
	  "cancelled" },
	{ "a time-out",
	  { "OK\n", SET, "ERR 83886142 Timeout\n" },
	  PO_E_PIN,
	  83886142,
	  "pinentry failed: ERR 83886142 Timeout" },
	{ "an error without a number",
	  { "OK\n", SET, "ERR oops\n" },
	  PO_E_PIN,
	  0,
	  "pinentry failed: ERR oops" },
	{ "an error of too long a number",
	  { "OK\n", SET, "ERR 9999999999999999999999 x\n" },
	  PO_E_PIN,
	  0,
	  "pinentry failed" },
	{ "a command that it does not know",
	  { "OK\n", "ERR 1 what\n" },
	  PO_E_PIN,
	  1,
	  "pinentry failed: ERR 1 what" },
	{ "no greeting", { NULL }, PO_E_PIN, 0, "ended without an answer" },
	{ "an end in between",
	  { "OK\n", SET,
	    "D 7391"
	    "\n",
	    NULL },
	  PO_E_PIN,
	  0,
	  "ended without an answer" },
};

ROWS(rows, an_answer_is_understood)
{
	po_auto(secret) *pin = secret_new(64);
	struct po_error err = { 0 };

	start_fails = PO_OK;
	assert_int_equal(ask(row->lines, "PIN?", pin, &err), row->status);
	assert_int_equal(ends, 1);
	if (row->status == PO_OK) {
		assert_string_equal(secret_reveal(pin), row->said);
		assert_null(*answers); /* all of it was read */
		return;
	}
	assert_int_equal(err.native, row->native);
	if (!strstr(err.text, row->said))
		fail_msg("no '%s' in '%s'", row->said, err.text);
	assert_null(strstr(err.text, "7391"));
}

TEST(it_is_told_the_question_and_nothing_else)
{
	static const char *const lines[] = { "OK\n", SET, "D 1\n", "OK\n",
					     NULL };
	po_auto(secret) *pin = secret_new(64);

	start_fails = PO_OK;
	assert_int_equal(ask(lines, "100%\nsure \xc3\xa9", pin, NULL), PO_OK);
	assert_string_equal(program, "/usr/bin/pinentry");
	assert_int_equal(timeout_s, PINENTRY_TIMEOUT_S);
	assert_string_equal(told, "SETTITLE p11oauth\n"
				  "SETDESC 100%25%0Asure \xc3\xa9\n"
				  "SETPROMPT PIN\nGETPIN\n");
}

TEST(a_question_that_does_not_fit_a_line_is_not_asked)
{
	static const char *const lines[] = { "OK\n", SET, "OK\n", NULL };
	po_auto(secret) *pin = secret_new(64);
	struct po_error err = { 0 };
	char question[1001];

	start_fails = PO_OK;
	memset(question, 'a', sizeof(question));
	question[1000 - strlen("SETDESC ") - strlen("\n")] = '\0';
	assert_int_equal(ask(lines, question, pin, &err), PO_OK);
	question[1000 - strlen("SETDESC ") - strlen("\n")] = 'a';
	question[1000] = '\0';
	assert_int_equal(ask(lines, question, pin, &err), PO_E_PIN);
	assert_non_null(strstr(err.text, "too long"));
	assert_int_equal(ends, 1);
}

TEST(a_program_that_does_not_start_is_named)
{
	static const char *const lines[] = { NULL };
	po_auto(secret) *pin = secret_new(64);
	struct po_error err = { 0 };

	start_fails = PO_E_CONFIG;
	assert_int_equal(ask(lines, "PIN?", pin, &err), PO_E_CONFIG);
	assert_string_equal(err.text, "pinentry: no such program");
	assert_int_equal(ends, 0);
}
