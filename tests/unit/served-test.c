/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent knows of tokens and certificates, and when it warns. */
#include "agent/served.h"

#include "base/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DAY_S INT64_C(86400)
#define NOW_S INT64_C(1800000000)

static unsigned int warnings;
static char last_warning[512];

void __wrap_log_warn(const char *fmt, ...) PO_PRINTF(1, 2);
void __wrap_log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(last_warning, sizeof(last_warning), fmt, ap);
	va_end(ap);
	warnings++;
}

static int set_up(void **state)
{
	struct served *s = calloc(1, sizeof(*s));

	if (!s || !(s->profile = profile_new("lab")))
		return -1;
	warnings = 0;
	last_warning[0] = '\0';
	*state = s;
	return 0;
}

static int tear_down(void **state)
{
	struct served *s = *state;

	profile_free(s->profile);
	free(s);
	return 0;
}

/* A worker's word of a certificate that ends at not_after_s. */
static void learn_certificate(struct served *s, int64_t not_after_s)
{
	json_auto_t *answer =
		json_pack("{s:{s:s, s:I}}", "certificate", "subject", "CN=lab",
			  "not_after", (json_int_t)not_after_s);

	assert_non_null(answer);
	served_learn(s, answer, NULL);
}

/* ---- days -------------------------------------------------------------------- */

struct days_row {
	const char *name;
	int64_t left_s;
	int want;
};

static struct days_row days_rows[] = {
	{ "days: a year", 365 * DAY_S, -1 },
	{ "days: 30 and a second", 30 * DAY_S + 1, -1 },
	{ "days: 30", 30 * DAY_S, 30 },
	{ "days: 14 and a second", 14 * DAY_S + 1, 30 },
	{ "days: 14", 14 * DAY_S, 14 },
	{ "days: 7 and a second", 7 * DAY_S + 1, 14 },
	{ "days: 7", 7 * DAY_S, 7 },
	{ "days: 1 and a second", DAY_S + 1, 7 },
	{ "days: 1", DAY_S, 1 },
	{ "days: a second", 1, 1 },
	{ "days: this very second", 0, 0 },
	{ "days: a second ago", -1, 0 },
	{ "days: a year ago", -365 * DAY_S, 0 },
};

static void days(void **state)
{
	const struct days_row *r = *state;
	void *made = NULL;
	struct served *s;

	assert_int_equal(set_up(&made), 0);
	s = made;
	assert_int_equal(served_days_warning(s, NOW_S), -1); /* none known */
	learn_certificate(s, NOW_S + r->left_s);
	assert_int_equal(served_days_warning(s, NOW_S), r->want);
	served_watch(s, NOW_S);
	assert_int_equal(warnings, r->want >= 0);
	(void)tear_down(&made);
}

static void each_is_given_once(void **state)
{
	static const int64_t left_days[] = { 40, 30, 14, 7, 1, 0 };
	struct served *s = *state;
	int64_t end_s = NOW_S + 40 * DAY_S;

	served_watch(s, NOW_S);
	assert_int_equal(warnings, 0); /* no certificate, no warning */
	learn_certificate(s, end_s);
	for (unsigned int i = 0; i < 6; i++) {
		for (int times = 0; times < 3; times++) {
			served_watch(s, end_s - left_days[i] * DAY_S);
			learn_certificate(s, end_s);
		}
		assert_int_equal(warnings, i);
	}
	assert_non_null(strstr(last_warning, "lab"));
	assert_non_null(strstr(last_warning, "ended"));
	/* a clock that is set back does not start anew */
	served_watch(s, end_s - 14 * DAY_S);
	assert_int_equal(warnings, 5);
}

static void a_step_that_was_slept_through(void **state)
{
	struct served *s = *state;

	learn_certificate(s, NOW_S);
	served_watch(s, NOW_S - 30 * DAY_S);
	served_watch(s, NOW_S - DAY_S);
	assert_int_equal(warnings, 2);
	assert_non_null(strstr(last_warning, "1 day;"));
}

static void a_new_certificate_is_warned_of_anew(void **state)
{
	struct served *s = *state;

	learn_certificate(s, NOW_S + DAY_S);
	served_watch(s, NOW_S);
	assert_int_equal(warnings, 1);
	learn_certificate(s, NOW_S + 400 * DAY_S);
	served_watch(s, NOW_S);
	assert_int_equal(warnings, 1);
	served_watch(s, NOW_S + 399 * DAY_S);
	assert_int_equal(warnings, 2);
}

/* ---- token --------------------------------------------------------------------- */

struct token_row {
	const char *name;
	bool has_token;
	enum po_status why;
	enum token_state want;
};

