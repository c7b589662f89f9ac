/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Landlock: each case runs in a child of its own, does something, enters the
 * sandbox and does it again. What an older kernel would be asked is read from
 * the system calls, with the version that it would give.
 */
#include "base/sandbox.h"

#include "in-child.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CREATE_RULESET 444
#define ADD_RULE 445
#define RESTRICT_SELF 446
#define FROM_KERNEL 100 /* no version of Landlock: ask */

/* What the code under test sees and says. */
static int pretended_abi = FROM_KERNEL; /* negative: that errno */
static uint64_t asked[3];               /* handled: files, TCP, scopes */
static size_t rulesets;

long __real_syscall(long number, ...);           /* NOLINT */
long __wrap_syscall(long number, long a, long b, /* NOLINT */
		    long c, long d);

long __wrap_syscall(long number, long a, long b, long c, long d) /* NOLINT */
{
	if (number == CREATE_RULESET && c == 1 &&
	    pretended_abi != FROM_KERNEL) {
		if (pretended_abi >= 0)
			return pretended_abi;
		errno = -pretended_abi;
		return -1;
	}
	if (number == CREATE_RULESET && c == 0) {
		memcpy(asked, (const void *)a, sizeof(asked)); /* NOLINT */
		rulesets++;
		if (pretended_abi != FROM_KERNEL)
			return open("/dev/null", O_RDONLY | O_CLOEXEC);
	}
	if (pretended_abi != FROM_KERNEL)
		return 0;
	return __real_syscall(number, a, b, c, d);
}

static int kernel_abi(void)
{
	long abi = __real_syscall(CREATE_RULESET, 0L, 0L, 1L, 0L);

	return abi > 0 ? (int)abi : 0;
}

static int open_error(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd < 0)
		return errno;
	(void)close(fd);
	return 0;
}

/* errno of starting the program, in a child of the child. */
static int exec_error(const char *path)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		execl(path, path, (char *)NULL);
		_exit(errno);
	}
	CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

static int tcp_socket(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	CHECK(fd >= 0);
	return fd;
}

static struct sockaddr_in loopback(void)
{
	struct sockaddr_in addr = { .sin_family = AF_INET };

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return addr;
}

static int bind_error(int fd)
{
	struct sockaddr_in addr = loopback();

	return bind(fd, (struct sockaddr *)&addr, sizeof(addr)) ? errno : 0;
}

/* A port that listens, on *ret_addr. */
static void listen_tcp(struct sockaddr_in *ret_addr)
{
	socklen_t len = sizeof(*ret_addr);
	int fd = tcp_socket();

	CHECK(bind_error(fd) == 0 && listen(fd, 4) == 0);
	CHECK(getsockname(fd, (struct sockaddr *)ret_addr, &len) == 0);
}

static int connect_error(const struct sockaddr_in *addr)
{
	int fd = tcp_socket();
	int error = connect(fd, (const struct sockaddr *)addr, sizeof(*addr))
			    ? errno
			    : 0;

	(void)close(fd);
	return error;
}

/*
 * Enters s. What is forbidden from then on fails with EACCES, or, where the
 * kernel has no Landlock, goes on working: the value is what to expect.
 */
static int enter(const struct sandbox *s, int since_abi)
{
	struct po_error err = { 0 };
	int abi = -1;

	CHECK(sandbox_enter(s, &abi, &err) == PO_OK);
	CHECK(abi == kernel_abi());
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) == 1);
	return abi >= since_abi ? EACCES : 0;
}

#define ENTER(rules_, since_abi)                                               \
	enter(&(struct sandbox){ .rules = (rules_),                            \
				 .count =                                      \
					 sizeof(rules_) / sizeof(*(rules_)) }, \
	      since_abi)

TEST_IN_CHILD(reading)
{
	static const struct sandbox_rule rules[] = {
		{ "in", SANDBOX_READ },
		{ "absent", SANDBOX_READ | SANDBOX_WRITE },
		{ "one", SANDBOX_READ },
	};
	int held, denied;
	char c;

	CHECK(open_error("out/f", O_RDONLY) == 0);
	held = open("out/f", O_RDONLY | O_CLOEXEC);
	denied = ENTER(rules, 1);
	CHECK(open_error("in/f", O_RDONLY) == 0);
	CHECK(open_error("in", O_RDONLY | O_DIRECTORY) == 0);
	CHECK(open_error("one", O_RDONLY) == 0);
	CHECK(open_error("out/f", O_RDONLY) == denied);
	CHECK(open_error("out", O_RDONLY | O_DIRECTORY) == denied);
	CHECK(open_error("in/f", O_WRONLY) == denied);
	CHECK(open_error("in/none", O_WRONLY | O_CREAT) == denied);
	CHECK(exec_error("in/true") == denied);
	CHECK(read(held, &c, 1) == 1); /* what is open stays open */
}

