/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.h - options as tables: one parser, and help, completion and lints
 * from the same rows.
 *
 * A command has its own table (offsets into its own options struct) and names
 * the groups of profile settings that it takes as options as well. Options may
 * stand before or after operands; "--" ends them; a name must be whole, and is
 * given once (a list setting may repeat).
 */
#ifndef PO_CMD_OPTIONS_H
#define PO_CMD_OPTIONS_H

#include "cmd/commands.h"
#include "conf/profile.h"

#include <stdbool.h>
#include <stddef.h>

#define OPTIONS_GIVEN_MAX 64

struct global_options {
	const char *config;
	const char *profile; /* --profile, for commands that take it */
	bool json;
	bool verbose;
	bool quiet;
	bool help;
	bool version;
	bool dump_options;
};

struct given { /* a setting from the command line */
	const struct setting *setting;
	const char *value;
};

/* A command line, taken apart. Everything points into argv. */
struct command_line {
	struct global_options global;
	const struct cmd *cmd; /* NULL: none named */
	void *opts;            /* the command's own; owned */
	struct given given[OPTIONS_GIVEN_MAX];
	size_t given_count;
	char **operands; /* owned, NULL-terminated */
	int operand_count;
	char **command; /* what follows "--", when cmd takes it; borrowed from
			 * argv, NULL-terminated; NULL: there was no "--" */
};

/* PO_E_USAGE with the option and what is accepted. */
enum po_status options_parse(int argc, char **argv, struct command_line *line,
			     struct po_error *err) PO_MUST_CHECK;
void options_clear(struct command_line *line);

/* One option as help, completion and lints see it. */
struct option_row {
	const char *name;
	char letter;
	const char *arg; /* NULL: a flag */
	const char *help;
	const char *const *words; /* what completion offers; may be NULL */
};

/*
 * Calls each for every option of cmd (NULL: the global ones alone), the
 * command's own first; stops and returns false when each does.
 */
bool options_each(const struct cmd *cmd,
		  bool (*each)(const struct option_row *row, void *data),
		  void *data);

#endif
