/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_file.h - the configuration files: which, in which order, what is in
 * them.
 *
 * SYSCONFDIR/p11oauth/p11oauth.conf, then
 * $XDG_CONFIG_HOME/p11oauth/p11oauth.conf (or ~/.config); one given by --config
 * or $P11OAUTH_CONFIG stands alone. A profile in a later file replaces the one
 * of the same name. Parsed by libconfuse against a declared schema: an unknown
 * key, a wrong type or a profile defined twice is an error with file and line.
 *
 * "server NAME { … }" holds the rules of one kind of authorization server; what
 * it leaves open is as in the "smart" that comes with the program. The program
 * brings the sections of servers.conf; the files may add or replace some.
 *
 * "agent { … }" holds what is not of one profile; one in a later file replaces
 * it. A "sink { … }" inside a profile is a file that the agent writes; no two
 * have one path.
 */
#ifndef PO_CONF_CONFIG_FILE_H
#define PO_CONF_CONFIG_FILE_H

#include "conf/agent_settings.h"
#include "conf/profile.h"

#define CONFIG_FILE_MAX (1024 * 1024) /* bytes */
#define CONFIG_PROFILES_MAX 1000

struct config {
	char *files[2]; /* read, in order; owned */
	size_t file_count;
	struct profile_list {
		struct profile **items; /* owned, in order of definition */
		size_t count;
	} profiles, servers;
	struct profile_list own_servers; /* those that the program brings */
	struct agent_settings agent;     /* of the last file that has some */
};

/* servers.conf, as it is installed for people to read. */
extern const char config_servers_text[];
#define CONFIG_SERVERS_NAME "servers.conf"
#define CONFIG_SERVER_DEFAULT "smart"

/*
 * path: a file that must exist; NULL: $P11OAUTH_CONFIG, else the two default
 * files, each of which may be absent. PO_E_CONFIG with file, line and, for an
 * unknown key, the nearest known one.
 */
enum po_status config_load(const char *path, struct config **ret_config,
			   struct po_error *err) PO_MUST_CHECK;

/* No file at all: the rules that the program brings, for commands that name no
 * profile. */
enum po_status config_load_none(struct config **ret_config,
				struct po_error *err) PO_MUST_CHECK;
void config_free(struct config *config);
PO_DEFINE_AUTO(config, config_free);

/* PO_E_CONFIG when there is none of this name; lists those that there are. */
enum po_status config_find(const struct config *config, const char *name,
			   const struct profile **ret_profile,
			   struct po_error *err) PO_MUST_CHECK;

/* The rules of a kind of server: the files', else the program's. NULL: none. */
const struct profile *config_server(const struct config *config,
				    const char *name);

/*
 * Completes a profile by the rules of its server and, last, by those of smart.
 * Fails as profile_fault() does when its server is not known.
 */
enum po_status config_apply_server(const struct config *config,
				   struct profile *profile,
				   struct po_error *err) PO_MUST_CHECK;

#endif
