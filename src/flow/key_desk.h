/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_desk.h - the one key that a process has open at a time, for requests that
 * may be under way at once.
 *
 * A token is one thing at a time, the network is not: a request takes the desk
 * for as long as it needs the key, and waits for the server without it. With
 * one request, that is a source of assertions of its own.
 */
#ifndef PO_FLOW_KEY_DESK_H
#define PO_FLOW_KEY_DESK_H

#include "flow/assertion_source.h"

struct key_desk;

struct key_desk *key_desk_new(void) PO_MUST_CHECK; /* NULL: out of memory */
void key_desk_free(struct key_desk *desk);         /* closes the key */
PO_DEFINE_AUTO(key_desk, key_desk_free);

/*
 * Waits until nobody else has it, and turns it to the profile. On success the
 * source, which goes by env meanwhile, is the caller's until key_desk_give().
 * PO_E_INTERNAL: out of memory.
 */
enum po_status key_desk_take(struct key_desk *desk, const struct po_env *env,
			     const struct profile *profile,
			     struct assertion_source **ret_source,
			     struct po_error *err) PO_MUST_CHECK;

/* The source as it is; NULL: it was turned to another profile meanwhile, or to
 * none yet. To be given back in either case. profile NULL: whatever it is. */
struct assertion_source *key_desk_look(struct key_desk *desk,
				       const struct profile *profile);
void key_desk_give(struct key_desk *desk);

#endif
