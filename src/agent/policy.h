/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy.h - who gets what of the agent.
 *
 * allow-uid, allow-gid and allow-scope of a profile decide. Names are looked
 * up at each question (base/account.h); one that is not known matches nobody.
 */
#ifndef PO_AGENT_POLICY_H
#define PO_AGENT_POLICY_H

#include "conf/profile.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define PEER_GROUPS_MAX 1024

struct peer_ids {
	uid_t uid;
	gid_t gids[PEER_GROUPS_MAX]; /* all of them, the primary one as well */
	size_t gid_count;
};

/* Without both lists: whoever could open the socket. Root is no exception. */
bool policy_allows_peer(const struct profile *p, const struct peer_ids *ids);

/*
 * True when each of the words of scope is one of the profile's scope or of
 * allow-scope, letter by letter; also when there is none (NULL: as the profile
 * has it). False: *ret_word is the first other one, ret_len bytes of scope.
 */
bool policy_allows_scope(const struct profile *p, const char *scope,
			 const char **ret_word, size_t *ret_len);

/*
 * Who may lock and unlock: the agent's own user, root, and whom a list names;
 * the right to open the socket alone is not enough.
 */
bool policy_may_control(const struct profile *p, const struct peer_ids *ids,
			uid_t agent_uid);

#endif
