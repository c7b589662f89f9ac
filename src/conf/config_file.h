/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config_file.h - the configuration files: which, in which order, what is in them.
 *
 * SYSCONFDIR/p11oauth/p11oauth.conf, then
 * $XDG_CONFIG_HOME/p11oauth/p11oauth.conf (or ~/.config); one given by --config
 * or $P11OAUTH_CONFIG stands alone. A profile in a later file replaces the one
 * of the same name. Parsed by libconfuse against a declared schema: an unknown
 * key, a wrong type or a profile defined twice is an error with file and line.
 */
#ifndef PO_CONF_CONFIG_FILE_H
#define PO_CONF_CONFIG_FILE_H

#include "conf/profile.h"

#define CONFIG_FILE_MAX (1024 * 1024) /* bytes */
#define CONFIG_PROFILES_MAX 1000

struct config {
	char *files[2]; /* read, in order; owned */
	size_t file_count;
	struct profile **profiles; /* owned, in order of definition */
	size_t profile_count;
};

/*
 * path: a file that must exist; NULL: $P11OAUTH_CONFIG, else the two default
 * files, each of which may be absent. PO_E_CONFIG with file, line and, for an
 * unknown key, the nearest known one.
 */
enum po_status config_load(const char *path, struct config **ret_config,
			   struct po_error *err) PO_MUST_CHECK;
void config_free(struct config *config);
PO_DEFINE_AUTO(config, config_free);

/* PO_E_CONFIG when there is none of this name; lists those that there are. */
enum po_status config_find(const struct config *config, const char *name,
			   const struct profile **ret_profile,
			   struct po_error *err) PO_MUST_CHECK;

#endif
