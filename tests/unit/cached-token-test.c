/* SPDX-License-Identifier: Apache-2.0 */
/* An access token that is kept: when it is renewed, tried again, and ends. */
#include "cache/cached_token.h"

#include "unit.h"

#define ASKED_MS INT64_C(1000000)
#define LIFE_MS INT64_C(300000)
#define TOO_MANY 429

/* A fresh one, with a value and an answer of its own. */
static void take(struct cached_token *c, int64_t life_ms, uint16_t chance)
{
	struct secret *value = secret_from("token", 5);
	json_t *answer = json_object();

	assert_non_null(value);
	assert_non_null(answer);
	cached_token_take(c, value, answer, ASKED_MS, life_ms, chance);
}

static struct po_error error_of(enum po_status status, long native)
{
	return (struct po_error){ .status = status, .native = native };
}

/* ---- renewal ------------------------------------------------------------ */

struct life_row {
	const char *name;
	int64_t life_ms;
};

static const struct life_row life_rows[] = {
	{ "renewal: 300 s", 300000 },
	{ "renewal: 10 s", 10000 },
	{ "renewal: 1 s", 1000 },
	{ "renewal: 24 h", INT64_C(86400000) },
	{ "renewal: ten years", INT64_C(315360000000) },
};

ROWS(life_rows, renewal_is_between_75_and_85_percent)
{
	int64_t least = INT64_MAX, most = 0;
	struct cached_token c = { 0 };

	for (uint32_t chance = 0; chance <= UINT16_MAX; chance += 257) {
		int64_t after_ms;

		take(&c, row->life_ms, (uint16_t)chance);
		after_ms = c.renew_ms - ASKED_MS;
		assert_true(after_ms * 100 >= row->life_ms * 75);
		assert_true(after_ms * 100 <= row->life_ms * 85);
		least = after_ms < least ? after_ms : least;
		most = after_ms > most ? after_ms : most;
		assert_int_equal(c.expires_ms, ASKED_MS + row->life_ms);
	}
	/* chance decides, over the whole of the span */
	assert_int_equal(least, row->life_ms / 100 * 75);
	assert_int_equal(most, row->life_ms / 100 * 85);
	cached_token_clear(&c);
}

TEST(a_new_one_forgets_failures)
{
	struct po_error why = error_of(PO_E_SERVER, 503);
	struct cached_token c = { 0 };

	take(&c, LIFE_MS, 0);
	c.is_wanted = true;
	c.sign_seq = 7;
	cached_token_fail(&c, &why, ASKED_MS, 0);
	assert_int_equal(c.failures, 1);
	take(&c, LIFE_MS, 0);
	assert_int_equal(c.failures, 0);
	assert_int_equal(c.why.status, PO_OK);
	assert_int_equal(c.retry_ms, 0);
	assert_int_equal(c.sign_seq, 0);
	/* nobody has had this one yet: it is not renewed for its own sake */
	assert_false(c.is_wanted);
	cached_token_clear(&c);
	assert_null(c.value);
	assert_null(c.answer);
	assert_int_equal(c.life_ms, 0);
}

/* ---- failures ----------------------------------------------------------- */

struct kind_row {
	const char *name;
	enum po_status status;
	long native;
	int64_t max_ms;
};

