/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/helper.h"

#include "base/clock.h"
#include "base/json.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DATAGRAM_MAX 8192
#define END_TRIES 10 /* of 10 ms each */
#define ANSWER_MS 10000
#define END_MS 5000

/* ---- one datagram, with a descriptor beside it -------------------------- */

static bool send_datagram(int fd, const json_t *value, int passed)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	po_auto_buf text = { 0 };
	struct iovec part;
	struct msghdr msg = { .msg_iov = &part, .msg_iovlen = 1 };

	buf_init(&text, DATAGRAM_MAX);
	if (!json_compact(&text, value))
		return false;
	part = (struct iovec){ text.data, text.len };
	if (passed >= 0) {
		struct cmsghdr *head;

		msg.msg_control = control.room;
		msg.msg_controllen = sizeof(control.room);
		head = CMSG_FIRSTHDR(&msg);
		head->cmsg_level = SOL_SOCKET;
		head->cmsg_type = SCM_RIGHTS;
		head->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(head), &passed, sizeof(int));
	}
	return sendmsg(fd, &msg, MSG_NOSIGNAL) == (ssize_t)text.len;
}

/* NULL: the other side is gone, or said what is not JSON. */
static json_t *receive_datagram(int fd, int *ret_passed)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	char text[DATAGRAM_MAX];
	struct iovec part = { text, sizeof(text) };
	struct msghdr msg = { .msg_iov = &part,
			      .msg_iovlen = 1,
			      .msg_control = control.room,
			      .msg_controllen = sizeof(control.room) };
	const struct cmsghdr *head;
	json_t *value = NULL;
	ssize_t n;

	do {
		n = recvmsg(fd, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	*ret_passed = -1;
	head = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	if (head && head->cmsg_type == SCM_RIGHTS)
		memcpy(ret_passed, CMSG_DATA(head), sizeof(int));
	if (n <= 0 || json_parse_object(text, (size_t)n, &value, NULL) != PO_OK)
		return NULL;
	return value;
}

/* ---- starting a process ------------------------------------------------- */

/* This program again, with fd as descriptor 3 and no other of ours. */
static int spawn_self(char *const argv[], int fd, pid_t *ret_pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int error;

	(void)sigemptyset(&none);
	if (posix_spawn_file_actions_init(&files) != 0)
		return ENOMEM;
	if (posix_spawnattr_init(&attr) != 0) {
		(void)posix_spawn_file_actions_destroy(&files);
		return ENOMEM;
	}
	error = posix_spawn_file_actions_adddup2(&files, fd, WORKER_FD);
	if (!error)
		error = posix_spawn_file_actions_addclosefrom_np(&files,
								 WORKER_FD + 1);
	if (!error)
		error = posix_spawnattr_setsigmask(&attr, &none);
	if (!error)
		error = posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	if (!error)
		error = posix_spawn(ret_pid, "/proc/self/exe", &files, &attr,
				    argv, environ);
	(void)posix_spawnattr_destroy(&attr);
	(void)posix_spawn_file_actions_destroy(&files);
	return error;
}

static int spawn_command(const char *command, const char *operand, int fd,
			 pid_t *ret_pid)
{
	char name[] = "p11oauth";
	char words[2][PATH_MAX];
	char *const argv[] = { name, words[0], operand ? words[1] : NULL,
			       NULL };

	if (snprintf(words[0], PATH_MAX, "%s", command) >= PATH_MAX ||
	    (operand &&
	     snprintf(words[1], PATH_MAX, "%s", operand) >= PATH_MAX))
		return ENAMETOOLONG;
	return spawn_self(argv, fd, ret_pid);
}

enum po_status helper_start(const struct po_clock *clock,
			    struct helper *ret_helper, struct po_error *err)
{
	int pair[2];
	int error;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
		return po_fail(err, PO_E_INTERNAL, errno, "socketpair: %s",
			       strerror(errno));
	error = spawn_command("agent-helper", NULL, pair[1], &ret_helper->pid);
	(void)close(pair[1]);
	if (error) {
		(void)close(pair[0]);
		return po_fail(err, PO_E_INTERNAL, error,
			       "cannot start the helper: %s", strerror(error));
	}
	ret_helper->clock = clock;
	ret_helper->fd = pair[0];
	return PO_OK;
}

void helper_stop(struct helper *helper)
{
	int64_t until_ms;

	if (helper->fd < 0)
		return;
	(void)close(helper->fd);
	helper->fd = -1;
	until_ms = clock_monotonic_ms(helper->clock) + END_MS;
	while (waitpid(helper->pid, NULL, WNOHANG) == 0) {
		if (clock_monotonic_ms(helper->clock) > until_ms) {
			(void)kill(helper->pid, SIGKILL);
			(void)waitpid(helper->pid, NULL, 0);
			return;
		}
		(void)poll(NULL, 0, 5);
	}
}

/* ---- the agent's side --------------------------------------------------- */

/* A helper that does not answer is as good as none. */
static json_t *ask(struct helper *helper, const json_t *question, int passed)
{
	struct pollfd p = { .fd = helper->fd, .events = POLLIN };
	json_t *answer = NULL;
	int none = -1;

	if (helper->fd < 0)
		return NULL;
	if (send_datagram(helper->fd, question, passed) &&
	    poll(&p, 1, ANSWER_MS) == 1)
		answer = receive_datagram(helper->fd, &none);
	if (!answer) {
		(void)kill(helper->pid, SIGKILL);
		helper_stop(helper);
	}
	return answer;
}

enum po_status helper_spawn(struct helper *helper, const char *module, int fd,
			    pid_t *ret_pid, struct po_error *err)
{
	json_auto_t *question =
		json_pack("{s:s, s:s}", "do", "spawn", "module", module);
	json_auto_t *answer = question ? ask(helper, question, fd) : NULL;
	int error = (int)json_integer_value(json_object_get(answer, "error"));

	*ret_pid = (pid_t)json_integer_value(json_object_get(answer, "pid"));
	if (*ret_pid > 0)
		return PO_OK;
	return po_fail(err, PO_E_INTERNAL, error, "cannot start a worker: %s",
		       answer ? strerror(error) : "the helper is gone");
}

void helper_end(struct helper *helper, pid_t pid, char *ret_how, size_t size)
{
	json_auto_t *question =
		json_pack("{s:s, s:i}", "do", "end", "pid", (int)pid);
	json_auto_t *answer = question ? ask(helper, question, -1) : NULL;
	const char *how = json_text(answer, "how");

	(void)snprintf(ret_how, size, "%s", how ? how : "ended");
}

void helper_look(struct helper *helper, struct requester *requester)
{
	json_auto_t *question = json_pack("{s:s, s:i}", "do", "look", "pid",
					  (int)requester->pid);
	json_auto_t *answer = question ? ask(helper, question, -1) : NULL;
	const char *executable = json_text(answer, "executable");
	const char *unit = json_text(answer, "unit");

	(void)snprintf(requester->executable, sizeof(requester->executable),
		       "%s", executable ? executable : "");
	(void)snprintf(requester->unit, sizeof(requester->unit), "%s",
		       unit ? unit : "");
}

/* ---- the helper's side -------------------------------------------------- */

static json_t *do_spawn(const json_t *question, int fd)
{
	pid_t pid = 0;
	int error = EINVAL;
	const char *module = json_text(question, "module");

	if (module && fd >= 0)
		error = spawn_command("agent-worker", module, fd, &pid);
	return json_pack("{s:i, s:i}", "pid", error ? 0 : (int)pid, "error",
			 error);
}

/* Its descriptors are closed a moment before it can be waited for. */
static bool has_ended(pid_t pid, int *ret_status)
{
	for (int i = 0; i < END_TRIES; i++) {
		if (waitpid(pid, ret_status, WNOHANG) == pid)
			return true;
		(void)poll(NULL, 0, 10);
	}
	return false;
}

static json_t *do_end(const struct po_clock *clock, const json_t *question)
{
	pid_t pid = (pid_t)json_integer_value(json_object_get(question, "pid"));
	char how[64] = "ended";
	int status = 0;

	/* its number is its own until we have waited for it */
	if (pid <= 1 || has_ended(pid, &status)) {
		if (WIFSIGNALED(status))
			(void)snprintf(how, sizeof(how), "killed by signal %d",
				       WTERMSIG(status));
		else
			(void)snprintf(how, sizeof(how), "exit status %d",
				       WEXITSTATUS(status));
	} else if (kill(pid, SIGKILL) == 0) {
		int64_t until_ms = clock_monotonic_ms(clock) + END_MS;

		/* one that is stuck in the kernel may take its time */
		while (waitpid(pid, &status, WNOHANG) == 0 &&
		       clock_monotonic_ms(clock) < until_ms)
			(void)poll(NULL, 0, 2);
		(void)snprintf(how, sizeof(how), "stopped by the agent");
	}
	return json_pack("{s:s}", "how", how);
}

static json_t *do_look(const json_t *question)
{
	struct requester r = { 0 };
	pid_t pid = (pid_t)json_integer_value(json_object_get(question, "pid"));

	requester_of_pid(pid, 0, 0, &r);
	return json_pack("{s:s, s:s}", "executable", r.executable, "unit",
			 r.unit);
}

static json_t *answer_to(const struct po_clock *clock, const json_t *question,
			 int passed)
{
	const char *what = json_text(question, "do");

	if (what && strcmp(what, "spawn") == 0)
		return do_spawn(question, passed);
	if (what && strcmp(what, "end") == 0)
		return do_end(clock, question);
	return do_look(question);
}

enum po_status helper_main(const struct po_clock *clock, struct po_error *err)
{
	json_auto_t *nothing = json_object();
	json_t *question;
	int passed;

	if (!nothing)
		return po_no_memory(err);
	if (fcntl(HELPER_FD, F_SETFD, FD_CLOEXEC) != 0)
		return po_fail(err, PO_E_USAGE, errno,
			       "this command is the agent's own");
	/* the agent's group gets ^C and so on; the agent decides what it
	 * means */
	(void)signal(SIGINT, SIG_IGN);
	(void)signal(SIGTERM, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	while ((question = receive_datagram(HELPER_FD, &passed))) {
		json_auto_t *answer = answer_to(clock, question, passed);

		json_decref(question);
		if (passed >= 0)
			(void)close(passed);
		if (!send_datagram(HELPER_FD, answer ? answer : nothing, -1))
			break;
	}
	return PO_OK;
}
