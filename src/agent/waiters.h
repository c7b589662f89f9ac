/* SPDX-License-Identifier: Apache-2.0 */
/*
 * waiters.h - those who wait for one access token, each with what it wants of
 * it. Times are clock_boottime_ms().
 */
#ifndef PO_AGENT_WAITERS_H
#define PO_AGENT_WAITERS_H

#include "agent/broker.h"

struct waiter {
	struct waiter *next;
	int64_t min_ms;   /* to live, at least */
	int64_t since_ms; /* with force_new: nothing older */
	int64_t until_ms; /* 0: for one try */
	bool force_new;
	bool has_tried; /* a try was made on its behalf */
	struct requester peer;
	broker_answer *answer;
	void *user;
};

/* Nothing shorter-lived than was asked for, and with force_new nothing that was
 * asked of the server before. */
bool waiter_suits(const struct waiter *waiter, const struct cached_token *token,
		  int64_t now_ms);

/* Each of these answers some of the list that begins at *at, and takes them out
 * of it. */

/* Those whom the access token suits; it is wanted then. */
void waiters_serve(struct waiter **at, struct cached_token *token,
		   int64_t now_ms);

/* Those who asked for one try, which has failed (is_trying: it goes on still);
 * and those whose time is over. */
void waiters_fail(struct waiter **at, const struct cached_token *token,
		  const struct po_error *why, bool is_trying, int64_t now_ms);

/* Those for whom the access token, a new one, does not live long enough. */
void waiters_fail_demanding(struct waiter **at,
			    const struct cached_token *token,
			    const char *profile, int64_t now_ms);

void waiters_fail_all(struct waiter **at, const struct po_error *why);

#endif
