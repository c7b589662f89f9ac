/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake-server.h - stands in for the agent's HTTP server (agent/server.h): a
 * request is what the test writes down, and its answer can be looked at.
 *
 * A program that includes this is linked with it instead of server.c.
 */
#ifndef PO_TESTS_UNIT_FAKE_SERVER_H
#define PO_TESTS_UNIT_FAKE_SERVER_H

#include "agent/server.h"
#include "base/json.h"

#define FAKE_PARAMETERS_MAX 16

/* What asks, and what it is answered. Static or on the stack; at first all
 * 0. */
struct server_request {
	const char *method, *path; /* borrowed, as all that is asked */
	struct {
		const char *name, *value; /* value NULL: no "=" */
	} query[FAKE_PARAMETERS_MAX];     /* name NULL ends it */
	struct requester peer;
	struct peer_ids peer_ids;
	const char *body; /* NULL: none */

	unsigned int answers; /* how often it was answered */
	unsigned int status;
	const char *type, *allow;
	int64_t retry_after_s;
	struct secret *answer; /* owned; NULL: no body */
};

/* What the answer holds, as text; "" for nothing. Borrowed. */
const char *fake_answer_text(const struct server_request *request);

/* The answer read as JSON, which the caller frees; fails the test when it is
 * not. */
json_t *fake_answer_json(const struct server_request *request);

/* Frees what the request owns, and makes it one that was not answered. */
void fake_request_clear(struct server_request *request);

#endif
