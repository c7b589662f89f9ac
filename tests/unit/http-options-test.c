/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libcurl is told of each kind of request, and when an exchange is given
 * up. Nobody listens where the requests go; what is set is noted on its way to
 * the real libcurl.
 */
#include "http/curl.h"

#include "base/compiler.h"
#include "fake-clock.h"
#include "http/libcurl.h"
#include "http/transfer_error.h"
#include "unit.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KIND_SIZE 10000 /* of the numbers of options of one type (curl.h) */
#define NOTED_MAX 64

static struct noted {
	CURLoption option;
	intptr_t value;
	char text[128]; /* of a string */
} noted[NOTED_MAX];
static size_t noted_count;
static const struct libcurl *real;
static struct libcurl spy;

static void note(CURLoption option, intptr_t value, const char *text)
{
	struct noted *n = &noted[noted_count];

	assert_true(noted_count < NOTED_MAX);
	*n = (struct noted){ .option = option, .value = value };
	(void)snprintf(n->text, sizeof(n->text), "%s", text ? text : "(null)");
	noted_count++;
}

static bool is_text(CURLoption option)
{
	return option == CURLOPT_URL || option == CURLOPT_CAINFO ||
	       option == CURLOPT_CAPATH || option == CURLOPT_PROTOCOLS_STR ||
	       option == CURLOPT_PROXY || option == CURLOPT_UNIX_SOCKET_PATH;
}

static CURLcode set_and_note(CURL *easy, CURLoption option, ...)
{
	va_list ap;
	CURLcode code = CURLE_OK;

	va_start(ap, option);
	switch ((int)option / KIND_SIZE) {
	case CURLOPTTYPE_LONG / KIND_SIZE: {
		long value = va_arg(ap, long);

		note(option, value, NULL);
		code = real->easy_setopt(easy, option, value);
		break;
	}
	case CURLOPTTYPE_OFF_T / KIND_SIZE: {
		curl_off_t value = va_arg(ap, curl_off_t);

		note(option, (intptr_t)value, NULL);
		code = real->easy_setopt(easy, option, value);
		break;
	}
	case CURLOPTTYPE_FUNCTIONPOINT / KIND_SIZE: {
		void (*value)(void) = va_arg(ap, void (*)(void));

		note(option, value != NULL, NULL);
		code = real->easy_setopt(easy, option, value);
		break;
	}
	default: {
		void *value = va_arg(ap, void *);

		note(option, (intptr_t)value,
		     is_text(option) ? (const char *)value : NULL);
		code = real->easy_setopt(easy, option, value);
		break;
	}
	}
	va_end(ap);
	return code;
}

enum po_status __real_libcurl_load(const struct libcurl **ret_curl, /* NOLINT */
				   struct po_error *err);
enum po_status __wrap_libcurl_load(const struct libcurl **ret_curl, /* NOLINT */
				   struct po_error *err);

enum po_status __wrap_libcurl_load(const struct libcurl **ret_curl, /* NOLINT */
				   struct po_error *err)
{
	enum po_status st = __real_libcurl_load(&real, err);

	if (st == PO_OK) {
		spy = *real;
		spy.easy_setopt = set_and_note;
		*ret_curl = &spy;
	}
	return st;
}

/* The last value that an option got; fails the test when it got none. */
static const struct noted *last(CURLoption option)
{
	for (size_t i = noted_count; i > 0; i--)
		if (noted[i - 1].option == option)
			return &noted[i - 1];
	fail_msg("option %d was not set", (int)option);
	return NULL;
}

static bool was_set(CURLoption option)
{
	for (size_t i = 0; i < noted_count; i++)
		if (noted[i].option == option)
			return true;
	return false;
}

static struct fake_clock fake;
static struct http_client *client;
static int port; /* bound, and nobody listens */
static int port_fd;

BEFORE_EACH
{
	struct sockaddr_in addr = { .sin_family = AF_INET };
	socklen_t len = sizeof(addr);

	addr.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	port_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(port_fd >= 0);
	assert_int_equal(bind(port_fd, (struct sockaddr *)&addr, len), 0);
	assert_int_equal(getsockname(port_fd, (struct sockaddr *)&addr, &len),
			 0);
	port = ntohs(addr.sin_port);
	fake_clock_init(&fake, 1800000000);
	assert_int_equal(curl_client_new(&fake.clock, &client, NULL), PO_OK);
	noted_count = 0;
}

AFTER_EACH
{
	client->free(client);
	assert_int_equal(close(port_fd), 0);
}

static enum po_status run(struct http_request request,
			  struct http_response *response, struct po_error *err)
{
	static char url[64];

	(void)snprintf(url, sizeof(url), "https://127.0.0.1:%d/", port);
	if (!request.url)
		request.url = url;
	request.accept = "application/json";
	noted_count = 0;
	return client->perform(client, &request, response, err);
}

