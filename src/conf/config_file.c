/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/config_file.h"

#include "base/environment.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/text.h"

#include <confuse.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PROFILE_NAME_MAX 64

static const struct section {
	const char *name;
	enum setting_place excluded;
} sections[] = {
	{ "profile", SETTING_IN_SERVER },
	{ "server", SETTING_IN_PROFILE },
};
#define SECTION_PROFILE (&sections[0])
#define SECTION_SERVER (&sections[1])

/*
 * libconfuse takes the end of the file for the end of a section. A key behind
 * the text, known at top level only, tells when a '}' is missing.
 */
#define END_KEY "end-of-file"
#define END_TEXT "\n" END_KEY " = yes\n"

/*
 * libconfuse calls back without a pointer of ours, so what the callbacks need
 * while a file is parsed is here. Files are read by one thread, at start.
 */
static struct {
	struct profile_list *profiles, *servers; /* where sections go */
	const char *file;        /* borrowed; outlives the lists */
	struct profile *profile; /* owned; what this section has set so far */
	struct po_error *err;
	enum po_status status;
} parsing;

static enum po_status fail_at(int line, const char *fmt, ...) PO_PRINTF(2, 3);

static enum po_status fail_at(int line, const char *fmt, ...)
{
	va_list ap;

	if (parsing.status != PO_OK)
		return parsing.status; /* the first one stands */
	va_start(ap, fmt);
	parsing.status = po_vfail(parsing.err, PO_E_CONFIG, 0, fmt, ap);
	va_end(ap);
	return po_context(parsing.err, parsing.status, "%s:%d", parsing.file,
			  line);
}

/* The word in the first pair of quotes of libconfuse's message. */
static bool quoted_word(const char *text, char *out, size_t size)
{
	const char *from = strchr(text, '\'');
	const char *to = from ? strchr(from + 1, '\'') : NULL;
	size_t len = to ? (size_t)(to - from - 1) : size;

	if (len >= size)
		return false;
	memcpy(out, from + 1, len);
	out[len] = '\0';
	return true;
}

static const char *nearest_key(const cfg_t *cfg, const char *word)
{
	const char *names[PROFILE_SETTINGS_MAX + 1] = { NULL };
	const struct section *section = SECTION_PROFILE;
	size_t n = 0;

	if (!cfg->title) {
		for (size_t i = 0; i < PO_ARRAY_SIZE(sections); i++)
			names[i] = sections[i].name;
		return text_nearest(word, names);
	}
	if (strcmp(cfg->name, SECTION_SERVER->name) == 0)
		section = SECTION_SERVER;
	for (size_t i = 0; i < profile_settings_count; i++)
		if (profile_settings[i].place != section->excluded)
			names[n++] = profile_settings[i].name;
	return text_nearest(word, names);
}

static void on_error(cfg_t *cfg, const char *fmt, va_list ap) PO_PRINTF(2, 0);

static void on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	char text[512], word[64];
	const char *near;

	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		return;
	if (strncmp(text, "no such option", strlen("no such option")) != 0 ||
	    !quoted_word(text, word, sizeof(word))) {
		(void)fail_at(cfg->line, "%s", text);
		return;
	}
	near = nearest_key(cfg, word);
	if (strcmp(word, END_KEY) == 0)
		(void)fail_at(cfg->line - 1, "a '}' is missing");
	else if (near)
		(void)fail_at(cfg->line, "unknown key '%s'; did you mean '%s'?",
			      word, near);
	else
		(void)fail_at(cfg->line, "unknown key '%s'", word);
}

static size_t list_len(char *const *list)
{
	size_t n = 0;

	while (list[n])
		n++;
	return n;
}

/*
 * What value number n of a setting is: a new one, one that was seen before
 * (libconfuse calls once more at the end of a list), or a second assignment.
 */
