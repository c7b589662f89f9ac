/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The agent's HTTP server, by the real libmicrohttpd on a real socket: what a
 * request is, what becomes of an answer, and what is too much.
 */
#include "agent/server.h"

#include "agent/listen.h"
#include "test-folder.h"
#include "unit.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define ROUNDS_MAX 500 /* of the loop; more than anything here takes */
#define ASKED_MAX 16

static struct listener listener;
static struct server *server;
static char text[65536]; /* what a client got */

/* What was asked, and when it is answered. */
static struct server_request *asked[ASKED_MAX];
static size_t asked_count;
static bool answers_later;
static unsigned int looks;
static char path[512], method[32], parameters[512];
static size_t body_len;

static bool each(void *user, const char *name, const char *value)
{
	size_t len = strlen(parameters);
	unsigned int *left = user;

	(void)snprintf(parameters + len, sizeof(parameters) - len, "%s%s%s;",
		       name, value ? "=" : "", value ? value : "");
	return --*left > 0;
}

static void answer(struct server_request *r, unsigned int status,
		   const char *body)
{
	const struct server_reply reply = {
		.status = status,
		.type = "text/plain",
		.body = body ? secret_from(body, strlen(body)) : NULL,
		.allow = status == 405 ? "GET" : NULL,
		.retry_after_s = status == 503 ? 7 : 0,
	};

	server_answer(r, &reply);
}

static unsigned int parameters_wanted, status_of_all;
static const char *body_of_all;

static void on_request(void *user, struct server_request *r)
{
	unsigned int left = parameters_wanted;
	struct secret *body;

	(void)user;
	assert_true(asked_count < ASKED_MAX);
	asked[asked_count++] = r;
	(void)snprintf(path, sizeof(path), "%s", server_path(r));
	(void)snprintf(method, sizeof(method), "%s", server_method(r));
	server_each_parameter(r, each, &left);
	body = server_take_body(r);
	body_len = body ? secret_len(body) : 0;
	secret_free(body);
	assert_null(server_take_body(r)); /* once */
	if (!answers_later)
		answer(r, status_of_all, body_of_all);
}

static void on_look(void *user, struct requester *peer)
{
	(void)user;
	looks++;
	(void)snprintf(peer->unit, sizeof(peer->unit), "looked-up.service");
}

BEFORE_EACH
{
	const struct server_events events = { on_look, on_request, NULL };
	const struct agent_settings settings = { .socket = NULL };
	char *here, place[AGENT_SOCKET_MAX + 1];
	struct po_error err = { 0 };

	folder_enter();
	here = getcwd(NULL, 0);
	assert_true(snprintf(place, sizeof(place), "%s/s", here) <
		    (int)sizeof(place));
	free(here);
	if (listener_open(place, &settings, &listener, &err) != PO_OK ||
	    server_new(listener.fd, &events, &server, &err) != PO_OK)
		fail_msg("%s", err.text);
	asked_count = body_len = 0;
	looks = 0;
	answers_later = false;
	parameters_wanted = 16;
	status_of_all = 200;
	body_of_all = "hello";
	path[0] = method[0] = parameters[0] = '\0';
}

AFTER_EACH
{
	server_free(server);
	listener_close(&listener);
	folder_leave();
}

/* ---- a client ----------------------------------------------------------- */

static int dial(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	assert_true(fd >= 0);
	memcpy(address.sun_path, listener.path, strlen(listener.path) + 1);
	assert_int_equal(
		connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void loop_once(void)
{
	struct pollfd p = { .fd = server_poll_fd(server), .events = POLLIN };

	(void)poll(&p, 1, server_timeout_ms(server) == 0 ? 0 : 5);
	server_run(server);
}

/* Sends all of it, while the server takes it. */
static void say(int fd, const char *data, size_t len)
{
	for (int round = 0; len > 0 && round < ROUNDS_MAX; round++) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n > 0) {
			data += n;
			len -= (size_t)n;
		}
		if (n < 0 && errno != EAGAIN)
			return; /* it does not want to hear more */
		loop_once();
	}
}

/* The answers' text, until there are so many, or it is closed. */
static void hear(int fd, unsigned int answers)
{
	size_t len = 0;

	text[0] = '\0';
	for (int round = 0; round < ROUNDS_MAX; round++) {
		ssize_t n = recv(fd, text + len, sizeof(text) - 1 - len, 0);
		unsigned int seen = 0;

		if (n == 0)
			return;
		if (n > 0)
			text[len += (size_t)n] = '\0';
		for (const char *p = text; (p = strstr(p, "HTTP/1.1 ")); p++)
			seen++;
		if (seen >= answers && n < 0)
			return;
		loop_once();
	}
}

