/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/waiters.h"

#include <stdlib.h>

/* Answers the one at *at and takes it out. */
static void end_one(struct waiter **at, const struct cached_token *token,
		    const struct po_error *why, int64_t retry_ms)
{
	struct waiter *w = *at;

	*at = w->next;
	w->answer(w->user, token, why, retry_ms);
	free(w);
}

bool waiter_suits(const struct waiter *w, const struct cached_token *c,
		  int64_t now_ms)
{
	return cached_token_is_usable(c, w->min_ms, now_ms) &&
	       (!w->force_new || c->asked_ms >= w->since_ms);
}

void waiters_serve(struct waiter **at, struct cached_token *token,
		   int64_t now_ms)
{
	while (*at) {
		if (!waiter_suits(*at, token, now_ms)) {
			at = &(*at)->next;
			continue;
		}
		token->is_wanted = true;
		end_one(at, token, NULL, 0);
	}
}

void waiters_fail(struct waiter **at, const struct cached_token *token,
		  const struct po_error *why, bool is_trying, int64_t now_ms)
{
	struct po_error late = { 0 };

	(void)po_fail(&late, PO_E_SERVER, 0,
		      "no access token could be had in time");
	while (*at) {
		const struct waiter *w = *at;

		if (w->until_ms ? w->until_ms <= now_ms
				: w->has_tried && !is_trying)
			end_one(at, NULL, why->status == PO_OK ? &late : why,
				token->retry_ms);
		else
			at = &(*at)->next;
	}
}

void waiters_fail_demanding(struct waiter **at,
			    const struct cached_token *token,
			    const char *profile, int64_t now_ms)
{
	struct po_error why = { 0 };

	(void)po_fail(
		&why, PO_E_USAGE, 0,
		"the access tokens of profile '%s' live %lld s; min_valid "
		"must be less",
		profile, (long long)token->life_ms / 1000);
	while (*at) {
		const struct waiter *w = *at;

		if (w->has_tried && w->min_ms > 0 &&
		    !cached_token_is_usable(token, w->min_ms, now_ms))
			end_one(at, NULL, &why, 0);
		else
			at = &(*at)->next;
	}
}

void waiters_fail_all(struct waiter **at, const struct po_error *why)
{
	while (*at)
		end_one(at, NULL, why, 0);
}
