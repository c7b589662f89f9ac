/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's client: what is asked, and what becomes of each answer. */
#include "agent/client.h"

#include "base/environment.h"
#include "fake-clock.h"
#include "freed.h"
#include "response.h"
#include "unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define NOW_S 1700000000
#define CANARY_PIN "canary-pin\"\\7"
#define ENDS ",\"expires_in\":60,\"expires_at\":1700000060"
#define TOKEN "{\"access_token\":\"canary-token\",\"token_type\":\"Bearer\""

static char dir[] = "agent-client-test-XXXXXX";
static char socket_path[AGENT_SOCKET_SIZE];
static int listener = -1;

static struct fake_clock fixed; /* at NOW_S */

/* A client that gives the answer that it was given. */
static uid_t pretended_euid = (uid_t)-1; /* no: what it is */

uid_t __real_geteuid(void); /* NOLINT */
uid_t __wrap_geteuid(void); /* NOLINT */
uid_t __wrap_geteuid(void)  /* NOLINT */
{
	return pretended_euid == (uid_t)-1 ? __real_geteuid() : pretended_euid;
}

struct fake {
	struct http_client client; /* first */
	long http_status;
	const char *body;
	const char *body_then; /* from the second call on; NULL: the same */
	enum po_status status;
	enum http_failure failure;
	uid_t listener;
	unsigned int calls;
	struct http_request seen; /* its pointers are not followed */
	char url[1024];
	char sent[1024];
};

static enum po_status perform(struct http_client *client,
			      const struct http_request *request,
			      struct http_response *response,
			      struct po_error *err)
{
	struct fake *fake = (struct fake *)(void *)client;

	fake->calls++;
	fake->seen = *request;
	(void)snprintf(fake->url, sizeof(fake->url), "%s", request->url);
	if (request->body)
		(void)snprintf(fake->sent, sizeof(fake->sent), "%s",
			       secret_reveal(request->body));
	response->failure = fake->failure;
	if (request->check_listener &&
	    request->check_listener(fake->listener, err) != PO_OK)
		return PO_E_POLICY;
	if (fake->status != PO_OK)
		return po_fail(err, fake->status, 7, "%s: in curl's words",
			       request->url);
	http_response_clear(response);
	if (fake->calls > 1 && fake->body_then)
		fake->body = fake->body_then;
	response_make(response, fake->http_status, "application/json",
		      fake->body, strlen(fake->body));
	return PO_OK;
}

static void client_of(struct fake *fake, struct agent_client *c)
{
	const struct po_env env = { .clock = &fixed.clock,
				    .http = &fake->client };

	fake->client.perform = perform;
	assert_int_equal(agent_client_init(c, &env, socket_path, NULL, NULL),
			 PO_OK);
}

BEFORE_ALL
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int n;

	freed_hook_openssl();
	json_use_wiping_allocator();
	fake_clock_init(&fixed, NOW_S);
	assert_non_null(mkdtemp(dir));
	n = snprintf(socket_path, sizeof(socket_path), "%s/s", dir);
	assert_true(n > 0 && (size_t)n < sizeof(socket_path));
	memcpy(address.sun_path, socket_path, (size_t)n);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listener >= 0);
	assert_int_equal(bind(listener, (const struct sockaddr *)&address,
			      sizeof(address)),
			 0);
}

AFTER_ALL
{
	(void)close(listener);
	(void)unlink(socket_path);
	(void)rmdir(dir);
}

/* ---- an access token ---------------------------------------------------- */

TEST(good_access_token)
{
	const struct agent_token_request request = { .profile = "a b/c",
						     .scope = "x/*.read y",
						     .min_valid_s = 5,
						     .wait_s = 7,
						     .force_new = true };
	struct fake fake = { .http_status = 200, .body = TOKEN ENDS "}" };
	po_auto(access_token) *token = NULL;
	struct agent_client c;

	client_of(&fake, &c);
	assert_int_equal(agent_get_token(&c, &request, &token, NULL), PO_OK);
	assert_string_equal(secret_reveal(token->value), "canary-token");
	assert_int_equal(token->expires_in_s, 60);
	assert_int_equal(token->expires_at_s, NOW_S + 60);
	assert_false(token->expiry_is_assumed);
	assert_int_equal(c.trouble, AGENT_NO_TROUBLE);
	assert_string_equal(fake.url, "http://localhost/v1/token/a%20b%2Fc"
				      "?min_valid=5&wait=7"
				      "&scope=x%2F%2A.read%20y&force_new=1");
	assert_ptr_equal(fake.seen.unix_socket, c.socket);
	/* the wait of the caller, and then some */
	assert_true(fake.seen.timeout_ms >= (7 + 120) * 1000);
}

