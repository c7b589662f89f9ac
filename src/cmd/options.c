/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/options.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define SEEN_MAX 128
#define SECONDS_MAX 86400

#define GLOBAL(f) offsetof(struct global_options, f)

static const struct opt global_opts[] = {
	{ "config", 0, OPT_STRING, GLOBAL(config), "FILE",
	  "read this configuration file only", NULL },
	{ "verbose", 'v', OPT_FLAG, GLOBAL(verbose), NULL,
	  "say on stderr what is done", NULL },
	{ "quiet", 'q', OPT_FLAG, GLOBAL(quiet), NULL, "no warnings", NULL },
	{ "help", 'h', OPT_FLAG, GLOBAL(help), NULL, "show help and exit",
	  NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

/* Before a command only; --dump-options is for the lints. */
static const struct opt program_opts[] = {
	{ "version", 'V', OPT_FLAG, GLOBAL(version), NULL,
	  "show the version and exit", NULL },
	{ "dump-options", 0, OPT_FLAG, GLOBAL(dump_options), NULL, NULL, NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static const struct opt json_opts[] = {
	{ "json", 'j', OPT_FLAG, GLOBAL(json), NULL, "write JSON", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static const struct opt profile_opts[] = {
	{ "profile", 'p', OPT_STRING, GLOBAL(profile), "NAME",
	  "take the settings of this profile", NULL },
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

struct table { /* rows and the struct that their offsets are in */
	const struct opt *rows;
	void *base;
};

#define TABLES_MAX 5

/* The tables that hold for cmd (NULL: before one is named). */
static size_t tables_of(const struct cmd *cmd, struct global_options *global,
			void *opts, struct table tables[static TABLES_MAX])
{
	size_t n = 0;

	if (cmd && cmd->opts)
		tables[n++] = (struct table){ cmd->opts, opts };
	if (cmd && (cmd->needs & CMD_PROFILE_OPTION))
		tables[n++] = (struct table){ profile_opts, global };
	if (cmd && cmd->takes_json)
		tables[n++] = (struct table){ json_opts, global };
	tables[n++] = (struct table){ global_opts, global };
	if (!cmd)
		tables[n++] = (struct table){ program_opts, global };
	return n;
}

struct parser {
	struct command_line *line;
	const void *seen[SEEN_MAX]; /* rows that were given */
	size_t seen_count;
	int argc;
	char **argv;
	int next;
};

struct hit {
	const struct opt *opt;
	const struct setting *setting;
	void *base;
};

static bool find_long(const struct parser *p, const char *name, size_t len,
		      struct hit *hit)
{
	struct command_line *line = p->line;
	struct table tables[TABLES_MAX];
	size_t n = tables_of(line->cmd, &line->global, line->opts, tables);

	*hit = (struct hit){ 0 };
	for (size_t i = 0; i < n; i++)
		for (const struct opt *o = tables[i].rows; o->name; o++)
			if (strlen(o->name) == len &&
			    memcmp(o->name, name, len) == 0) {
				hit->opt = o;
				hit->base = tables[i].base;
				return true;
			}
	for (size_t i = 0; line->cmd && i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];

		if ((line->cmd->settings & s->group) &&
		    strlen(s->name) == len && memcmp(s->name, name, len) == 0) {
			hit->setting = s;
			return true;
		}
	}
	return false;
}

static bool find_letter(const struct parser *p, char letter, struct hit *hit)
{
	struct command_line *line = p->line;
	struct table tables[TABLES_MAX];
	size_t n = tables_of(line->cmd, &line->global, line->opts, tables);

	*hit = (struct hit){ 0 };
	for (size_t i = 0; i < n; i++)
		for (const struct opt *o = tables[i].rows; o->name; o++)
			if (o->letter == letter) {
				hit->opt = o;
				hit->base = tables[i].base;
				return true;
			}
	return false;
}

static bool add_name(const struct option_row *row, void *data)
{
	const char **names = data;
	size_t n = 0;

	while (names[n])
		n++;
	if (n < SEEN_MAX)
		names[n] = row->name;
	return n < SEEN_MAX;
}

static enum po_status fail_unknown(const struct parser *p, const char *arg,
				   size_t len, struct po_error *err)
{
	const char *names[SEEN_MAX + 1] = { NULL };
	const char *near = NULL;
	char word[64] = "";

	if (len < sizeof(word) && len > 2) {
		memcpy(word, arg + 2, len - 2);
		(void)options_each(p->line->cmd, add_name, names);
		near = text_nearest(word, names);
	}
	if (near)
		return po_fail(err, PO_E_USAGE, 0,
			       "unknown option '%.*s'; did you mean '--%s'?",
			       (int)len, arg, near);
	return po_fail(err, PO_E_USAGE, 0, "unknown option '%.*s'",
		       (int)(len < 64 ? len : 64), arg);
}

static enum po_status see(struct parser *p, const void *row, const char *name,
			  bool may_repeat, struct po_error *err)
{
	for (size_t i = 0; !may_repeat && i < p->seen_count; i++)
		if (p->seen[i] == row)
			return po_fail(err, PO_E_USAGE, 0,
				       "option '--%s' is given twice", name);
	if (p->seen_count == SEEN_MAX)
		return po_fail(err, PO_E_USAGE, 0, "too many options");
	p->seen[p->seen_count++] = row;
	return PO_OK;
}

static enum po_status take_opt(struct parser *p, const struct hit *hit,
			       const char *value, struct po_error *err)
{
	void *field = (char *)hit->base + hit->opt->offset;
	enum po_status st =
		see(p, hit->opt, hit->opt->name, /* may_repeat= */ false, err);

	if (st != PO_OK)
		return st;
	switch (hit->opt->type) {
	case OPT_FLAG: *(bool *)field = true; break;
	case OPT_STRING: *(const char **)field = value; break;
	case OPT_SECONDS:
		if (!text_to_seconds(value, SECONDS_MAX, field))
			return po_fail(err, PO_E_USAGE, 0,
				       "--%s: '%s' is no time from 0 to %d "
				       "seconds",
				       hit->opt->name, value, SECONDS_MAX);
		break;
	}
	return PO_OK;
}

static enum po_status take_setting(struct parser *p, const struct setting *s,
				   const char *value, struct po_error *err)
{
	struct command_line *line = p->line;
	enum po_status st = see(p, s, s->name, s->kind == SETTING_LIST, err);

	if (st != PO_OK)
		return st;
	if (line->given_count == OPTIONS_GIVEN_MAX)
		return po_fail(err, PO_E_USAGE, 0, "too many options");
	line->given[line->given_count++] = (struct given){ s, value };
	return PO_OK;
}

/* A value after the option, when it takes one and none came with '='. */
static enum po_status take(struct parser *p, const struct hit *hit,
			   const char *name, const char *value,
			   struct po_error *err)
{
	bool is_flag = hit->opt ? hit->opt->type == OPT_FLAG
				: hit->setting->kind == SETTING_BOOL;

	if (is_flag && hit->opt && value)
		return po_fail(err, PO_E_USAGE, 0,
			       "option '--%s' takes no value", name);
	if (is_flag && !value)
		value = "yes";
	if (!value && p->next < p->argc)
		value = p->argv[p->next++];
	if (!value)
		return po_fail(err, PO_E_USAGE, 0,
			       "option '--%s' needs a value (%s)", name,
			       hit->opt ? hit->opt->arg : hit->setting->arg);
	if (hit->opt)
		return take_opt(p, hit, value, err);
	return take_setting(p, hit->setting, value, err);
}

static enum po_status parse_long(struct parser *p, const char *arg,
				 struct po_error *err)
{
	const char *name = arg + 2;
	size_t len = strcspn(name, "=");
	struct hit hit;

	if (!find_long(p, name, len, &hit))
		return fail_unknown(p, arg, len + 2, err);
	return take(p, &hit, hit.opt ? hit.opt->name : hit.setting->name,
		    name[len] ? name + len + 1 : NULL, err);
}

static enum po_status parse_letters(struct parser *p, const char *arg,
				    struct po_error *err)
{
	enum po_status st = PO_OK;
	struct hit hit;

	for (const char *c = arg + 1; st == PO_OK && *c; c++) {
		const char *rest = c[1] ? c + 1 : NULL;

		if (!find_letter(p, *c, &hit))
			return po_fail(err, PO_E_USAGE, 0,
				       "unknown option '%.32s'", arg);
		if (hit.opt->type == OPT_FLAG) {
			st = take(p, &hit, hit.opt->name, NULL, err);
			continue;
		}
		return take(p, &hit, hit.opt->name, rest, err);
	}
	return st;
}

static enum po_status set_command(struct parser *p, struct po_error *err)
{
	struct command_line *line = p->line;
	int at = p->next - 1, words = 0;

	line->cmd = commands_find(p->argc - at, p->argv + at, &words);
	if (!line->cmd)
		return commands_unknown(p->argv[at], err);
	p->next = at + words;
	if (line->cmd->opts_size) {
		line->opts = calloc(1, line->cmd->opts_size);
		if (!line->opts)
			return po_no_memory(err);
	}
	return PO_OK;
}

static enum po_status add_operand(struct parser *p, char *arg,
				  struct po_error *err)
{
	struct command_line *line = p->line;
	int max = line->cmd->operands_max;

	if (max >= 0 && line->operand_count >= max)
		return po_fail(err, PO_E_USAGE, 0,
			       "unexpected '%.64s'; '%s' takes %s", arg,
			       line->cmd->name,
			       max ? line->cmd->operands : "no operand");
	line->operands[line->operand_count++] = arg;
	return PO_OK;
}

enum po_status options_parse(int argc, char **argv, struct command_line *line,
			     struct po_error *err)
{
	struct parser p = {
		.line = line, .argc = argc, .argv = argv, .next = 1
	};
	bool only_operands = false;
	enum po_status st = PO_OK;

	*line = (struct command_line){ 0 };
	line->operands = calloc((size_t)argc + 1, sizeof(char *));
	if (!line->operands)
		return po_no_memory(err);
	while (st == PO_OK && p.next < argc && !line->command) {
		char *arg = argv[p.next++];

		if (line->cmd && line->cmd->takes_command &&
		    strcmp(arg, "--") == 0)
			line->command = argv + p.next;
		else if (!only_operands && strcmp(arg, "--") == 0)
			only_operands = true;
		else if (!only_operands && strncmp(arg, "--", 2) == 0)
			st = parse_long(&p, arg, err);
		else if (!only_operands && arg[0] == '-' && arg[1])
			st = parse_letters(&p, arg, err);
		else if (!line->cmd)
			st = set_command(&p, err);
		else
			st = add_operand(&p, arg, err);
	}
	return st;
}

void options_clear(struct command_line *line)
{
	free(line->opts);
	free(line->operands);
	*line = (struct command_line){ 0 };
}

bool options_each(const struct cmd *cmd,
		  bool (*each)(const struct option_row *row, void *data),
		  void *data)
{
	struct global_options unused;
	struct table tables[TABLES_MAX];
	size_t n = tables_of(cmd, &unused, NULL, tables);

	for (size_t i = 0; i < n; i++)
		for (const struct opt *o = tables[i].rows; o->name; o++) {
			struct option_row row = { o->name, o->letter, o->arg,
						  o->help, o->words };

			if (o->help && !each(&row, data))
				return false;
		}
	for (size_t i = 0; cmd && i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];
		struct option_row row = { s->name, 0, s->arg, s->help,
					  s->words };

		if ((cmd->settings & s->group) && !each(&row, data))
			return false;
	}
	return true;
}