static enum {
	VALUE_NEW,
	VALUE_SEEN,
	VALUE_AGAIN
} judge(const struct profile *p, const struct setting *s, size_t n,
	const char *text)
{
	char *const *list =
		(char *const *)(const void *)((const char *)p + s->offset);
	size_t have;

	if (p->origin[s - profile_settings].kind != ORIGIN_FILE)
		return VALUE_NEW;
	if (s->kind != SETTING_LIST)
		return VALUE_AGAIN;
	have = list_len(list);
	if (n > have)
		return VALUE_NEW;
	return n == have && strcmp(list[n - 1], text) == 0 ? VALUE_SEEN
							   : VALUE_AGAIN;
}

/*
 * Called when one value has been read: the one moment that libconfuse knows
 * its line, so the value goes straight into the profile.
 */
static int on_value(cfg_t *cfg, cfg_opt_t *opt)
{
	const struct setting *s = profile_setting(cfg_opt_name(opt));
	const struct origin origin = { ORIGIN_FILE, parsing.file, cfg->line };
	unsigned int n = cfg_opt_size(opt);
	const char *text = n ? cfg_opt_getnstr(opt, n - 1) : NULL;

	if (!s || !text || parsing.status != PO_OK)
		return -1;
	if (!parsing.profile && !(parsing.profile = profile_new(NULL))) {
		parsing.status = po_no_memory(parsing.err);
		return -1;
	}
	switch (judge(parsing.profile, s, n, text)) {
	case VALUE_SEEN: return 0;
	case VALUE_AGAIN:
		(void)fail_at(cfg->line, "'%s' is set twice", s->name);
		return -1;
	case VALUE_NEW: break;
	}
	parsing.status =
		profile_set(parsing.profile, s, text, &origin, parsing.err);
	return parsing.status == PO_OK ? 0 : -1;
}

static bool is_profile_name(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= PROFILE_NAME_MAX && name[0] != '-' &&
	       strspn(name, allowed) == len;
}

/* Takes the finished profile; one of an earlier file gives way in place. */
static enum po_status keep_profile(struct profile_list *list,
				   struct profile *profile,
				   struct po_error *err)
{
	struct profile **grown;

	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i]->name, profile->name) != 0)
			continue;
		profile_free(list->items[i]);
		list->items[i] = profile;
		return PO_OK;
	}
	grown = reallocarray(list->items, list->count + 1,
			     sizeof(struct profile *));
	if (!grown) {
		profile_free(profile);
		return po_no_memory(err);
	}
	list->items = grown;
	list->items[list->count++] = profile;
	return PO_OK;
}

/* Called at the end of a section. */
static int on_section(cfg_t *cfg, cfg_opt_t *opt)
{
	cfg_t *section = cfg_opt_getnsec(opt, cfg_opt_size(opt) - 1);
	const char *name = section ? cfg_title(section) : NULL;
	struct profile_list *list =
		strcmp(cfg_opt_name(opt), SECTION_SERVER->name) == 0
			? parsing.servers
			: parsing.profiles;

	if (parsing.status != PO_OK)
		return -1;
	if (!name || !is_profile_name(name)) {
		(void)fail_at(cfg->line,
			      "'%s' is no %s name; it has 1 to %d of the "
			      "characters A-Z a-z 0-9 . _ -",
			      name ? name : "", cfg_opt_name(opt),
			      PROFILE_NAME_MAX);
		return -1;
	}
	if (list->count >= CONFIG_PROFILES_MAX) {
		(void)fail_at(cfg->line, "more than %d %ss",
			      CONFIG_PROFILES_MAX, cfg_opt_name(opt));
		return -1;
	}
	if (!parsing.profile)
		parsing.profile = profile_new(NULL);
	if (parsing.profile)
		parsing.profile->name = text_dup(name);
	if (!parsing.profile || !parsing.profile->name) {
		parsing.status = po_no_memory(parsing.err);
		return -1;
	}
	parsing.status =
		keep_profile(list, po_steal(parsing.profile), parsing.err);
	return parsing.status == PO_OK ? 0 : -1;
}

/* The keys of one kind of section; every value is text to libconfuse and typed
 * by profile_set(). */
