/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent.h - "p11oauth agent": access tokens for jobs, over a unix socket.
 *
 * One thread and one loop own the socket, the cache, the policy and the
 * ledger; everything that touches a PKCS #11 module or the network is in the
 * workers (workers.h).
 */
#ifndef PO_AGENT_AGENT_H
#define PO_AGENT_AGENT_H

#include "base/error.h"

struct po_env;

struct agent_options {      /* borrowed; NULL: not given */
	const char *config; /* --config */
	const char *socket; /* --socket */
};

/* Serves until SIGTERM or SIGINT; SIGHUP reads the configuration again. */
enum po_status agent_run(const struct agent_options *options,
			 const struct po_env *env,
			 struct po_error *err) PO_MUST_CHECK;

#endif
