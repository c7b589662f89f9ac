/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/policy.h"

#include "base/account.h"

#include <string.h>

static bool is_named(const struct profile *p, const struct peer_ids *ids)
{
	uid_t uid;
	gid_t gid;

	for (size_t i = 0; p->allow_uid[i]; i++)
		if (account_uid(p->allow_uid[i], &uid) && uid == ids->uid)
			return true;
	for (size_t i = 0; p->allow_gid[i]; i++) {
		if (!account_gid(p->allow_gid[i], &gid))
			continue;
		for (size_t j = 0; j < ids->gid_count; j++)
			if (ids->gids[j] == gid)
				return true;
	}
	return false;
}

bool policy_allows_peer(const struct profile *p, const struct peer_ids *ids)
{
	return (!p->allow_uid[0] && !p->allow_gid[0]) || is_named(p, ids);
}

bool policy_may_control(const struct profile *p, const struct peer_ids *ids,
			uid_t agent_uid)
{
	return ids->uid == agent_uid || ids->uid == 0 || is_named(p, ids);
}

/* text: words apart by spaces; NULL: none. */
static bool has_word(const char *text, const char *word, size_t len)
{
	while (text && *text) {
		size_t n = strcspn(text, " ");

		if (n == len && memcmp(text, word, len) == 0)
			return true;
		text += n + strspn(text + n, " ");
	}
	return false;
}

static bool allows_word(const struct profile *p, const char *word, size_t len)
{
	if (has_word(p->scope, word, len))
		return true;
	for (size_t i = 0; p->allow_scope[i]; i++)
		if (has_word(p->allow_scope[i], word, len))
			return true;
	return false;
}

bool policy_allows_scope(const struct profile *p, const char *scope,
			 const char **ret_word, size_t *ret_len)
{
	const char *word = scope ? scope : "";
	size_t len;

	for (word += strspn(word, " "); *word; word += strspn(word, " ")) {
		len = strcspn(word, " ");
		if (!allows_word(p, word, len)) {
			*ret_word = word;
			*ret_len = len;
			return false;
		}
		word += len;
	}
	return true;
}
