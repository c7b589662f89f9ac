/* SPDX-License-Identifier: Apache-2.0 */
/* What can be asked of the agent, and what it answers: access tokens, JWK
 * Sets. */
#include "agent-bench.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONFIG                                                                \
	BENCH_PROFILE(                                                        \
		"lab", BENCH_ON("one", "a") BENCH_STORED                      \
		"\tallow-scope = { \"system/Patient.read\", \"odd/%.x\" }\n") \
	BENCH_PROFILE("typed",                                                \
		      BENCH_ON("two", "b") "\tpin-from = \"prompt\"\n")       \
	BENCH_PROFILE("users", BENCH_ON("one", "c") BENCH_STORED              \
		      "\tallow-uid = { \"1\", \"4242\" }\n")                  \
	BENCH_PROFILE("groups", BENCH_ON("one", "d") BENCH_STORED             \
		      "\tallow-gid = { \"1\", \"2000\" }\n")                  \
	BENCH_PROFILE("denied", BENCH_ON("one", "e") BENCH_STORED             \
		      "\tallow-uid = { \"1\" }\n\tallow-gid = { \"2\" }\n")

BEFORE_EACH
{
	bench_up(CONFIG);
}

AFTER_EACH
{
	bench_down();
}

struct query {
	const char *name, *value;
};

static struct server_request *ask(const char *profile, struct query first,
				  struct query second)
{
	static char path[128];
	struct server_request *r;

	(void)snprintf(path, sizeof(path), "/v1/token/%s", profile);
	r = bench_request("GET", path);
	r->query[0].name = first.name;
	r->query[0].value = first.value;
	r->query[1].name = second.name;
	r->query[1].value = second.value;
	agent_route(&bench.agent, r);
	return r;
}
#define NONE ((struct query){ NULL, NULL })
#define ask_for(profile, name, value) \
	ask(profile, (struct query){ name, value }, NONE)

static void give(const char *value, int64_t life_s)
{
	fake_job_answer(fake_workers_last(), bench_token(value, life_s));
}

static json_int_t number(const json_t *object, const char *name)
{
	const json_t *n = json_object_get(object, name);

	assert_true(json_is_integer(n));
	return json_integer_value(n);
}

/* ---- an access token ---------------------------------------------------- */

TEST(an_access_token_comes_with_what_the_server_said_and_what_is_left)
{
	struct server_request *first = bench_get("/v1/token/lab"), *later;
	json_auto_t *a = NULL, *b = NULL;

	assert_int_equal(first->answers, 0);
	give("x", 300);
	bench_answered(first, 200, "\"access_token\":\"x\"");
	assert_string_equal(first->type, "application/json");
	assert_int_equal(first->retry_after_s, 0);
	a = fake_answer_json(first);
	assert_int_equal(json_object_size(a), 4);
	assert_string_equal(json_text(a, "token_type"), "Bearer");
	assert_int_equal(number(a, "expires_in"), 300);
	assert_int_equal(number(a, "expires_at"), BENCH_NOW_S + 300);
	fake_clock_advance(&bench.clock, 100999);
	later = bench_get("/v1/token/lab");
	b = fake_answer_json(later);
	assert_int_equal(number(b, "expires_in"), 199);
	assert_int_equal(number(b, "expires_at"), BENCH_NOW_S + 100 + 199);
}

TEST(each_hand_out_is_on_record)
{
	json_auto_t *record = NULL, *second = NULL;

	(void)bench_get("/v1/token/lab");
	assert_int_equal(bench_records(), 0);
	give("secret-value", 300);
	assert_int_equal(bench_records(), 1);
	record = bench_record();
	assert_string_equal(json_text(record, "event"), "issue");
	assert_string_equal(json_text(record, "profile"), "lab");
	assert_string_equal(json_text(record, "scope"), "system/*.read");
	assert_int_equal(number(record, "of"), 7);
	assert_int_equal(number(record, "expires_at"), BENCH_NOW_S + 300);
	assert_int_equal(number(json_object_get(record, "peer"), "uid"), 4242);
	(void)ask_for("lab", "scope", "system/Patient.read");
	give("other", 300);
	second = bench_record();
	assert_string_equal(json_text(second, "scope"), "system/Patient.read");
	assert_int_equal(bench_records(), 2);
}

