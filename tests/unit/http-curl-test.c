/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP client against real servers on loopback: what is sent, byte for
 * byte, what is taken, and how each failure is named. Needs python3 and
 * openssl(1), and fails without them.
 */
#include "http/curl.h"

#include "base/clock.h"
#include "base/environment.h"
#include "base/interrupt.h"
#include "base/json.h"
#include "config.h"
#include "fake-clock.h"
#include "request-fields.h"
#include "unit.h"

#include <fcntl.h>
#include <ftw.h>
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
#define FORM "grant_type=client_credentials&client_assertion=canary"

enum server {
	GOOD,
	WRONG_HOST,
	EXPIRED,
	SELF_SIGNED,
	OLD_TLS,
	PLAIN, /* http, also as a proxy */
	N_SERVERS,
	NOBODY, /* a port on which nobody listens */
};

static const struct {
	const char *certificate;
	const char *option;
} kinds[N_SERVERS] = {
	[GOOD] = { "good", NULL },
	[WRONG_HOST] = { "wrong-host", NULL },
	[EXPIRED] = { "expired", NULL },
	[SELF_SIGNED] = { "self-signed", NULL },
	[OLD_TLS] = { "good", "--old-tls" },
	[PLAIN] = { "good", "--http" },
};

static char dir[] = "http-curl-test-XXXXXX";
static struct {
	pid_t pid;
	int port;
} servers[N_SERVERS];
static struct http_client *client;

/* ---- servers ------------------------------------------------------------ */

static void in_dir(char out[static PATH_LEN], const char *name,
		   const char *suffix)
{
	int n = snprintf(out, PATH_LEN, "%s/%s%s", dir, name, suffix);

	assert_true(n > 0 && n < PATH_LEN);
}

static void in_tests(char out[static PATH_LEN], const char *name)
{
	const char *top = environment_get("top_srcdir");
	int n = snprintf(out, PATH_LEN, "%s/tests/servers/%s", top ? top : ".",
			 name);

	assert_true(n > 0 && n < PATH_LEN);
}

