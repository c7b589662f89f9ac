/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/client.h"

#include "base/clock.h"
#include "base/environment.h"
#include "base/error_json.h"
#include "base/text.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HOST "http://localhost" /* any name; the socket says where */
#define JSON_TYPE "application/json"
#define STATUS_UNKNOWN 404
#define REMEDY "start one ('p11oauth agent'), or name its socket with --socket"

/* ---- the socket --------------------------------------------------------- */

static bool exists(const char *path)
{
	struct stat sb;

	return lstat(path, &sb) == 0;
}

static bool put_path(struct agent_client *c, const char *dir, const char *name)
{
	int n = snprintf(c->socket, sizeof(c->socket), "%s%s", dir, name);

	return n > 0 && (size_t)n < sizeof(c->socket);
}

enum po_status agent_client_init(struct agent_client *client,
				 const struct po_env *env, const char *named,
				 const char *configured, struct po_error *err)
{
	const char *path = named;
	const char *dir = environment_get("XDG_RUNTIME_DIR");

	*client =
		(struct agent_client){ .http = env->http, .clock = env->clock };
	if (!path)
		path = environment_get(AGENT_SOCKET_VARIABLE);
	if (!path)
		path = configured;
	client->is_named = path != NULL;
	if (path && !put_path(client, path, ""))
		return po_fail(err, PO_E_USAGE, ENAMETOOLONG,
			       "the agent's socket: a path has 1 to %d bytes, "
			       "not '%s'",
			       AGENT_SOCKET_SIZE - 1, path);
	if (!path && !(dir && put_path(client, dir, "/p11oauth/agent.sock") &&
		       exists(client->socket)))
		(void)put_path(client, AGENT_SYSTEM_SOCKET, "");
	return PO_OK;
}

static enum po_status fail_reach(struct agent_client *c, int why,
				 const char *words, struct po_error *err)
{
	c->trouble = why == EACCES || why == EPERM ? AGENT_NOT_FOR_US
						   : AGENT_NOT_RUNNING;
	if (c->trouble == AGENT_NOT_FOR_US)
		return po_fail(err, PO_E_AGENT, why,
			       "the agent at '%s' cannot be reached: %s; its "
			       "socket is for its owner and socket-group",
			       c->socket, words);
	return po_fail(err, PO_E_AGENT, why,
		       "no agent can be reached at '%s': %s; " REMEDY,
		       c->socket, words);
}

static enum po_status look(struct agent_client *c, struct stat *sb,
			   struct po_error *err)
{
	c->trouble = AGENT_FAILED;
	if (lstat(c->socket, sb) != 0)
		return fail_reach(c, errno, strerror(errno), err);
	if (!S_ISSOCK(sb->st_mode))
		return po_fail(err, PO_E_AGENT, ENOTSOCK,
			       "'%s' is no socket, so no agent listens there%s",
			       c->socket,
			       S_ISLNK(sb->st_mode)
				       ? "; it is a symbolic link: name the "
					 "socket itself"
				       : "");
	if (access(c->socket, W_OK) != 0 && errno == EACCES)
		return fail_reach(c, EACCES, strerror(EACCES), err);
	return PO_OK;
}

enum po_status agent_is_trusted(struct agent_client *client,
				struct po_error *err)
{
	struct stat sb = { 0 };
	enum po_status st = look(client, &sb, err);
	const struct passwd *owner;

	if (st != PO_OK || sb.st_uid == 0 || sb.st_uid == geteuid())
		return st;
	owner = getpwuid(sb.st_uid);
	return po_fail(err, PO_E_POLICY, 0,
		       "the agent's socket '%s' belongs to %s (uid %u), and a "
		       "PIN goes to root's or one's own only; run this as "
		       "that user",
		       client->socket, owner ? owner->pw_name : "nobody known",
		       (unsigned int)sb.st_uid);
}

/* ---- answers ------------------------------------------------------------ */

static enum po_status fail_nonsense(const struct agent_client *c, long native,
				    const char *what, struct po_error *err)
{
	return po_fail(err, PO_E_AGENT, native,
		       "the agent at '%s' answered nonsense: %s", c->socket,
		       what);
}