static void talk(const char *request)
{
	int fd = dial();

	say(fd, request, strlen(request));
	hear(fd, 1);
	assert_int_equal(close(fd), 0);
}

static void has(const char *wanted)
{
	if (!strstr(text, wanted))
		fail_msg("no '%s' in '%s'", wanted, text);
}

/* ---- requests ----------------------------------------------------------- */

#define HOST "Host: localhost\r\n\r\n"

struct request_row {
	const char *name, *line, *path, *parameters;
};
static const struct request_row request_rows[] = {
	{ "request: plain", "GET /healthz", "/healthz", "" },
	{ "request: a letter in hexadecimal", "GET /v1/token/l%61b",
	  "/v1/token/lab", "" },
	{ "request: a slash in hexadecimal", "GET /v1/token%2Flab",
	  "/v1/token/lab", "" },
	{ "request: %00 cuts nothing off", "GET /a%00b", "/a%00b", "" },
	{ "request: a percent sign alone", "GET /100%", "/100%", "" },
	{ "request: small and large digits", "GET /%c3%A4", "/\xc3\xa4", "" },
	{ "request: a parameter", "GET /x?a=1", "/x", "a=1;" },
	{ "request: two, in their order", "GET /x?b=2&a=1", "/x", "b=2;a=1;" },
	{ "request: twice the same", "GET /x?a=1&a=2", "/x", "a=1;a=2;" },
	{ "request: no value", "GET /x?a&b=", "/x", "a;b=;" },
	{ "request: blanks in two spellings", "GET /x?a=b+c%20d", "/x",
	  "a=b c d;" },
	{ "request: what separates, in hexadecimal", "GET /x?a=1%262%3D3", "/x",
	  "a=1&2=3;" },
};

ROWS(request_rows, a_request_is_taken_apart)
{
	char request[256];

	(void)snprintf(request, sizeof(request), "%s HTTP/1.1\r\n" HOST,
		       row->line);
	talk(request);
	has("HTTP/1.1 200");
	assert_int_equal(asked_count, 1);
	assert_string_equal(method, "GET");
	assert_string_equal(path, row->path);
	assert_string_equal(parameters, row->parameters);
}

TEST(parameters_stop_when_nobody_wants_more)
{
	parameters_wanted = 2;
	talk("GET /x?a=1&b=2&c=3 HTTP/1.1\r\n" HOST);
	assert_string_equal(parameters, "a=1;b=2;");
}

TEST(a_request_in_pieces_is_one)
{
	static const char request[] = "POST /v1/lock HTTP/1.1\r\n"
				      "Host: localhost\r\n"
				      "Content-Length: 5\r\n\r\n12345";
	int fd = dial();

	for (size_t i = 0; request[i]; i++)
		say(fd, request + i, 1);
	hear(fd, 1);
	assert_int_equal(close(fd), 0);
	has("HTTP/1.1 200");
	assert_int_equal(asked_count, 1);
	assert_string_equal(method, "POST");
	assert_int_equal(body_len, 5);
}

TEST(several_on_one_connection_are_of_one_peer)
{
	int fd = dial();

	for (int i = 0; i < 3; i++) {
		static const char request[] = "GET /healthz HTTP/1.1\r\n" HOST;

		say(fd, request, sizeof(request) - 1);
		hear(fd, 1);
		has("HTTP/1.1 200");
	}
	assert_int_equal(close(fd), 0);
	assert_int_equal(asked_count, 3);
	assert_int_equal(looks, 1);
}

/* The supplementary groups of who asks; our own are whatever they are. */
static gid_t groups[PEER_GROUPS_MAX + 1];
static size_t group_count;

/* NOLINTBEGIN */
int __real_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
/* NOLINTEND */

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	if (level != SOL_SOCKET || name != SO_PEERGROUPS)
		return __real_getsockopt(fd, level, name, value, len);
	if (*len < group_count * sizeof(gid_t)) {
		errno = ERANGE;
		return -1;
	}
	*len = (socklen_t)(group_count * sizeof(gid_t));
	for (size_t i = 0; i < group_count; i++)
		((gid_t *)value)[i] = groups[i];
	return 0;
}

