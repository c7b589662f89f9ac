/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests to a unix socket, at a real server. Needs python3, and fails without
 * it.
 */
#include "http/curl.h"

#include "base/environment.h"
#include "base/json.h"
#include "config.h"
#include "request-fields.h"
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PYTHON "/usr/bin/python3"
#define READY_MS 20000 /* for a server to start on a busy machine */
#define PATH_LEN 512
#define NO_PROXY_THERE "http://127.0.0.1:1"

static char dir[] = "http-unix-test-XXXXXX";
static struct http_client *client;
static pid_t server;

static void in_dir(char out[static PATH_LEN], const char *name)
{
	int n = snprintf(out, PATH_LEN, "%s/%s", dir, name);

	assert_true(n > 0 && n < PATH_LEN);
}

static void exec_server(int out)
{
	const char *top = environment_get("top_srcdir");
	char script[PATH_LEN], path[PATH_LEN], log[PATH_LEN];

	(void)snprintf(script, sizeof(script),
		       "%s/tests/servers/answer-server.py", top ? top : ".");
	in_dir(path, "server.sock");
	in_dir(log, "log");
	if (dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	(void)execl(PYTHON, PYTHON, script, "--log", log, "--unix", path,
		    (char *)NULL);
	_exit(127);
}

static void remove_one(const char *name)
{
	char path[PATH_LEN];

	in_dir(path, name);
	(void)unlink(path);
}

/* Also after a set-up that failed half-way, by atexit(). */
static void stop_server(void)
{
	if (server > 0) {
		(void)kill(server, SIGTERM);
		(void)waitpid(server, NULL, 0);
	}
	remove_one("server.sock");
	remove_one("log");
	(void)rmdir(dir);
}

BEFORE_ALL
{
	struct pollfd wait = { .events = POLLIN };
	char line[256];
	int fds[2];

	(void)signal(SIGPIPE, SIG_IGN); /* as the program does */
	(void)atexit(stop_server);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(pipe(fds), 0);
	server = fork();
	assert_true(server >= 0);
	if (server == 0)
		exec_server(fds[1]);
	assert_int_equal(close(fds[1]), 0);
	wait.fd = fds[0];
	assert_int_equal(poll(&wait, 1, READY_MS), 1);
	assert_true(read(fds[0], line, sizeof(line)) > 0); /* it is ready */
	assert_int_equal(close(fds[0]), 0);
	assert_int_equal(curl_client_new(&po_clock_system, &client, NULL),
			 PO_OK);
}

/* The last request in the log, and how many there are; json_decref() it. */
static json_t *last_request(size_t *ret_count)
{
	json_t *request = NULL;
	static char line[65536];
	char path[PATH_LEN];
	FILE *f;

	*ret_count = 0;
	in_dir(path, "log");
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		json_decref(request);
		request = json_loads(line, 0, NULL);
		(*ret_count)++;
	}
	assert_int_equal(fclose(f), 0);
	return request;
}

static enum po_status get(const char *url, const char *name,
			  struct http_response *response, struct po_error *err)
{
	char path[PATH_LEN];
	struct http_request request = { .method = HTTP_GET,
					.url = url,
					.unix_socket = path };
	enum po_status st;

	in_dir(path, name);
	assert_int_equal(setenv("http_proxy", NO_PROXY_THERE, 1), 0);
	st = client->perform(client, &request, response, err);
	assert_int_equal(unsetenv("http_proxy"), 0);
	return st;
}