static const struct kind_row kind_rows[] = {
	{ "back-off: network", PO_E_NETWORK, 7, RETRY_PASSING_MAX_MS },
	{ "back-off: server", PO_E_SERVER, 503, RETRY_PASSING_MAX_MS },
	{ "back-off: device", PO_E_DEVICE, 0x30, RETRY_PASSING_MAX_MS },
	{ "back-off: token", PO_E_TOKEN, 0, RETRY_PASSING_MAX_MS },
	{ "back-off: user", PO_E_USER, 0, RETRY_PASSING_MAX_MS },
	{ "back-off: agent", PO_E_AGENT, 0, RETRY_PASSING_MAX_MS },
	{ "back-off: too many", PO_E_REFUSED, TOO_MANY, RETRY_PASSING_MAX_MS },
	{ "back-off: refused", PO_E_REFUSED, 400, RETRY_LASTING_MAX_MS },
	{ "back-off: PIN", PO_E_PIN, 0xa0, RETRY_LASTING_MAX_MS },
	{ "back-off: PIN locked", PO_E_PIN_LOCKED, 0, RETRY_LASTING_MAX_MS },
	{ "back-off: configuration", PO_E_CONFIG, 0, RETRY_LASTING_MAX_MS },
	{ "back-off: no key", PO_E_NOT_FOUND, 0, RETRY_LASTING_MAX_MS },
	{ "back-off: ambiguous", PO_E_AMBIGUOUS, 0, RETRY_LASTING_MAX_MS },
	{ "back-off: key", PO_E_CRYPTO, 0, RETRY_LASTING_MAX_MS },
	{ "back-off: policy", PO_E_POLICY, 0, RETRY_LASTING_MAX_MS },
	{ "back-off: usage", PO_E_USAGE, 0, RETRY_LASTING_MAX_MS },
	{ "back-off: a bug", PO_E_INTERNAL, 0, RETRY_LASTING_MAX_MS },
	{ "back-off: 429 of another kind", PO_E_CONFIG, TOO_MANY,
	  RETRY_LASTING_MAX_MS },
};

/* The pause after the next failure. */
static int64_t pause_after(struct cached_token *c, const struct po_error *why,
			   uint16_t chance)
{
	cached_token_fail(c, why, ASKED_MS, chance);
	return c->retry_ms - ASKED_MS;
}

ROWS(kind_rows, pauses_double_up_to_the_limit)
{
	struct po_error why = error_of(row->status, row->native);
	struct cached_token c = { 0 };
	int64_t want_ms = RETRY_FIRST_MS;

	assert_int_equal(cached_token_may_pass(&why),
			 row->max_ms == RETRY_PASSING_MAX_MS);
	for (unsigned int i = 1; i <= 100; i++) {
		assert_int_equal(pause_after(&c, &why, UINT16_MAX), want_ms);
		assert_int_equal(c.failures, i);
		assert_int_equal(c.why.status, row->status);
		assert_int_equal(c.why.native, row->native);
		want_ms = want_ms * 2 > row->max_ms ? row->max_ms : want_ms * 2;
	}
	assert_int_equal(want_ms, row->max_ms);
}

TEST(half_of_a_pause_is_chance)
{
	struct po_error why = error_of(PO_E_SERVER, 503);
	int64_t last_ms = -1;

	for (uint32_t chance = 0; chance <= UINT16_MAX; chance += 4369) {
		struct cached_token c = { .failures = 20 };
		int64_t ms = pause_after(&c, &why, (uint16_t)chance);

		assert_true(ms >= RETRY_PASSING_MAX_MS / 2);
		assert_true(ms <= RETRY_PASSING_MAX_MS);
		assert_true(ms > last_ms);
		last_ms = ms;
	}
	assert_int_equal(last_ms, RETRY_PASSING_MAX_MS);
}

/* A long outage does not make a refusal's first pause long, nor the other
 * way. */
TEST(another_kind_starts_anew)
{
	struct po_error network = error_of(PO_E_NETWORK, 7);
	struct po_error refused = error_of(PO_E_REFUSED, 400);
	struct cached_token c = { 0 };

	for (int i = 0; i < 20; i++)
		(void)pause_after(&c, &network, UINT16_MAX);
	assert_int_equal(pause_after(&c, &refused, UINT16_MAX), RETRY_FIRST_MS);
	assert_int_equal(pause_after(&c, &refused, UINT16_MAX),
			 2 * RETRY_FIRST_MS);
	assert_int_equal(pause_after(&c, &network, UINT16_MAX), RETRY_FIRST_MS);
	assert_int_equal(c.failures, 1);
}