TEST(assumed_life_is_told)
{
	const struct agent_token_request request = { .profile = "p" };
	struct fake fake = { .http_status = 200,
			     .body = TOKEN ENDS
			     ",\"expires_in_assumed\":true}" };
	po_auto(access_token) *token = NULL;
	struct agent_client c;

	client_of(&fake, &c);
	assert_int_equal(agent_get_token(&c, &request, &token, NULL), PO_OK);
	assert_true(token->expiry_is_assumed);
	assert_string_equal(fake.url,
			    "http://localhost/v1/token/p?min_valid=0&wait=0");
}

#define ERROR(exit, status, message)                           \
	"{\"error\":{\"status\":\"" status "\",\"exit\":" exit \
	",\"message\":\"" message "\",\"native\":42}}"

struct bad {
	const char *name;
	long http_status;
	const char *body;
	enum po_status status;
	long native;
	enum agent_trouble trouble;
	const char *said; /* the whole text when it starts with '=' */
};

static const struct bad bad[] = {
	{ "policy", 403, ERROR("15", "policy", "not you"), PO_E_POLICY, 42,
	  AGENT_FAILED, "=not you" },
	{ "locked", 423, ERROR("7", "pin", "profile 'p': a PIN is needed"),
	  PO_E_PIN, 42, AGENT_FAILED, "=profile 'p': a PIN is needed" },
	{ "unknown profile", 404, ERROR("3", "config", "no profile 'p'"),
	  PO_E_CONFIG, 42, AGENT_NO_PROFILE, "=no profile 'p'" },
	{ "another fault of its configuration", 500,
	  ERROR("3", "config", "broken"), PO_E_CONFIG, 42, AGENT_FAILED,
	  "=broken" },
	{ "no such path", 404, ERROR("2", "usage", "no such path"), PO_E_USAGE,
	  42, AGENT_FAILED, "=no such path" },
	{ "empty", 200, "", PO_E_AGENT, 200, AGENT_FAILED, "nonsense" },
	{ "garbage", 200, "<html>", PO_E_AGENT, 200, AGENT_FAILED, "not JSON" },
	{ "array", 200, "[]", PO_E_AGENT, 200, AGENT_FAILED, "object" },
	{ "no members", 200, "{}", PO_E_AGENT, 200, AGENT_FAILED, "nonsense" },
	{ "no access token", 200, "{\"token_type\":\"Bearer\"" ENDS "}",
	  PO_E_AGENT, 200, AGENT_FAILED, "no access token" },
	{ "empty access token", 200,
	  "{\"access_token\":\"\",\"token_type\":\"Bearer\"" ENDS "}",
	  PO_E_AGENT, 200, AGENT_FAILED, "nonsense" },
	{ "no end", 200, TOKEN "}", PO_E_AGENT, 0, AGENT_FAILED,
	  "without its end" },
	{ "no expires_at", 200, TOKEN ",\"expires_in\":60}", PO_E_AGENT, 0,
	  AGENT_FAILED, "without its end" },
	{ "expired by expires_in", 200,
	  TOKEN ",\"expires_in\":0,\"expires_at\":1700000060}", PO_E_AGENT, 0,
	  AGENT_FAILED, "has ended" },
	{ "expired by expires_at", 200,
	  TOKEN ",\"expires_in\":60,\"expires_at\":1700000000}", PO_E_AGENT, 0,
	  AGENT_FAILED, "has ended" },
	{ "error beside an access token", 200, TOKEN ENDS ",\"error\":\"x\"}",
	  PO_E_AGENT, 200, AGENT_FAILED, "nonsense" },
	{ "error without JSON", 500, "oops", PO_E_AGENT, 500, AGENT_FAILED,
	  "not JSON" },
	{ "error without its object", 403, "{\"error\":\"policy\"}", PO_E_AGENT,
	  403, AGENT_FAILED, "without its words" },
	{ "error whose exit is a success", 500, ERROR("0", "ok", "fine"),
	  PO_E_AGENT, 500, AGENT_FAILED, "without its words" },
	{ "error whose exit is not ours", 500, ERROR("77", "policy", "x"),
	  PO_E_AGENT, 500, AGENT_FAILED, "without its words" },
	{ "error whose word and exit differ", 403, ERROR("7", "policy", "x"),
	  PO_E_AGENT, 403, AGENT_FAILED, "without its words" },
	{ "error without a message", 403, ERROR("15", "policy", ""), PO_E_AGENT,
	  403, AGENT_FAILED, "without its words" },
	{ "another success", 204, TOKEN ENDS "}", PO_E_AGENT, 204, AGENT_FAILED,
	  "status of its own" },
	{ "redirect", 302, "{}", PO_E_AGENT, 302, AGENT_FAILED,
	  "status of its own" },
};