TEST(one_that_cannot_be_recorded_is_not_handed_out)
{
	struct server_request *r;

	bench_reload(BENCH_PROFILE("lab", BENCH_ON("one", "a") BENCH_STORED
				   "\taudit = \"required\"\n"));
	(void)bench_get("/v1/token/lab");
	give("first", 300); /* it is there, and kept */
	assert_int_equal(unlink(BENCH_LEDGER), 0);
	assert_int_equal(mkdir(BENCH_LEDGER, 0700), 0);
	r = bench_get("/v1/token/lab");
	bench_refused(r, 500, PO_E_CONFIG, "audit.jsonl");
	assert_null(strstr(fake_answer_text(r), "first"));
}

TEST(a_profile_that_goes_while_its_job_is_under_way_gives_nothing)
{
	struct server_request *r = bench_get("/v1/token/users");

	bench_reload(BENCH_PROFILE("lab", BENCH_ON("one", "a") BENCH_STORED));
	bench_refused(r, 500, PO_E_CONFIG, "changed");
	give("late", 300);
	assert_int_equal(bench_records(), 0);
}

/* ---- scopes ------------------------------------------------------------- */

struct scope_row {
	const char *name, *asked, *of_job; /* NULL: the profile's own */
};
static const struct scope_row scope_rows[] = {
	{ "scope: none", NULL, NULL },
	{ "scope: the profile's own, by name", "system/*.read", NULL },
	{ "scope: its own, with blanks", "  system/*.read ", NULL },
	{ "scope: another", "system/Patient.read", "system/Patient.read" },
	{ "scope: blanks before and after", " system/Patient.read  ",
	  "system/Patient.read" },
	{ "scope: two", "system/*.read system/Patient.read",
	  "system/*.read system/Patient.read" },
	{ "scope: two with many blanks",
	  " system/*.read    system/Patient.read   ",
	  "system/*.read system/Patient.read" },
	{ "scope: the last one that is allowed", "odd/%.x", "odd/%.x" },
};

ROWS(scope_rows, a_scope_is_asked_for_in_one_spelling)
{
	const json_t *scope;

	if (row->asked)
		(void)ask_for("lab", "scope", row->asked);
	else
		(void)bench_get("/v1/token/lab");
	assert_int_equal(fake_workers.count, 1);
	scope = json_object_get(fake_workers_last()->message, "scope");
	if (row->of_job)
		assert_string_equal(json_string_value(scope), row->of_job);
	else
		assert_true(json_is_null(scope));
}

TEST(a_scope_may_be_as_long_as_a_setting)
{
	static char scope[PROFILE_TEXT_MAX + 2];

	memset(scope, 'a', PROFILE_TEXT_MAX);
	bench_refused(ask_for("lab", "scope", scope), 403, PO_E_POLICY,
		      "scope 'aaaa");
	scope[PROFILE_TEXT_MAX] = 'a';
	bench_refused(ask_for("lab", "scope", scope), 400, PO_E_USAGE,
		      "one or more words");
}

/* ---- parameters --------------------------------------------------------- */

