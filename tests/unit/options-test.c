/* SPDX-License-Identifier: Apache-2.0 */
/* A command line: what it means, and what is said when it means nothing. */
#include "cmd/options.h"

#include "base/buf.h"
#include "unit.h"

#include <string.h>

#define WORDS_MAX 80

struct row {
	const char *name;
	const char *words; /* behind the program's name; blanks part them */
	/* the command, its settings, its operands, what follows "--"; or what
	 * is said of it */
	const char *means;
};

static const struct row rows[] = {
	/* commands */
	{ "no word", "", "-" },
	{ "a command", "token lab", "token lab" },
	{ "a command of two words", "jwt inspect file", "jwt inspect file" },
	{ "options of the program", "--version", "- version" },
	{ "an option before the command", "-q token lab", "token quiet lab" },
	{ "an option behind it", "token lab -q", "token quiet lab" },
	{ "no such command", "tokn", "token" },
	{ "an operand too many", "token a b", "unexpected 'b'" },
	{ "an operand of a command without any", "version x",
	  "'version' takes no operand" },
	/* settings */
	{ "a setting", "token lab --scope a", "token scope=a lab" },
	{ "a setting with '='", "token lab --scope=a=b",
	  "token scope=a=b lab" },
	{ "an empty setting", "token --scope=", "token scope=" },
	{ "a value that looks like an option", "token --scope --kid",
	  "token scope=--kid" },
	{ "a switch", "token --x5t", "token x5t=yes" },
	{ "a switch that is off", "token --x5t=no", "token x5t=no" },
	{ "a switch takes no word", "token --x5t no", "token x5t=yes no" },
	{ "a list", "token --key a --key=b", "token key=a key=b" },
	{ "a setting without a value", "token --scope",
	  "option '--scope' needs a value (" },
	{ "a setting twice", "token --scope a --scope b",
	  "option '--scope' is given twice" },
	{ "a switch twice", "token --x5t --x5t",
	  "option '--x5t' is given twice" },
	{ "a setting of another command", "version --scope a",
	  "unknown option '--scope'" },
	{ "a setting before the command", "--scope a token",
	  "unknown option '--scope'" },
	{ "a setting that is misspelt", "token --scpoe a",
	  "unknown option '--scpoe'; did you mean '--scope'?" },
	{ "the beginning of a setting", "token --scop a",
	  "did you mean '--scope'?" },
	/* options of commands */
	{ "a flag", "token --json", "token json" },
	{ "a flag with a value", "token --json=yes",
	  "option '--json' takes no value" },
	{ "a flag twice", "token --json -j", "option '--json' is given twice" },
	{ "letters", "keys -qj", "keys json quiet" },
	{ "a letter with its value", "keys -plab", "keys profile=lab" },
	{ "a letter and its value", "keys -p lab", "keys profile=lab" },
	{ "letters, of which the last has a value", "keys -qjp lab",
	  "keys json quiet profile=lab" },
	{ "a letter without a value", "keys -p",
	  "option '--profile' needs a value (NAME)" },
	{ "no such letter", "keys -qX", "unknown option '-qX'" },
	{ "a letter of the program behind a command", "keys -V",
	  "unknown option '-V'" },
	{ "seconds", "token --min-valid 86400", "token" },
	{ "too many seconds", "token --min-valid 86401",
	  "'86401' is no time from 0 to 86400 seconds" },
	{ "no seconds", "token --min-valid soon", "--min-valid: 'soon'" },
	/* what is no option */
	{ "a hyphen", "jwt inspect -", "jwt inspect -" },
	{ "behind two hyphens", "token -- --json", "token --json" },
	{ "two hyphens twice", "jwt inspect -- --", "jwt inspect --" },
	{ "a command to run", "exec lab -- env -i --json",
	  "exec lab | env -i --json" },
	{ "nothing to run", "exec lab --", "exec lab |" },
	{ "two hyphens to run", "exec lab -- --", "exec lab | --" },
};

static void add(struct buf *out, const char *word)
{
	assert_true((out->len == 0 || buf_adds(out, " ")) &&
		    buf_adds(out, word));
}

static void describe(const struct command_line *line, struct buf *out)
{
	const struct global_options *g = &line->global;

	add(out, line->cmd ? line->cmd->name : "-");
	if (g->json)
		add(out, "json");
	if (g->quiet)
		add(out, "quiet");
	if (g->version)
		add(out, "version");
	if (g->profile) {
		add(out, "profile=");
		assert_true(buf_adds(out, g->profile));
	}
	for (size_t i = 0; i < line->given_count; i++) {
		add(out, line->given[i].setting->name);
		assert_true(buf_addf(out, "=%s", line->given[i].value));
	}
	for (int i = 0; i < line->operand_count; i++)
		add(out, line->operands[i]);
	if (line->command)
		add(out, "|");
	for (char **word = line->command; word && *word; word++)
		add(out, *word);
}

ROWS(rows, a_line_is_taken_apart)
{
	static char program[] = "p11oauth";
	char words[256], *argv[WORDS_MAX] = { program };
	struct command_line line;
	struct po_error err = { 0 };
	po_auto_buf means = { 0 };
	int argc = 1;

	assert_true(strlen(row->words) < sizeof(words));
	memcpy(words, row->words, strlen(row->words) + 1);
	for (char *rest = words, *word; (word = strsep(&rest, " "));)
		if (*word || argc > 1)
			argv[argc++] = word;
	buf_init(&means, 1024);
	if (options_parse(argc, argv, &line, &err) == PO_OK) {
		describe(&line, &means);
		assert_string_equal(buf_text(&means), row->means);
	} else {
		assert_int_equal(err.status, PO_E_USAGE);
		if (!strstr(err.text, row->means))
			fail_msg("no '%s' in '%s'", row->means, err.text);
	}
	options_clear(&line);
}

struct many_row {
	const char *name;
	int count;
	bool is_taken;
};
static const struct many_row many_rows[] = {
	{ "as many settings as there is room for", OPTIONS_GIVEN_MAX, true },
	{ "one more", OPTIONS_GIVEN_MAX + 1, false },
};

ROWS(many_rows, there_is_an_end_of_settings)
{
	static char program[] = "p11oauth", command[] = "token",
		    setting[] = "--key=a";
	char *argv[WORDS_MAX] = { program, command };
	struct command_line line;
	struct po_error err = { 0 };

	for (int i = 0; i < row->count; i++)
		argv[2 + i] = setting;
	assert_int_equal(options_parse(2 + row->count, argv, &line, &err),
			 row->is_taken ? PO_OK : PO_E_USAGE);
	assert_int_equal(line.given_count, OPTIONS_GIVEN_MAX);
	if (!row->is_taken)
		assert_string_equal(err.text, "too many options");
	options_clear(&line);
}
