/* SPDX-License-Identifier: Apache-2.0 */
#include "cache/cached_token.h"

#define HTTP_TOO_MANY 429

static void drop(struct cached_token *c)
{
	secret_free(c->value);
	json_decref(c->answer);
	c->value = NULL;
	c->answer = NULL;
}

void cached_token_take(struct cached_token *c, struct secret *value,
		       json_t *answer, int64_t asked_ms, int64_t life_ms,
		       uint16_t chance)
{
	int64_t percent_of = life_ms / 100;

	drop(c);
	*c = (struct cached_token){
		.value = value,
		.answer = answer,
		.asked_ms = asked_ms,
		.life_ms = life_ms,
		.expires_ms = asked_ms + life_ms,
		.renew_ms = asked_ms +
			    percent_of * (RENEWAL_PERCENT -
					  RENEWAL_JITTER_PERCENT / 2) +
			    percent_of * RENEWAL_JITTER_PERCENT * chance /
				    UINT16_MAX,
	};
}

bool cached_token_may_pass(const struct po_error *why)
{
	switch (why->status) {
	case PO_E_NETWORK:
	case PO_E_SERVER:
	case PO_E_DEVICE:
	case PO_E_TOKEN:
	case PO_E_USER:
	case PO_E_AGENT: return true;
	case PO_E_REFUSED: return why->native == HTTP_TOO_MANY;
	default: return false;
	}
}

/* Exponential; half of it is chance, so that many do not come at once. */
void cached_token_fail(struct cached_token *c, const struct po_error *why,
		       int64_t now_ms, uint16_t chance)
{
	int64_t max_ms = cached_token_may_pass(why) ? RETRY_PASSING_MAX_MS
						    : RETRY_LASTING_MAX_MS;
	int64_t ms = RETRY_FIRST_MS;

	/* another kind of trouble, with pauses of its own */
	if (c->why.status != PO_OK &&
	    cached_token_may_pass(&c->why) != cached_token_may_pass(why))
		c->failures = 0;
	for (unsigned int i = 0; i < c->failures && ms < max_ms; i++)
		ms *= 2;
	if (ms > max_ms)
		ms = max_ms;
	c->failures++;
	c->why = *why;
	c->retry_ms = now_ms + ms / 2 + ms / 2 * chance / UINT16_MAX;
}

void cached_token_clear(struct cached_token *c)
{
	drop(c);
	*c = (struct cached_token){ 0 };
}

bool cached_token_is_usable(const struct cached_token *c, int64_t min_ms,
			    int64_t now_ms)
{
	return c->value && c->expires_ms - now_ms > min_ms;
}

bool cached_token_is_due(const struct cached_token *c, int64_t now_ms)
{
	return c->value && c->is_wanted && now_ms >= c->renew_ms &&
	       now_ms >= c->retry_ms;
}

int64_t cached_token_next_ms(const struct cached_token *c, int64_t now_ms)
{
	int64_t renew_ms =
		c->renew_ms > c->retry_ms ? c->renew_ms : c->retry_ms;

	if (!c->value)
		return INT64_MAX;
	if (c->is_wanted && renew_ms < c->expires_ms && renew_ms > now_ms)
		return renew_ms;
	return c->expires_ms;
}

bool cached_token_expire(struct cached_token *c, int64_t now_ms)
{
	if (!c->value || now_ms < c->expires_ms)
		return false;
	drop(c);
	return true;
}