/* The agent's own error, as it was there. */
static enum po_status take_error(struct agent_client *c,
				 const struct http_response *r,
				 const json_t *answer, struct po_error *err)
{
	const json_t *error = json_object_get(answer, "error");
	const char *name = json_text(error, "status");
	struct po_error why = { 0 };

	if (!error_from_json(error, &why) || !name || !*why.text ||
	    strcmp(name, po_status_name(why.status)) != 0)
		return fail_nonsense(c, r->status, "an error without its words",
				     err);
	if (r->status == STATUS_UNKNOWN && why.status == PO_E_CONFIG)
		c->trouble = AGENT_NO_PROFILE;
	return po_fail(err, why.status, why.native, "%s", why.text);
}

static enum po_status read_answer(struct agent_client *c,
				  const struct http_response *r,
				  json_t **ret_answer, struct po_error *err)
{
	json_auto_t *answer = NULL;
	struct po_error why = { 0 };

	if (json_parse_object(buf_text(&r->body), r->body.len, &answer, &why) !=
	    PO_OK)
		return fail_nonsense(c, r->status, why.text, err);
	if (r->status >= 400)
		return take_error(c, r, answer, err);
	if (r->status != 200)
		return fail_nonsense(c, r->status, "a status of its own", err);
	*ret_answer = po_steal(answer);
	return PO_OK;
}

/* ---- requests ----------------------------------------------------------- */

struct question {
	enum http_method method;
	const char *path; /* with its query */
	const struct secret *body;
	int64_t timeout_s;
	bool has_pin;
};

/* No answer: the words of the lower layer are about a URL that means nothing
 * here. */
static enum po_status no_answer(struct agent_client *c,
				const struct http_response *r,
				enum po_status st, const struct po_error *why,
				struct po_error *err)
{
	const char *words = strstr(why->text, ": ");

	words = words ? words + 2 : why->text;
	if (st == PO_E_NETWORK && r->failure == HTTP_FAILED_CONNECT)
		return fail_reach(c, ECONNREFUSED, words, err);
	if (st == PO_E_NETWORK || st == PO_E_SERVER)
		return po_fail(err, PO_E_AGENT, why->native,
			       "the agent at '%s' gave no answer: %s",
			       c->socket, words);
	return po_fail(err, st, why->native, "%s", why->text);
}

/* The path may have been given another meaning since agent_is_trusted(). */
static enum po_status check_listener(uid_t uid, struct po_error *err)
{
	if (uid == 0 || uid == geteuid())
		return PO_OK;
	return po_fail(err, PO_E_POLICY, 0,
		       "uid %u listens on the agent's socket, and a PIN goes "
		       "to root or oneself only",
		       (unsigned int)uid);
}

static enum po_status ask(struct agent_client *c, const struct question *q,
			  struct http_response *response, json_t **ret_answer,
			  struct po_error *err)
{
	po_auto_buf url = { 0 };
	struct http_request request = {
		.method = q->method,
		.accept = JSON_TYPE,
		.content_type = JSON_TYPE,
		.body = q->body,
		.timeout_ms = q->timeout_s * 1000,
		.unix_socket = c->socket,
		.check_listener = q->has_pin ? check_listener : NULL,
	};
	struct po_error why = { 0 };
	struct stat sb;
	enum po_status st = look(c, &sb, err);

	if (st != PO_OK)
		return st;
	buf_init(&url, HTTP_URL_MAX);
	if (!buf_adds(&url, HOST) || !buf_adds(&url, q->path))
		return po_no_memory(err);
	request.url = buf_text(&url);
	st = c->http->perform(c->http, &request, response, &why);
	if (st != PO_OK)
		return no_answer(c, response, st, &why, err);
	st = read_answer(c, response, ret_answer, err);
	if (st == PO_OK)
		c->trouble = AGENT_NO_TROUBLE;
	return st;
}

/* Percent-encodes what is not unreserved (RFC 3986 section 2.3). */
static bool add_encoded(struct buf *out, const char *text)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz"
				    "0123456789-._~";

	for (; *text; text++)
		if (strchr(plain, *text)
			    ? !buf_add(out, text, 1)
			    : !buf_addf(out, "%%%02X", (unsigned char)*text))
			return false;
	return true;
}

/* ---- an access token ---------------------------------------------------- */

static bool add_query(struct buf *out, const struct agent_token_request *r)
{
	if (!buf_addf(out, "?min_valid=%lld&wait=%lld",
		      (long long)r->min_valid_s, (long long)r->wait_s))
		return false;
	if (r->scope &&
	    (!buf_adds(out, "&scope=") || !add_encoded(out, r->scope)))
		return false;
	return !r->force_new || buf_adds(out, "&force_new=1");
}