static struct token_row token_rows[] = {
	{ "token: nothing is said", false, PO_OK, TOKEN_UNKNOWN },
	{ "token: named", true, PO_OK, TOKEN_PRESENT },
	{ "token: named, the server fails", true, PO_E_SERVER, TOKEN_PRESENT },
	{ "token: named, a wrong PIN", true, PO_E_PIN, TOKEN_PRESENT },
	{ "token: named, then pulled", true, PO_E_TOKEN, TOKEN_ABSENT },
	{ "token: absent", false, PO_E_TOKEN, TOKEN_ABSENT },
	{ "token: device failed", false, PO_E_DEVICE, TOKEN_FAILED },
	{ "token: named, device failed", true, PO_E_DEVICE, TOKEN_FAILED },
	{ "token: the network says nothing of it", false, PO_E_NETWORK,
	  TOKEN_UNKNOWN },
};

static void token_states(void **state)
{
	const struct token_row *r = *state;
	const struct po_error why = { .status = r->why };
	json_auto_t *answer = r->has_token
				      ? json_pack("{s:{s:s, s:s}}", "token",
						  "label", "L", "serial", "S")
				      : json_object();
	struct served s = { 0 };

	served_learn(&s, answer, r->why == PO_OK ? NULL : &why);
	assert_int_equal(s.token_state, r->want);
	assert_string_equal(s.token_label, r->has_token ? "L" : "");
	assert_string_equal(s.token_serial, r->has_token ? "S" : "");
}

static void what_is_not_said_stays(void **state)
{
	json_auto_t *locked = json_pack("{s:b}", "locked", 1);
	json_auto_t *open = json_pack("{s:b}", "locked", 0);
	json_auto_t *nothing = json_object();
	struct served *s = *state;

	learn_certificate(s, NOW_S);
	served_learn(s, locked, NULL);
	assert_true(s->is_locked);
	served_learn(s, nothing, NULL);
	served_learn(s, NULL, &(struct po_error){ .status = PO_E_NETWORK });
	assert_true(s->is_locked);
	assert_string_equal(s->subject, "CN=lab");
	served_learn(s, open, NULL);
	assert_false(s->is_locked);
}

static void too_long_a_name_is_cut(void **state)
{
	struct served *s = *state;
	char name[1000];
	json_auto_t *answer = NULL;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	answer = json_pack("{s:{s:s, s:s}, s:{s:s, s:i}}", "token", "label",
			   name, "serial", name, "certificate", "subject", name,
			   "not_after", 1);
	served_learn(s, answer, NULL);
	assert_int_equal(strlen(s->token_label), sizeof(s->token_label) - 1);
	assert_int_equal(strlen(s->token_serial), sizeof(s->token_serial) - 1);
	assert_int_equal(strlen(s->subject), sizeof(s->subject) - 1);
}

/* ---- PIN sources ----------------------------------------------------------------- */

static void who_wants_a_person(void **state)
{
	static const struct {
		const char *from;
		bool wants;
	} sources[] = {
		{ "prompt", true }, { "pinpad", true },  { "file:/x", false },
		{ "env:X", false }, { "cred:x", false }, { "fd:3", false },
		{ "cmd:x", false },
	};
	struct served *s = *state;

	assert_true(served_wants_person(s)); /* not set: prompt */
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		free(s->profile->pin_from[0]);
		s->profile->pin_from[0] = strdup(sources[i].from);
		assert_int_equal(served_wants_person(s), sources[i].wants);
	}
}

/* ---- the list -------------------------------------------------------------------- */

#define N_DAYS (sizeof(days_rows) / sizeof(days_rows[0]))
#define N_TOKENS (sizeof(token_rows) / sizeof(token_rows[0]))
#define WITH_ONE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest singles[] = {
		WITH_ONE(each_is_given_once),
		WITH_ONE(a_step_that_was_slept_through),
		WITH_ONE(a_new_certificate_is_warned_of_anew),
		WITH_ONE(what_is_not_said_stays),
		WITH_ONE(too_long_a_name_is_cut),
		WITH_ONE(who_wants_a_person),
	};
	struct CMUnitTest tests[N_DAYS + N_TOKENS + 6];
	size_t n = 0;

	for (size_t i = 0; i < N_DAYS; i++)
		tests[n++] = (struct CMUnitTest){ days_rows[i].name, days, NULL,
						  NULL, &days_rows[i] };
	for (size_t i = 0; i < N_TOKENS; i++)
		tests[n++] =
			(struct CMUnitTest){ token_rows[i].name, token_states,
					     NULL, NULL, &token_rows[i] };
	memcpy(&tests[n], singles, sizeof(singles));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