struct parameter_row {
	const char *name;
	struct query first, second;
	const char *text; /* NULL: it is taken */
};
static const struct parameter_row parameter_rows[] = {
	{ "min_valid: 0", { "min_valid", "0" }, { NULL, NULL }, NULL },
	{ "min_valid: a day", { "min_valid", "86400" }, { NULL, NULL }, NULL },
	{ "min_valid: more",
	  { "min_valid", "86401" },
	  { NULL, NULL },
	  "min_valid is a number of seconds, 0 to 86400" },
	{ "min_valid: negative",
	  { "min_valid", "-1" },
	  { NULL, NULL },
	  "number of seconds" },
	{ "min_valid: a fraction",
	  { "min_valid", "1.5" },
	  { NULL, NULL },
	  "number of seconds" },
	{ "min_valid: enormous",
	  { "min_valid", "99999999999999999999" },
	  { NULL, NULL },
	  "number of seconds" },
	{ "min_valid: empty", { "min_valid", "" }, { NULL, NULL }, "seconds" },
	{ "min_valid: no value",
	  { "min_valid", NULL },
	  { NULL, NULL },
	  "seconds" },
	{ "wait: ten minutes", { "wait", "600" }, { NULL, NULL }, NULL },
	{ "wait: more",
	  { "wait", "601" },
	  { NULL, NULL },
	  "wait is a number of seconds, 0 to 600" },
	{ "wait: words", { "wait", "x" }, { NULL, NULL }, "seconds" },
	{ "force_new: 1", { "force_new", "1" }, { NULL, NULL }, NULL },
	{ "force_new: 0", { "force_new", "0" }, { NULL, NULL }, NULL },
	{ "force_new: 2",
	  { "force_new", "2" },
	  { NULL, NULL },
	  "force_new is 1 or 0" },
	{ "force_new: no value",
	  { "force_new", NULL },
	  { NULL, NULL },
	  "force_new" },
	{ "scope: empty", { "scope", "" }, { NULL, NULL }, "words" },
	{ "scope: a blank", { "scope", " " }, { NULL, NULL }, "words" },
	{ "scope: no value", { "scope", NULL }, { NULL, NULL }, "words" },
	{ "scope: a quote", { "scope", "\"" }, { NULL, NULL }, "words" },
	{ "scope: a backslash", { "scope", "a\\" }, { NULL, NULL }, "words" },
	{ "scope: a newline", { "scope", "a\nb" }, { NULL, NULL }, "words" },
	{ "scope: not ASCII",
	  { "scope", "\xc3\xa4" },
	  { NULL, NULL },
	  "words" },
	{ "scope: DEL", { "scope", "a\x7f" }, { NULL, NULL }, "words" },
	{ "unknown", { "x", "1" }, { NULL, NULL }, "'x' is not known" },
	{ "unknown: no name", { "", "1" }, { NULL, NULL }, "is not known" },
	{ "unknown: another case",
	  { "Min_valid", "1" },
	  { NULL, NULL },
	  "is not known" },
	{ "twice: min_valid",
	  { "min_valid", "1" },
	  { "min_valid", "1" },
	  "is there twice" },
	{ "twice: wait", { "wait", "1" }, { "wait", "1" }, "is there twice" },
	{ "twice: scope",
	  { "scope", "odd/%.x" },
	  { "scope", "odd/%.x" },
	  "is there twice" },
	{ "twice: force_new",
	  { "force_new", "1" },
	  { "force_new", "1" },
	  "is there twice" },
	{ "two of them", { "wait", "1" }, { "min_valid", "1" }, NULL },
	{ "two of them, a bad one last",
	  { "wait", "1" },
	  { "min_valid", "x" },
	  "min_valid" },
};

ROWS(parameter_rows, a_parameter_is_taken_or_refused)
{
	struct server_request *r = ask("lab", row->first, row->second);

	if (row->text) {
		bench_refused(r, 400, PO_E_USAGE, row->text);
		assert_int_equal(fake_workers.count, 0);
		return;
	}
	assert_int_equal(r->answers, 0);
	assert_int_equal(fake_workers.count, 1);
	give("x", 100000);
	bench_answered(r, 200, "\"x\"");
}

TEST(wishes_reach_the_broker)
{
	struct server_request *r;

	(void)bench_get("/v1/token/lab");
	give("old", 300);
	fake_clock_advance(&bench.clock, 100000);
	bench_refused(ask_for("lab", "min_valid", "300"), 400, PO_E_USAGE,
		      "live 300 s");
	r = ask_for("lab", "min_valid", "250");
	assert_int_equal(r->answers, 0);
	give("longer", 300);
	bench_answered(r, 200, "longer");
	fake_clock_advance(&bench.clock, 1);
	r = ask_for("lab", "force_new", "1");
	assert_int_equal(r->answers, 0);
	give("new", 300);
	bench_answered(r, 200, "new");
	fake_clock_advance(&bench.clock, 1);
	r = ask("lab", (struct query){ "force_new", "1" },
		(struct query){ "wait", "5" });
	fake_job_fail(fake_workers_last(), PO_E_SERVER, "503");
	assert_int_equal(r->answers, 0);
	bench_advance(4999);
	assert_int_equal(r->answers, 0);
	bench_advance(1);
	bench_refused(r, 503, PO_E_SERVER, "503");
}

/* ---- who may ------------------------------------------------------------ */