static void must_say(const struct po_error *err, const char *said)
{
	if (*said == '=')
		assert_string_equal(err->text, said + 1);
	else if (!strstr(err->text, said))
		fail_msg("'%s' is not in '%s'", said, err->text);
	assert_null(strstr(err->text, "canary"));
}

ROWS(bad, bad_row)
{
	const struct agent_token_request request = { .profile = "p" };
	struct fake fake = { .http_status = row->http_status,
			     .body = row->body };
	po_auto(access_token) *token = NULL;
	struct po_error err = { 0 };
	struct agent_client c;

	client_of(&fake, &c);
	assert_int_equal(agent_get_token(&c, &request, &token, &err),
			 row->status);
	assert_null(token);
	assert_int_equal(err.status, row->status);
	assert_int_equal(err.native, row->native);
	assert_int_equal(c.trouble, row->trouble);
	must_say(&err, row->said);
	assert_true(fake.calls <= 2);
}

TEST(one_that_ends_on_its_way_is_asked_for_again)
{
	const struct agent_token_request request = { .profile = "p" };
	struct fake fake = {
		.http_status = 200,
		.body = TOKEN ",\"expires_in\":1,\"expires_at\":1700000000}",
		.body_then = TOKEN ENDS "}",
	};
	po_auto(access_token) *token = NULL;
	struct agent_client c;

	client_of(&fake, &c);
	assert_int_equal(agent_get_token(&c, &request, &token, NULL), PO_OK);
	assert_string_equal(secret_reveal(token->value), "canary-token");
	assert_int_equal(c.trouble, AGENT_NO_TROUBLE);
	assert_int_equal(fake.calls, 2);
}

/* ---- nobody there ------------------------------------------------------- */

struct silence {
	const char *name;
	enum po_status http; /* of the lower layer */
	enum http_failure failure;
	enum po_status status;
	enum agent_trouble trouble;
	const char *said;
};

static const struct silence silences[] = {
	{ "refused", PO_E_NETWORK, HTTP_FAILED_CONNECT, PO_E_AGENT,
	  AGENT_NOT_RUNNING, "in curl's words; start one" },
	{ "cut off", PO_E_NETWORK, HTTP_FAILED_LATER, PO_E_AGENT, AGENT_FAILED,
	  "gave no answer: in curl's words" },
	{ "endless", PO_E_SERVER, HTTP_FAILED_LATER, PO_E_AGENT, AGENT_FAILED,
	  "gave no answer" },
	{ "interrupted", PO_E_USER, HTTP_FAILED_LATER, PO_E_USER, AGENT_FAILED,
	  "in curl's words" },
};

ROWS(silences, silence_row)
{
	struct fake fake = { .status = row->http, .failure = row->failure };
	json_auto_t *answer = NULL;
	struct po_error err = { 0 };
	struct agent_client c;

	client_of(&fake, &c);
	assert_int_equal(agent_get_status(&c, &answer, &err), row->status);
	assert_null(answer);
	assert_int_equal(c.trouble, row->trouble);
	must_say(&err, row->said);
	if (row->status == PO_E_AGENT)
		must_say(&err, socket_path);
}

TEST(no_socket)
{
	struct fake fake = { .http_status = 200, .body = "{\"profiles\":[]}" };
	json_auto_t *answer = NULL;
	struct po_error err = { 0 };
	struct agent_client c;

	client_of(&fake, &c);
	(void)snprintf(c.socket, sizeof(c.socket), "%s/absent", dir);
	assert_int_equal(agent_get_status(&c, &answer, &err), PO_E_AGENT);
	assert_int_equal(err.native, ENOENT);
	assert_int_equal(c.trouble, AGENT_NOT_RUNNING);
	must_say(&err, "/absent': No such file or directory; start one");
	po_error_clear(&err);
	(void)snprintf(c.socket, sizeof(c.socket), "%s", dir);
	assert_int_equal(agent_get_status(&c, &answer, &err), PO_E_AGENT);
	assert_int_equal(c.trouble, AGENT_FAILED);
	must_say(&err, "is no socket");
	assert_int_equal(fake.calls, 0);
}