TEST(a_failure_keeps_the_last_good_one)
{
	struct po_error why = error_of(PO_E_REFUSED, 401);
	struct cached_token c = { 0 };

	take(&c, LIFE_MS, 0);
	cached_token_fail(&c, &why, ASKED_MS + LIFE_MS - 2, 0);
	assert_true(cached_token_is_usable(&c, 0, ASKED_MS + LIFE_MS - 1));
	assert_true(cached_token_expire(&c, ASKED_MS + LIFE_MS));
	/* what it died of is still known, and how long they live */
	assert_int_equal(c.why.status, PO_E_REFUSED);
	assert_int_equal(c.life_ms, LIFE_MS);
	cached_token_clear(&c);
	assert_int_equal(c.failures, 0);
	assert_int_equal(c.why.status, PO_OK);
}

/* ---- end ---------------------------------------------------------------- */

TEST(it_ends_at_the_very_millisecond)
{
	const int64_t end_ms = ASKED_MS + LIFE_MS;
	struct cached_token c = { 0 };

	assert_false(cached_token_expire(&c, end_ms));
	take(&c, LIFE_MS, 0);
	assert_true(cached_token_is_usable(&c, 0, end_ms - 1));
	assert_false(cached_token_expire(&c, end_ms - 1));
	assert_non_null(c.value);
	assert_false(cached_token_is_usable(&c, 0, end_ms));
	assert_true(cached_token_expire(&c, end_ms));
	assert_null(c.value);
	assert_null(c.answer);
	assert_false(cached_token_expire(&c, end_ms));
	assert_false(cached_token_is_usable(&c, 0, ASKED_MS));
	cached_token_clear(&c);
}

TEST(min_valid_is_exact)
{
	struct cached_token c = { 0 };
	int64_t now_ms = ASKED_MS + 1;

	take(&c, LIFE_MS, 0);
	assert_true(cached_token_is_usable(&c, LIFE_MS - 2, now_ms));
	assert_false(cached_token_is_usable(&c, LIFE_MS - 1, now_ms));
	assert_false(cached_token_is_usable(&c, LIFE_MS, now_ms));
	cached_token_clear(&c);
}

/* ---- when --------------------------------------------------------------- */

TEST(due_is_who_is_wanted)
{
	struct po_error why = error_of(PO_E_SERVER, 503);
	struct cached_token c = { 0 };
	int64_t renew_ms;

	assert_false(cached_token_is_due(&c, INT64_MAX));
	take(&c, LIFE_MS, 0);
	renew_ms = c.renew_ms;
	assert_false(cached_token_is_due(&c, renew_ms));
	c.is_wanted = true;
	assert_false(cached_token_is_due(&c, renew_ms - 1));
	assert_true(cached_token_is_due(&c, renew_ms));
	/* after a failure not before the pause is over */
	cached_token_fail(&c, &why, renew_ms, UINT16_MAX);
	assert_false(cached_token_is_due(&c, renew_ms + RETRY_FIRST_MS - 1));
	assert_true(cached_token_is_due(&c, renew_ms + RETRY_FIRST_MS));
	cached_token_clear(&c);
}

TEST(next_is_renewal_or_end)
{
	struct po_error why = error_of(PO_E_PIN, 0xa0);
	struct cached_token c = { 0 };
	int64_t renew_ms, end_ms = ASKED_MS + LIFE_MS;

	assert_true(cached_token_next_ms(&c, ASKED_MS) == INT64_MAX);
	take(&c, LIFE_MS, 0);
	renew_ms = c.renew_ms;
	/* unwanted: it just ends */
	assert_int_equal(cached_token_next_ms(&c, ASKED_MS), end_ms);
	c.is_wanted = true;
	assert_int_equal(cached_token_next_ms(&c, ASKED_MS), renew_ms);
	assert_int_equal(cached_token_next_ms(&c, renew_ms - 1), renew_ms);
	/* its time has come: it is not told again and again */
	assert_int_equal(cached_token_next_ms(&c, renew_ms), end_ms);
	cached_token_fail(&c, &why, renew_ms, UINT16_MAX);
	assert_int_equal(cached_token_next_ms(&c, renew_ms), c.retry_ms);
	/* a try after the end is none of a renewal */
	c.failures = 20;
	cached_token_fail(&c, &why, end_ms - 1000, UINT16_MAX);
	assert_int_equal(cached_token_next_ms(&c, renew_ms), end_ms);
	cached_token_clear(&c);
}
