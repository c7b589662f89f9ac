/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cmd-completion.c - completion for bash and zsh, made of the option tables.
 *
 * Both scripts have one case per command with its options; words of an option
 * are offered after it, and profile names are asked of the program itself.
 */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "conf/profile.h"

#include <string.h>

#define TEXT_MAX 262144

static bool add_option(const struct option_row *row, void *data)
{
	return buf_addf(data, " --%s%s", row->name, row->arg ? "=" : "");
}

static bool add_value_case(const struct option_row *row, void *data)
{
	if (!row->arg)
		return true;
	if (row->words) {
		if (!buf_addf(data, "\t--%s) po_words='", row->name))
			return false;
		for (size_t i = 0; row->words[i]; i++)
			if (!buf_addf(data, "%s%s", i ? " " : "",
				      row->words[i]))
				return false;
		return buf_adds(data, "' ;;\n");
	}
	if (strcmp(row->arg, "FILE") == 0 || strcmp(row->arg, "PATH") == 0)
		return buf_addf(data, "\t--%s) po_files=1 ;;\n", row->name);
	return buf_addf(data, "\t--%s) po_words=' ' ;;\n", row->name);
}

/* The part that both shells share: sets po_words and
 * others from the command and the option before. */
static bool add_tables(struct buf *out)
{
	if (!buf_adds(out, "__p11oauth_tables()\n{\n"
			   "\tpo_words= po_files= po_options= po_profiles=\n"
			   "\tcase $1 in\n"))
		return false;
	for (size_t i = 0; commands[i]; i++) {
		const struct cmd *cmd = commands[i];
		bool takes_profile = strstr(cmd->operands, "PROFILE") != NULL;
		bool takes_file =
			strstr(cmd->operands, "FILE") && !takes_profile;

		if (cmd->is_hidden)
			continue;
		if (!buf_addf(out, "\t'%s') po_options='", cmd->name) ||
		    !options_each(cmd, add_option, out) ||
		    !buf_addf(out, "'%s%s%s ;;\n",
			      takes_profile ? " po_profiles=1" : "",
			      takes_file ? " po_files=2" : "",
			      strchr(cmd->operands, '|')
				      ? " po_words='bash zsh'"
				      : ""))
			return false;
	}
	return buf_adds(out, "\tesac\n\tcase $2 in\n");
}

/* Of the options that are of one command alone, those with words. */
static bool add_own_values(struct buf *out)
{
	for (size_t i = 0; commands[i]; i++)
		for (const struct opt *o = commands[i]->opts; o && o->name;
		     o++) {
			const struct option_row row = { o->name, o->letter,
							o->arg, o->help,
							o->words };

			if (o->words && !add_value_case(&row, out))
				return false;
		}
	return true;
}

/* Each option's values once, whichever commands take it. */
static bool add_values(struct buf *out)
{
	const struct cmd all = {
		.name = "",
		.needs = CMD_PROFILE_OPTION,
		.settings = ~0U,
		.takes_json = true,
	};

	return options_each(&all, add_value_case, out) && add_own_values(out) &&
	       buf_adds(out, "\t--output|--jwks|--socket) po_files=1 ;;\n"
			     "\t--audience|--clock-skew|--min-valid|--wait|--"
			     "env) po_words=' ' ;;\n"
			     "\tesac\n}\n\n");
}

static bool add_commands(struct buf *out)
{
	const char *last = "";
	size_t last_len = 0;

	if (!buf_adds(out, "__p11oauth_commands='"))
		return false;
	for (size_t i = 0; commands[i]; i++) {
		const char *name = commands[i]->name;
		size_t len = strcspn(name, " ");

		if (commands[i]->is_hidden)
			continue;
		if (len == last_len && memcmp(name, last, len) == 0)
			continue; /* "jwt inspect", "jwt verify" */
		if (!buf_addf(out, "%s%.*s", i ? " " : "", (int)len, name))
			return false;
		last = name;
		last_len = len;
	}
	if (!buf_adds(out, "'\n__p11oauth_pairs='"))
		return false;
	for (size_t i = 0; commands[i]; i++)
		if (strchr(commands[i]->name, ' ') &&
		    !buf_addf(out, "%s\n", commands[i]->name))
			return false;
	return buf_adds(out, "'\n\n");
}

