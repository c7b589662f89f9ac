/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/config_file.h"

#include "base/environment.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/text.h"
#include "conf/sections.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum po_status read_file(struct config *config, const char *path,
				struct po_error *err)
{
	const struct sections into = { &config->profiles, &config->servers,
				       &config->agent };
	po_auto_buf text = { 0 };
	char *name = text_dup(path);
	enum po_status st;

	if (!name)
		return po_no_memory(err);
	config->files[config->file_count++] = name;
	buf_init(&text, CONFIG_FILE_MAX);
	st = fs_read(path, &text, err);
	log_debug(LOG_CONF, "configuration '%s': %s", path,
		  st == PO_OK ? "read" : "not read");
	return st == PO_OK ? sections_parse(&into, name, &text, err) : st;
}

static enum po_status read_own_servers(struct config *config,
				       struct po_error *err)
{
	struct profile_list none = { 0 };
	struct agent_settings nothing = { 0 };
	const struct sections into = { &none, &config->own_servers, &nothing };
	po_auto_buf text = { 0 };

	buf_init(&text, CONFIG_FILE_MAX);
	if (!buf_adds(&text, config_servers_text))
		return po_no_memory(err);
	return sections_parse(&into, CONFIG_SERVERS_NAME, &text, err);
}

/* free() it; NULL: no home, or out of memory. */
static char *user_file(void)
{
	const char *base = environment_get("XDG_CONFIG_HOME");
	const char *middle = "";
	char *path = NULL;

	if (!base || base[0] != '/') { /* the XDG specification says so */
		base = environment_get("HOME");
		middle = "/.config";
	}
	if (!base ||
	    asprintf(&path, "%s%s/p11oauth/p11oauth.conf", base, middle) < 0)
		return NULL;
	return path;
}

static enum po_status read_default_files(struct config *config,
					 struct po_error *err)
{
	static const char system_file[] =
		PO_SYSCONFDIR "/p11oauth/p11oauth.conf";
	char *user = user_file();
	enum po_status st = PO_OK;

	if (access(system_file, F_OK) == 0)
		st = read_file(config, system_file, err);
	if (st == PO_OK && user && access(user, F_OK) == 0)
		st = read_file(config, user, err);
	free(user);
	return st;
}

enum po_status config_load_none(struct config **ret_config,
				struct po_error *err)
{
	po_auto(config) *config = calloc(1, sizeof(*config));
	enum po_status st;

	if (!config)
		return po_no_memory(err);
	st = read_own_servers(config, err);
	if (st == PO_OK)
		*ret_config = po_steal(config);
	return st;
}

struct writer { /* who writes a file */
	const struct sink *sink;
	const char *profile;
	size_t order;
};

static int by_path(const void *a, const void *b)
{
	const struct writer *x = a, *y = b;
	int order = strcmp(x->sink->path, y->sink->path);

	return order ? order : (x->order > y->order) - (x->order < y->order);
}

/* No file has two writers; of profiles that gave way nothing counts. */
static enum po_status check_sinks(const struct config *config,
				  struct po_error *err)
{
	enum po_status st = PO_OK;
	struct writer *all;
	size_t n = 0;

	for (size_t i = 0; i < config->profiles.count; i++)
		n += config->profiles.items[i]->sink_count;
	all = calloc(n + 1, sizeof(*all));
	if (!all)
		return po_no_memory(err);
	n = 0;
	for (size_t i = 0; i < config->profiles.count; i++) {
		const struct profile *p = config->profiles.items[i];

		for (size_t j = 0; j < p->sink_count; j++, n++)
			all[n] = (struct writer){ &p->sinks[j], p->name, n };
	}
	qsort(all, n, sizeof(*all), by_path);
	for (size_t i = 1; st == PO_OK && i < n; i++)
		if (strcmp(all[i].sink->path, all[i - 1].sink->path) == 0)
			st = po_fail(err, PO_E_CONFIG, 0,
				     "%s:%d: sink: path: '%s' is a sink "
				     "already, of profile '%s' (%s:%d)",
				     all[i].sink->file, all[i].sink->line,
				     all[i].sink->path, all[i - 1].profile,
				     all[i - 1].sink->file,
				     all[i - 1].sink->line);
	free(all);
	return st;
}

