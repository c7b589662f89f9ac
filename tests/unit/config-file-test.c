/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: what a file may say, where it is wrong, and who wins. */
#include "conf/config_file.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

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

static struct row rows[] = {
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
	{ "a word that is none of the setting's",
	  "profile p {\n x5c = \"all\"\n}", ":2: x5c: " },
	{ "no number of seconds", "profile p {\n lifetime = \"soon\"\n}",
	  ":2: lifetime: " },
	{ "a flag that is neither", "profile p {\n x5t = \"maybe\"\n}",
	  ":2: x5t: " },
};
#define ROW_COUNT (sizeof(rows) / sizeof(rows[0]))

static void load_row(void **state)
{
	const struct row *r = *state;
	po_auto(config) *config = NULL;
	struct po_error err = { 0 };
	enum po_status st = load(r->text, &config, &err);

	if (!r->says) {
		assert_int_equal(st, PO_OK);
		return;
	}
	assert_int_equal(st, PO_E_CONFIG);
	assert_non_null(strstr(err.text, "/proc/self/fd/"));
	if (!strstr(err.text, r->says))
		fail_msg("'%s' has no '%s'", err.text, r->says);
}

static void values_and_origins(void **state)
{
	po_auto(config) *config = NULL;
	const struct profile *p = NULL;
	const struct origin *origin;

	(void)state;
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
static void who_wins(void **state)
{
	static const struct origin option = { ORIGIN_OPTION, NULL, 0 };
	po_auto(config) *config = NULL;
	po_auto(profile) *p = NULL;
	const struct profile *found = NULL;

	(void)state;
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
static void the_agents_settings(void **state)
{
	po_auto(config) *config = NULL;
	po_auto(profile) *p = NULL;

	(void)state;
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

static const struct CMUnitTest others[] = {
	cmocka_unit_test(values_and_origins),
	cmocka_unit_test(who_wins),
	cmocka_unit_test(the_agents_settings),
};
#define OTHER_COUNT (sizeof(others) / sizeof(others[0]))

int main(void)
{
	struct CMUnitTest tests[ROW_COUNT + OTHER_COUNT];

	memcpy(tests, others, sizeof(others));

	for (size_t i = 0; i < ROW_COUNT; i++)
		tests[i + OTHER_COUNT] =
			(struct CMUnitTest){ rows[i].name, load_row, NULL, NULL,
					     &rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
