/* SPDX-License-Identifier: Apache-2.0 */
#include "agent-bench.h"

#include "flow/audit.h"
#include "test-folder.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONFIG "bench.conf"

struct agent_bench bench;

static struct server_request requests[BENCH_REQUESTS_MAX];
static size_t request_count;

static void write_config(const char *config)
{
	FILE *file = fopen(CONFIG, "w");

	assert_non_null(file);
	assert_true(fputs(config, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void on_changed(void *user, const struct served *served,
		       const struct cached_token *token)
{
	(void)user;
	bench.changes++;
	(void)snprintf(bench.changed_profile, sizeof(bench.changed_profile),
		       "%s", served->profile->name);
	(void)snprintf(bench.changed_value, sizeof(bench.changed_value), "%s",
		       token ? secret_reveal(token->value) : "");
}

void bench_up(const char *config)
{
	const struct broker_events events = { on_changed, agent_learned,
					      &bench.agent };
	struct po_error err = { 0 };
	char *here;

	folder_enter();
	here = getcwd(NULL, 0);
	assert_non_null(here);
	assert_int_equal(setenv("XDG_STATE_HOME", here, 1), 0);
	free(here);
	(void)unsetenv("STATE_DIRECTORY");
	write_config(config);
	bench = (struct agent_bench){ .options = { .config = CONFIG } };
	fake_clock_init(&bench.clock, BENCH_NOW_S);
	bench.env.clock = &bench.clock.clock;
	bench.agent.options = &bench.options;
	bench.agent.env = &bench.env;
	bench.agent.started_ms = clock_boottime_ms(bench.env.clock);
	bench.agent.workers = fake_workers_get();
	if (served_load(CONFIG, NULL, &bench.agent.served, &err) != PO_OK)
		fail_msg("%s", err.text);
	bench.agent.broker = broker_new(bench.env.clock, bench.agent.workers,
					&bench.agent.served, &events);
	assert_non_null(bench.agent.broker);
}

void bench_down(void)
{
	if (bench.agent.broker) /* whose the jobs are */
		fake_workers_end();
	broker_free(bench.agent.broker);
	served_clear(&bench.agent.served);
	fake_workers_reset();
	for (size_t i = 0; i < request_count; i++)
		fake_request_clear(&requests[i]);
	request_count = 0;
	folder_leave();
}

void bench_reload(const char *config)
{
	struct served_list fresh = { 0 }, old = bench.agent.served;
	struct po_error err = { 0 };

	write_config(config);
	if (served_load(CONFIG, &old, &fresh, &err) != PO_OK)
		fail_msg("%s", err.text);
	bench.agent.served = fresh;
	broker_reload(bench.agent.broker);
	served_clear(&old);
}

struct served *bench_profile(const char *name)
{
	struct served *served = served_find(&bench.agent.served, name);

	assert_non_null(served);
	return served;
}

void bench_advance(int64_t ms)
{
	fake_clock_advance(&bench.clock, ms);
	broker_handle(bench.agent.broker);
	agent_status_handle(&bench.agent);
}

json_t *bench_token(const char *value, int64_t life_s)
{
	return json_pack("{s:s, s:{s:s}, s:I, s:I, s:i}", "access_token", value,
			 "answer", "token_type", "Bearer", "life_s",
			 (json_int_t)life_s, "asked_ms",
			 (json_int_t)clock_boottime_ms(bench.env.clock),
			 "sign_seq", 7);
}

/* ---- requests ----------------------------------------------------------- */

struct server_request *bench_request(const char *method, const char *path)
{
	struct server_request *r;

	assert_true(request_count < BENCH_REQUESTS_MAX);
	r = &requests[request_count++];
	memset(r, 0, sizeof(*r));
	r->method = method;
	r->path = path;
	r->peer = (struct requester){ .uid = 4242, .gid = 100, .pid = 4711 };
	r->peer_ids.uid = 4242;
	r->peer_ids.gids[0] = 100;
	r->peer_ids.gids[1] = 2000;
	r->peer_ids.gid_count = 2;
	return r;
}

struct server_request *bench_get(const char *path)
{
	struct server_request *r = bench_request("GET", path);

	agent_route(&bench.agent, r);
	return r;
}

struct server_request *bench_post(const char *path, const char *body)
{
	struct server_request *r = bench_request("POST", path);

	r->body = body;
	agent_route(&bench.agent, r);
	return r;
}

void bench_answered(const struct server_request *r, unsigned int status,
		    const char *text)
{
	assert_int_equal(r->answers, 1);
	if (r->status != status || !strstr(fake_answer_text(r), text))
		fail_msg("not %u with '%s': %u %s", status, text, r->status,
			 fake_answer_text(r));
}

void bench_refused(const struct server_request *r, unsigned int http,
		   enum po_status status, const char *text)
{
	json_auto_t *body = NULL;
	const json_t *error;

	bench_answered(r, http, "{\"error\":{");
	assert_string_equal(r->type, "application/json");
	body = fake_answer_json(r);
	assert_int_equal(json_object_size(body), 1);
	error = json_object_get(body, "error");
	assert_int_equal(json_integer_value(json_object_get(error, "exit")),
			 -status);
	assert_string_equal(json_text(error, "status"), po_status_name(status));
	if (!strstr(json_text(error, "message"), text))
		fail_msg("no '%s' in '%s'", text, json_text(error, "message"));
	assert_int_equal(
		json_integer_value(json_object_get(error, "retry_after")),
		r->retry_after_s);
}

/* ---- the ledger --------------------------------------------------------- */

static char *read_ledger(size_t *ret_records)
{
	static char text[65536];
	FILE *file = fopen(BENCH_LEDGER, "r");
	size_t len = file ? fread(text, 1, sizeof(text) - 1, file) : 0;
	char *last = text;

	*ret_records = 0;
	text[len] = '\0';
	for (char *p = text; *p; p++) {
		if (*p != '\n')
			continue;
		++*ret_records;
		if (p[1])
			last = p + 1;
	}
	if (file)
		assert_int_equal(fclose(file), 0);
	return last;
}

size_t bench_records(void)
{
	size_t records;

	(void)read_ledger(&records);
	return records;
}

json_t *bench_record(void)
{
	size_t records;
	const char *last = read_ledger(&records);
	json_t *value = NULL;
	struct po_error err = { 0 };

	assert_true(records > 0);
	if (json_parse_object(last, strlen(last), &value, &err) != PO_OK)
		fail_msg("%s: %s", err.text, last);
	return value;
}