static void section_schema(const struct section *section,
			   cfg_opt_t opts[static PROFILE_SETTINGS_MAX + 1])
{
	const cfg_opt_t end = CFG_END();
	size_t n = 0;

	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];
		const cfg_opt_t text = CFG_STR(s->name, NULL, CFGF_NODEFAULT);
		const cfg_opt_t list =
			CFG_STR_LIST(s->name, NULL, CFGF_NODEFAULT);

		if (s->place != section->excluded)
			opts[n++] = s->kind == SETTING_LIST ? list : text;
	}
	opts[n] = end;
}

static void set_callbacks(cfg_t *cfg, const struct section *section)
{
	(void)cfg_set_validate_func(cfg, section->name, on_section);
	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];
		char path[80];

		if (s->place != section->excluded &&
		    snprintf(path, sizeof(path), "%s|%s", section->name,
			     s->name) < (int)sizeof(path))
			(void)cfg_set_validate_func(cfg, path, on_value);
	}
}

static cfg_t *new_schema(void)
{
	cfg_opt_t opts[PO_ARRAY_SIZE(sections)][PROFILE_SETTINGS_MAX + 1];
	cfg_t *cfg;

	for (size_t i = 0; i < PO_ARRAY_SIZE(sections); i++)
		section_schema(&sections[i], opts[i]);

	cfg_opt_t root_opts[] = {
		CFG_SEC("profile", opts[0],
			CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		CFG_SEC("server", opts[1],
			CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		CFG_STR(END_KEY, NULL, CFGF_NODEFAULT),
		CFG_END(),
	};

	cfg = cfg_init(root_opts, CFGF_NONE); /* copies the options */
	if (!cfg)
		return NULL;
	(void)cfg_set_error_function(cfg, on_error);
	for (size_t i = 0; i < PO_ARRAY_SIZE(sections); i++)
		set_callbacks(cfg, &sections[i]);
	return cfg;
}

/* file: borrowed, as long as the lists live. */
static enum po_status parse(struct profile_list *profiles,
			    struct profile_list *servers, const char *file,
			    struct buf *text, struct po_error *err)
{
	enum po_status st;
	cfg_t *cfg;
	int result;

	if (text->len == 0)
		return PO_OK;
	if (memchr(text->data, '\0', text->len))
		return po_fail(err, PO_E_CONFIG, 0, "%s: it has a NUL byte",
			       file);
	cfg = buf_adds(text, END_TEXT) ? new_schema() : NULL;
	if (!cfg)
		return po_no_memory(err);
	parsing.profiles = profiles;
	parsing.servers = servers;
	parsing.file = file;
	parsing.err = err;
	parsing.status = PO_OK;
	result = cfg_parse_buf(cfg, text->data);
	st = parsing.status;
	if (st == PO_OK && result != CFG_SUCCESS)
		st = po_fail(err, PO_E_CONFIG, 0, "%s:%d: cannot be parsed",
			     file, cfg->line);
	profile_free(parsing.profile);
	memset(&parsing, 0, sizeof(parsing));
	(void)cfg_free(cfg);
	return st;
}

static enum po_status read_file(struct config *config, const char *path,
				struct po_error *err)
{
	po_auto_buf text = { 0 };
	char *name = text_dup(path);
	enum po_status st;

	if (!name)
		return po_no_memory(err);
	config->files[config->file_count++] = name;
	buf_init(&text, CONFIG_FILE_MAX);
	st = fs_read(path, &text, err);
	text.max += strlen(END_TEXT);
	log_debug(LOG_CONF, "configuration '%s': %s", path,
		  st == PO_OK ? "read" : "not read");
	return st == PO_OK ? parse(&config->profiles, &config->servers, name,
				   &text, err)
			   : st;
}

static enum po_status read_own_servers(struct config *config,
				       struct po_error *err)
{
	struct profile_list none = { 0 };
	po_auto_buf text = { 0 };

	buf_init(&text, CONFIG_FILE_MAX);
	if (!buf_adds(&text, config_servers_text))
		return po_no_memory(err);
	return parse(&none, &config->own_servers, CONFIG_SERVERS_NAME, &text,
		     err);
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
