/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/sections.h"

#include "base/text.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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
#define SINK "sink"
#define AGENT "agent"
#define WORDS_MAX 8 /* keys of those two */

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
	const struct sections *into;
	const char *file;        /* borrowed; outlives what is filled in */
	struct profile *profile; /* owned; what this section has set so far */
	struct sink sink;        /* the same; it is inside a profile */
	struct agent_settings agent;
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

/* For callbacks: fails as why says, which has no place yet. */
static int fail_because(int line, enum po_status st, const struct po_error *why)
{
	if (parsing.status == PO_OK)
		parsing.status = po_context(
			parsing.err,
			po_fail(parsing.err, st, why->native, "%s", why->text),
			"%s:%d", parsing.file, line);
	return -1;
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
	static const char *const top[] = { "profile", "server", AGENT, NULL };
	const char *names[PROFILE_SETTINGS_MAX + 2] = { NULL };
	const struct section *section = SECTION_PROFILE;
	size_t n = 0;

	if (strcmp(cfg->name, SINK) == 0)
		return text_nearest(word, sink_keys);
	if (strcmp(cfg->name, AGENT) == 0)
		return text_nearest(word, agent_keys);
	if (!cfg->title)
		return text_nearest(word, top);
	if (strcmp(cfg->name, SECTION_SERVER->name) == 0)
		section = SECTION_SERVER;
	else
		names[n++] = SINK;
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

static bool begin_profile(void)
{
	if (!parsing.profile && !(parsing.profile = profile_new(NULL)))
		parsing.status = po_no_memory(parsing.err);
	return parsing.profile != NULL;
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
	if (!begin_profile())
		return -1;
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

/* The same for the keys of a sink or of the agent's section. */
static int on_text(cfg_t *cfg, cfg_opt_t *opt)
{
	const char *key = cfg_opt_name(opt);
	const char *text = cfg_opt_getnstr(opt, 0);
	struct po_error why = { 0 };
	enum po_status st;

	if (!text || parsing.status != PO_OK)
		return -1;
	if (strcmp(cfg->name, AGENT) == 0)
		st = agent_settings_set(&parsing.agent, key, text, &why);
	else
		st = sink_set(&parsing.sink, key, text, &why);
	if (strcmp(key, "path") == 0)
		parsing.sink.line = cfg->line;
	return st == PO_OK ? 0 : fail_because(cfg->line, st, &why);
}

/* The end of a sink. */
static int on_sink(cfg_t *cfg, cfg_opt_t *opt)
{
	struct po_error why = { 0 };
	struct sink *grown;
	struct profile *p;
	enum po_status st;

	(void)opt;
	if (parsing.status != PO_OK || !begin_profile())
		return -1;
	p = parsing.profile;
	st = sink_finish(&parsing.sink, &why);
	if (st != PO_OK)
		return fail_because(cfg->line, st, &why);
	if (p->sink_count == SINKS_MAX) {
		(void)fail_at(cfg->line, "more than %d sinks", SINKS_MAX);
		return -1;
	}
	grown = reallocarray(p->sinks, p->sink_count + 1, sizeof(*grown));
	if (!grown) {
		parsing.status = po_no_memory(parsing.err);
		return -1;
	}
	p->sinks = grown;
	parsing.sink.file = parsing.file;
	p->sinks[p->sink_count++] = parsing.sink;
	memset(&parsing.sink, 0, sizeof(parsing.sink));
	return 0;
}

/* The end of an agent section. It replaces the one of an earlier file whole, as
 * a profile does. */
static int on_agent(cfg_t *cfg, cfg_opt_t *opt)
{
	struct agent_settings *agent = parsing.into->agent;

	if (parsing.status != PO_OK)
		return -1;
	if (cfg_opt_size(opt) > 1) {
		(void)fail_at(cfg->line,
			      "there is an agent section already, up to line "
			      "%d",
			      agent->line);
		return -1;
	}
	agent_settings_clear(agent);
	*agent = parsing.agent;
	agent->file = parsing.file;
	agent->line = cfg->line;
	memset(&parsing.agent, 0, sizeof(parsing.agent));
	return 0;
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
			? parsing.into->servers
			: parsing.into->profiles;

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
	if (begin_profile())
		parsing.profile->name = text_dup(name);
	if (!parsing.profile || !parsing.profile->name) {
		parsing.status = po_no_memory(parsing.err);
		return -1;
	}
	parsing.status =
		keep_profile(list, po_steal(parsing.profile), parsing.err);
	return parsing.status == PO_OK ? 0 : -1;
}

/* Every value is text to libconfuse; profile_set() and the like type it. */
static void word_schema(const char *const *words, cfg_opt_t *opts)
{
	const cfg_opt_t end = CFG_END();

	for (; *words; words++) {
		const cfg_opt_t text = CFG_STR(*words, NULL, CFGF_NODEFAULT);

		*opts++ = text;
	}
	*opts = end;
}

/* The settings that one kind of section takes; sinks: those of a profile. */
static void section_schema(const struct section *section, cfg_opt_t *sinks,
			   cfg_opt_t opts[static PROFILE_SETTINGS_MAX + 2])
{
	const cfg_opt_t end = CFG_END();
	const cfg_opt_t sink = CFG_SEC(SINK, sinks, CFGF_MULTI);
	size_t n = 0;

	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];
		const cfg_opt_t text = CFG_STR(s->name, NULL, CFGF_NODEFAULT);
		const cfg_opt_t list =
			CFG_STR_LIST(s->name, NULL, CFGF_NODEFAULT);

		if (s->place != section->excluded)
			opts[n++] = s->kind == SETTING_LIST ? list : text;
	}
	if (section == SECTION_PROFILE)
		opts[n++] = sink;
	opts[n] = end;
}

