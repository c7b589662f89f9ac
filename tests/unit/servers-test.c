/* SPDX-License-Identifier: Apache-2.0 */
/* The rules that the program brings, and how a profile gets them. */
#include "conf/config_file.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct config *load(const char *text)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);
	struct config *config = NULL;
	struct po_error err = { 0 };
	char path[64];

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (config_load(path, &config, &err) != PO_OK)
		fail_msg("%s", err.text);
	assert_int_equal(close(fd), 0);
	return config;
}

/* The profile "p" of a file, with its server's rules. */
static struct profile *profile_of(const struct config *config)
{
	const struct profile *from = NULL;
	struct profile *p;

	assert_int_equal(config_find(config, "p", &from, NULL), PO_OK);
	p = profile_copy(from);
	assert_non_null(p);
	assert_int_equal(config_apply_server(config, p, NULL), PO_OK);
	return p;
}

/* Each is known by name to help and completion, says what it is and whence. */
TEST(all_are_complete)
{
	po_auto(config) *config = NULL;
	const char *const *words = profile_setting("server")->words;
	size_t n = 0;

	assert_int_equal(config_load_none(&config, NULL), PO_OK);
	assert_int_equal(config->own_servers.count, 21);
	for (; words[n]; n++) {
		const struct profile *s = config_server(config, words[n]);

		if (!s || !s->summary || !s->source)
			fail_msg("%s is not complete", words[n]);
	}
	assert_int_equal(n, config->own_servers.count);
}

TEST(smart_is_the_default)
{
	po_auto(config) *config = load("profile p { }");
	po_auto(profile) *p = profile_of(config);

	assert_string_equal(p->audience, "token-endpoint");
	assert_string_equal(p->typ, "JWT");
	assert_true(p->iat && !p->nbf && p->need_scope && !p->send_client_id);
	assert_int_equal(p->lifetime_s, 240);
	assert_string_equal(p->algorithms[0], "RS384");
}

TEST(the_rest_is_as_in_smart)
{
	po_auto(config) *config = load("profile p { server = \"entra\" }");
	po_auto(profile) *p = profile_of(config);

	assert_true(p->x5t_s256 && p->nbf && p->send_client_id && p->iat);
	assert_string_equal(p->algorithms[0], "PS256");
	assert_null(p->algorithms[1]);
	assert_string_equal(p->typ, "JWT");
	assert_true(p->need_scope);
}

TEST(the_profile_wins)
{
	po_auto(config) *config =
		load("profile p { server = \"entra\"\nx5t-s256 = no\nkid = "
		     "\"id\" }");
	po_auto(profile) *p = profile_of(config);

	assert_false(p->x5t_s256);
	assert_string_equal(p->kid, "id");
	assert_true(p->nbf);
}

TEST(a_file_adds_and_replaces)
{
	po_auto(config) *config =
		load("server smart { lifetime = 60 }\n"
		     "server own { typ = \"none\"\nform = { \"a=b\" } }\n"
		     "profile p { server = \"own\" }\n");
	po_auto(config) *other =
		load("server smart { lifetime = 60 }\nprofile p { }\n");
	po_auto(profile) *own = profile_of(config);
	po_auto(profile) *smart = profile_of(other);

	assert_string_equal(own->typ, "none");
	assert_string_equal(own->form[0], "a=b");
	/* not the file's smart: what it leaves open must come from somewhere */
	assert_int_equal(own->lifetime_s, 240);
	assert_int_equal(smart->lifetime_s, 60);
	assert_true(smart->iat);
}

TEST(unknown_names_are_refused)
{
	po_auto(config) *config = load("profile p { server = \"entar\" }");
	const struct profile *from = NULL;
	po_auto(profile) *p = NULL;
	struct po_error err = { 0 };

	assert_int_equal(config_find(config, "p", &from, NULL), PO_OK);
	p = profile_copy(from);
	assert_int_equal(config_apply_server(config, p, &err), PO_E_CONFIG);
	assert_non_null(strstr(err.text, ":1: server: "));
	assert_non_null(strstr(err.text, "did you mean 'entra'?"));
}

struct refused {
	const char *name;
	const char *text, *said;
};

static const struct refused refused[] = {
	{ "a profile's key in a section", "server s {\nclient-id = \"x\"\n}",
	  ":2: unknown key 'client-id'" },
	{ "a section's key in a profile", "profile p {\nform = \"a=b\"\n}",
	  ":2: unknown key 'form'" },
	{ "a typ of its own", "server s {\ntyp = \"jwt\"\n}", ":2: typ: " },
	{ "a section twice", "server s { }\nserver s { }", ":2: " },
	{ "no name of a section", "server \"a b\" { }",
	  "'a b' is no server name" },
	{ "no number of bytes", "server s {\nassertion-max = \"2k\"\n}",
	  ":2: assertion-max: " },
};

ROWS(refused, refused_row)
{
	int fd = memfd_create("conf", MFD_CLOEXEC);
	po_auto(config) *config = NULL;
	struct po_error err = { 0 };
	char path[64];

	assert_int_equal(write(fd, row->text, strlen(row->text)),
			 strlen(row->text));
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(config_load(path, &config, &err), PO_E_CONFIG);
	assert_int_equal(close(fd), 0);
	if (!strstr(err.text, row->said))
		fail_msg("'%s' is not in '%s'", row->said, err.text);
}
