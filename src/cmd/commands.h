/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commands.h - the commands, and what main() prepares for them.
 */
#ifndef PO_CMD_COMMANDS_H
#define PO_CMD_COMMANDS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

enum opt_type {
	OPT_FLAG,    /* bool */
	OPT_STRING,  /* const char *, borrowed from argv */
	OPT_SECONDS, /* int64_t, 0 .. a day */
};

struct opt {
	const char *name; /* NULL ends a table */
	char letter;      /* 0: none */
	enum opt_type type;
	size_t offset;
	const char *arg; /* "FILE"; NULL for a flag */
	const char *help;
	const char *const *words; /* what completion offers; may be NULL */
};

enum cmd_needs {
	CMD_NEEDS_PROFILE = 1 << 0,  /* ctx->profile, from the operand */
	CMD_TAKES_PROFILES = 1 << 1, /* several PROFILE operands; the command
				      * makes them with commands_profile() */
	CMD_PROFILE_OPTION = 1 << 2, /* ctx->profile, from --profile */
	CMD_NEEDS_CONFIG = 1 << 3,   /* ctx->config */
	CMD_NEEDS_LOCKED = 1 << 4,   /* handles secrets: no core dump */
	CMD_MAY_ASK_AGENT = 1 << 5,  /* wants an access token; nothing is read
				      * before access_token_get() does */
};

struct command_line;
struct config;
struct po_env;
struct profile;

struct cmd_context { /* borrowed by the command */
	const struct command_line *line;
	const void *opts;        /* the command's own options struct */
	struct profile *profile; /* as the needs say, else NULL */
	struct config *config;   /* as the needs say, else NULL */
	const struct po_env *env;
	bool json;        /* --json */
	int *exit_status; /* for a failure that is none of enum po_status */
};

struct cmd {
	const char *name;       /* "token", "jwt inspect" */
	const char *summary;    /* one line for `help` */
	const char *operands;   /* "[PROFILE]", "[FILE]"; "" for none */
	int operands_max;       /* -1: any number */
	unsigned int needs;     /* enum cmd_needs */
	unsigned int settings;  /* enum setting_group: options taken */
	bool takes_json;        /* --json */
	bool is_hidden;         /* the agent's own; not for people */
	bool takes_command;     /* all that follows "--" */
	const struct opt *opts; /* NULL: none of its own */
	size_t opts_size;
	enum po_status (*run)(const struct cmd_context *ctx,
			      struct po_error *err);
};

extern const struct cmd cmd_agent, cmd_agent_helper, cmd_agent_worker,
	cmd_assertion, cmd_audit_find, cmd_audit_rotate, cmd_audit_verify,
	cmd_cert, cmd_completion, cmd_doctor, cmd_exec, cmd_header, cmd_help,
	cmd_jwks, cmd_jwks_check, cmd_jwt_inspect, cmd_jwt_verify, cmd_keys,
	cmd_lock, cmd_profile_check, cmd_profile_list, cmd_server_list,
	cmd_server_show, cmd_status, cmd_token, cmd_unlock, cmd_version;

/* All of them, in the order of `help`; NULL-terminated. */
extern const struct cmd *const commands[];

/* The command of one or two words; *ret_words says how many. NULL: none. */
const struct cmd *commands_find(int argc, char *const *argv, int *ret_words);

/* What the environment and the command line alone say. The caller frees it. */
enum po_status commands_settings(const struct cmd_context *ctx,
				 struct profile **ret_profile,
				 struct po_error *err) PO_MUST_CHECK;

/*
 * A profile ready for use: what the files say under name (NULL: nothing), then
 * the environment, then the command line. The caller frees it.
 */
enum po_status commands_profile(const struct cmd_context *ctx, const char *name,
				struct profile **ret_profile,
				struct po_error *err) PO_MUST_CHECK;

/* "no such command …" with the nearest one. */
enum po_status commands_unknown(const char *name, struct po_error *err);

#endif