struct group_row {
	const char *name;
	size_t count; /* of supplementary groups, from 100000 on */
	bool has_primary;
	size_t known;
};
static const struct group_row group_rows[] = {
	{ "groups: the primary one alone", 0, false, 1 },
	{ "groups: two more", 2, false, 3 },
	{ "groups: with the primary one among them", 2, true, 3 },
	{ "groups: as many as there is room for", PEER_GROUPS_MAX - 1, false,
	  PEER_GROUPS_MAX },
	{ "groups: too many to know them", PEER_GROUPS_MAX + 1, false, 1 },
};

ROWS(group_rows, the_groups_of_the_peer_are_known)
{
	const struct peer_ids *ids;
	bool has_gid = false;
	int fd = dial();

	for (size_t i = 0; i < row->count; i++)
		groups[i] = (gid_t)(100000 + i);
	if (row->has_primary)
		groups[row->count] = getegid();
	group_count = row->count + row->has_primary;
	answers_later = true;
	say(fd, "GET / HTTP/1.1\r\n" HOST, strlen("GET / HTTP/1.1\r\n" HOST));
	for (int i = 0; i < ROUNDS_MAX && asked_count == 0; i++)
		loop_once();
	assert_int_equal(asked_count, 1);
	ids = server_peer_ids(asked[0]);
	assert_int_equal(ids->gid_count, row->known);
	for (size_t i = 0; i < ids->gid_count; i++)
		has_gid = has_gid || ids->gids[i] == getegid();
	assert_true(has_gid);
	for (size_t i = 0; i + 1 < row->known && row->count < row->known; i++)
		assert_int_equal(ids->gids[i], 100000 + i);
	answer(asked[0], 200, "x");
	hear(fd, 1);
	assert_int_equal(close(fd), 0);
}

TEST(the_peer_is_who_it_is)
{
	int fd = dial();

	answers_later = true;
	say(fd, "GET / HTTP/1.1\r\n" HOST, strlen("GET / HTTP/1.1\r\n" HOST));
	for (int i = 0; i < ROUNDS_MAX && asked_count == 0; i++)
		loop_once();
	assert_int_equal(asked_count, 1);
	assert_int_equal(server_peer(asked[0])->uid, geteuid());
	assert_int_equal(server_peer(asked[0])->gid, getegid());
	assert_int_equal(server_peer(asked[0])->pid, getpid());
	assert_string_equal(server_peer(asked[0])->unit, "looked-up.service");
	assert_int_equal(server_peer_ids(asked[0])->uid, geteuid());
	answer(asked[0], 200, "x");
	hear(fd, 1);
	assert_int_equal(close(fd), 0);
}

/* ---- answers ------------------------------------------------------------ */

TEST(an_answer_has_its_fields_and_is_not_to_be_kept)
{
	talk("GET / HTTP/1.1\r\n" HOST);
	has("HTTP/1.1 200");
	has("\r\nContent-Type: text/plain\r\n");
	has("\r\nCache-Control: no-store\r\n");
	has("\r\nContent-Length: 5\r\n");
	has("\r\n\r\nhello");
	assert_null(strstr(text, "Allow:"));
	assert_null(strstr(text, "Retry-After:"));
	status_of_all = 405;
	talk("GET / HTTP/1.1\r\n" HOST);
	has("HTTP/1.1 405");
	has("\r\nAllow: GET\r\n");
	status_of_all = 503;
	talk("GET / HTTP/1.1\r\n" HOST);
	has("\r\nRetry-After: 7\r\n");
}

TEST(no_body_is_an_empty_one)
{
	body_of_all = NULL;
	talk("GET / HTTP/1.1\r\n" HOST);
	has("HTTP/1.1 200");
	has("\r\nContent-Length: 0\r\n");
}

TEST(an_answer_may_come_later_and_wakes_the_loop)
{
	static const char request[] = "GET / HTTP/1.1\r\n" HOST;
	int fd = dial();

	answers_later = true;
	say(fd, request, sizeof(request) - 1);
	for (int i = 0; i < 20; i++)
		loop_once();
	assert_int_equal(asked_count, 1);
	assert_int_equal(recv(fd, text, 1, 0), -1);
	answer(asked[0], 200, "late");
	assert_int_equal(server_timeout_ms(server), 0);
	hear(fd, 1);
	has("\r\n\r\nlate");
	assert_int_equal(close(fd), 0);
}

