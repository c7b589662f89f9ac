/* SPDX-License-Identifier: Apache-2.0 */
/*
 * served.h - the profiles that the agent serves, and what is known of their
 * tokens and certificates.
 */
#ifndef PO_AGENT_SERVED_H
#define PO_AGENT_SERVED_H

#include "base/json.h"
#include "conf/config_file.h"
#include "conf/profile.h"

enum token_state {
	TOKEN_UNKNOWN, /* nobody has looked yet */
	TOKEN_PRESENT,
	TOKEN_ABSENT,
	TOKEN_FAILED,
};

struct served {
	struct profile *profile; /* owned; complete, with its server's rules */
	char digest[PROFILE_DIGEST_LEN + 1];
	char *module; /* owned; what its worker goes by */

	bool is_held;   /* somebody locked it; "unlock" ends that */
	bool is_locked; /* its PIN is missing, as its worker found */

	/* what its worker said last */
	enum token_state token_state;
	char token_label[33], token_serial[17];
	char subject[256]; /* of the certificate; "" none is known */
	int64_t not_after_s;
	int64_t next_look_ms; /* at an absent token; clock_boottime_ms() */
	int warned_days;      /* the warning that was given last; 0: none */
};

struct served_list {
	struct served **items; /* owned, in the order of the configuration */
	size_t count;
	struct config *config; /* owned; where the settings stand;
				      * NULL in a worker */
};

/*
 * Reads the configuration (path: as config_load() has it). A profile that is
 * not usable is left out with a warning: the others are served. old (NULL:
 * none): what is known is taken over from profiles that are the same.
 * PO_E_CONFIG: the files cannot be read.
 */
enum po_status served_load(const char *path, const struct served_list *old,
			   struct served_list *ret_list,
			   struct po_error *err) PO_MUST_CHECK;
void served_clear(struct served_list *list);

/* The profiles of a module, as served_add() takes them one by one in its
 * worker: an array. NULL: out of memory. */
json_t *served_for_worker(const struct served_list *list,
			  const char *module) PO_MUST_CHECK;

/* value must live as long as the list. Fails as profile_from_json(). */
enum po_status served_add(struct served_list *list, const json_t *value,
			  struct po_error *err) PO_MUST_CHECK;

/* NULL: there is none. */
struct served *served_find(const struct served_list *list, const char *name);

/* PO_E_CONFIG, with those that there are. */
enum po_status served_fail_unknown(const struct served_list *list,
				   const char *name, struct po_error *err);

/* True when a person types its PIN: then "unlock" is the one way. */
bool served_wants_person(const struct served *served);

/* True, and err says why, when there is no access token before somebody unlocks
 * it: it is held, or its PIN is missing and a person types it. */
bool served_is_locked(const struct served *served, struct po_error *err);

/* True when both name the same key of the same module. */
bool served_has_same_key(const struct served *a, const struct served *b);

/* Takes what a worker's answer says of token and certificate. */
void served_learn(struct served *served, const json_t *answer,
		  const struct po_error *why);

/* The same for another profile with the same key: not whether it is locked. */
void served_learn_of_key(struct served *served, const json_t *answer,
			 const struct po_error *why);

/* Warns when its certificate ends in 30, 14, 7 or 1 days, or has ended: once
 * for each. */
void served_watch(struct served *served, int64_t now_s);

/* 30, 14, 7, 1, 0 (it has ended), or -1: nothing to warn of. */
int served_days_warning(const struct served *served, int64_t now_s);

#endif