enum po_status config_load(const char *path, struct config **ret_config,
			   struct po_error *err)
{
	po_auto(config) *config = NULL;
	enum po_status st = config_load_none(&config, err);

	if (st != PO_OK || !config)
		return st;
	if (!path)
		path = environment_get("P11OAUTH_CONFIG");
	st = path ? read_file(config, path, err)
		  : read_default_files(config, err);
	if (st == PO_OK)
		st = check_sinks(config, err);
	if (st == PO_OK)
		*ret_config = po_steal(config);
	return st;
}

static void list_clear(struct profile_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		profile_free(list->items[i]);
	free(list->items);
}

static struct profile *list_find(const struct profile_list *list,
				 const char *name)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i]->name, name) == 0)
			return list->items[i];
	return NULL;
}

void config_free(struct config *config)
{
	if (!config)
		return;
	list_clear(&config->profiles);
	list_clear(&config->servers);
	list_clear(&config->own_servers);
	agent_settings_clear(&config->agent);
	for (size_t i = 0; i < config->file_count; i++)
		free(config->files[i]);
	free(config);
}

enum po_status config_find(const struct config *config, const char *name,
			   const struct profile **ret_profile,
			   struct po_error *err)
{
	const struct profile *found = list_find(&config->profiles, name);
	po_auto_buf names = { 0 };

	if (found) {
		*ret_profile = found;
		return PO_OK;
	}
	buf_init(&names, PO_ERROR_TEXT_MAX / 2);
	for (size_t i = 0; i < config->profiles.count; i++)
		if (!buf_addf(&names, "%s%s", i ? ", " : "",
			      config->profiles.items[i]->name))
			log_debug(LOG_CONF, "not all profiles are listed");
	if (config->file_count == 0)
		return po_fail(err, PO_E_CONFIG, 0,
			       "no profile '%s': there is no configuration "
			       "file; see p11oauth.conf(5)",
			       name);
	return po_fail(err, PO_E_CONFIG, 0, "no profile '%s'; there is: %s",
		       name, names.len ? buf_text(&names) : "none");
}

const struct profile *config_server(const struct config *config,
				    const char *name)
{
	const struct profile *own = list_find(&config->servers, name);

	return own ? own : list_find(&config->own_servers, name);
}

static enum po_status fail_server(const struct config *config,
				  const struct profile *p, struct po_error *err)
{
	const char *names[2 * CONFIG_PROFILES_MAX + 1] = { NULL };
	const char *near;
	size_t n = 0;

	for (size_t i = 0; i < config->own_servers.count; i++)
		names[n++] = config->own_servers.items[i]->name;
	for (size_t i = 0; i < config->servers.count; i++)
		names[n++] = config->servers.items[i]->name;
	near = text_nearest(p->server, names);
	return profile_fault(p, "server", err,
			     "no rules are known for '%s'%s%s%s", p->server,
			     near ? "; did you mean '" : "", near ? near : "",
			     near ? "'?"
				  : "; 'p11oauth server list' shows "
				    "those that there are");
}

enum po_status config_apply_server(const struct config *config,
				   struct profile *profile,
				   struct po_error *err)
{
	const char *name =
		profile->server ? profile->server : CONFIG_SERVER_DEFAULT;
	const struct profile *rules = config_server(config, name);
	const struct profile *smart =
		list_find(&config->own_servers, CONFIG_SERVER_DEFAULT);

	if (!rules)
		return fail_server(config, profile, err);
	if (!smart)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "the rules of '%s' are "
			       "missing",
			       CONFIG_SERVER_DEFAULT);
	if (!profile_take_rules(profile, rules) ||
	    !profile_take_rules(profile, smart))
		return po_no_memory(err);
	return PO_OK;
}