static void make_pki(void)
{
	char script[PATH_LEN];
	int status = -1;
	pid_t pid;

	in_tests(script, "make-pki.sh");
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		(void)execl("/bin/sh", "sh", script, dir, (char *)NULL);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void exec_server(enum server which, int out)
{
	char script[PATH_LEN], cert[PATH_LEN], key[PATH_LEN], log[PATH_LEN];

	in_tests(script, "answer-server.py");
	in_dir(cert, kinds[which].certificate, ".pem");
	in_dir(key, kinds[which].certificate, ".key");
	in_dir(log, which == PLAIN ? "plain" : "requests", ".log");
	if (dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	(void)execl(PYTHON, PYTHON, script, "--cert", cert, "--key", key,
		    "--log", log, kinds[which].option, (char *)NULL);
	_exit(127);
}

/* The line {"ready": true, "port": N}; fails when it does not come in time. */
static int read_port(int fd)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	json_auto_t *ready = NULL;
	char line[256];
	size_t len = 0;
	json_int_t port;

	while (len == 0 || line[len - 1] != '\n') {
		ssize_t n;

		assert_true(len < sizeof(line));
		assert_int_equal(poll(&wait, 1, READY_MS), 1);
		n = read(fd, line + len, sizeof(line) - len);
		assert_true(n > 0); /* the server ended: no python3? */
		len += (size_t)n;
	}
	ready = json_loadb(line, len, 0, NULL);
	port = json_integer_value(json_object_get(ready, "port"));
	assert_in_range(port, 1, 65535);
	return (int)port;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *where)
{
	(void)st;
	(void)type;
	(void)where;
	return remove(path);
}

/* Also after a set-up that failed half-way, by atexit(). */
static void stop_servers(void)
{
	for (enum server s = GOOD; s < N_SERVERS; s++) {
		if (servers[s].pid <= 0)
			continue;
		(void)kill(servers[s].pid, SIGTERM);
		(void)waitpid(servers[s].pid, NULL, 0);
		servers[s].pid = 0;
	}
	(void)nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

BEFORE_ALL
{
	static const char *const proxies[] = {
		"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy",
		"ALL_PROXY",  "no_proxy",    "NO_PROXY",
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(proxies); i++)
		(void)unsetenv(proxies[i]);
	(void)signal(SIGPIPE, SIG_IGN); /* as the program does */
	(void)atexit(stop_servers);
	assert_non_null(mkdtemp(dir));
	make_pki();
	for (enum server s = GOOD; s < N_SERVERS; s++) {
		int fds[2];

		assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
		servers[s].pid = fork();
		assert_true(servers[s].pid >= 0);
		if (servers[s].pid == 0)
			exec_server(s, fds[1]);
		assert_int_equal(close(fds[1]), 0);
		servers[s].port = read_port(fds[0]);
		assert_int_equal(close(fds[0]), 0);
	}
	assert_int_equal(curl_client_new(&po_clock_system, &client, NULL),
			 PO_OK);
}

/* ---- requests ----------------------------------------------------------- */

static int port_of(enum server which)
{
	return which == NOBODY ? 1 : servers[which].port;
}

static void url_of(char out[static PATH_LEN], enum server which,
		   const char *host, const char *path)
{
	int n = snprintf(out, PATH_LEN, "%s://%s:%d%s",
			 which == PLAIN ? "http" : "https", host,
			 port_of(which), path);

	assert_true(n > 0 && n < PATH_LEN);
}

/* Posts FORM; trust names the CA file in dir, NULL is the system's store. */
static enum po_status post(const char *url, const char *trust,
			   int64_t timeout_ms, struct http_response *response,
			   struct po_error *err)
{
	po_auto(secret) *body = secret_from(FORM, strlen(FORM));
	char ca_file[PATH_LEN];
	struct http_request request = {
		.method = HTTP_POST,
		.url = url,
		.accept = "application/json",
		.content_type = "application/x-www-form-urlencoded",
		.body = body,
		.timeout_ms = timeout_ms,
		.allow_loopback_http = true,
	};

	assert_non_null(body);
	if (trust) {
		in_dir(ca_file, trust, ".pem");
		request.ca_file = ca_file;
	}
	return client->perform(client, &request, response, err);
}

/* The last request that a server wrote down; json_decref() it. */
static json_t *last_request(const char *log)
{
	char path[PATH_LEN];
	static char line[65536];
	FILE *f;
	json_t *request = NULL;

	in_dir(path, log, ".log");
	f = fopen(path, "re");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		json_decref(request);
		request = json_loads(line, 0, NULL);
	}
	assert_int_equal(fclose(f), 0);
	assert_non_null(request);
	return request;
}

static size_t count_requests(const char *log)
{
	char path[PATH_LEN];
	size_t n = 0;
	FILE *f;
	int c;

	in_dir(path, log, ".log");
	f = fopen(path, "re");
	if (!f)
		return 0;
	while ((c = getc(f)) != EOF)
		n += c == '\n';
	assert_int_equal(fclose(f), 0);
	return n;
}

TEST(post_is_exact)
{
	static const char wanted[] =
		"User-Agent: p11oauth/" PACKAGE_VERSION "\n"
		"Accept: application/json\n"
		"Cache-Control: no-store\n"
		"Content-Type: application/x-www-form-urlencoded\n"
		"Content-Length: 53\n";
	po_auto_http_response r = { 0 };
	json_auto_t *request = NULL;
	char url[PATH_LEN];
	po_auto_buf fields = { 0 };

	buf_init(&fields, 65536);
	http_response_init(&r);
	url_of(url, GOOD, "localhost", "/ok?tenant=a%2Fb");
	assert_int_equal(post(url, "ca", 0, &r, NULL), PO_OK);
	assert_int_equal(r.status, 200);
	assert_string_equal(r.content_type, "application/json");
	assert_non_null(strstr(buf_text(&r.body), "answer-server-token"));
	assert_true(r.date[0] != '\0');

	request = last_request("requests");
	assert_string_equal(json_text(request, "method"), "POST");
	assert_string_equal(json_text(request, "path"), "/ok?tenant=a%2Fb");
	assert_string_equal(json_text(request, "body"), FORM);
	fields_of(request, &fields);
	assert_string_equal(buf_text(&fields), wanted);
}

static struct secret *late_body;

/* A device may think longer than the exchange may take; user: the clock. */
static enum po_status wait_for_body(void *user, const struct secret **ret_body,
				    struct po_error *err)
{
	(void)err;
	fake_clock_advance(user, 10 * HTTP_TIMEOUT_DEFAULT_MS);
	*ret_body = late_body;
	return PO_OK;
}

TEST(the_wait_for_a_late_body_is_not_the_exchanges)
{
	struct fake_clock fake;
	const struct http_late_body late = { strlen(FORM), wait_for_body,
					     &fake };
	char url[PATH_LEN], ca_file[PATH_LEN];
	const struct http_request request = {
		.method = HTTP_POST,
		.url = url,
		.accept = "application/json",
		.content_type = "application/x-www-form-urlencoded",
		.ca_file = ca_file,
		.late_body = &late,
	};
	po_auto_http_response r = { 0 };
	json_auto_t *seen = NULL;
	struct http_client *patient = NULL;

	late_body = secret_from(FORM, strlen(FORM));
	fake_clock_init(&fake, 1800000000);
	assert_int_equal(curl_client_new(&fake.clock, &patient, NULL), PO_OK);
	http_response_init(&r);
	url_of(url, GOOD, "localhost", "/ok");
	in_dir(ca_file, "ca", ".pem");
	assert_int_equal(patient->perform(patient, &request, &r, NULL), PO_OK);
	assert_int_equal(r.status, 200);
	seen = last_request("requests");
	assert_string_equal(json_text(seen, "body"), FORM);
	patient->free(patient);
	secret_free(late_body);
}

TEST(get_is_exact)
{
	static const char wanted[] =
		"User-Agent: p11oauth/" PACKAGE_VERSION "\n"
		"Cache-Control: no-store\n";
	char url[PATH_LEN], ca_file[PATH_LEN];
	struct http_request get = { .method = HTTP_GET, .url = url };
	po_auto_http_response r = { 0 };
	json_auto_t *request = NULL;
	po_auto_buf fields = { 0 };

	buf_init(&fields, 65536);
	http_response_init(&r);
	url_of(url, GOOD, "127.0.0.1", "/ok");
	in_dir(ca_file, "ca", ".pem");
	get.ca_file = ca_file;
	assert_int_equal(client->perform(client, &get, &r, NULL), PO_OK);
	assert_int_equal(r.status, 200);
	request = last_request("requests");
	assert_string_equal(json_text(request, "method"), "GET");
	fields_of(request, &fields);
	assert_string_equal(buf_text(&fields), wanted);
}

/* ---- answers ------------------------------------------------------------ */

struct answer {
	const char *name;
	const char *path;
	long status;
	const char *location;
	size_t body_len;
};

static const struct answer answers[] = {
	{ "401 is an answer", "/empty-401", 401, "", 0 },
	{ "503 is an answer", "/empty-503", 503, "", 0 },
	{ "301 is not followed", "/redirect-301", 301,
	  "https://elsewhere.example/token", 0 },
	{ "302 is not followed", "/redirect-302", 302,
	  "https://elsewhere.example/token", 0 },
	{ "307 is not followed", "/redirect-307", 307,
	  "https://elsewhere.example/token", 0 },
	{ "308 is not followed", "/redirect-308", 308,
	  "https://elsewhere.example/token", 0 },
	{ "longest body", "/largest", 200, "", (size_t)HTTP_BODY_MAX },
	{ "compressed body is left as it is", "/gzip", 200, "", 10 },
	{ "interim answer leaves nothing", "/early-hints", 200, "", 2 },
};

ROWS(answers, answer_row)
{
	size_t before = count_requests("requests");
	po_auto_http_response r = { 0 };
	char url[PATH_LEN];

	http_response_init(&r);
	url_of(url, GOOD, "localhost", row->path);
	assert_int_equal(post(url, "ca", 0, &r, NULL), PO_OK);
	assert_int_equal(r.status, row->status);
	assert_string_equal(r.location, row->location);
	assert_int_equal(r.body.len, row->body_len);
	assert_int_equal(count_requests("requests"), before + 1);
}

TEST(fields_are_kept)
{
	po_auto_http_response r = { 0 };
	char url[PATH_LEN];

	http_response_init(&r);
	url_of(url, GOOD, "localhost", "/correlation");
	assert_int_equal(post(url, "ca", 0, &r, NULL), PO_OK);
	assert_string_equal(r.correlation, "X-Request-Id: canary-request-id");
	http_response_clear(&r);
	http_response_init(&r);
	url_of(url, GOOD, "localhost", "/empty-503");
	assert_int_equal(post(url, "ca", 0, &r, NULL), PO_OK);
	assert_string_equal(r.retry_after, "1");
	assert_string_equal(r.correlation, "");
}

TEST(cookies_are_forgotten)
{
	po_auto_buf fields = { 0 };
	json_auto_t *request = NULL;
	char url[PATH_LEN];

	buf_init(&fields, 65536);
	url_of(url, GOOD, "localhost", "/cookie");
	for (int i = 0; i < 2; i++) {
		po_auto_http_response r = { 0 };

		http_response_init(&r);
		assert_int_equal(post(url, "ca", 0, &r, NULL), PO_OK);
	}
	request = last_request("requests");
	fields_of(request, &fields);
	assert_null(strstr(buf_text(&fields), "ookie"));
}

TEST(http_to_loopback)
{
	po_auto_http_response r = { 0 };
	char url[PATH_LEN];

	http_response_init(&r);
	url_of(url, PLAIN, "127.0.0.1", "/ok");
	assert_int_equal(post(url, NULL, 0, &r, NULL), PO_OK);
	assert_int_equal(r.status, 200);
}

/* ---- failures ----------------------------------------------------------- */

struct failure {
	const char *name;
	enum server server;
	enum po_status status;
	const char *host, *path, *trust;
	const char *said; /* in the error text */
	int64_t timeout_ms;
};

static const struct failure failures[] = {
	{ "unknown CA", GOOD, PO_E_NETWORK, "localhost", "/ok", NULL,
	  "self-signed certificate in certificate chain", 0 },
	{ "another CA", GOOD, PO_E_NETWORK, "localhost", "/ok", "self-signed",
	  "self-signed certificate in certificate chain", 0 },
	{ "self-signed", SELF_SIGNED, PO_E_NETWORK, "localhost", "/ok", "ca",
	  "certificate problem: self-signed certificate", 0 },
	{ "wrong host", WRONG_HOST, PO_E_NETWORK, "localhost", "/ok", "ca",
	  "is for another host", 0 },
	{ "expired", EXPIRED, PO_E_NETWORK, "localhost", "/ok", "ca",
	  "certificate has expired", 0 },
	{ "TLS 1.1", OLD_TLS, PO_E_NETWORK, "localhost", "/ok", "ca",
	  "protocol", 0 },
	{ "CA file is not there", GOOD, PO_E_CONFIG, "localhost", "/ok",
	  "absent", "absent.pem", 0 },
	{ "refused connection", NOBODY, PO_E_NETWORK, "127.0.0.1", "/ok", "ca",
	  "Connection refused", 0 },
	{ "no such name", GOOD, PO_E_NETWORK, "absent.invalid", "/ok", "ca",
	  "absent.invalid", 0 },
	{ "one byte too many", GOOD, PO_E_SERVER, "localhost", "/one-more",
	  "ca", "1048576", 0 },
	{ "endless", GOOD, PO_E_SERVER, "localhost", "/endless", "ca",
	  "1048576", 0 },
	{ "long fields", GOOD, PO_E_SERVER, "localhost", "/huge-headers", "ca",
	  "65536", 0 },
	{ "cut off", GOOD, PO_E_NETWORK, "localhost", "/cut-off", "ca",
	  "the answer ended too early", 0 },
	{ "no answer", GOOD, PO_E_NETWORK, "localhost", "/hang-up", "ca",
	  "the server closed without an answer", 0 },
	{ "too slow", GOOD, PO_E_NETWORK, "localhost", "/slow", "ca",
	  "timed out after", 700 },
	{ "http elsewhere", PLAIN, PO_E_USAGE, "192.0.2.1", "/ok", NULL,
	  "loopback", 0 },
};

ROWS(failures, failure_row)
{
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };
	char url[PATH_LEN], with_query[PATH_LEN + 16];
	enum po_status st;
	int64_t started_ms;

	http_response_init(&r);
	url_of(url, row->server, row->host, row->path);
	(void)snprintf(with_query, sizeof(with_query), "%s?q=canary", url);
	started_ms = clock_monotonic_ms(&po_clock_system);
	st = post(with_query, row->trust, row->timeout_ms, &r, &err);
	/* our own end, not that of the server's twenty seconds */
	assert_true(clock_monotonic_ms(&po_clock_system) - started_ms < 15000);
	assert_int_equal(st, row->status);
	assert_int_equal(err.status, row->status);
	if (!strstr(err.text, row->said))
		fail_msg("'%s' is not in '%s'", row->said, err.text);
	assert_int_equal(err.native != 0, st == PO_E_NETWORK);
	assert_null(strstr(err.text, "canary"));
	if (st == PO_E_NETWORK)
		assert_non_null(strstr(err.text, url));
}