/* What the agent promises of its answer, besides RFC 6749. */
static enum po_status check_life(const struct agent_client *c,
				 struct access_token *t, struct po_error *err)
{
	const json_t *in = json_object_get(t->answer, "expires_in");
	const json_t *at = json_object_get(t->answer, "expires_at");

	if (!json_is_integer(in) || !json_is_integer(at))
		return fail_nonsense(c, 0, "an access token without its end",
				     err);
	t->expires_in_s = json_integer_value(in);
	t->expires_at_s = json_integer_value(at);
	t->expiry_is_assumed =
		json_is_true(json_object_get(t->answer, "expires_in_assumed"));
	return PO_OK;
}

static bool has_ended(const struct agent_client *c,
		      const struct access_token *t)
{
	return !t || t->expires_in_s <= 0 ||
	       t->expires_at_s <= clock_now_s(c->clock);
}

static enum po_status ask_for_token(struct agent_client *client,
				    const struct question *q,
				    struct access_token **ret_token,
				    struct po_error *err)
{
	po_auto_http_response response = { 0 };
	po_auto(access_token) *token = NULL;
	json_auto_t *answer = NULL;
	struct po_error why = { 0 };
	enum po_status st;

	http_response_init(&response);
	st = ask(client, q, &response, &answer, err);
	if (st != PO_OK)
		return st;
	client->trouble = AGENT_FAILED;
	if (access_token_read(&response, clock_now_s(client->clock), &token,
			      &why) != PO_OK ||
	    !token)
		return fail_nonsense(client, response.status, why.text, err);
	st = check_life(client, token, err);
	if (st != PO_OK)
		return st;
	client->trouble = AGENT_NO_TROUBLE;
	*ret_token = po_steal(token);
	return PO_OK;
}

enum po_status agent_get_token(struct agent_client *client,
			       const struct agent_token_request *request,
			       struct access_token **ret_token,
			       struct po_error *err)
{
	po_auto(access_token) *token = NULL;
	po_auto_buf path = { 0 };
	struct question q = { .method = HTTP_GET,
			      .timeout_s = request->wait_s + AGENT_TIMEOUT_S };
	enum po_status st;

	buf_init(&path, HTTP_URL_MAX - sizeof(HOST));
	if (!buf_adds(&path, "/v1/token/") ||
	    !add_encoded(&path, request->profile) || !add_query(&path, request))
		return po_fail(err, PO_E_USAGE, 0,
			       "the scope is too long for a request to the "
			       "agent");
	q.path = buf_text(&path);
	st = ask_for_token(client, &q, &token, err);
	if (st == PO_OK && has_ended(client, token)) { /* on its way */
		access_token_free(token);
		token = NULL;
		st = ask_for_token(client, &q, &token, err);
	}
	if (st != PO_OK)
		return st;
	if (has_ended(client, token)) {
		client->trouble = AGENT_FAILED;
		return fail_nonsense(client, 0,
				     "an access token that has ended", err);
	}
	*ret_token = po_steal(token);
	return PO_OK;
}

/* ---- what it holds ------------------------------------------------------ */

static bool has_profiles(const json_t *answer)
{
	const json_t *list = json_object_get(answer, "profiles");

	if (!json_is_array(list))
		return false;
	for (size_t i = 0; i < json_array_size(list); i++)
		if (!json_text(json_array_get(list, i), "name"))
			return false;
	return true;
}

static enum po_status get(struct agent_client *c, const char *path,
			  json_t **ret_answer, struct po_error *err)
{
	const struct question q = { .method = HTTP_GET,
				    .path = path,
				    .timeout_s = AGENT_ASK_TIMEOUT_S };
	po_auto_http_response response = { 0 };
	json_auto_t *answer = NULL;
	enum po_status st;

	http_response_init(&response);
	st = ask(c, &q, &response, &answer, err);
	if (st != PO_OK)
		return st;
	if (!has_profiles(answer)) {
		c->trouble = AGENT_FAILED;
		return fail_nonsense(c, response.status, "no list of profiles",
				     err);
	}
	*ret_answer = po_steal(answer);
	return PO_OK;
}

enum po_status agent_get_status(struct agent_client *client,
				json_t **ret_status, struct po_error *err)
{
	return get(client, "/v1/status", ret_status, err);
}

enum po_status agent_get_profiles(struct agent_client *client,
				  json_t **ret_profiles, struct po_error *err)
{
	return get(client, "/v1/profiles", ret_profiles, err);
}

