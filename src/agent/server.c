/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/server.h"

#include "agent/microhttpd.h"
#include "base/log.h"
#include "base/text.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct server {
	const struct microhttpd *mhd;
	struct MHD_Daemon *daemon;
	struct server_events events;
	int epoll_fd;     /* the daemon's */
	bool has_resumed; /* a connection, which the descriptor does not tell */
};

struct peer { /* of one connection */
	struct requester requester;
	struct peer_ids ids;
	bool is_known;
};

struct server_request {
	struct server *server;
	struct MHD_Connection *connection;
	struct peer *peer;
	char *method, *path;
	struct secret *body;
	bool is_too_long;
	bool was_asked;    /* the routes have it */
	bool is_suspended; /* … and have not answered yet */
	bool is_answered;
	struct MHD_Response *response; /* owned; NULL: memory was out */
	unsigned int status;
};

/* ---- who is there ------------------------------------------------------- */

static void read_groups(int fd, struct peer_ids *ids, gid_t primary)
{
	socklen_t len = sizeof(ids->gids);

	ids->gid_count = 0;
#ifdef SO_PEERGROUPS
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, ids->gids, &len) == 0)
		ids->gid_count = len / sizeof(gid_t);
#endif
	for (size_t i = 0; i < ids->gid_count; i++)
		if (ids->gids[i] == primary)
			return;
	if (ids->gid_count < PO_ARRAY_SIZE(ids->gids))
		ids->gids[ids->gid_count++] = primary;
}

static void identify(struct server *s, int fd, struct peer *peer)
{
	struct ucred ucred = { 0 };
	socklen_t len = sizeof(ucred);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &ucred, &len) != 0)
		return;
	peer->ids.uid = ucred.uid;
	read_groups(fd, &peer->ids, ucred.gid);
	peer->requester.uid = ucred.uid;
	peer->requester.gid = ucred.gid;
	peer->requester.pid = ucred.pid;
	s->events.look(s->events.user, &peer->requester);
	peer->is_known = true;
}

static void on_connection(void *user, struct MHD_Connection *connection,
			  void **of_connection,
			  enum MHD_ConnectionNotificationCode code)
{
	struct server *s = user;
	const union MHD_ConnectionInfo *info;
	struct peer *peer;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		free(*of_connection);
		*of_connection = NULL;
		return;
	}
	info = s->mhd->get_connection_info(connection,
					   MHD_CONNECTION_INFO_CONNECTION_FD);
	peer = calloc(1, sizeof(*peer));
	if (peer && info)
		identify(s, info->connect_fd, peer);
	*of_connection = peer;
}

/* ---- a request comes in ------------------------------------------------- */