TEST(lists_say_who_may_and_a_refusal_is_on_record)
{
	json_auto_t *record = NULL;

	assert_int_equal(bench_get("/v1/token/users")->answers, 0);
	assert_int_equal(bench_get("/v1/token/groups")->answers, 0);
	bench_refused(bench_get("/v1/token/denied"), 403, PO_E_POLICY,
		      "uid 4242 may not have access tokens of profile "
		      "'denied'");
	assert_int_equal(fake_workers.count, 2);
	assert_int_equal(bench.agent.counts.refused, 1);
	record = bench_record();
	assert_string_equal(json_text(record, "event"), "refuse");
	assert_string_equal(json_text(record, "profile"), "denied");
	assert_non_null(strstr(json_text(record, "reason"), "allow-uid"));
	assert_int_equal(number(json_object_get(record, "peer"), "uid"), 4242);
}

TEST(root_is_no_exception_for_access_tokens)
{
	struct server_request *r = bench_request("GET", "/v1/token/users");

	r->peer.uid = r->peer_ids.uid = 0;
	agent_route(&bench.agent, r);
	bench_refused(r, 403, PO_E_POLICY, "uid 0");
}

TEST(the_first_scope_that_is_not_allowed_is_named)
{
	json_auto_t *record = NULL;

	bench_refused(ask_for("lab", "scope", "system/*.read system/*.write a"),
		      403, PO_E_POLICY,
		      "scope 'system/*.write' may not be had of profile 'lab'");
	record = bench_record();
	assert_string_equal(json_text(record, "scope"),
			    "system/*.read system/*.write a");
	/* of the profile itself, and of its list; nothing of other profiles */
	bench_refused(ask_for("typed", "scope", "system/Patient.read"), 403,
		      PO_E_POLICY, "allow-scope");
	assert_int_equal(bench.agent.counts.refused, 2);
}

/* ---- what goes wrong ---------------------------------------------------- */

struct failure_row {
	const char *name;
	enum po_status status;
	unsigned int http;
};
static const struct failure_row failure_rows[] = {
	{ "failure: usage", PO_E_USAGE, 400 },
	{ "failure: configuration", PO_E_CONFIG, 500 },
	{ "failure: token", PO_E_TOKEN, 503 },
	{ "failure: not found", PO_E_NOT_FOUND, 500 },
	{ "failure: PIN", PO_E_PIN, 423 },
	{ "failure: PIN locked", PO_E_PIN_LOCKED, 423 },
	{ "failure: user", PO_E_USER, 504 },
	{ "failure: device", PO_E_DEVICE, 503 },
	{ "failure: crypto", PO_E_CRYPTO, 500 },
	{ "failure: network", PO_E_NETWORK, 502 },
	{ "failure: refused", PO_E_REFUSED, 502 },
	{ "failure: server", PO_E_SERVER, 503 },
	{ "failure: policy", PO_E_POLICY, 403 },
	{ "failure: agent", PO_E_AGENT, 503 },
	{ "failure: internal", PO_E_INTERNAL, 500 },
};

ROWS(failure_rows, each_failure_has_its_http_status_and_says_when_to_come_back)
{
	struct server_request *r = bench_get("/v1/token/lab"), *again;

	fake_job_fail(fake_workers_last(), row->status, "the reason");
	bench_refused(r, row->http, row->status, "the reason");
	assert_int_equal(r->retry_after_s, 1); /* half a second, rounded up */
	fake_clock_advance(&bench.clock, 1);
	again = bench_get("/v1/token/lab");
	bench_refused(again, row->http, row->status, "the reason");
	assert_int_equal(fake_workers_open(), row->status == PO_E_TOKEN);
}

TEST(an_absent_token_is_looked_for_again_but_not_all_the_time)
{
	(void)bench_get("/v1/token/lab");
	fake_job_fail(fake_workers_last(), PO_E_TOKEN, "pulled");
	assert_int_equal(fake_workers.count, 2);
	assert_string_equal(fake_job_text(fake_workers_last(), "op"), "look");
	for (int i = 0; i < 5; i++)
		(void)bench_get("/v1/token/lab");
	assert_int_equal(fake_workers.count, 2);
	/* a second look 2 s later; its pause may be over as well */
	bench_profile("lab")->is_held = true;
	fake_clock_advance(&bench.clock, 1999);
	agent_look_again(&bench.agent, "lab");
	assert_int_equal(fake_workers.count, 2);
	fake_clock_advance(&bench.clock, 1);
	agent_look_again(&bench.agent, "lab");
	assert_int_equal(fake_workers.count, 3);
	agent_look_again(&bench.agent, "nobody");
	assert_int_equal(fake_workers.count, 3);
}

