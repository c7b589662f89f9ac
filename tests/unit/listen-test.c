/* SPDX-License-Identifier: Apache-2.0 */
/* Where the agent's socket is, who may open it, and what is left of it. */
#include "agent/listen.h"

#include "test-folder.h"
#include "unit.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char here[PATH_MAX];
static struct listener l;
static struct po_error err;

static void forget_environment(void)
{
	static const char *const names[] = { "P11OAUTH_SOCKET",
					     "RUNTIME_DIRECTORY",
					     "XDG_RUNTIME_DIR", "LISTEN_PID",
					     "LISTEN_FDS" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(names); i++)
		assert_int_equal(unsetenv(names[i]), 0);
}

BEFORE_EACH
{
	folder_enter();
	assert_non_null(getcwd(here, sizeof(here)));
	forget_environment();
	l = (struct listener){ .fd = -1, .lock_fd = -1 };
	err = (struct po_error){ 0 };
}

AFTER_EACH
{
	listener_close(&l);
	folder_leave();
}

/* Below the test's folder. */
static char *below(const char *name)
{
	static char out[2 * PATH_MAX];

	(void)snprintf(out, sizeof(out), "%s/%s", here, name);
	return out;
}

static enum po_status open_at(const char *named, char *socket, char *group)
{
	const struct agent_settings settings = { .socket = socket,
						 .socket_group = group };

	return listener_open(named, &settings, &l, &err);
}

static mode_t mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

/* ---- where -------------------------------------------------------------- */

struct place_row {
	const char *name;
	const char *named, *variable, *setting, *runtime,
		*session; /* NULL: no */
	const char *want;
};
static const struct place_row place_rows[] = {
	{ "place: the option goes first", "a", "b", "c", "d", "e", "a" },
	{ "place: then the variable", NULL, "b", "c", "d", "e", "b" },
	{ "place: then the setting", NULL, NULL, "c", "d", "e", "c" },
	{ "place: then the service's folder", NULL, NULL, NULL, "d", "e",
	  "d/agent.sock" },
	{ "place: then the session's", NULL, NULL, NULL, NULL, "e",
	  "e/p11oauth/agent.sock" },
};

static void set(const char *name, const char *value)
{
	if (value)
		assert_int_equal(setenv(name, below(value), 1), 0);
}

ROWS(place_rows, the_socket_is_where_the_first_says)
{
	char named[2 * PATH_MAX], setting[2 * PATH_MAX];

	assert_int_equal(mkdir("d", 0700), 0);
	assert_int_equal(mkdir("e", 0700), 0);
	set("P11OAUTH_SOCKET", row->variable);
	set("RUNTIME_DIRECTORY", row->runtime);
	set("XDG_RUNTIME_DIR", row->session);
	(void)snprintf(named, sizeof(named), "%s",
		       row->named ? below(row->named) : "");
	(void)snprintf(setting, sizeof(setting), "%s",
		       row->setting ? below(row->setting) : "");
	assert_int_equal(open_at(row->named ? named : NULL,
				 row->setting ? setting : NULL, NULL),
			 PO_OK);
	assert_string_equal(l.path, below(row->want));
	assert_int_equal(access(l.path, F_OK), 0);
}

TEST(of_several_service_folders_the_first_is_taken)
{
	char list[4 * PATH_MAX];

	assert_int_equal(mkdir("d", 0700), 0);
	(void)snprintf(list, sizeof(list), "%s/d:%s/e", here, here);
	assert_int_equal(setenv("RUNTIME_DIRECTORY", list, 1), 0);
	assert_int_equal(open_at(NULL, NULL, NULL), PO_OK);
	assert_string_equal(l.path, below("d/agent.sock"));
}

struct bad_row {
	const char *name, *path; /* "": the longest and a byte more */
	const char *text;
};
static const struct bad_row bad_rows[] = {
	{ "bad place: relative", "agent.sock", "absolute path" },
	{ "bad place: too long", "", "longer than" },
	{ "bad place: below a file", "/proc/version/agent.sock", "version" },
};

ROWS(bad_rows, a_place_that_cannot_be_is_the_configurations_fault)
{
	char longest[AGENT_SOCKET_MAX + 2];

	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(open_at(*row->path ? row->path : longest, NULL, NULL),
			 PO_E_CONFIG);
	if (!strstr(err.text, row->text))
		fail_msg("no '%s' in '%s'", row->text, err.text);
	assert_int_equal(l.fd, -1);
}

/* ---- who may open it, and what is left ---------------------------------- */

TEST(a_socket_is_for_its_owner_and_goes_with_its_lock)
{
	char lock[2 * PATH_MAX];

	assert_int_equal(open_at(below("new/agent.sock"), NULL, NULL), PO_OK);
	assert_int_equal(mode_of(l.path), 0600);
	assert_int_equal(mode_of(below("new")), 0700);
	(void)snprintf(lock, sizeof(lock), "%s.lock", l.path);
	assert_int_equal(mode_of(lock), 0600);
	listener_close(&l);
	assert_int_equal(access(below("new/agent.sock"), F_OK), -1);
	assert_int_equal(access(lock, F_OK), -1);
	assert_int_equal(l.fd, -1);
}

TEST(a_group_may_open_it_when_one_is_named)
{
	char group[16];

	(void)snprintf(group, sizeof(group), "%u", (unsigned int)getegid());
	assert_int_equal(open_at(below("new/agent.sock"), NULL, group), PO_OK);
	assert_int_equal(mode_of(l.path), 0660);
	assert_int_equal(mode_of(below("new")), 0750);
}

TEST(a_group_that_is_not_there_is_said)
{
	char group[] = "no-such-group";

	assert_int_equal(open_at(below("s"), NULL, group), PO_E_CONFIG);
	assert_non_null(strstr(err.text, "socket-group: no group "
					 "'no-such-group'"));
	assert_int_equal(access(below("s"), F_OK), -1);
}

TEST(a_socket_that_was_left_behind_is_replaced)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)snprintf(address.sun_path, sizeof(address.sun_path), "s");
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)),
			 0);
	assert_int_equal(close(fd), 0);
	assert_int_equal(open_at(below("s"), NULL, NULL), PO_OK);
	assert_int_equal(
		connect(client, (struct sockaddr *)&address, sizeof(address)),
		0);
	assert_int_equal(close(client), 0);
}

TEST(one_at_a_time_and_then_the_next)
{
	struct listener first;

	assert_int_equal(open_at(below("s"), NULL, NULL), PO_OK);
	first = l;
	l = (struct listener){ .fd = -1, .lock_fd = -1 };
	assert_int_equal(open_at(below("s"), NULL, NULL), PO_E_AGENT);
	assert_int_equal(access(below("s"), F_OK), 0);
	listener_close(&first);
	err = (struct po_error){ 0 };
	assert_int_equal(open_at(below("s"), NULL, NULL), PO_OK);
}
