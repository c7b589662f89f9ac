/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env.h - the effects that a use case has: time, chance and the network.
 *
 * Commands fill it with the real ones; tests put their own in.
 */
#ifndef PO_FLOW_ENV_H
#define PO_FLOW_ENV_H

#include "base/rng.h"

#include <stdint.h>

struct http_client;

struct po_env {
	int64_t (*now_s)(void);
	enum po_status (*new_id)(char id[static RNG_ID_LEN + 1],
				 struct po_error *err);
	struct http_client *http; /* owned */
};

enum po_status po_env_init(struct po_env *env,
			   struct po_error *err) PO_MUST_CHECK;
void po_env_clear(struct po_env *env);

#endif