/* ---- where it is -------------------------------------------------------- */

static void where(const char *named, const char *variable,
		  const char *configured, const char *runtime, const char *want,
		  bool is_named)
{
	const struct po_env env = { .clock = &fixed.clock };
	struct agent_client c;

	assert_int_equal(setenv(AGENT_SOCKET_VARIABLE, variable, 1), 0);
	assert_int_equal(setenv("XDG_RUNTIME_DIR", runtime, 1), 0);
	assert_int_equal(agent_client_init(&c, &env, named, configured, NULL),
			 PO_OK);
	assert_string_equal(c.socket, want);
	assert_int_equal(c.is_named, is_named);
	assert_int_equal(unsetenv(AGENT_SOCKET_VARIABLE), 0);
	assert_int_equal(unsetenv("XDG_RUNTIME_DIR"), 0);
}

TEST(search_order)
{
	char below[64], path[AGENT_SOCKET_SIZE];
	int fd;

	where("/option", "/variable", "/file", dir, "/option", true);
	where(NULL, "/variable", "/file", dir, "/variable", true);
	where(NULL, "", "/file", dir, "/file", true);
	where(NULL, "", NULL, dir, AGENT_SYSTEM_SOCKET, false);
	(void)snprintf(below, sizeof(below), "%s/p11oauth", dir);
	(void)snprintf(path, sizeof(path), "%s/p11oauth/agent.sock", dir);
	assert_int_equal(mkdir(below, 0700), 0);
	fd = creat(path, 0600);
	assert_true(fd >= 0);
	assert_int_equal(close(fd), 0);
	where(NULL, "", NULL, dir, path, false);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(rmdir(below), 0);
}

TEST(longest_path)
{
	const struct po_env env = { .clock = &fixed.clock };
	char path[AGENT_SOCKET_SIZE + 1];
	struct po_error err = { 0 };
	struct agent_client c;

	memset(path, 'x', sizeof(path));
	path[AGENT_SOCKET_SIZE - 1] = '\0';
	assert_int_equal(agent_client_init(&c, &env, path, NULL, NULL), PO_OK);
	assert_string_equal(c.socket, path);
	path[AGENT_SOCKET_SIZE - 1] = 'x';
	path[AGENT_SOCKET_SIZE] = '\0';
	assert_int_equal(agent_client_init(&c, &env, path, NULL, &err),
			 PO_E_USAGE);
	must_say(&err, "1 to 107 bytes");
}

/* ---- what it holds ------------------------------------------------------ */

TEST(lists_are_lists)
{
	static const char *const not [] = {
		"{}",
		"{\"profiles\":{}}",
		"{\"profiles\":[1]}",
		"{\"profiles\":[{\"allowed\":true}]}",
	};
	struct agent_client c;

	for (size_t i = 0; i < PO_ARRAY_SIZE(not ); i++) {
		struct fake fake = { .http_status = 200, .body = not [i] };
		json_auto_t *answer = NULL;

		client_of(&fake, &c);
		assert_int_equal(agent_get_status(&c, &answer, NULL),
				 PO_E_AGENT);
		assert_int_equal(agent_get_profiles(&c, &answer, NULL),
				 PO_E_AGENT);
		assert_string_equal(fake.url, "http://localhost/v1/profiles");
		assert_null(answer);
	}
}

/* ---- unlock and lock ---------------------------------------------------- */