/* ---- unlock and lock ---------------------------------------------------- */

#define ESCAPED_MAX 6 /* bytes of "\u001f", the longest of a byte */
#define BODY_ROOM 64  /* for braces and names of members */

/* A JSON string (RFC 8259 section 7), straight into the secret. */
static enum po_status add_string(struct secret *out, const char *text,
				 struct po_error *err)
{
	enum po_status st = secret_append(out, "\"", 1, err);

	for (; st == PO_OK && *text; text++) {
		static const char hex[] = "0123456789abcdef";
		unsigned char c = (unsigned char)*text;
		const char escape[ESCAPED_MAX] = { '\\',        'u',
						   '0',         '0',
						   hex[c >> 4], hex[c & 15] };

		if (c < ' ' || c == '"' || c == '\\')
			st = secret_append(out, escape, sizeof(escape), err);
		else
			st = secret_append(out, text, 1, err);
	}
	return st == PO_OK ? secret_append(out, "\"", 1, err) : st;
}

static enum po_status add_text(struct secret *out, const char *text,
			       struct po_error *err)
{
	return secret_append(out, text, strlen(text), err);
}

/* {}, {"profile":"…"} or {"profile":"…","pin":"…"} */
static enum po_status make_body(const char *profile, const struct secret *pin,
				struct secret **ret_body, struct po_error *err)
{
	size_t len =
		(profile ? strlen(profile) : 0) + (pin ? secret_len(pin) : 0);
	po_auto(secret) *body = NULL;
	enum po_status st;

	if (profile && !text_is_utf8(profile, strlen(profile)))
		return po_fail(err, PO_E_USAGE, 0,
			       "the profile's name is not UTF-8 text");
	body = secret_new(ESCAPED_MAX * len + BODY_ROOM);
	if (!body)
		return po_no_memory(err);
	st = add_text(body, profile ? "{\"profile\":" : "{", err);
	if (st == PO_OK && profile)
		st = add_string(body, profile, err);
	if (st == PO_OK && pin)
		st = add_text(body, ",\"pin\":", err);
	if (st == PO_OK && pin)
		st = add_string(body, secret_reveal(pin), err);
	if (st == PO_OK)
		st = add_text(body, "}", err);
	if (st == PO_OK)
		*ret_body = po_steal(body);
	return st;
}

static enum po_status post(struct agent_client *c, const char *path,
			   const struct secret *body, bool has_pin,
			   json_t **ret_answer, struct po_error *err)
{
	const struct question q = { .method = HTTP_POST,
				    .path = path,
				    .body = body,
				    .timeout_s = AGENT_TIMEOUT_S,
				    .has_pin = has_pin };
	po_auto_http_response response = { 0 };

	http_response_init(&response);
	return ask(c, &q, &response, ret_answer, err);
}

enum po_status agent_unlock(struct agent_client *client, const char *profile,
			    const struct secret *pin, json_t **ret_answer,
			    struct po_error *err)
{
	po_auto(secret) *body = NULL;
	json_auto_t *answer = NULL;
	enum po_status st = pin ? agent_is_trusted(client, err) : PO_OK;

	if (st == PO_OK)
		st = make_body(profile, pin, &body, err);
	if (st == PO_OK)
		st = post(client, "/v1/unlock", body, pin != NULL, &answer,
			  err);
	if (st != PO_OK)
		return st;
	if (!json_text(answer, "profile") ||
	    !json_is_object(json_object_get(answer, "token"))) {
		client->trouble = AGENT_FAILED;
		return fail_nonsense(client, 0,
				     "it does not say what it "
				     "unlocked",
				     err);
	}
	*ret_answer = po_steal(answer);
	return PO_OK;
}

enum po_status agent_lock(struct agent_client *client, const char *profile,
			  json_t **ret_answer, struct po_error *err)
{
	po_auto(secret) *body = NULL;
	json_auto_t *answer = NULL;
	enum po_status st = make_body(profile, NULL, &body, err);

	if (st == PO_OK)
		st = post(client, "/v1/lock", body, /* has_pin= */ false,
			  &answer, err);
	if (st != PO_OK)
		return st;
	if (!json_is_array(json_object_get(answer, "locked"))) {
		client->trouble = AGENT_FAILED;
		return fail_nonsense(client, 0,
				     "it does not say what it "
				     "locked",
				     err);
	}
	*ret_answer = po_steal(answer);
	return PO_OK;
}