static struct server_request *request_new(struct server *s,
					  struct MHD_Connection *connection,
					  const char *method, const char *path)
{
	const union MHD_ConnectionInfo *info = s->mhd->get_connection_info(
		connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct server_request *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->server = s;
	r->connection = connection;
	r->peer = info ? info->socket_context : NULL;
	r->method = text_dup(method);
	r->path = text_dup(path);
	if (r->method && r->path && r->peer && r->peer->is_known)
		return r;
	free(r->method);
	free(r->path);
	free(r);
	return NULL; /* MHD closes the connection */
}

static void request_free(struct server_request *r)
{
	if (r->response)
		r->server->mhd->destroy_response(r->response);
	secret_free(r->body);
	free(r->method);
	free(r->path);
	free(r);
}

static void on_completed(void *user, struct MHD_Connection *connection,
			 void **of_request,
			 enum MHD_RequestTerminationCode code)
{
	(void)user;
	(void)connection;
	(void)code;
	if (*of_request)
		request_free(*of_request);
	*of_request = NULL;
}

/* What was uploaded may be a PIN: it does not stay in MHD's memory. */
static void take_upload(struct server_request *r, const char *data, size_t len)
{
	union {
		const char *borrowed;
		char *writable;
	} upload = { data };

	if (!r->body)
		r->body = secret_new(SERVER_BODY_MAX);
	if (!r->body || secret_append(r->body, data, len, NULL) != PO_OK)
		r->is_too_long = true;
	OPENSSL_cleanse(upload.writable, len);
}

/* Without one the connection is closed. */
static enum MHD_Result put_answer(struct server_request *r)
{
	if (!r->response)
		return MHD_NO;
	return r->server->mhd->queue_response(r->connection, r->status,
					      r->response);
}

static void answer_too_long(struct server_request *r)
{
	static const char text[] =
		"{\"error\":{\"status\":\"usage\",\"exit\":2,\"message\":"
		"\"the body is too long\",\"native\":0}}\n";
	const struct server_reply reply = {
		.status = 413,
		.type = "application/json",
		.body = secret_from(text, sizeof(text) - 1),
	};

	server_answer(r, &reply);
}

/* NOLINTNEXTLINE(readability-function-size): as libmicrohttpd has it */
static enum MHD_Result on_request(void *user, struct MHD_Connection *connection,
				  const char *url, const char *method,
				  const char *version, const char *upload,
				  size_t *upload_len, void **of_request)
{
	struct server *s = user;
	struct server_request *r = *of_request;

	(void)version;
	if (!r) {
		*of_request = request_new(s, connection, method, url);
		return *of_request ? MHD_YES : MHD_NO;
	}
	if (*upload_len > 0) {
		take_upload(r, upload, *upload_len);
		*upload_len = 0;
		return MHD_YES;
	}
	if (r->is_answered)
		return put_answer(r);
	if (r->was_asked)
		return MHD_YES;
	r->was_asked = true;
	if (r->is_too_long)
		answer_too_long(r);
	else
		s->events.request(s->events.user, r);
	if (r->is_answered)
		return put_answer(r);
	r->is_suspended = true;
	s->mhd->suspend_connection(connection);
	return MHD_YES;
}

/* ---- … and is answered -------------------------------------------------- */

static void free_body(void *body)
{
	secret_free(body);
}

static bool add_field(struct server_request *r, const char *name,
		      const char *value)
{
	return !value || r->server->mhd->add_response_header(r->response, name,
							     value) == MHD_YES;
}

void server_answer(struct server_request *r, const struct server_reply *reply)
{
	const struct microhttpd *mhd = r->server->mhd;
	struct secret *body = reply->body ? reply->body : secret_new(0);
	char seconds[32] = "";

	if (body) /* MHD takes no const, and does not write */
		r->response = mhd->create_response(secret_len(body),
						   secret_tail(body, 0) -
							   secret_len(body),
						   free_body, body);
	if (!r->response)
		secret_free(body);
	r->is_answered = true;
	if (reply->retry_after_s > 0)
		(void)snprintf(seconds, sizeof(seconds), "%lld",
			       (long long)reply->retry_after_s);
	if (!r->response || !add_field(r, "Content-Type", reply->type) ||
	    !add_field(r, "Cache-Control", "no-store") ||
	    !add_field(r, "Allow", reply->allow) ||
	    !add_field(r, "Retry-After", *seconds ? seconds : NULL))
		log_warn("out of memory: an answer is not whole");
	r->status = reply->status;
	if (r->is_suspended) {
		r->is_suspended = false;
		r->server->has_resumed = true;
		mhd->resume_connection(r->connection);
	}
}

/* ---- what a route sees -------------------------------------------------- */

const char *server_method(const struct server_request *r)
{
	return r->method;
}

const char *server_path(const struct server_request *r)
{
	return r->path;
}

const struct requester *server_peer(const struct server_request *r)
{
	return &r->peer->requester;
}

const struct peer_ids *server_peer_ids(const struct server_request *r)
{
	return &r->peer->ids;
}

struct secret *server_take_body(struct server_request *r)
{
	return po_steal(r->body);
}

struct each_parameter {
	bool (*each)(void *user, const char *name, const char *value);
	void *user;
};

static enum MHD_Result on_parameter(void *user, enum MHD_ValueKind kind,
				    const char *name, const char *value)
{
	const struct each_parameter *e = user;

	(void)kind;
	return e->each(e->user, name, value) ? MHD_YES : MHD_NO;
}

void server_each_parameter(const struct server_request *r,
			   bool (*each)(void *user, const char *name,
					const char *value),
			   void *user)
{
	struct each_parameter e = { each, user };

	(void)r->server->mhd->get_connection_values(
		r->connection, MHD_GET_ARGUMENT_KIND, on_parameter, &e);
}

static unsigned int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	return (unsigned int)((c | 0x20) - 'a' + 10);
}

