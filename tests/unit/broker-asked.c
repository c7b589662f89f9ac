/* SPDX-License-Identifier: Apache-2.0 */
#include "broker-asked.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

static const struct requester peer = { .uid = 4242, .gid = 100, .pid = 4711 };

static void on_answer(void *user, const struct cached_token *token,
		      const struct po_error *why, int64_t retry_ms)
{
	struct asked *a = user;

	a->answers++;
	a->retry_ms = retry_ms;
	if (token)
		(void)snprintf(a->value, sizeof(a->value), "%s",
			       secret_reveal(token->value));
	else
		a->why = *why;
}

void asked_ask(const char *profile, struct asked *a,
	       struct broker_request request)
{
	request.served = bench_profile(profile);
	request.peer = &peer;
	*a = (struct asked){ 0 };
	broker_ask(bench.agent.broker, &request, on_answer, a);
}

void give(const char *value, int64_t life_s)
{
	fake_job_answer(fake_workers_last(), bench_token(value, life_s));
}

void got(const struct asked *a, const char *value)
{
	assert_int_equal(a->answers, 1);
	if (!a->value[0])
		fail_msg("no '%s': %s", value, a->why.text);
	assert_string_equal(a->value, value);
}

void failed(const struct asked *a, enum po_status status, const char *text)
{
	assert_int_equal(a->answers, 1);
	assert_string_equal(a->value, "");
	assert_int_equal(a->why.status, status);
	if (!strstr(a->why.text, text))
		fail_msg("no '%s' in '%s'", text, a->why.text);
}

struct broker_counts counts(void)
{
	return broker_count(bench.agent.broker);
}
