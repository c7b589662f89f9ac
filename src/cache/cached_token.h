/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cached_token.h - one access token that is kept and renewed, and what is
 * known when there is none.
 *
 * It is renewed ahead of its end, at about RENEWAL_PERCENT of its life. While
 * that fails, the last one serves until it expires; from then on the reason of
 * the last failure does. No clock is read here: times are
 * clock_boottime_ms(), so that a step of the time of day changes nothing.
 */
#ifndef PO_CACHE_CACHED_TOKEN_H
#define PO_CACHE_CACHED_TOKEN_H

#include "base/json.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>

#define RENEWAL_PERCENT 80        /* of the life, give or take */
#define RENEWAL_JITTER_PERCENT 10 /* from 75 to 85 */
#define RETRY_FIRST_MS 500
#define RETRY_PASSING_MAX_MS 5000  /* for what passes: networks, devices */
#define RETRY_LASTING_MAX_MS 60000 /* for what a person has to mend */

struct cached_token {
	struct secret *value; /* owned; NULL: there is none */
	json_t *answer;   /* owned; the server's, without the access token */
	int64_t asked_ms; /* when the request left: life counts from here */
	int64_t life_ms;  /* of the last one; 0: none ever */
	int64_t expires_ms;
	int64_t renew_ms;
	uint64_t sign_seq; /* its record in the ledger; 0: none */
	bool is_wanted;    /* somebody had it */

	unsigned int failures; /* in a row */
	int64_t retry_ms;      /* no new try before, but for a person */
	struct po_error why;   /* the last failure's; status PO_OK: none */
};

/* Takes over value and answer. chance: 0 .. UINT16_MAX, for the jitter. */
void cached_token_take(struct cached_token *c, struct secret *value,
		       json_t *answer, int64_t asked_ms, int64_t life_ms,
		       uint16_t chance);

/* Another try failed at now_ms. */
void cached_token_fail(struct cached_token *c, const struct po_error *why,
		       int64_t now_ms, uint16_t chance);

/* Forgets access token and failures. */
void cached_token_clear(struct cached_token *c);

/* True when there is one that lives longer than min_ms from now on. */
bool cached_token_is_usable(const struct cached_token *c, int64_t min_ms,
			    int64_t now_ms);

/* True when it is time to renew it, though nobody waits. */
bool cached_token_is_due(const struct cached_token *c, int64_t now_ms);

/* When the next of these two things happens: renewal, end. INT64_MAX: never. */
int64_t cached_token_next_ms(const struct cached_token *c, int64_t now_ms);

/* Drops an access token that has ended. True when it did. */
bool cached_token_expire(struct cached_token *c, int64_t now_ms);

/* True for a failure that is likely to pass by itself. */
bool cached_token_may_pass(const struct po_error *why);

#endif
