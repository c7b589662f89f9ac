/* SPDX-License-Identifier: Apache-2.0 */
#include "fake-server.h"

#include "unit.h"

#include <string.h>

const char *fake_answer_text(const struct server_request *request)
{
	return request->answer ? secret_reveal(request->answer) : "";
}

json_t *fake_answer_json(const struct server_request *request)
{
	const char *text = fake_answer_text(request);
	struct po_error err = { 0 };
	json_t *value = NULL;

	if (json_parse_object(text, strlen(text), &value, &err) != PO_OK)
		fail_msg("%s: %s", err.text, text);
	return value;
}

void fake_request_clear(struct server_request *request)
{
	secret_free(request->answer);
	request->answer = NULL;
	request->answers = 0;
	request->status = 0;
	request->type = NULL;
	request->allow = NULL;
	request->retry_after_s = 0;
}

/* ---- agent/server.h: a request ------------------------------------------ */

const char *server_method(const struct server_request *request)
{
	return request->method;
}

const char *server_path(const struct server_request *request)
{
	return request->path;
}

const struct requester *server_peer(const struct server_request *request)
{
	return &request->peer;
}

const struct peer_ids *server_peer_ids(const struct server_request *request)
{
	return &request->peer_ids;
}

struct secret *server_take_body(struct server_request *request)
{
	const char *body = request->body;

	request->body = NULL;
	return body ? secret_from(body, strlen(body)) : NULL;
}

void server_each_parameter(const struct server_request *request,
			   bool (*each)(void *user, const char *name,
					const char *value),
			   void *user)
{
	for (size_t i = 0; i < FAKE_PARAMETERS_MAX; i++)
		if (!request->query[i].name ||
		    !each(user, request->query[i].name,
			  request->query[i].value))
			return;
}

void server_answer(struct server_request *request,
		   const struct server_reply *reply)
{
	assert_int_equal(request->answers, 0);
	request->answers++;
	request->status = reply->status;
	request->type = reply->type;
	request->allow = reply->allow;
	request->retry_after_s = reply->retry_after_s;
	request->answer = reply->body;
}

/* ---- agent/server.h: what the loop calls, which no test runs ------------ */

enum po_status server_new(int fd, const struct server_events *events,
			  struct server **ret_server, struct po_error *err)
{
	(void)fd;
	(void)events;
	(void)ret_server;
	return po_fail(err, PO_E_INTERNAL, 0, "no server here");
}

void server_free(struct server *server)
{
	(void)server;
}

int server_poll_fd(const struct server *server)
{
	(void)server;
	return -1;
}

void server_run(struct server *server)
{
	(void)server;
}

int64_t server_timeout_ms(const struct server *server)
{
	(void)server;
	return -1;
}