static void set_callback(cfg_t *cfg, const char *section, const char *key,
			 cfg_validate_callback_t callback)
{
	char path[80];

	if (snprintf(path, sizeof(path), "%s|%s", section, key) <
	    (int)sizeof(path))
		(void)cfg_set_validate_func(cfg, path, callback);
}

static void set_callbacks(cfg_t *cfg)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(sections); i++) {
		const char *name = sections[i].name;

		(void)cfg_set_validate_func(cfg, name, on_section);
		for (size_t j = 0; j < profile_settings_count; j++)
			if (profile_settings[j].place != sections[i].excluded)
				set_callback(cfg, name,
					     profile_settings[j].name,
					     on_value);
	}
	set_callback(cfg, "profile", SINK, on_sink);
	for (size_t i = 0; sink_keys[i]; i++)
		set_callback(cfg, "profile|" SINK, sink_keys[i], on_text);
	(void)cfg_set_validate_func(cfg, AGENT, on_agent);
	for (size_t i = 0; agent_keys[i]; i++)
		set_callback(cfg, AGENT, agent_keys[i], on_text);
}

static cfg_t *new_schema(void)
{
	cfg_opt_t opts[PO_ARRAY_SIZE(sections)][PROFILE_SETTINGS_MAX + 2];
	cfg_opt_t sink_opts[WORDS_MAX + 1], agent_opts[WORDS_MAX + 1];
	cfg_t *cfg;

	word_schema(sink_keys, sink_opts);
	word_schema(agent_keys, agent_opts);
	for (size_t i = 0; i < PO_ARRAY_SIZE(sections); i++)
		section_schema(&sections[i], sink_opts, opts[i]);

	cfg_opt_t root_opts[] = {
		CFG_SEC("profile", opts[0],
			CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		CFG_SEC("server", opts[1],
			CFGF_MULTI | CFGF_TITLE | CFGF_NO_TITLE_DUPES),
		/* several, so that we hear of the second */
		CFG_SEC(AGENT, agent_opts, CFGF_MULTI),
		CFG_STR(END_KEY, NULL, CFGF_NODEFAULT),
		CFG_END(),
	};

	cfg = cfg_init(root_opts, CFGF_NONE); /* copies the options */
	if (!cfg)
		return NULL;
	(void)cfg_set_error_function(cfg, on_error);
	set_callbacks(cfg);
	return cfg;
}

static void end_parsing(void)
{
	profile_free(parsing.profile);
	sink_clear(&parsing.sink);
	agent_settings_clear(&parsing.agent);
	memset(&parsing, 0, sizeof(parsing));
}

enum po_status sections_parse(const struct sections *into, const char *file,
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
	text->max += strlen(END_TEXT);
	cfg = buf_adds(text, END_TEXT) ? new_schema() : NULL;
	if (!cfg)
		return po_no_memory(err);
	parsing.into = into;
	parsing.file = file;
	parsing.err = err;
	parsing.status = PO_OK;
	result = cfg_parse_buf(cfg, text->data);
	st = parsing.status;
	if (st == PO_OK && result != CFG_SUCCESS)
		st = po_fail(err, PO_E_CONFIG, 0, "%s:%d: cannot be parsed",
			     file, cfg->line);
	end_parsing();
	(void)cfg_free(cfg);
	return st;
}
