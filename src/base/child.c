/* SPDX-License-Identifier: Apache-2.0 */
#include "base/child.h"

#include "base/clock.h"
#include "base/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define TICK_MS 100
#define END_WAIT_MS 1000

/* Streams, default signals, nothing else. */
static int spawn(pid_t *pid, char *const argv[], int in, int out)
{
	static const int signals[] = { SIGPIPE, SIGXFSZ, SIGINT, SIGTERM,
				       SIGHUP };
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t defaults;
	int error;

	(void)sigemptyset(&defaults);
	for (size_t i = 0; i < PO_ARRAY_SIZE(signals); i++)
		(void)sigaddset(&defaults, signals[i]);
	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	error = posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&files, out,
							 STDOUT_FILENO);
	if (!error)
		error = posix_spawn_file_actions_addclosefrom_np(
			&files, STDERR_FILENO + 1);
	if (!error)
		error = posix_spawnattr_setsigdefault(&attr, &defaults);
	if (!error)
		error = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
	if (!error)
		error = posix_spawnp(pid, argv[0], &files, &attr, argv,
				     environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	return error;
}

static void close_pair(const int pair[static 2])
{
	if (pair[0] >= 0)
		(void)close(pair[0]);
	if (pair[1] >= 0)
		(void)close(pair[1]);
}

enum po_status child_start(char *const argv[], int64_t timeout_s,
			   struct child *child, struct po_error *err)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 };
	int error = 0;

	if (pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0)
		error = errno;
	if (!error)
		error = spawn(&child->pid, argv, in[0], out[1]);
	if (error) {
		close_pair(in);
		close_pair(out);
		return po_fail(err, PO_E_CONFIG, error, "cannot start '%s': %s",
			       argv[0], strerror(error));
	}
	(void)close(in[0]);
	(void)close(out[1]);
	child->in = in[1];
	child->out = out[0];
	child->deadline_ms =
		clock_monotonic_ms(&po_clock_system) + timeout_s * 1000;
	return PO_OK;
}

enum po_status child_write(struct child *child, const char *text,
			   struct po_error *err)
{
	size_t len = strlen(text);

	/* short enough for a pipe's buffer, so it does not block */
	if (write(child->in, text, len) == (ssize_t)len)
		return PO_OK;
	return po_fail(err, PO_E_DEVICE, errno, "it ended: %s",
		       strerror(errno));
}

static enum po_status wait_for_output(const struct child *child,
				      struct po_error *err)
{
	struct pollfd p = { .fd = child->out, .events = POLLIN };

	while (poll(&p, 1, TICK_MS) <= 0) {
		if (interrupt_is_pending())
			return interrupt_check(err);
		if (clock_monotonic_ms(&po_clock_system) > child->deadline_ms)
			return po_fail(err, PO_E_DEVICE, ETIMEDOUT,
				       "it did not answer in time");
	}
	return PO_OK;
}

enum po_status child_read_line(struct child *child, struct secret *line,
			       struct po_error *err)
{
	enum po_status st = PO_OK;
	char c = '\0';

	while (st == PO_OK && c != '\n') {
		ssize_t n;

		st = wait_for_output(child, err);
		if (st != PO_OK)
			break;
		n = read(child->out, &c, 1);
		if (n < 0 && errno != EINTR)
			st = po_fail(err, PO_E_DEVICE, errno, "%s",
				     strerror(errno));
		if (n == 0)
			break;
		if (n == 1)
			st = secret_append(line, &c, 1, err);
	}
	OPENSSL_cleanse(&c, sizeof(c));
	return st;
}

int child_end(struct child *child)
{
	int64_t give_up_ms = clock_monotonic_ms(&po_clock_system) + END_WAIT_MS;
	int status = 0;
	pid_t pid;

	(void)close(child->in);
	(void)close(child->out);
	child->in = child->out = -1;
	while ((pid = waitpid(child->pid, &status, WNOHANG)) == 0 &&
	       clock_monotonic_ms(&po_clock_system) < give_up_ms)
		(void)poll(NULL, 0, 5);
	if (pid == 0) {
		(void)kill(child->pid, SIGKILL);
		pid = waitpid(child->pid, &status, 0);
	}
	return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