TEST_IN_CHILD(writing)
{
	static const struct sandbox_rule rules[] = {
		{ "in", SANDBOX_WRITE },
		{ "one", SANDBOX_WRITE },
	};
	int denied = ENTER(rules, 1);

	CHECK(open_error("in/new", O_WRONLY | O_CREAT | O_EXCL) == 0);
	CHECK(open_error("in/new", O_WRONLY | O_TRUNC) == 0);
	CHECK(mkdir("in/d", 0700) == 0);
	CHECK(rename("in/new", "in/d/newer") == 0); /* to another folder */
	CHECK(unlink("in/d/newer") == 0 && rmdir("in/d") == 0);
	CHECK(open_error("one", O_WRONLY) == 0);
	CHECK(open_error("one", O_RDONLY) == denied);
	CHECK(open_error("in/f", O_RDONLY) == denied);
	CHECK(open_error("out/f", O_WRONLY) == denied);
	CHECK(open_error("out/new", O_WRONLY | O_CREAT) == denied);
}

TEST_IN_CHILD(executing)
{
	/* the interpreter and the libraries: read, and the first executed */
	static const struct sandbox_rule rules[] = {
		{ "in", SANDBOX_READ | SANDBOX_EXECUTE },
		{ "out", SANDBOX_READ },
		{ "/lib", SANDBOX_READ | SANDBOX_EXECUTE },
		{ "/lib64", SANDBOX_READ | SANDBOX_EXECUTE },
		{ "/usr/lib", SANDBOX_READ | SANDBOX_EXECUTE },
		{ "/etc", SANDBOX_READ },
	};
	int denied;

	CHECK(exec_error("in/true") == 0 && exec_error("out/true") == 0);
	denied = ENTER(rules, 1);
	CHECK(exec_error("in/true") == 0);
	CHECK(exec_error("out/true") == denied);
}

TEST_IN_CHILD(binding)
{
	struct sockaddr_in addr;
	int denied;

	listen_tcp(&addr);
	denied = enter(&(struct sandbox){ .deny_bind = true }, 4);
	CHECK(bind_error(tcp_socket()) == denied);
	CHECK(connect_error(&addr) == 0);
}

TEST_IN_CHILD(connecting)
{
	struct sockaddr_in addr;
	int denied;

	listen_tcp(&addr);
	CHECK(connect_error(&addr) == 0);
	denied = enter(&(struct sandbox){ .deny_connect = true }, 4);
	CHECK(connect_error(&addr) == denied);
	CHECK(bind_error(tcp_socket()) == 0);
}

static int connect_abstract(const struct sockaddr_un *addr, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return connect(fd, (const struct sockaddr *)addr, len) ? errno : 0;
}

TEST_IN_CHILD(abstract_sockets)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(sa_family_t);

	/* the kernel chooses the name */
	CHECK(bind(fd, (struct sockaddr *)&addr, len) == 0);
	CHECK(listen(fd, 4) == 0);
	len = sizeof(addr);
	CHECK(getsockname(fd, (struct sockaddr *)&addr, &len) == 0);
	CHECK(addr.sun_path[0] == '\0' && len > sizeof(sa_family_t));
	CHECK(connect_abstract(&addr, len) == 0);
	if (enter(&(struct sandbox){ .scope = true }, 6) == EACCES)
		CHECK(connect_abstract(&addr, len) == EPERM);
	else
		CHECK(connect_abstract(&addr, len) == 0);
	CHECK(kill(getppid(), 0) == 0); /* signals are not in the scope */
}

TEST_IN_CHILD(net_stays_open_by_default)
{
	struct sockaddr_in addr;

	listen_tcp(&addr);
	(void)enter(&(struct sandbox){ 0 }, 1);
	CHECK(connect_error(&addr) == 0 && bind_error(tcp_socket()) == 0);
}