static const char bash_tail[] =
	"_p11oauth()\n{\n"
	"\tlocal cur prev cmd='' first='' word i po_words po_files po_options "
	"po_profiles\n"
	"\tCOMPREPLY=()\n"
	"\tcur=${COMP_WORDS[COMP_CWORD]}\n"
	"\tprev=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\t# readline splits --option=value at the equals sign\n"
	"\t[[ $cur == = ]] && cur=''\n"
	"\t[[ $prev == = ]] && prev=${COMP_WORDS[COMP_CWORD-2]}\n"
	"\tfor ((i = 1; i < COMP_CWORD; i++)); do\n"
	"\t\tword=${COMP_WORDS[i]}\n"
	"\t\t[[ $word == -* || $word == = ]] && continue\n"
	"\t\tif [[ -z $first ]]; then\n"
	"\t\t\tfirst=$word\n"
	"\t\t\t[[ \" $__p11oauth_commands \" == *\" $word \"* ]] && cmd=$word\n"
	"\t\telif [[ $'\\n'$__p11oauth_pairs == *$'\\n'\"$first $word\"$'\\n'* "
	"]]; then\n"
	"\t\t\tcmd=\"$first $word\"\n"
	"\t\tfi\n"
	"\tdone\n"
	"\t__p11oauth_tables \"$cmd\" \"$prev\"\n"
	"\tif [[ -n $po_words ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$po_words\" -- \"$cur\")\n"
	"\telif [[ $po_files == 1 ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"\telif [[ -z $cmd ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$__p11oauth_commands --help "
	"--version\" -- \"$cur\")\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$po_options\" -- \"$cur\")\n"
	"\t\t[[ ${COMPREPLY[*]} == *= ]] && compopt -o nospace\n"
	"\telif [[ $__p11oauth_pairs == *\"$cmd \"* && $cmd != *' '* ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(sed -n \"s/^$cmd //p\" "
	"<<<\"$__p11oauth_pairs\") ${po_profiles:+$(p11oauth profile list "
	"2>/dev/null)}\" -- \"$cur\")\n"
	"\telif [[ -n $po_profiles ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -W \"$(p11oauth profile list "
	"2>/dev/null)\" -- \"$cur\")\n"
	"\telif [[ -n $po_files ]]; then\n"
	"\t\tmapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
	"\tfi\n"
	"}\n"
	"complete -F _p11oauth p11oauth\n";

static const char zsh_tail[] =
	"_p11oauth()\n{\n"
	"\tlocal cur=$words[CURRENT] before=$words[CURRENT-1] cmd='' first='' "
	"word\n"
	"\tlocal -a given=(${words[2,CURRENT-1]})\n"
	"\tfor word in $given; do\n"
	"\t\t[[ $word == -* ]] && continue\n"
	"\t\tif [[ -z $first ]]; then\n"
	"\t\t\tfirst=$word\n"
	"\t\t\t[[ \" $__p11oauth_commands \" == *\" $word \"* ]] && cmd=$word\n"
	"\t\telif [[ $'\\n'$__p11oauth_pairs == *$'\\n'\"$first $word\"$'\\n'* "
	"]]; then\n"
	"\t\t\tcmd=\"$first $word\"\n"
	"\t\tfi\n"
	"\tdone\n"
	"\tlocal po_words po_files po_options po_profiles\n"
	"\t[[ $cur == --*=* ]] && before=${cur%%=*}\n"
	"\t__p11oauth_tables \"$cmd\" \"$before\"\n"
	"\t[[ $cur == --*=* ]] && compset -P '*='\n"
	"\tif [[ -n $po_words ]]; then\n"
	"\t\tcompadd -- ${=po_words}\n"
	"\telif [[ $po_files == 1 ]]; then\n"
	"\t\t_files\n"
	"\telif [[ -z $cmd ]]; then\n"
	"\t\tcompadd -- ${=__p11oauth_commands} --help --version\n"
	"\telif [[ $cur == -* ]]; then\n"
	"\t\tcompadd -S '' -- ${(M)=po_options:#*=}\n"
	"\t\tcompadd -- ${=po_options:#*=}\n"
	"\telif [[ $__p11oauth_pairs == *\"$cmd \"* && $cmd != *' '* ]]; then\n"
	"\t\tcompadd -- ${(f)\"$(sed -n \"s/^$cmd //p\" "
	"<<<\"$__p11oauth_pairs\")\"}\n"
	"\t\t[[ -n $po_profiles ]] && compadd -- ${(f)\"$(p11oauth profile "
	"list 2>/dev/null)\"}\n"
	"\telif [[ -n $po_profiles ]]; then\n"
	"\t\tcompadd -- ${(f)\"$(p11oauth profile list 2>/dev/null)\"}\n"
	"\telif [[ -n $po_files ]]; then\n"
	"\t\t_files\n"
	"\tfi\n"
	"}\n"
	"compdef _p11oauth p11oauth\n";

static const char *const shells[] = { "bash", "zsh", NULL };

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct command_line *line = ctx->line;
	const char *shell = line->operand_count ? line->operands[0] : "";
	bool zsh = strcmp(shell, shells[1]) == 0;
	po_auto_buf out = { 0 };

	if (!zsh && strcmp(shell, shells[0]) != 0)
		return po_fail(err, PO_E_USAGE, 0,
			       "which shell? completion exists for bash and "
			       "zsh");
	buf_init(&out, TEXT_MAX);
	if (!buf_adds(&out, zsh ? "#compdef p11oauth\n" : "") ||
	    !buf_addf(&out,
		      "# p11oauth completion for %s, made by 'p11oauth "
		      "completion %s'\n\n",
		      shell, shell) ||
	    !add_commands(&out) || !add_tables(&out) || !add_values(&out) ||
	    !buf_adds(&out, zsh ? zsh_tail : bash_tail))
		return po_no_memory(err);
	return output_text(buf_text(&out), err);
}

const struct cmd cmd_completion = {
	.name = "completion",
	.summary = "write the completion script of a shell",
	.operands = "bash|zsh",
	.operands_max = 1,
	.run = run,
};
