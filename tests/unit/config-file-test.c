/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: what a file may say, where it is wrong, and who wins. */
#include "conf/config_file.h"

#include "conf/sections.h"
#include "test-folder.h"
#include "unit.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Loads a file that holds text. */
static enum po_status load(const char *text, struct config **ret_config,
			   struct po_error *err)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);
	enum po_status st;
	char path[64];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	st = config_load(path, ret_config, err);
	assert_int_equal(close(fd), 0);
	return st;
}

struct row {
	const char *name;
	const char *text;
	const char *says; /* NULL: accepted */
};

static const struct row rows[] = {
	{ "an empty file", "", NULL },
	{ "comments", "# a\n// b\n/* c\n */\nprofile p { }\n", NULL },
	{ "a list",
	  "profile p { key = { \"pkcs11:token=a\", "
	  "\"pkcs11:token=b\" } }",
	  NULL },
	{ "a list of one, without braces",
	  "profile p { key = \"pkcs11:token=a\" }", NULL },
	{ "unknown key", "profile p {\n scop = \"x\"\n}",
	  ":2: unknown key 'scop'; did you mean 'scope'?" },
	{ "unknown section", "\nprofil p { }", ":2: unknown key 'profil'" },
	{ "set twice", "profile p {\n scope = \"x\"\n scope = \"y\"\n}",
	  ":3: 'scope' is set twice" },
	{ "profile twice", "profile p { }\nprofile p { }\n", ":2: " },
	{ "a missing brace", "profile p {\n scope = \"x\"\n",
	  "a '}' is missing" },
	{ "no profile name", "profile \"a b\" { }",
	  "'a b' is no profile name" },
	{ "a profile name that looks like an option", "profile \"-x\" { }",
	  "'-x' is no profile name" },
	{ "a profile name of all that may be in one", "profile a.B_9-x { }",
	  NULL },
	{ "a word that is none of the setting's",
	  "profile p {\n x5c = \"all\"\n}", ":2: x5c: " },
	{ "no number of seconds", "profile p {\n lifetime = \"soon\"\n}",
	  ":2: lifetime: " },
	{ "sinks",
	  "profile p { sink { path = /a } sink { path = /b mode = 440 owner = "
	  "root group = 0 format = executable } }",
	  NULL },
	{ "sink: unknown key", "profile p {\n sink {\n  pat = /a\n }\n}",
	  ":3: unknown key 'pat'; did you mean 'path'?" },
	{ "sink: not at the top", "sink { path = /a }", ":1: unknown key" },
	{ "sink: not in a server's rules", "server s {\n sink { path = /a }\n}",
	  ":2: unknown key 'sink'" },
	{ "sink: spelt otherwise", "profile p {\n sinks { path = /a }\n}",
	  ":2: unknown key 'sinks'; did you mean 'sink'?" },
	{ "sink: no path", "profile p {\n sink { mode = 0600\n }\n}",
	  ":3: sink: 'path' is not set" },
	{ "sink: a relative path", "profile p {\n sink { path = a/b }\n}",
	  ":2: sink: path: 'a/b' is a relative path" },
	{ "sink: a folder", "profile p {\n sink { path = /a/ }\n}",
	  ":2: sink: path: '/a/' names a folder" },
	{ "sink: an empty path", "profile p { sink { path = \"\" } }",
	  ":1: sink: path: the path is empty" },
	{ "sink: a path of two lines",
	  "profile p { sink { path = \"/a\\nb\" } }",
	  "the path has a control character" },
	{ "sink: a key twice",
	  "profile p {\n sink {\n  path = /a\n  path = /b\n }\n}",
	  ":4: sink: path: this is set twice" },
	{ "sink: mode twice",
	  "profile p { sink {\n mode = 0600\n mode = 0600\n} }",
	  ":3: sink: mode: this is set twice" },
	{ "sink: no octal mode", "profile p {\n sink { mode = 0680 }\n}",
	  ":2: sink: mode: '0680' is no mode in octal" },
	{ "sink: a mode in letters", "profile p { sink { mode = \"rw\" } }",
	  "'rw' is no mode in octal" },
	{ "sink: a mode of many digits", "profile p { sink { mode = 00600 } }",
	  "'00600' is no mode" },
	{ "sink: all may read", "profile p { sink { mode = 0644 } }",
	  "mode: 0644 would let every user of this machine" },
	{ "sink: all may write", "profile p { sink { mode = 0602 } }",
	  "would let every user" },
	{ "sink: execute bits", "profile p { sink { mode = 0700 } }",
	  "has execute bits" },
	{ "sink: execute bit of the group",
	  "profile p { sink { mode = 0610 } }", "has execute bits" },
	{ "sink: set-id bits", "profile p { sink { mode = 4600 } }",
	  "4600 has bits that are for programs" },
	{ "sink: the owner cannot read", "profile p { sink { mode = 0240 } }",
	  "does not let the owner read it" },
	{ "sink: mode of nothing", "profile p { sink { mode = 000 } }",
	  "does not let the owner read it" },
	{ "sink: the widest mode",
	  "profile p { sink { path = /a mode = 0660 } }", NULL },
	{ "sink: unknown format, nearly right",
	  "profile p {\n sink { format = kube-exec-credentials }\n}",
	  ":2: sink: format: unknown format 'kube-exec-credentials'; did you "
	  "mean 'kube-exec-credential'?" },
	{ "sink: unknown format", "profile p { sink { format = netscape } }",
	  "'netscape' is none of raw, json, header, env, "
	  "kube-exec-credential, executable" },
	{ "sink: an empty owner", "profile p { sink { owner = \"\" } }",
	  ":1: sink: owner: the value is empty" },
	{ "sink: one path twice",
	  "profile p {\n sink { path = /a }\n sink { path = /a }\n}",
	  ":3: sink: path: '/a' is a sink already, of profile 'p' (" },
	{ "sink: one path in two profiles",
	  "profile p {\n sink { path = /a }\n}\nprofile q {\n sink { path = "
	  "/b }\n sink { path = /a }\n}",
	  ":6: sink: path: '/a' is a sink already, of profile 'p' (" },
	{ "sink: a missing brace", "profile p {\n sink { path = /a\n}\n",
	  ":4: a '}' is missing" },
	{ "sink: two missing braces", "profile p {\n sink { path = /a\n",
	  ":3: a '}' is missing" },
	{ "agent", "agent { socket = /run/x.sock socket-group = etl }", NULL },
	{ "agent: empty", "agent { }", NULL },
	{ "agent: spelt otherwise", "\nagnet { }",
	  ":2: unknown key 'agnet'; did you mean 'agent'?" },
	{ "agent: unknown key", "agent {\n socket-grp = etl\n}",
	  ":2: unknown key 'socket-grp'; did you mean 'socket-group'?" },
	{ "agent: a relative path", "agent {\n socket = x.sock\n}",
	  ":2: agent: socket: 'x.sock' is a relative path" },
	{ "agent: an empty group", "agent { socket-group = \"\" }",
	  ":1: agent: socket-group: the value is empty" },
	{ "agent: a key twice", "agent {\n socket = /a\n socket = /a\n}",
	  ":3: agent: socket: this is set twice" },
	{ "agent: twice", "agent { socket = /a\n}\nagent { socket = /b\n}",
	  ":4: there is an agent section already, up to line 2" },
	{ "agent: a missing brace", "agent {\n socket = /a\n",
	  ":3: a '}' is missing" },
	{ "agent: with a title", "agent x { }", ":1: " },
	{ "a flag that is neither", "profile p {\n x5t = \"maybe\"\n}",
	  ":2: x5t: " },
};

