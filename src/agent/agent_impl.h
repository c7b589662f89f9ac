/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_impl.h - the agent's parts, for the files that make up the agent.
 */
#ifndef PO_AGENT_AGENT_IMPL_H
#define PO_AGENT_AGENT_IMPL_H

#include "agent/agent.h"
#include "agent/broker.h"
#include "agent/listen.h"
#include "agent/served.h"
#include "agent/server.h"
#include "agent/workers.h"
#include "flow/env.h"

struct status_call;

struct agent {
	const struct agent_options *options;
	const struct po_env *env;
	struct served_list served;
	struct helper helper;
	struct workers *workers;
	struct broker *broker;
	struct server *server;
	struct status_call *status_calls; /* that wait for workers */

	struct listener listener;
	int signal_fd;
	bool is_ending;
	int64_t end_by_ms; /* of the workers; clock_monotonic_ms() */
	int landlock_abi;  /* 0: the kernel has none */

	int64_t started_ms;   /* clock_boottime_ms() */
	int64_t next_look_ms; /* at the certificates */
	int64_t ping_ms;      /* of systemd's watchdog; 0: none */
	int64_t next_ping_ms;
	struct {
		uint64_t requests, refused, unlocked;
	} counts;
};

/* ---- agent.c ------------------------------------------------------------ */

/* Tells the service manager, whose STATUS says how many are locked and so
 * on. */
void agent_state_changed(const struct agent *agent);

/* From now on each profile with sinks has an access token, and they have it. */
void agent_fill_sinks(struct agent *agent);

/* ---- agent_sandbox.c ---------------------------------------------------- */

/*
 * No program is started any more and no network is reached from here: that is
 * what helper and workers are for. A folder that another configuration names
 * later on is reached after a restart.
 */
enum po_status agent_confine(struct agent *agent,
			     struct po_error *err) PO_MUST_CHECK;

/* ---- records.c: what the agent puts into the ledger --------------------- */

/*
 * Takes over members; "event", "profile" and "peer" are added where they are
 * not NULL. served NULL: for the agent itself. Fails only for a profile with
 * audit = "required".
 */
enum po_status agent_record(struct agent *agent, const char *event,
			    const struct served *served,
			    const struct requester *peer, json_t *members,
			    struct po_error *err);

/* A worker's record (workers.h); the profile is named in it. */
enum po_status agent_worker_record(void *user, const json_t *peer,
				   json_t *record, uint64_t *ret_seq,
				   struct po_error *err);

/* ---- routes.c ----------------------------------------------------------- */

/* Answers request, or sees to it that it is answered. user: the agent. */
void agent_route(void *user, struct server_request *request);

void agent_answer_json(struct server_request *request, unsigned int status,
		       json_t *value /* taken; NULL: out of memory */);

/* retry_in_ms: from now on; 0 or less: not known. */
void agent_answer_error(struct server_request *request,
			const struct po_error *why, int64_t retry_in_ms);

/* The server's members with what remains of the life, for callers and for sinks
 * of format json. NULL: out of memory. */
json_t *agent_token_answer(const struct cached_token *token,
			   const struct po_clock *clock) PO_MUST_CHECK;

/* 404, with those that there are. */
void agent_answer_unknown(const struct agent *agent,
			  struct server_request *request, const char *name);

/* ---- control.c: unlock and lock ----------------------------------------- */

void agent_route_unlock(struct agent *agent, struct server_request *request);
void agent_route_lock(struct agent *agent, struct server_request *request);

/* ---- status.c ----------------------------------------------------------- */

void agent_route_status(struct agent *agent, struct server_request *request);
void agent_route_metrics(struct agent *agent, struct server_request *request);
void agent_route_profiles(struct agent *agent, struct server_request *request);

/* Answers those who have waited long enough for workers. */
void agent_status_handle(struct agent *agent);
int64_t agent_status_next_ms(
	const struct agent *agent); /* clock_boottime_ms() */

/* ---- look.c: tokens and certificates ------------------------------------ */

/* Asks a worker to look at the token of a profile, without a PIN. done may be
 * NULL. False: no worker could be asked. */
bool agent_look(struct agent *agent, const struct served *served,
		void (*done)(void *user), void *user);

/* Somebody heard that the token of a profile is not there: is it back? Asked
 * now and then only. */
void agent_look_again(struct agent *agent, const char *profile);

/* Looks at all when it is time to. */
void agent_look_handle(struct agent *agent);

/* A worker spoke of a profile. user: the agent. */
void agent_learned(void *user, const char *profile, const json_t *answer,
		   const struct po_error *why);

#endif
