/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the service manager says and hears. Each case is a child of its own:
 * file descriptor 3, the environment and the connection belong to it.
 */
#include "agent/systemd.h"

#include "base/sandbox.h"
#include "in-child.h"
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static char dir[] = "/tmp/systemd-test.XXXXXX";

BEFORE_ALL
{
	assert_non_null(mkdtemp(dir));
}

AFTER_ALL
{
	DIR *folder = opendir(dir);
	const struct dirent *entry;

	while (folder && (entry = readdir(folder)))
		(void)unlinkat(dirfd(folder), entry->d_name, 0);
	if (folder)
		(void)closedir(folder);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- LISTEN_FDS -------------------------------------------------------- */

enum third { LISTENING, ABSTRACT, NOT_LISTENING, DATAGRAM, INET, A_FILE, NONE };

static int make_third(enum third kind)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (kind == A_FILE)
		return open("/dev/null", O_RDWR); /* NOLINT: to be inherited */
	fd = socket(kind == INET ? AF_INET : AF_UNIX,
		    kind == DATAGRAM ? SOCK_DGRAM : SOCK_STREAM, 0);
	CHECK(fd >= 0);
	if (kind == LISTENING) {
		(void)snprintf(addr.sun_path, sizeof(addr.sun_path),
			       "%s/%d.sock", dir, (int)getpid());
		CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0);
		CHECK(unlink(addr.sun_path) == 0);
	}
	if (kind == ABSTRACT)
		CHECK(bind(fd, (struct sockaddr *)&addr, sizeof(sa_family_t)) ==
		      0);
	if (kind == LISTENING || kind == ABSTRACT || kind == INET)
		CHECK(listen(fd, 1) == 0);
	return fd;
}

struct listen_row {
	const char *name;
	const char *pid; /* NULL: unset, "us": this process */
	const char *fds; /* NULL: unset */
	enum third third;
	enum po_status status;
	int fd;
	const char *text; /* of the error */
};

static const struct listen_row listen_rows[] = {
	{ "one socket", "us", "1", LISTENING, PO_OK, 3, NULL },
	{ "an abstract one", "us", "1", ABSTRACT, PO_OK, 3, NULL },
	{ "no manager", NULL, NULL, LISTENING, PO_OK, -1, NULL },
	{ "no LISTEN_PID", NULL, "1", LISTENING, PO_OK, -1, NULL },
	{ "no LISTEN_FDS", "us", NULL, LISTENING, PO_OK, -1, NULL },
	{ "empty LISTEN_FDS", "us", "", LISTENING, PO_OK, -1, NULL },
	{ "another process", "1", "1", LISTENING, PO_OK, -1, NULL },
	{ "another process's nonsense", "1", "x", LISTENING, PO_OK, -1, NULL },
	{ "none", "us", "0", NONE, PO_OK, -1, NULL },
	{ "two", "us", "2", LISTENING, PO_E_CONFIG, 0,
	  "handed over 2 sockets" },
	{ "bad pid", "-1", "1", LISTENING, PO_E_CONFIG, 0,
	  "LISTEN_PID is '-1'" },
	{ "huge pid", "4294967297", "1", LISTENING, PO_E_CONFIG, 0,
	  "LISTEN_PID is '4294967297'" },
	{ "bad count", "us", "1x", LISTENING, PO_E_CONFIG, 0,
	  "LISTEN_FDS is '1x'" },
	{ "negative count", "us", "-1", LISTENING, PO_E_CONFIG, 0,
	  "LISTEN_FDS is '-1'" },
	{ "not open", "us", "1", NONE, PO_E_CONFIG, 0,
	  "other than a unix stream socket" },
	{ "not a socket", "us", "1", A_FILE, PO_E_CONFIG, 0,
	  "other than a unix stream socket" },
	{ "TCP", "us", "1", INET, PO_E_CONFIG, 0,
	  "other than a unix stream socket" },
	{ "datagrams", "us", "1", DATAGRAM, PO_E_CONFIG, 0,
	  "other than a unix stream socket" },
	{ "not listening", "us", "1", NOT_LISTENING, PO_E_CONFIG, 0,
	  "does not listen" },
};