ROWS(rows, load_row)
{
	po_auto(config) *config = NULL;
	struct po_error err = { 0 };
	enum po_status st = load(row->text, &config, &err);

	if (!row->says) {
		assert_int_equal(st, PO_OK);
		return;
	}
	assert_int_equal(st, PO_E_CONFIG);
	assert_non_null(strstr(err.text, "/proc/self/fd/"));
	if (!strstr(err.text, row->says))
		fail_msg("'%s' has no '%s'", err.text, row->says);
}

TEST(values_and_origins)
{
	po_auto(config) *config = NULL;
	const struct profile *p = NULL;
	const struct origin *origin;

	assert_int_equal(load("profile a { }\nprofile b {\n lifetime = 4m\n"
			      " key = {\"x\", \"y\"}\n x5t = yes\n}\n",
			      &config, NULL),
			 PO_OK);
	assert_int_equal(config->profiles.count, 2);
	assert_int_equal(config_find(config, "b", &p, NULL), PO_OK);
	assert_int_equal(p->lifetime_s, 240);
	assert_string_equal(p->key[1], "y");
	assert_null(p->key[2]);
	assert_true(p->x5t);
	origin = &p->origin[profile_setting("lifetime") - profile_settings];
	assert_int_equal(origin->kind, ORIGIN_FILE);
	assert_int_equal(origin->line, 3);
	assert_int_equal(config_find(config, "c", &p, NULL), PO_E_CONFIG);
}