static void try(struct http_request request)
{
	po_auto_http_response response = { 0 };

	http_response_init(&response);
	assert_int_equal(run(request, &response, NULL), PO_E_NETWORK);
	assert_int_equal(response.failure, HTTP_FAILED_CONNECT);
}

/* ---- options ------------------------------------------------------------ */

TEST(nothing_is_followed_and_everything_is_verified)
{
	try((struct http_request){ .method = HTTP_GET });
	assert_int_equal(last(CURLOPT_FOLLOWLOCATION)->value, 0);
	assert_int_equal(last(CURLOPT_SSL_VERIFYPEER)->value, 1);
	assert_int_equal(last(CURLOPT_SSL_VERIFYHOST)->value, 2);
	assert_int_equal(last(CURLOPT_SSLVERSION)->value,
			 CURL_SSLVERSION_TLSv1_2);
	assert_int_equal(last(CURLOPT_NETRC)->value, CURL_NETRC_IGNORED);
	assert_string_equal(last(CURLOPT_PROTOCOLS_STR)->text, "https");
	assert_int_equal(last(CURLOPT_NOSIGNAL)->value, 1);
	assert_int_equal(last(CURLOPT_LOW_SPEED_LIMIT)->value, 1);
	assert_int_equal(last(CURLOPT_LOW_SPEED_TIME)->value, 20);
	assert_false(was_set(CURLOPT_PROXY)); /* the environment's counts */
	assert_false(was_set(CURLOPT_POST));
}

TEST(a_cacert_replaces_the_systems_and_adds_nothing_to_them)
{
	try((struct http_request){ .ca_file = "/dev/null" });
	assert_string_equal(last(CURLOPT_CAINFO)->text, "/dev/null");
	assert_string_equal(last(CURLOPT_CAPATH)->text, "(null)");
	assert_true(was_set(CURLOPT_CAPATH));
	try((struct http_request){ .ca_file = NULL });
	assert_false(was_set(CURLOPT_CAINFO));
	assert_false(was_set(CURLOPT_CAPATH));
}

TEST(a_connection_is_kept_for_the_next_request)
{
	try((struct http_request){ .method = HTTP_GET });
	assert_int_equal(last(CURLOPT_FRESH_CONNECT)->value, 0);
	assert_int_equal(last(CURLOPT_FORBID_REUSE)->value, 0);
	assert_int_equal(last(CURLOPT_SSL_SESSIONID_CACHE)->value, 1);
	assert_int_equal(last(CURLOPT_CONNECTTIMEOUT_MS)->value,
			 HTTP_CONNECT_TIMEOUT_MS);
}

TEST(http_to_this_machine_is_a_wish_of_the_caller)
{
	try((struct http_request){ .allow_loopback_http = true });
	assert_string_equal(last(CURLOPT_PROTOCOLS_STR)->text, "https,http");
}

TEST(a_socket_has_no_proxy_and_may_be_silent)
{
	po_auto_http_response response = { 0 };
	const struct http_request request = {
		.url = "http://localhost/v1/status",
		.unix_socket = "nobody-is-here.sock",
	};

	http_response_init(&response);
	assert_int_equal(run(request, &response, NULL), PO_E_NETWORK);
	assert_string_equal(last(CURLOPT_UNIX_SOCKET_PATH)->text,
			    "nobody-is-here.sock");
	assert_string_equal(last(CURLOPT_PROXY)->text, "");
	assert_string_equal(last(CURLOPT_PROTOCOLS_STR)->text, "http");
	assert_int_equal(last(CURLOPT_LOW_SPEED_LIMIT)->value, 0);
	assert_int_equal(last(CURLOPT_LOW_SPEED_TIME)->value, 0);
}

TEST(a_body_goes_with_its_length)
{
	po_auto(secret) *body = secret_from("grant_type=x", 12);

	try((struct http_request){ .method = HTTP_POST,
				   .content_type = "application/x",
				   .body = body });
	assert_int_equal(last(CURLOPT_POST)->value, 1);
	assert_int_equal(last(CURLOPT_POSTFIELDSIZE_LARGE)->value, 12);
	assert_false(was_set(CURLOPT_COPYPOSTFIELDS));
	assert_false(was_set(CURLOPT_POSTFIELDS));
}

static enum po_status any_listener(uid_t uid, struct po_error *err)
{
	(void)uid;
	(void)err;
	return PO_OK;
}

TEST(who_listens_is_asked_on_a_connection_of_its_own)
{
	po_auto(secret) *body = secret_from("{}", 2);
	po_auto_http_response response = { 0 };
	const struct http_request request = {
		.method = HTTP_POST,
		.url = "http://localhost/v1/unlock",
		.content_type = "application/json",
		.unix_socket = "nobody-is-here.sock",
		.body = body,
		.check_listener = any_listener,
	};

	http_response_init(&response);
	assert_int_equal(run(request, &response, NULL), PO_E_NETWORK);
	assert_int_equal(last(CURLOPT_FRESH_CONNECT)->value, 1);
	assert_int_equal(last(CURLOPT_SOCKOPTFUNCTION)->value, 1);
}

