/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h - the effects that a use case has: time, chance, the network and the
 * ledger.
 *
 * Commands fill it with the real ones; tests put their own in.
 */
#ifndef PO_FLOW_ENV_H
#define PO_FLOW_ENV_H

#include "base/json.h"

#include <stdint.h>

struct http_client;
struct po_clock;
struct profile;

struct audit_trail { /* where the records of a use case go */
	/*
	 * Takes over record (json_decref). *ret_seq: where it stands; 0: not
	 * written, because the profile keeps no ledger (audit = "off") or,
	 * with "on", because it could not be (a warning says so). With
	 * "required" that is an error, and the key must not be used. A record
	 * "sign" is on the disk when this returns. clock: the use case's.
	 */
	enum po_status (*record)(void *user, const struct po_clock *clock,
				 const struct profile *profile, json_t *record,
				 uint64_t *ret_seq, struct po_error *err);
	void *user;
};
struct key_desk;
struct pin_asker;

struct po_env {
	const struct po_clock *clock;  /* borrowed */
	struct http_client *http;      /* owned */
	struct audit_trail audit;      /* record NULL: none */
	const struct pin_asker *asker; /* borrowed; NULL: a person at hand */
	struct key_desk *desk; /* borrowed; NULL: each use case has its own */
};

enum po_status po_env_init(struct po_env *env,
			   struct po_error *err) PO_MUST_CHECK;
void po_env_clear(struct po_env *env);

#endif