/* An option beats the environment, which beats the file; lists start anew. */
struct home_row {
	const char *name, *xdg;
	const char *profile; /* that is found */
};
static const struct home_row home_rows[] = {
	{ "home: .config", NULL, "home" },
	{ "home: an empty variable", "", "home" },
	{ "home: the variable", "@/xdg", "xdg" },
	{ "home: a relative path is ignored", "xdg", "home" },
};

/* In a folder that may be there. */
static void write_conf(const char *folder, const char *profile)
{
	char path[128];
	FILE *file;

	(void)mkdir(folder, 0700);
	(void)snprintf(path, sizeof(path), "%s/p11oauth", folder);
	assert_int_equal(mkdir(path, 0700), 0);
	(void)snprintf(path, sizeof(path), "%s/p11oauth/p11oauth.conf", folder);
	file = fopen(path, "we");
	assert_non_null(file);
	assert_true(fprintf(file, "profile %s { }\n", profile) > 0);
	assert_int_equal(fclose(file), 0);
}

ROWS(home_rows, a_users_file_is_where_the_xdg_specification_says)
{
	po_auto(config) *config = NULL;
	const struct profile *found = NULL;
	char *here, xdg[4096] = "";

	folder_enter();
	here = getcwd(NULL, 0);
	assert_non_null(here);
	assert_int_equal(mkdir("home", 0700), 0);
	write_conf("home/.config", "home");
	write_conf("xdg", "xdg");
	if (row->xdg && row->xdg[0] == '@')
		(void)snprintf(xdg, sizeof(xdg), "%s%s", here, row->xdg + 1);
	else if (row->xdg)
		(void)snprintf(xdg, sizeof(xdg), "%s", row->xdg);
	(void)unsetenv("XDG_CONFIG_HOME");
	if (row->xdg)
		assert_int_equal(setenv("XDG_CONFIG_HOME", xdg, 1), 0);
	(void)snprintf(xdg, sizeof(xdg), "%s/home", here);
	assert_int_equal(setenv("HOME", xdg, 1), 0);
	free(here);
	assert_int_equal(config_load(NULL, &config, NULL), PO_OK);
	assert_int_equal(config_find(config, row->profile, &found, NULL),
			 PO_OK);
	folder_leave();
}

struct blame_row {
	const char *name;
	struct origin origin;
	enum po_status status;
};
static const struct blame_row blame_rows[] = {
	{ "blame: a file", { ORIGIN_FILE, "f", 7 }, PO_E_CONFIG },
	{ "blame: a server's rules", { ORIGIN_SERVER, "f", 7 }, PO_E_CONFIG },
	{ "blame: the server's document",
	  { ORIGIN_DISCOVERY, NULL, 0 },
	  PO_E_SERVER },
	{ "blame: the environment",
	  { ORIGIN_ENVIRONMENT, NULL, 0 },
	  PO_E_USAGE },
	{ "blame: an option", { ORIGIN_OPTION, NULL, 0 }, PO_E_USAGE },
};

ROWS(blame_rows, who_set_it_is_to_blame)
{
	po_auto(profile) *p = profile_new("lab");
	struct po_error err = { 0 };

	assert_non_null(p);
	assert_int_equal(profile_set(p, profile_setting("scope"), "x",
				     &row->origin, NULL),
			 PO_OK);
	assert_int_equal(profile_fault(p, "scope", &err, "no"), row->status);
}

TEST(who_wins)
{
	static const struct origin option = { ORIGIN_OPTION, NULL, 0 };
	po_auto(config) *config = NULL;
	po_auto(profile) *p = NULL;
	const struct profile *found = NULL;

	assert_int_equal(
		load("profile a { scope = \"file\" client-id = \"file\" "
		     "kid = \"file\" key = {\"u\", \"v\"} }",
		     &config, NULL),
		PO_OK);
	assert_int_equal(config_find(config, "a", &found, NULL), PO_OK);
	p = profile_copy(found);
	assert_non_null(p);
	assert_int_equal(setenv("P11OAUTH_SCOPE", "environment", 1), 0);
	assert_int_equal(setenv("P11OAUTH_CLIENT_ID", "environment", 1), 0);
	assert_int_equal(profile_apply_environment(p, NULL), PO_OK);
	assert_int_equal(unsetenv("P11OAUTH_SCOPE"), 0);
	assert_int_equal(unsetenv("P11OAUTH_CLIENT_ID"), 0);
	assert_int_equal(profile_set(p, profile_setting("scope"), "option",
				     &option, NULL),
			 PO_OK);
	assert_int_equal(
		profile_set(p, profile_setting("key"), "w", &option, NULL),
		PO_OK);
	assert_string_equal(p->scope, "option");
	assert_string_equal(p->client_id, "environment");
	assert_string_equal(p->kid, "file");
	assert_string_equal(p->key[0], "w");
	assert_null(p->key[1]);
	assert_string_equal(found->scope, "file");
}