/* ---- what is looked at before ------------------------------------------- */

TEST(a_cacert_that_cannot_be_read_is_the_configurations_fault)
{
	po_auto_http_response response = { 0 };
	struct po_error err = { 0 };

	http_response_init(&response);
	assert_int_equal(run((struct http_request){ .ca_file = "not-there" },
			     &response, &err),
			 PO_E_CONFIG);
	assert_non_null(strstr(err.text, "cacert: cannot read 'not-there'"));
	assert_int_equal(noted_count, 0);
}

TEST(an_address_that_may_not_be_is_a_matter_of_usage)
{
	po_auto_http_response response = { 0 };
	struct po_error err = { 0 };

	http_response_init(&response);
	assert_int_equal(
		run((struct http_request){ .url = "http://h.example/" },
		    &response, &err),
		PO_E_USAGE);
	assert_int_equal(noted_count, 0);
}

/* ---- where it failed ---------------------------------------------------- */

struct stage_row {
	const char *name;
	CURLcode code;
	bool is_connected;
	enum http_failure failure;
};
static const struct stage_row stage_rows[] = {
	{ "stage: none", CURLE_OK, true, HTTP_NO_FAILURE },
	{ "stage: no such name", CURLE_COULDNT_RESOLVE_HOST, false,
	  HTTP_FAILED_CONNECT },
	{ "stage: refused", CURLE_COULDNT_CONNECT, false, HTTP_FAILED_CONNECT },
	{ "stage: no such proxy", CURLE_COULDNT_RESOLVE_PROXY, false,
	  HTTP_FAILED_PROXY },
	{ "stage: the proxy", CURLE_PROXY, false, HTTP_FAILED_PROXY },
	{ "stage: too slow to connect", CURLE_OPERATION_TIMEDOUT, false,
	  HTTP_FAILED_CONNECT },
	{ "stage: too slow to answer", CURLE_OPERATION_TIMEDOUT, true,
	  HTTP_FAILED_LATER },
	{ "stage: the handshake", CURLE_SSL_CONNECT_ERROR, false,
	  HTTP_FAILED_TLS },
	{ "stage: the server's certificate", CURLE_PEER_FAILED_VERIFICATION,
	  false, HTTP_FAILED_TLS },
	{ "stage: our certificate", CURLE_SSL_CERTPROBLEM, false,
	  HTTP_FAILED_TLS },
	{ "stage: cut off", CURLE_RECV_ERROR, true, HTTP_FAILED_LATER },
	{ "stage: closed", CURLE_GOT_NOTHING, true, HTTP_FAILED_LATER },
	{ "stage: half an answer", CURLE_PARTIAL_FILE, true,
	  HTTP_FAILED_LATER },
	{ "stage: not sent", CURLE_SEND_ERROR, true, HTTP_FAILED_LATER },
};

ROWS(stage_rows, a_failure_is_of_one_stage)
{
	assert_int_equal(transfer_error_stage(row->code, row->is_connected),
			 row->failure);
}

/* ---- giving up ---------------------------------------------------------- */

/* Each look at the clock is a second later than the last one. */
static int64_t hurried_ms(void *user)
{
	(void)user;
	fake.monotonic_ms += 1000;
	return fake.monotonic_ms;
}

struct give_up_row {
	const char *name;
	int64_t timeout_ms;
	const char *text;
};
static const struct give_up_row give_up_rows[] = {
	{ "give up: after the default", 0, "timed out after 30000 ms" },
	{ "give up: after what was asked", 5000, "timed out after 5000 ms" },
};

/* It listens, and takes nothing. */
ROWS(give_up_rows, an_exchange_is_given_up_when_its_time_is_over)
{
	po_auto_http_response response = { 0 };
	struct po_error err = { 0 };
	int64_t started_ms;

	assert_int_equal(listen(port_fd, 4), 0);
	fake.clock.monotonic_ms = hurried_ms;
	started_ms = fake.monotonic_ms;
	http_response_init(&response);
	assert_int_equal(
		run((struct http_request){ .timeout_ms = row->timeout_ms },
		    &response, &err),
		PO_E_NETWORK);
	if (!strstr(err.text, row->text))
		fail_msg("no '%s' in '%s'", row->text, err.text);
	assert_in_range(fake.monotonic_ms - started_ms,
			row->timeout_ms ? row->timeout_ms : 30000,
			(row->timeout_ms ? row->timeout_ms : 30000) + 5000);
}

TEST(another_threads_wish_ends_it)
{
	po_auto_http_response response = { 0 };
	struct po_error err = { 0 };
	const atomic_bool cancelled = true;

	assert_int_equal(listen(port_fd, 4), 0);
	http_response_init(&response);
	assert_int_equal(run((struct http_request){ .cancelled = &cancelled },
			     &response, &err),
			 PO_E_NETWORK);
	assert_non_null(strstr(err.text, "given up"));
}