static void set_or_unset(const char *name, const char *value)
{
	CHECK((value ? setenv(name, value, 1) : unsetenv(name)) == 0);
}

static void place_third(enum third kind)
{
	int fd;

	(void)close(3);
	if (kind == NONE)
		return;
	fd = make_third(kind);
	if (fd != 3) {
		CHECK(dup2(fd, 3) == 3);
		CHECK(close(fd) == 0);
	}
}

ROWS_IN_CHILD(listen_rows, listen_row)
{
	struct po_error err = { 0 };
	char us[24];
	int fd = -99;

	(void)snprintf(us, sizeof(us), "%d", (int)getpid());
	set_or_unset("LISTEN_PID",
		     row->pid && strcmp(row->pid, "us") == 0 ? us : row->pid);
	set_or_unset("LISTEN_FDS", row->fds);
	set_or_unset("LISTEN_FDNAMES", "p11oauth-agent.socket");
	set_or_unset("LISTEN_PIDFDID", "1");
	place_third(row->third);

	CHECK(systemd_listen_fd(&fd, &err) == row->status);
	CHECK(!secure_getenv("LISTEN_PID") && !secure_getenv("LISTEN_FDS"));
	CHECK(!secure_getenv("LISTEN_FDNAMES") &&
	      !secure_getenv("LISTEN_PIDFDID"));
	if (row->status != PO_OK) {
		CHECK(fd == -99 && strstr(err.text, row->text));
		return;
	}
	CHECK(fd == row->fd);
	if (fd >= 0)
		CHECK(fcntl(fd, F_GETFD) == FD_CLOEXEC);
	else if (row->third != NONE) /* it is somebody else's: left alone */
		CHECK(fcntl(3, F_GETFD) == 0);
	CHECK(systemd_listen_fd(&fd, &err) == PO_OK && fd == -1);
}

/* ---- NOTIFY_SOCKET ----------------------------------------------------- */

/* name: a path, or '@' and an abstract name. */
static int make_manager(const char *name)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	size_t len = strlen(name);

	CHECK(fd >= 0 && len < sizeof(addr.sun_path));
	memcpy(addr.sun_path, name, len);
	if (*name == '@')
		addr.sun_path[0] = '\0';
	CHECK(bind(fd, (struct sockaddr *)&addr,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) ==
	      0);
	CHECK(setenv("NOTIFY_SOCKET", name, 1) == 0);
	return fd;
}

static void hears(int fd, const char *text)
{
	char got[2 * SYSTEMD_NOTIFY_MAX];
	ssize_t n = recv(fd, got, sizeof(got) - 1, 0);

	CHECK(n >= 0);
	got[n] = '\0';
	CHECK(strcmp(got, text) == 0);
}

static void hears_nothing(int fd)
{
	char c;

	CHECK(recv(fd, &c, 1, 0) == -1 && errno == EAGAIN);
}

static const char *own_name(const char *prefix, char out[static 100])
{
	(void)snprintf(out, 100, "%s/notify-%d", prefix, (int)getpid());
	return out;
}

TEST_IN_CHILD(notify_a_path)
{
	char name[100];
	int fd = make_manager(own_name(dir, name));

	systemd_notify("READY=1\nSTATUS=%d of %s", 2, "three");
	hears(fd, "READY=1\nSTATUS=2 of three");
	systemd_notify("WATCHDOG=1");
	systemd_notify("STOPPING=1");
	hears(fd, "WATCHDOG=1");
	hears(fd, "STOPPING=1");
	hears_nothing(fd);
}

TEST_IN_CHILD(notify_an_abstract_name)
{
	char name[100];
	int fd = make_manager(own_name("@p11oauth-test", name));

	systemd_notify("READY=1");
	hears(fd, "READY=1");
}