/* Who may ask the agent stands in a file, whatever the environment says. */
TEST(the_agents_settings)
{
	po_auto(config) *config = NULL;
	po_auto(profile) *p = NULL;

	assert_int_equal(load("profile a { allow-uid = { \"etl\", 1000 } "
			      "allow-gid = 50 allow-scope = \"a b\" "
			      "module-paths = { \"/dev/bus\", \"/run\" } }",
			      &config, NULL),
			 PO_OK);
	p = profile_copy(config->profiles.items[0]);
	assert_non_null(p);
	assert_int_equal(setenv("P11OAUTH_ALLOW_UID", "mallory", 1), 0);
	assert_int_equal(setenv("P11OAUTH_MODULE_PATHS", "/", 1), 0);
	assert_int_equal(profile_apply_environment(p, NULL), PO_OK);
	assert_int_equal(unsetenv("P11OAUTH_ALLOW_UID"), 0);
	assert_int_equal(unsetenv("P11OAUTH_MODULE_PATHS"), 0);
	assert_string_equal(p->allow_uid[0], "etl");
	assert_string_equal(p->allow_uid[1], "1000");
	assert_null(p->allow_uid[2]);
	assert_string_equal(p->allow_gid[0], "50");
	assert_string_equal(p->allow_scope[0], "a b");
	assert_string_equal(p->module_paths[1], "/run");
	assert_null(p->module_paths[2]);
}

static const char *sample_of(const struct setting *s)
{
	if (s->words && s->only_words)
		return s->words[0];
	switch (s->kind) {
	case SETTING_BOOL: return "yes";
	case SETTING_SECONDS:
	case SETTING_OFFSET:
	case SETTING_BYTES: return "7";
	default: return "sample";
	}
}

/* Each setting has its variable but what an operator or a server's rules say,
 * and what a person says. */
TEST(the_environment_says_what_it_may)
{
	size_t taken = 0, refused = 0;

	for (size_t i = 0; i < profile_settings_count; i++) {
		const struct setting *s = &profile_settings[i];
		po_auto(profile) *p = profile_new("a");
		char name[64] = "P11OAUTH_";
		bool may = s->place != SETTING_IN_SERVER &&
			   s->group != SETTING_FOR_AGENT;
		enum po_status st;

		for (size_t k = 0; s->name[k]; k++)
			name[9 + k] =
				s->name[k] == '-'
					? '_'
					: (char)toupper(
						  (unsigned char)s->name[k]);
		assert_int_equal(setenv(name, sample_of(s), 1), 0);
		st = profile_apply_environment(p, NULL);
		assert_int_equal(unsetenv(name), 0);
		if (s->only_option) {
			assert_int_equal(st, PO_E_USAGE);
			refused++;
			continue;
		}
		if (st != PO_OK)
			fail_msg("%s", name);
		assert_int_equal(p->origin[i].kind,
				 may ? ORIGIN_ENVIRONMENT : ORIGIN_DEFAULT);
		taken += may;
	}
	assert_int_equal(refused, 1);
	assert_true(taken > 30);
}

TEST(sinks_and_their_copies)
{
	po_auto(config) *config = NULL;
	po_auto(profile) *p = NULL;

	assert_int_equal(
		load("profile a {\n sink { owner = me\n path = /a }\n"
		     "}\nprofile b { scope = x sink { path = /b mode = "
		     "0640\n group = 7 format = env } sink { path = "
		     "/c } }",
		     &config, NULL),
		PO_OK);
	assert_int_equal(config->profiles.items[0]->sink_count, 1);
	assert_int_equal(config->profiles.items[0]->sinks[0].line, 3);
	p = profile_copy(config->profiles.items[1]);
	assert_non_null(p);
	assert_int_equal(p->sink_count, 2);
	assert_ptr_not_equal(p->sinks[0].path,
			     config->profiles.items[1]->sinks[0].path);
	assert_string_equal(p->sinks[0].path, "/b");
	assert_int_equal(p->sinks[0].mode, 0640);
	assert_string_equal(p->sinks[0].group, "7");
	assert_null(p->sinks[0].owner);
	assert_string_equal(p->sinks[0].format, "env");
	assert_string_equal(p->sinks[0].file, config->files[0]);
	assert_string_equal(p->sinks[1].path, "/c");
	assert_int_equal(p->sinks[0].line, 5);
	assert_int_equal(p->sinks[1].mode, 0600);
	assert_null(p->sinks[1].format);
}