TEST(pin_goes_nowhere_else)
{
	struct fake fake = {
		.http_status = 200,
		.body = "{\"profile\":\"p\",\"token\":{\"label\":\"t\"}}",
	};
	po_auto(secret) *pin = secret_from(CANARY_PIN, strlen(CANARY_PIN));
	json_auto_t *answer = NULL;
	json_auto_t *sent = NULL;
	struct agent_client c;
	unsigned int left;

	client_of(&fake, &c);
	freed_look_for("canary-pin", 10);
	assert_int_equal(agent_unlock(&c, "p", pin, &answer, NULL), PO_OK);
	left = freed_with_canary();
	assert_int_equal(left, 0);
	assert_string_equal(fake.url, "http://localhost/v1/unlock");
	assert_int_equal(fake.seen.method, HTTP_POST);
	assert_string_equal(fake.seen.content_type, "application/json");
	sent = json_loads(fake.sent, 0, NULL); /* the other way round */
	assert_string_equal(json_text(sent, "profile"), "p");
	assert_string_equal(json_text(sent, "pin"), CANARY_PIN);
	assert_int_equal(json_object_size(sent), 2);
}

TEST(unlock_without_a_pin)
{
	struct fake fake = { .http_status = 200,
			     .body = "{\"profile\":\"p\"}" };
	json_auto_t *answer = NULL;
	struct agent_client c;

	client_of(&fake, &c);
	assert_int_equal(agent_unlock(&c, "p", NULL, &answer, NULL),
			 PO_E_AGENT); /* which token? */
	assert_string_equal(fake.sent, "{\"profile\":\"p\"}");
	assert_null(answer);
}

/* No PIN for a socket of another user: root gives it away, anybody else is
 * another than the one who made it. */
TEST(socket_of_another)
{
	struct fake fake = { .http_status = 200, .body = "{}" };
	po_auto(secret) *pin = secret_from("canary", 6);
	json_auto_t *answer = NULL;
	struct po_error err = { 0 };
	struct agent_client c;
	uid_t us = geteuid();
	bool is_root = us == 0;
	enum po_status st;
	char owner[32];

	client_of(&fake, &c);
	(void)snprintf(owner, sizeof(owner), "(uid %u)", is_root ? 65534 : us);
	if (is_root)
		assert_int_equal(chown(socket_path, 65534, 65534), 0);
	else
		pretended_euid = us + 1;
	st = agent_unlock(&c, "p", pin, &answer, &err);
	pretended_euid = (uid_t)-1;
	assert_int_equal(chown(socket_path, us, (gid_t)-1), 0);
	assert_int_equal(st, PO_E_POLICY);
	must_say(&err, owner);
	assert_int_equal(fake.calls, 0);
}

/* The socket was ours when it was looked at. */
TEST(listener_is_another)
{
	struct fake fake = { .http_status = 200,
			     .body = "{\"profile\":\"p\",\"token\":{}}",
			     .listener = geteuid() + 1 };
	po_auto(secret) *pin = secret_from("canary", 6);
	json_auto_t *answer = NULL;
	struct po_error err = { 0 };
	struct agent_client c;

	client_of(&fake, &c);
	assert_int_equal(agent_unlock(&c, "p", pin, &answer, &err),
			 PO_E_POLICY);
	must_say(&err, "listens on the agent's socket");
	/* without a PIN it does not matter */
	assert_int_equal(agent_unlock(&c, "p", NULL, &answer, NULL), PO_OK);
}

TEST(socket_behind_a_link)
{
	struct fake fake = { .http_status = 200, .body = "{}" };
	po_auto(secret) *pin = secret_from("canary", 6);
	json_auto_t *answer = NULL;
	struct po_error err = { 0 };
	struct agent_client c;

	client_of(&fake, &c);
	(void)snprintf(c.socket, sizeof(c.socket), "%s/link", dir);
	assert_int_equal(symlink("s", c.socket), 0);
	assert_int_equal(agent_unlock(&c, "p", pin, &answer, &err), PO_E_AGENT);
	assert_int_equal(unlink(c.socket), 0);
	must_say(&err, "symbolic link");
	assert_int_equal(fake.calls, 0);
}

TEST(lock_says_what)
{
	struct fake fake = { .http_status = 200,
			     .body = "{\"locked\":[\"a\"]}" };
	json_auto_t *answer = NULL;
	struct agent_client c;

	client_of(&fake, &c);
	assert_int_equal(agent_lock(&c, NULL, &answer, NULL), PO_OK);
	assert_string_equal(fake.sent, "{}");
	assert_int_equal(json_array_size(json_object_get(answer, "locked")), 1);
	json_decref(po_steal(answer));
	fake.body = "{\"locked\":true}";
	assert_int_equal(agent_lock(&c, "x", &answer, NULL), PO_E_AGENT);
	assert_string_equal(fake.sent, "{\"profile\":\"x\"}");
	assert_null(answer);
}