/* ---- the table ---------------------------------------------------------- */

struct path_row {
	const char *name, *method, *path;
	unsigned int status;
	const char *allow;
};
static const struct path_row path_rows[] = {
	{ "path: /", "GET", "/", 404, NULL },
	{ "path: empty", "GET", "", 404, NULL },
	{ "path: no name", "GET", "/v1/token/", 404, NULL },
	{ "path: more after the name", "GET", "/v1/token/lab/x", 404, NULL },
	{ "path: no slash", "GET", "/v1/token", 404, NULL },
	{ "path: two slashes", "GET", "//v1/token/lab", 404, NULL },
	{ "path: a slash after", "GET", "/v1/profiles/", 404, NULL },
	{ "path: another case", "GET", "/V1/profiles", 404, NULL },
	{ "path: dots", "GET", "/v1/./token/lab", 404, NULL },
	{ "path: a longer word", "GET", "/healthzz", 404, NULL },
	{ "method: token", "POST", "/v1/token/lab", 405, "GET" },
	{ "method: token HEAD", "HEAD", "/v1/token/lab", 405, "GET" },
	{ "method: jwks", "PUT", "/v1/jwks/lab", 405, "GET" },
	{ "method: profiles", "DELETE", "/v1/profiles", 405, "GET" },
	{ "method: status", "POST", "/v1/status", 405, "GET" },
	{ "method: metrics", "POST", "/metrics", 405, "GET" },
	{ "method: healthz", "POST", "/healthz", 405, "GET" },
	{ "method: unlock", "GET", "/v1/unlock", 405, "POST" },
	{ "method: lock", "PUT", "/v1/lock", 405, "POST" },
	{ "method: in small letters", "get", "/healthz", 405, "GET" },
};

ROWS(path_rows, what_is_not_there_is_said_and_what_is_takes_its_method)
{
	struct server_request *r = bench_request(row->method, row->path);

	agent_route(&bench.agent, r);
	bench_refused(r, row->status, PO_E_USAGE,
		      row->allow ? "only" : "there is no");
	if (row->allow)
		assert_string_equal(r->allow, row->allow);
	else
		assert_null(r->allow);
	assert_int_equal(fake_workers.count, 0);
	assert_int_equal(bench.agent.counts.requests, 1);
}

TEST(an_unknown_profile_is_told_which_there_are)
{
	static const char *const paths[] = { "/v1/token/none", "/v1/token/LAB",
					     "/v1/token/lab ",
					     "/v1/jwks/none" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(paths); i++)
		bench_refused(bench_get(paths[i]), 404, PO_E_CONFIG,
			      "lab, typed, users, groups, denied");
}

TEST(it_says_that_it_is_there)
{
	struct server_request *r = bench_get("/healthz");

	bench_answered(r, 200, "ok\n");
	assert_string_equal(r->type, "text/plain");
	assert_int_equal(strlen(fake_answer_text(r)), 3);
}

/* ---- JWK Sets ----------------------------------------------------------- */

TEST(a_jwk_set_is_the_workers_and_wants_no_right)
{
	struct server_request *r = bench_get("/v1/jwks/denied");
	const struct fake_job *job = fake_workers_last();

	assert_string_equal(fake_job_text(job, "op"), "jwks");
	assert_string_equal(fake_job_text(job, "profile"), "denied");
	assert_string_equal(fake_job_text(job, "digest"),
			    bench_profile("denied")->digest);
	assert_string_equal(job->module, bench_profile("denied")->module);
	assert_int_equal(job->timeout_ms, 120000);
	fake_job_answer(fake_workers_last(),
			json_pack("{s:{s:[]}}", "jwks", "keys"));
	bench_answered(r, 200, "{\"keys\":[]}\n");
	assert_string_equal(r->type, "application/jwk-set+json");
}

TEST(a_jwk_set_that_cannot_be_had_says_why)
{
	struct server_request *r = bench_get("/v1/jwks/lab");

	fake_job_fail(fake_workers_last(), PO_E_TOKEN, "no token");
	bench_refused(r, 503, PO_E_TOKEN, "no token");
	fake_workers.refuses = PO_E_DEVICE;
	bench_refused(bench_get("/v1/jwks/lab"), 503, PO_E_DEVICE, "no worker");
}