/* n sinks of one profile; the text is the caller's to free. */
static char *many_sinks(int n)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	(void)fputs("profile p {\n", out);
	for (int i = 0; i < n; i++)
		(void)fprintf(out, "sink { path = /%d }\n", i);
	(void)fputs("}\n", out);
	assert_int_equal(fclose(out), 0);
	return text;
}

TEST(sinks_at_max_and_one_more)
{
	po_auto(config) *config = NULL;
	po_auto(config) *none = NULL;
	struct po_error err = { 0 };
	char *text = many_sinks(SINKS_MAX);

	assert_int_equal(load(text, &config, NULL), PO_OK);
	free(text);
	text = many_sinks(SINKS_MAX + 1);
	assert_int_equal(load(text, &none, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, ":18: more than 16 sinks"));
	free(text);
}

/* A path of len bytes in a section that begins with before. */
static enum po_status load_path(const char *before, size_t len,
				const char *after)
{
	po_auto(config) *config = NULL;
	size_t size = len + strlen(before) + strlen(after) + 1;
	char *text = malloc(size);
	enum po_status st;

	assert_non_null(text);
	(void)snprintf(text, size, "%s%*s%s", before, (int)len, "", after);
	memset(text + strlen(before), 'x', len);
	text[strlen(before)] = '/';
	st = load(text, &config, NULL);
	free(text);
	return st;
}

TEST(paths_at_max_and_one_more)
{
	static const char *const starts[] = { "profile p { sink { path = \"",
					      "agent { socket = \"" };
	static const char *const ends[] = { "\" } }", "\" }" };
	static const size_t max[] = { SINK_PATH_MAX, AGENT_SOCKET_MAX };

	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(load_path(starts[i], max[i], ends[i]), PO_OK);
		assert_int_equal(load_path(starts[i], max[i] + 1, ends[i]),
				 PO_E_CONFIG);
	}
}

static enum po_status parse(const struct sections *into, const char *name,
			    const char *content, struct po_error *err)
{
	po_auto_buf text = { 0 };

	buf_init(&text, CONFIG_FILE_MAX);
	assert_true(buf_adds(&text, content));
	return sections_parse(into, name, &text, err);
}

/* A later file's agent section replaces the earlier one, whole. */
TEST(a_later_agent_section_wins)
{
	po_auto(config) *config = calloc(1, sizeof(*config));
	const struct sections into = { &config->profiles, &config->servers,
				       &config->agent };
	const struct agent_settings *agent = &config->agent;

	assert_int_equal(parse(&into, "one",
			       "agent { socket = /a\n socket-group = g }\n"
			       "profile p { sink { path = /s } }",
			       NULL),
			 PO_OK);
	assert_int_equal(parse(&into, "two", "profile q { }", NULL), PO_OK);
	assert_string_equal(agent->socket, "/a");
	assert_string_equal(agent->socket_group, "g");
	assert_string_equal(agent->file, "one");
	assert_int_equal(parse(&into, "three",
			       "\nagent { socket = /b }\nprofile p { }", NULL),
			 PO_OK);
	assert_string_equal(agent->socket, "/b");
	assert_null(agent->socket_group);
	assert_string_equal(agent->file, "three");
	assert_int_equal(agent->line, 2);
	assert_int_equal(config->profiles.items[0]->sink_count, 0);
}

/* What a broken section had set already does not end up in the next one. */
TEST(nothing_is_left_behind)
{
	po_auto(config) *config = calloc(1, sizeof(*config));
	const struct sections into = { &config->profiles, &config->servers,
				       &config->agent };

	assert_int_equal(parse(&into, "one",
			       "agent { socket-group = g socket = b }", NULL),
			 PO_E_CONFIG);
	assert_int_equal(parse(&into, "two",
			       "profile p { sink { owner = me path = b } }",
			       NULL),
			 PO_E_CONFIG);
	assert_int_equal(parse(&into, "three",
			       "agent { } profile q { sink { path = /a } }",
			       NULL),
			 PO_OK);
	assert_null(config->agent.socket_group);
	assert_null(config->profiles.items[0]->sinks[0].owner);
}
