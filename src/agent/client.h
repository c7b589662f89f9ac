/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h - asking a running agent, over its unix socket.
 *
 * What the agent refuses comes back as the very error that it had: status,
 * native code and text, so that a command ends as it would without an agent.
 * What is not an agent's answer (no JSON, members missing, an access token
 * that has ended) is PO_E_AGENT, as is an agent that cannot be reached; an
 * empty success there is not.
 */
#ifndef PO_AGENT_CLIENT_H
#define PO_AGENT_CLIENT_H

#include "base/json.h"
#include "conf/agent_settings.h"
#include "flow/env.h"
#include "oauth/access_token.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define AGENT_SOCKET_SIZE (AGENT_SOCKET_MAX + 1) /* bytes, with its NUL */
#define AGENT_TIMEOUT_S 180    /* for a touch, and the network */
#define AGENT_ASK_TIMEOUT_S 30 /* where nothing waits for people */
#define AGENT_SYSTEM_SOCKET "/run/p11oauth/agent.sock"
#define AGENT_SOCKET_VARIABLE "P11OAUTH_SOCKET"

/* What a failure means to those who can do without an agent. */
enum agent_trouble {
	AGENT_NO_TROUBLE,
	AGENT_NOT_RUNNING, /* nobody listens there */
	AGENT_NOT_FOR_US,  /* the socket is closed to us */
	AGENT_NO_PROFILE,  /* it does not know that profile */
	AGENT_FAILED,      /* anything else; its word stands */
};

struct agent_client {
	struct http_client *http;     /* borrowed, as env has it */
	const struct po_clock *clock; /* the same */
	char socket[AGENT_SOCKET_SIZE];
	bool is_named;              /* the socket, by a person or a file */
	enum agent_trouble trouble; /* of the last call */
};

/*
 * Where the agent is: named (--socket), $P11OAUTH_SOCKET, configured (both may
 * be NULL), else $XDG_RUNTIME_DIR/p11oauth/agent.sock when there is one, else
 * AGENT_SYSTEM_SOCKET. Looks at no socket that is named. PO_E_USAGE: the path
 * is too long.
 */
enum po_status agent_client_init(struct agent_client *client,
				 const struct po_env *env, const char *named,
				 const char *configured,
				 struct po_error *err) PO_MUST_CHECK;

struct agent_token_request {
	const char *profile;
	const char *scope;   /* NULL: the profile's */
	int64_t min_valid_s; /* that it shall live at least */
	int64_t wait_s;      /* how long the agent may hold the request */
	bool force_new;
};

/* All of these: PO_E_AGENT as above, or what the agent says. */
enum po_status agent_get_token(struct agent_client *client,
			       const struct agent_token_request *request,
			       struct access_token **ret_token,
			       struct po_error *err) PO_MUST_CHECK;

/* The agent's JSON; "profiles" is an array of objects that have a "name". */
enum po_status agent_get_status(struct agent_client *client,
				json_t **ret_status,
				struct po_error *err) PO_MUST_CHECK;
enum po_status agent_get_profiles(struct agent_client *client,
				  json_t **ret_profiles,
				  struct po_error *err) PO_MUST_CHECK;

/*
 * pin NULL: typed on the token, or from where the agent has it. A PIN goes to
 * root's socket or our own only: PO_E_POLICY names another owner.
 * *ret_answer has "profile" and "token", an object.
 */
enum po_status agent_unlock(struct agent_client *client, const char *profile,
			    const struct secret *pin, json_t **ret_answer,
			    struct po_error *err) PO_MUST_CHECK;

/* PO_E_POLICY as above; for those who ask for a PIN, before they do. */
enum po_status agent_is_trusted(struct agent_client *client,
				struct po_error *err) PO_MUST_CHECK;

/* profile NULL: all. *ret_answer has "locked", an array of names. */
enum po_status agent_lock(struct agent_client *client, const char *profile,
			  json_t **ret_answer,
			  struct po_error *err) PO_MUST_CHECK;

#endif
