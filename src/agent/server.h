/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h - HTTP/1.1 on the agent's socket: connections, peers, requests and
 * answers; what they mean is routes.c.
 *
 * One thread: server_run() is called by the agent's loop. Sources: RFC 9110,
 * RFC 9112; unix(7) for SO_PEERCRED.
 */
#ifndef PO_AGENT_SERVER_H
#define PO_AGENT_SERVER_H

#include "agent/policy.h"
#include "audit/requester.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>

#define SERVER_CONNECTIONS_MAX 1024
#define SERVER_IDLE_S 120     /* a connection that asks nothing ends */
#define SERVER_BODY_MAX 16384 /* bytes of a request's body */
#define SERVER_MEMORY_BYTES \
	16384 /* of a connection; a request line and its
				    * fields must fit */

struct server;
struct server_request;

struct server_events {
	/* Fills executable and unit of a new peer. */
	void (*look)(void *user, struct requester *peer);

	/*
	 * A whole request. Answered by server_answer(), now or later; until
	 * then everything that the request lends stays.
	 */
	void (*request)(void *user, struct server_request *request);
	void *user;
};

/* fd: a listening unix socket; stays the caller's. PO_E_INTERNAL on failure. */
enum po_status server_new(int fd, const struct server_events *events,
			  struct server **ret_server,
			  struct po_error *err) PO_MUST_CHECK;
void server_free(struct server *server); /* every request is answered before */

int server_poll_fd(const struct server *server); /* readable: server_run() */
void server_run(struct server *server);
int64_t server_timeout_ms(const struct server *server); /* -1: none */

/* ---- a request; everything is borrowed ---------------------------------- */

const char *server_method(const struct server_request *request);
const char *server_path(const struct server_request *request); /* decoded */
const struct requester *server_peer(const struct server_request *request);
const struct peer_ids *server_peer_ids(const struct server_request *request);

/* NULL when there was none. The route may take it; what is left is wiped. */
struct secret *server_take_body(struct server_request *request);

/*
 * Calls each for every parameter of the query, decoded; value NULL: it had no
 * "=". Stops when each returns false.
 */
void server_each_parameter(const struct server_request *request,
			   bool (*each)(void *user, const char *name,
					const char *value),
			   void *user);

struct server_reply {
	unsigned int status;
	const char *type;      /* static; the media type */
	struct secret *body;   /* the server's from now on; NULL: none */
	const char *allow;     /* static; for 405; NULL: none */
	int64_t retry_after_s; /* 0: none */
};

/* Once for each request. request is gone afterwards. */
void server_answer(struct server_request *request,
		   const struct server_reply *reply);

#endif