/* Nothing of the form may have reached a server that is not trusted. */
TEST(nothing_was_sent_to_strangers)
{
	static const char *const trust[] = { NULL, "self-signed" };
	size_t before = count_requests("requests");
	char url[PATH_LEN];

	url_of(url, GOOD, "localhost", "/ok");
	for (size_t i = 0; i < PO_ARRAY_SIZE(trust); i++) {
		po_auto_http_response r = { 0 };

		http_response_init(&r);
		assert_int_equal(post(url, trust[i], 0, &r, NULL),
				 PO_E_NETWORK);
	}
	assert_int_equal(count_requests("requests"), before);
}

/* ---- proxies ------------------------------------------------------------ */

static void post_by_proxy(enum server proxy, const char *said)
{
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };
	char url[PATH_LEN], proxy_url[PATH_LEN];

	http_response_init(&r);
	url_of(url, GOOD, "localhost", "/ok");
	(void)snprintf(proxy_url, sizeof(proxy_url), "http://127.0.0.1:%d",
		       port_of(proxy));
	assert_int_equal(setenv("https_proxy", proxy_url, 1), 0);
	assert_int_equal(post(url, "ca", 0, &r, &err), PO_E_NETWORK);
	assert_int_equal(unsetenv("https_proxy"), 0);
	assert_non_null(strstr(err.text, said));
	assert_non_null(strstr(err.text, "https_proxy"));
	assert_int_equal(r.body.len, 0);
}

TEST(proxy_that_refuses)
{
	post_by_proxy(NOBODY, "Connection refused");
}

TEST(proxy_that_wants_a_password)
{
	json_auto_t *request = NULL;
	po_auto_buf fields = { 0 };

	buf_init(&fields, 65536);
	post_by_proxy(PLAIN, "407");
	request = last_request("plain");
	assert_string_equal(json_text(request, "method"), "CONNECT");
	assert_string_equal(json_text(request, "body"), "");
	fields_of(request, &fields);
	assert_null(strstr(buf_text(&fields), "Authorization"));
}

/* ---- the end ------------------------------------------------------------ */

/* Last: the signal stays pending. */
TEST(signal_ends_it)
{
	struct po_error err = { 0 };
	po_auto_http_response r = { 0 };
	char url[PATH_LEN];

	interrupt_install();
	assert_int_equal(raise(SIGTERM), 0);
	http_response_init(&r);
	url_of(url, GOOD, "localhost", "/slow");
	assert_int_equal(post(url, "ca", 10000, &r, &err), PO_E_USER);
	assert_non_null(strstr(err.text, "signal 15"));
}