TEST_IN_CHILD(notify_again_after_the_manager_began_anew)
{
	char name[100];
	int fd = make_manager(own_name(dir, name));

	systemd_notify("READY=1");
	CHECK(close(fd) == 0 && unlink(name) == 0);
	systemd_notify("STATUS=nobody hears this");
	fd = make_manager(name);
	systemd_notify("STATUS=anew");
	hears(fd, "STATUS=anew");
	hears_nothing(fd);
	CHECK(close(fd) == 0 && unlink(name) == 0);
	fd = make_manager(name);
	systemd_notify("STATUS=and again");
	hears(fd, "STATUS=and again");
}

TEST_IN_CHILD(notify_in_a_sandbox)
{
	const struct sandbox s = { .scope = true };
	char name[100];
	int fd = make_manager(own_name("@p11oauth-test", name)), abi;

	systemd_notify("STATUS=starting");
	CHECK(sandbox_enter(&s, &abi, NULL) == PO_OK);
	systemd_notify("READY=1");
	hears(fd, "STATUS=starting");
	hears(fd, "READY=1");
}

TEST_IN_CHILD(notify_at_most_so_much)
{
	char name[100], text[SYSTEMD_NOTIFY_MAX + 100];
	int fd = make_manager(own_name(dir, name));

	memset(text, 'x', sizeof(text));
	text[SYSTEMD_NOTIFY_MAX + 1] = '\0';
	systemd_notify("%s", text);
	text[SYSTEMD_NOTIFY_MAX] = '\0';
	hears(fd, text);
}

TEST_IN_CHILD(notify_never_waits)
{
	char name[100];

	(void)make_manager(own_name(dir, name));
	(void)alarm(10);
	for (int i = 0; i < 10000; i++)
		systemd_notify("STATUS=%d", i);
}

static int lowest_fd(void)
{
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0 && close(fd) == 0);
	return fd;
}

TEST_IN_CHILD(notify_nobody)
{
	static const char *const names[] = {
		"", "/", "@", "relative", "vsock:2:1", "/nonexistent/notify",
		/* more than 108 characters: no room in an address */
		"/xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
	};

	int lowest = lowest_fd();

	CHECK(unsetenv("NOTIFY_SOCKET") == 0);
	systemd_notify("READY=1");
	for (size_t i = 0; i < PO_ARRAY_SIZE(names); i++) {
		CHECK(setenv("NOTIFY_SOCKET", names[i], 1) == 0);
		systemd_notify("READY=1");
		CHECK(lowest_fd() == lowest); /* nothing stays open */
	}
}

/* ---- WATCHDOG_USEC ----------------------------------------------------- */

struct watchdog_row {
	const char *name;
	const char *usec;
	const char *pid; /* as above */
	int64_t ms;
};

static const struct watchdog_row watchdog_rows[] = {
	{ "30 s", "30000000", "us", 15000 },
	{ "for anyone", "30000000", NULL, 15000 },
	{ "for another", "30000000", "1", 0 },
	{ "for nonsense", "30000000", "x", 0 },
	{ "3 ms", "3000", "us", 1 },
	{ "1 us", "1", "us", 1 },
	{ "the longest", "9223372036854775807", "us", 4611686018427387 },
	{ "one more", "9223372036854775808", "us", 0 },
	{ "0", "0", "us", 0 },
	{ "empty", "", "us", 0 },
	{ "unset", NULL, "us", 0 },
	{ "negative", "-1", "us", 0 },
	{ "with a unit", "30s", "us", 0 },
};

ROWS_IN_CHILD(watchdog_rows, watchdog_row)
{
	char us[24];

	(void)snprintf(us, sizeof(us), "%d", (int)getpid());
	set_or_unset("WATCHDOG_USEC", row->usec);
	set_or_unset("WATCHDOG_PID",
		     row->pid && strcmp(row->pid, "us") == 0 ? us : row->pid);
	CHECK(systemd_watchdog_ms() == row->ms);
	CHECK(systemd_watchdog_ms() == row->ms);
}
