/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's line for "systemctl status". */
#include "agent/agent_impl.h"

#include "agent/systemd.h"
#include "fake-clock.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

#define DAY_S INT64_C(86400)
#define NOW_S INT64_C(1800000000)

static char told[512];
static unsigned int times;
/* NOLINTNEXTLINE */
void __wrap_systemd_notify(const char *fmt, ...) PO_PRINTF(1, 2);
void __wrap_systemd_notify(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(told, sizeof(told), fmt, ap);
	va_end(ap);
	times++;
}

struct row {
	const char *name;
	struct served one, other; /* the rest of them is nothing */
	const char *status;
};
static const struct row rows[] = {
	{ "nothing to tell", { 0 }, { 0 }, "serving 2 profiles" },
	{ "locked by a person",
	  { .is_held = true },
	  { 0 },
	  "serving 2 profiles, 1 locked" },
	{ "a PIN is missing",
	  { .is_locked = true },
	  { .is_locked = true, .is_held = true },
	  "serving 2 profiles, 2 locked" },
	{ "no token",
	  { .token_state = TOKEN_ABSENT },
	  { .token_state = TOKEN_PRESENT },
	  "serving 2 profiles, 1 without token" },
	{ "a certificate in thirty days",
	  { .subject = "CN=a", .not_after_s = NOW_S + 30 * DAY_S },
	  { .subject = "CN=b", .not_after_s = NOW_S + 31 * DAY_S },
	  "serving 2 profiles, 1 whose certificate ends soon" },
	{ "a certificate that has ended",
	  { .subject = "CN=a", .not_after_s = NOW_S - 1 },
	  { .is_held = true,
	    .token_state = TOKEN_ABSENT,
	    .subject = "CN=b",
	    .not_after_s = NOW_S + DAY_S },
	  "serving 2 profiles, 1 locked, 1 without token, 2 whose "
	  "certificate ends soon" },
};

ROWS(rows, its_state_is_told_in_a_line)
{
	struct fake_clock fake;
	const struct po_env env = { .clock = &fake.clock };
	struct served one = row->one, other = row->other;
	struct served *items[] = { &one, &other };
	struct agent agent = { .env = &env,
			       .served = { .items = items, .count = 2 } };
	char want[512];

	fake_clock_init(&fake, NOW_S);
	times = 0;
	agent_state_changed(&agent);
	(void)snprintf(want, sizeof(want), "STATUS=%s", row->status);
	assert_string_equal(told, want);
	assert_int_equal(times, 1);
	agent.served.count = 1;
	agent_state_changed(&agent);
	assert_non_null(strstr(told, "serving 1 profile"));
	assert_null(strstr(told, "profiles"));
	agent.is_ending = true; /* it has said so */
	agent_state_changed(&agent);
	assert_int_equal(times, 2);
}
