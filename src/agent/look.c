/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.c - what is known of tokens and certificates, without a PIN: at the
 * start, every hour, and when somebody asks for the status.
 */
#include "agent/agent_impl.h"

#include "base/clock.h"

#include <stdlib.h>
#include <string.h>

#define LOOK_TIME_MS 120000
#define LOOK_AGAIN_MS 2000
#define LOOK_PAUSE_MS ((int64_t)3600 * 1000)

void agent_learned(void *user, const char *profile, const json_t *answer,
		   const struct po_error *why)
{
	struct agent *agent = user;
	struct served *s = served_find(&agent->served, profile);

	if (!s)
		return;
	served_learn(s, answer, why);
	for (size_t i = 0; i < agent->served.count; i++) {
		struct served *other = agent->served.items[i];

		if (other != s && served_has_same_key(s, other))
			served_learn_of_key(other, answer, why);
		if (served_has_same_key(s, other))
			served_watch(other, clock_now_s(agent->env->clock));
	}
	agent_state_changed(agent);
}

struct look {
	struct agent *agent;
	char profile[65];
	void (*done)(void *user);
	void *user;
};

static void on_looked(void *user, const json_t *answer,
		      const struct po_error *why)
{
	struct look *look = user;

	agent_learned(look->agent, look->profile, answer, why);
	if (look->done)
		look->done(look->user);
	free(look);
}

bool agent_look(struct agent *agent, const struct served *s,
		void (*done)(void *user), void *user)
{
	struct look *look = calloc(1, sizeof(*look));
	json_auto_t *job = json_pack("{s:s, s:s, s:s}", "op", "look", "profile",
				     s->profile->name, "digest", s->digest);
	const struct worker_task task = { job, LOOK_TIME_MS, on_looked, look };

	if (look && job && strlen(s->profile->name) < sizeof(look->profile)) {
		look->agent = agent;
		memcpy(look->profile, s->profile->name,
		       strlen(s->profile->name) + 1);
		look->done = done;
		look->user = user;
		if (workers_submit(agent->workers, s->module, &task, NULL) ==
		    PO_OK)
			return true;
	}
	free(look);
	return false;
}

void agent_look_again(struct agent *agent, const char *profile)
{
	struct served *s = served_find(&agent->served, profile);
	int64_t now_ms = clock_boottime_ms(agent->env->clock);

	if (!s || now_ms < s->next_look_ms)
		return;
	s->next_look_ms = now_ms + LOOK_AGAIN_MS;
	(void)agent_look(agent, s, NULL, NULL);
}

void agent_look_handle(struct agent *agent)
{
	int64_t now_ms = clock_boottime_ms(agent->env->clock);

	if (now_ms < agent->next_look_ms)
		return;
	agent->next_look_ms = now_ms + LOOK_PAUSE_MS;
	for (size_t i = 0; i < agent->served.count; i++) {
		struct served *s = agent->served.items[i];

		served_watch(s, clock_now_s(agent->env->clock));
		(void)agent_look(agent, s, NULL, NULL);
	}
}