TEST(two_wait_at_once_and_each_gets_its_own)
{
	static const char request[] = "GET / HTTP/1.1\r\n" HOST;
	int first = dial(), second = dial();

	answers_later = true;
	say(first, request, sizeof(request) - 1);
	say(second, request, sizeof(request) - 1);
	for (int i = 0; i < ROUNDS_MAX && asked_count < 2; i++)
		loop_once();
	assert_int_equal(asked_count, 2);
	answer(asked[1], 200, "of-second");
	hear(second, 1);
	has("of-second");
	answer(asked[0], 200, "of-first");
	hear(first, 1);
	has("of-first");
	assert_int_equal(close(first), 0);
	assert_int_equal(close(second), 0);
}

TEST(who_hangs_up_before_the_answer_harms_nobody)
{
	static const char request[] = "GET / HTTP/1.1\r\n" HOST;
	int fd = dial();

	answers_later = true;
	say(fd, request, sizeof(request) - 1);
	for (int i = 0; i < ROUNDS_MAX && asked_count == 0; i++)
		loop_once();
	assert_int_equal(asked_count, 1);
	assert_int_equal(close(fd), 0);
	for (int i = 0; i < 20; i++)
		loop_once();
	answer(asked[0], 200, "nobody");
	for (int i = 0; i < 20; i++)
		loop_once();
	answers_later = false;
	talk(request);
	has("hello");
}

/* ---- too much ----------------------------------------------------------- */

struct body_row {
	const char *name;
	size_t len;
	bool is_chunked, is_taken;
};
static const struct body_row body_rows[] = {
	{ "body: the longest", SERVER_BODY_MAX, false, true },
	{ "body: a byte more", SERVER_BODY_MAX + 1, false, false },
	{ "body: the longest in chunks", SERVER_BODY_MAX, true, true },
	{ "body: a byte more in chunks", SERVER_BODY_MAX + 1, true, false },
};

ROWS(body_rows, a_body_has_a_maximum)
{
	static char request[SERVER_BODY_MAX + 512];
	int n = snprintf(request, sizeof(request),
			 "POST /v1/unlock HTTP/1.1\r\nHost: localhost\r\n");
	int fd = dial();

	if (row->is_chunked)
		n += snprintf(request + n, sizeof(request) - (size_t)n,
			      "Transfer-Encoding: chunked\r\n\r\n%zx\r\n",
			      row->len);
	else
		n += snprintf(request + n, sizeof(request) - (size_t)n,
			      "Content-Length: %zu\r\n\r\n", row->len);
	memset(request + n, 'x', row->len);
	say(fd, request, (size_t)n + row->len);
	if (row->is_chunked)
		say(fd, "\r\n0\r\n\r\n", 7);
	hear(fd, 1);
	assert_int_equal(close(fd), 0);
	if (row->is_taken) {
		has("HTTP/1.1 200");
		assert_int_equal(body_len, row->len);
		return;
	}
	has("HTTP/1.1 413");
	has("the body is too long");
	assert_int_equal(asked_count, 0);
}

TEST(a_request_line_that_does_not_fit_is_not_asked)
{
	static char request[4 * SERVER_MEMORY_BYTES];
	int fd = dial();

	memset(request, 'a', sizeof(request));
	memcpy(request, "GET /", 5);
	say(fd, request, sizeof(request));
	hear(fd, 1);
	assert_int_equal(close(fd), 0);
	assert_int_equal(asked_count, 0);
	assert_null(strstr(text, "HTTP/1.1 2"));
	talk("GET / HTTP/1.1\r\n" HOST); /* others go on */
	has("HTTP/1.1 200");
}

TEST(what_is_not_http_is_not_asked)
{
	talk("\x16\x03\x01\x02\r\n\r\n");
	assert_int_equal(asked_count, 0);
	talk("GET / HTTP/1.1\r\n" HOST);
	has("HTTP/1.1 200");
}

/* ---- where it listens --------------------------------------------------- */

TEST(a_second_agent_at_the_same_place_is_refused)
{
	const struct agent_settings settings = { .socket = NULL };
	struct listener second = { .fd = -1 };
	struct po_error err = { 0 };

	assert_int_equal(listener_open(listener.path, &settings, &second, &err),
			 PO_E_AGENT);
	assert_non_null(strstr(err.text, "another agent serves at"));
	talk("GET / HTTP/1.1\r\n" HOST); /* the first one is still there */
	has("HTTP/1.1 200");
}
