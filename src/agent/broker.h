/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broker.h - access tokens for those who ask: from the cache, or by one
 * signature however many ask at once.
 *
 * What is kept goes by the profile with all its settings and by the scope, so
 * that endpoint, client, scope, kid and request extensions are part of the
 * name. Times are clock_boottime_ms().
 */
#ifndef PO_AGENT_BROKER_H
#define PO_AGENT_BROKER_H

#include "agent/served.h"
#include "agent/workers.h"
#include "audit/requester.h"
#include "base/clock.h"
#include "cache/cached_token.h"

#define BROKER_WAIT_MAX_S 600
#define BROKER_MIN_VALID_MAX_S 86400
#define BROKER_SCOPES_MAX 64 /* different scopes of one profile that are kept */

struct broker;

struct broker_request { /* borrowed until the answer */
	const struct served *served;
	const char *scope; /* NULL: the profile's */
	int64_t min_valid_s, wait_s;
	bool force_new; /* none that was there before */
	const struct requester *peer;
};

/*
 * token NULL: why says the reason, and retry_ms (0: not known) when the next
 * try will be made. All borrowed.
 */
typedef void broker_answer(void *user, const struct cached_token *token,
			   const struct po_error *why, int64_t retry_ms);

struct broker_events {
	/* A new access token of the profile's own scope; NULL: the last one has
	 * ended, and there is no other. */
	void (*changed)(void *user, const struct served *served,
			const struct cached_token *token);
	/* What a worker said of a profile, good or bad. */
	void (*learned)(void *user, const char *profile, const json_t *answer,
			const struct po_error *why);
	void *user;
};

/* All borrowed until broker_free(). NULL: out of memory. */
struct broker *broker_new(const struct po_clock *clock, struct workers *workers,
			  const struct served_list *served,
			  const struct broker_events *events) PO_MUST_CHECK;
void broker_free(struct broker *broker);

/* Answers now, or later from broker_handle() or a worker's answer. */
void broker_ask(struct broker *broker, const struct broker_request *request,
		broker_answer *answer, void *user);

/* Keeps one for the profile's own scope from now on, though nobody asks; one
 * that is there already counts as changed. */
void broker_keep(struct broker *broker, const struct served *served);

/* Forgets the access tokens of a profile; those who wait get why. */
void broker_drop(struct broker *broker, const char *profile,
		 const struct po_error *why);

/* A person did something: failed tries may be repeated at once. */
void broker_retry(struct broker *broker, const char *profile);

/* After another configuration was read into the list: drops what is of a
 * profile that is not there any more, or not the same. */
void broker_reload(struct broker *broker);

/* Renews, retries, expires, gives up. */
void broker_handle(struct broker *broker);
int64_t broker_next_ms(const struct broker *broker);

/* The "access_tokens" of a profile in the status. NULL: out of memory. */
json_t *broker_status(const struct broker *broker,
		      const char *profile) PO_MUST_CHECK;

/* The access token of the profile's own scope, kept or failed; NULL: none is
 * known of. Borrowed. */
const struct cached_token *broker_peek(const struct broker *broker,
				       const struct served *served);

struct broker_counts { /* since the start, for /metrics */
	uint64_t from_cache, minted, failed;
	size_t kept, waiting;
};
struct broker_counts broker_count(const struct broker *broker);

#endif