/* No variable sends it elsewhere, and plain http needs no permission. */
TEST(request_is_exact)
{
	static const char wanted[] =
		"User-Agent: p11oauth/" PACKAGE_VERSION "\n"
		"Cache-Control: no-store\n";
	po_auto_http_response r = { 0 };
	json_auto_t *request = NULL;
	po_auto_buf fields = { 0 };
	struct po_error err = { 0 };
	size_t count;

	buf_init(&fields, 65536);
	http_response_init(&r);
	if (get("http://localhost/ok?a=b", "server.sock", &r, &err) != PO_OK)
		fail_msg("%s", err.text);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(buf_text(&r.body), "answer-server-token"));
	request = last_request(&count);
	assert_string_equal(json_text(request, "path"), "/ok?a=b");
	fields_of(request, &fields);
	assert_string_equal(buf_text(&fields), wanted);
}

TEST(body_arrives)
{
	po_auto(secret) *body = secret_from("{\"canary\":1}", 12);
	po_auto_http_response r = { 0 };
	json_auto_t *request = NULL;
	char path[PATH_LEN];
	const struct http_request post = { .method = HTTP_POST,
					   .url = "http://localhost/ok",
					   .content_type = "application/json",
					   .body = body,
					   .unix_socket = path };
	size_t count;

	http_response_init(&r);
	in_dir(path, "server.sock");
	assert_int_equal(client->perform(client, &post, &r, NULL), PO_OK);
	request = last_request(&count);
	assert_string_equal(json_text(request, "method"), "POST");
	assert_string_equal(json_text(request, "body"), "{\"canary\":1}");
}

static uid_t listener;

static enum po_status remember(uid_t uid, struct po_error *err)
{
	(void)err;
	listener = uid;
	return PO_OK;
}

static enum po_status refuse(uid_t uid, struct po_error *err)
{
	return po_fail(err, PO_E_POLICY, 0, "not uid %u", (unsigned int)uid);
}

/* Who listens is known before a byte is sent. */
TEST(listener_is_asked_of)
{
	po_auto(secret) *body = secret_from("canary", 6);
	po_auto_http_response r = { 0 };
	struct po_error err = { 0 };
	char path[PATH_LEN];
	struct http_request post = { .method = HTTP_POST,
				     .url = "http://localhost/ok",
				     .content_type = "text/plain",
				     .body = body,
				     .unix_socket = path,
				     .check_listener = refuse };
	size_t before, after;

	json_decref(last_request(&before));
	http_response_init(&r);
	in_dir(path, "server.sock");
	assert_int_equal(client->perform(client, &post, &r, &err), PO_E_POLICY);
	assert_non_null(strstr(err.text, "not uid"));
	json_decref(last_request(&after));
	assert_int_equal(after, before);
	listener = (uid_t)-1;
	post.check_listener = remember;
	for (int i = 0; i < 2; i++) { /* on a kept connection, too */
		http_response_clear(&r);
		listener = (uid_t)-1;
		assert_int_equal(client->perform(client, &post, &r, NULL),
				 PO_OK);
		assert_int_equal(listener, geteuid());
	}
}

struct failure {
	const char *name, *url, *socket;
	enum po_status status;
	enum http_failure failure;
	const char *said;
};

static const struct failure failures[] = {
	{ "no such socket", "http://localhost/ok", "absent", PO_E_NETWORK,
	  HTTP_FAILED_CONNECT, "No such file" },
	{ "no TLS", "https://localhost/ok", "server.sock", PO_E_NETWORK,
	  HTTP_FAILED_LATER, "https" },
	{ "no host elsewhere", "http://192.0.2.1/ok", "server.sock", PO_E_USAGE,
	  HTTP_NO_FAILURE, "loopback" },
};

ROWS(failures, failure_row)
{
	po_auto_http_response r = { 0 };
	struct po_error err = { 0 };
	size_t before, after;

	json_decref(last_request(&before));
	http_response_init(&r);
	assert_int_equal(get(row->url, row->socket, &r, &err), row->status);
	assert_int_equal(r.failure, row->failure);
	if (!strstr(err.text, row->said))
		fail_msg("'%s' is not in '%s'", row->said, err.text);
	assert_null(strstr(err.text, "proxy"));
	json_decref(last_request(&after));
	assert_int_equal(after, before);
}