TEST_IN_CHILD(children_are_confined)
{
	static const struct sandbox_rule rules[] = { { "in", SANDBOX_READ } };
	int denied = ENTER(rules, 1), status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(open_error("out/f", O_RDONLY) == denied ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

TEST_IN_CHILD(bad_path)
{
	char path[5000];
	struct sandbox_rule rule = { path, SANDBOX_READ };
	const struct sandbox all = { .rules = &rule, .count = 1 };
	struct po_error err = { 0 };
	int abi = -1;

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	if (kernel_abi() == 0) { /* rules are not looked at */
		CHECK(sandbox_enter(&all, &abi, &err) == PO_OK && abi == 0);
	} else {
		CHECK(sandbox_enter(&all, &abi, &err) == PO_E_CONFIG);
		CHECK(abi == -1 && err.native == ENAMETOOLONG);
		CHECK(strncmp(err.text, "cannot open 'x", 14) == 0);
	}
	CHECK(open_error("out/f", O_RDONLY) == 0);
}

struct asked_row {
	const char *name;
	int abi;
	uint64_t fs, net, scoped;
};

static const struct asked_row asked_rows[] = {
	{ "ABI 1: files", 1, 0x1fff, 0, 0 },
	{ "ABI 2: and moves", 2, 0x3fff, 0, 0 },
	{ "ABI 3: and truncation", 3, 0x7fff, 0, 0 },
	{ "ABI 4: and TCP", 4, 0x7fff, 3, 0 },
	{ "ABI 5: and ioctl", 5, 0xffff, 3, 0 },
	{ "ABI 6: and abstract sockets", 6, 0xffff, 3, 1 },
	{ "ABI 9: what ABI 6 has", 9, 0xffff, 3, 1 },
};

/* PR_SET_NO_NEW_PRIVS has no way back. */
ROWS_IN_CHILD(asked_rows, asked_row)
{
	const struct sandbox all = { .deny_bind = true,
				     .deny_connect = true,
				     .scope = true };
	int abi = -1;

	pretended_abi = row->abi;
	CHECK(sandbox_enter(&all, &abi, NULL) == PO_OK);
	CHECK(abi == row->abi && rulesets == 1);
	CHECK(asked[0] == row->fs && asked[1] == row->net);
	CHECK(asked[2] == row->scoped);
}

/* Nothing is asked, nothing is forbidden, and it is no error. */
static void without_landlock(int error)
{
	int abi = -1;

	pretended_abi = -error;
	CHECK(sandbox_enter(&(struct sandbox){ .deny_bind = true }, &abi,
			    NULL) == PO_OK);
	CHECK(abi == 0 && rulesets == 0);
	CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0L, 0L, 0L, 0L) == 1);
	CHECK(open_error("out/f", O_RDONLY) == 0);
}

TEST_IN_CHILD(absent_from_the_kernel)
{
	without_landlock(ENOSYS);
}

TEST_IN_CHILD(off_at_boot)
{
	without_landlock(EOPNOTSUPP);
}

TEST_IN_CHILD(filtered_away)
{
	without_landlock(EPERM);
}

static void make(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(close(fd), 0);
}

/* A program below another folder: a rule's reach is the path's. */
static void copy_true(const char *to)
{
	int in = open("/bin/true", O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	char block[4096];
	ssize_t n;

	assert_true(in >= 0 && out >= 0);
	while ((n = read(in, block, sizeof(block))) > 0)
		assert_int_equal(write(out, block, (size_t)n), n);
	assert_int_equal(close(in), 0);
	assert_int_equal(close(out), 0);
}

static char dir[] = "sandbox-test.XXXXXX";

BEFORE_ALL
{
	if (kernel_abi() == 0)
		print_message("# no Landlock: nothing is forbidden here\n");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(mkdir("in", 0700), 0);
	assert_int_equal(mkdir("out", 0700), 0);
	make("in/f", "in");
	make("out/f", "out");
	make("one", "one");
	copy_true("in/true");
	copy_true("out/true");
}

AFTER_ALL
{
	static const char *const files[] = { "in/f",    "out/f",    "one",
					     "in/true", "out/true", "in/new",
					     "in/none", "out/new" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(files); i++)
		(void)unlink(files[i]);
	assert_int_equal(rmdir("in"), 0);
	assert_int_equal(rmdir("out"), 0);
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(rmdir(dir), 0);
}