/* As RFC 3986, section 2.1, but that %00 stays as it is: no text goes on behind
 * a NUL. */
static size_t on_unescape(void *user, struct MHD_Connection *connection,
			  char *text)
{
	char *out = text;

	(void)user;
	(void)connection;
	for (const char *in = text; *in; in++) {
		if (*in == '%' && isxdigit((unsigned char)in[1]) &&
		    isxdigit((unsigned char)in[2])) {
			uint8_t byte = (uint8_t)(hex_digit(in[1]) << 4 |
						 hex_digit(in[2]));

			if (byte) {
				*out++ = (char)byte;
				in += 2;
				continue;
			}
		}
		*out++ = *in;
	}
	*out = '\0';
	return (size_t)(out - text);
}

/* ---- the daemon --------------------------------------------------------- */

static void on_log(void *user, const char *fmt, va_list ap) PO_PRINTF(2, 0);

static void on_log(void *user, const char *fmt, va_list ap)
{
	char text[512];

	(void)user;
	if (vsnprintf(text, sizeof(text), fmt, ap) > 0)
		log_debug(LOG_HTTP, "agent: %.*s", (int)strcspn(text, "\n"),
			  text);
}

enum po_status server_new(int fd, const struct server_events *events,
			  struct server **ret_server, struct po_error *err)
{
	const union MHD_DaemonInfo *info;
	struct server *s = calloc(1, sizeof(*s));
	enum po_status st;

	if (!s)
		return po_no_memory(err);
	s->events = *events;
	st = microhttpd_load(&s->mhd, err);
	if (st != PO_OK) {
		free(s);
		return st;
	}
	s->daemon = s->mhd->start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0,
		NULL, NULL, on_request, s, MHD_OPTION_EXTERNAL_LOGGER, on_log,
		NULL, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned int)SERVER_CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)SERVER_IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)SERVER_MEMORY_BYTES,
		MHD_OPTION_NOTIFY_CONNECTION, on_connection, s,
		MHD_OPTION_NOTIFY_COMPLETED, on_completed, s,
		MHD_OPTION_UNESCAPE_CALLBACK, on_unescape, NULL,
		MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_END);
	info = s->daemon ? s->mhd->get_daemon_info(s->daemon,
						   MHD_DAEMON_INFO_EPOLL_FD)
			 : NULL;
	if (!info) {
		if (s->daemon)
			s->mhd->stop_daemon(s->daemon);
		free(s);
		return po_fail(err, PO_E_INTERNAL, 0,
			       "libmicrohttpd does not start");
	}
	s->epoll_fd = info->epoll_fd;
	*ret_server = s;
	return PO_OK;
}

void server_free(struct server *s)
{
	if (!s)
		return;
	s->mhd->run(s->daemon); /* what was resumed gets its answer */
	s->mhd->stop_daemon(s->daemon);
	free(s);
}

int server_poll_fd(const struct server *s)
{
	return s->epoll_fd;
}

void server_run(struct server *s)
{
	s->has_resumed = false;
	(void)s->mhd->run(s->daemon);
}

int64_t server_timeout_ms(const struct server *s)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	if (s->has_resumed)
		return 0;
	if (s->mhd->get_timeout(s->daemon, &ms) != MHD_YES)
		return -1;
	return ms < INT32_MAX ? (int64_t)ms : INT32_MAX;
}
