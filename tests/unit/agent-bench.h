/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent-bench.h - an agent without processes and sockets: its profiles, its
 * cache and its ledger are real; time is a fake clock, workers are
 * fake-workers.h, and requests are fake-server.h. Its working directory is a
 * folder of its own.
 */
#ifndef PO_TESTS_UNIT_AGENT_BENCH_H
#define PO_TESTS_UNIT_AGENT_BENCH_H

#include "agent/agent_impl.h"

#include "fake-clock.h"
#include "fake-server.h"
#include "fake-workers.h"

#define BENCH_NOW_S INT64_C(1800000000)
#define BENCH_LEDGER "p11oauth/audit.jsonl"

struct agent_bench {
	struct fake_clock clock;
	struct po_env env;
	struct agent_options options;
	struct agent agent;
	/* what the broker said of a profile's access token */
	unsigned int changes;
	char changed_profile[65],
		changed_value[65]; /* value "": it has ended */
};
extern struct agent_bench bench;

/*
 * The settings that every profile needs, for a section of the configuration.
 * Two modules that differ are two workers.
 */
#define BENCH_PROFILE(name, more)                           \
	"profile " name " {\n"                              \
	"\tclient-id = \"backend\"\n"                       \
	"\ttoken-endpoint = \"https://as.example/token\"\n" \
	"\tscope = \"system/*.read\"\n" more "}\n"
#define BENCH_ON(module, object)              \
	"\tmodule = \"/lib/" module ".so\"\n" \
	"\tkey = \"pkcs11:token=lab;object=" object "\"\n"
#define BENCH_STORED "\tpin-from = \"file:/run/pin\"\n"

/* Fail the running test when they cannot. config: text of the configuration. */
void bench_up(const char *config);
void bench_down(void);

/* Another configuration, as after SIGHUP, but for the workers. */
void bench_reload(const char *config);

/* Fails the test when there is none. */
struct served *bench_profile(const char *name);

/*
 * A request of uid 4242 that is not sent yet; it goes with the bench. One that
 * is still to be filled in is sent by agent_route(). bench_get() sends it at
 * once.
 */
#define BENCH_REQUESTS_MAX 128
struct server_request *bench_request(const char *method, const char *path);
struct server_request *bench_get(const char *path);
struct server_request *bench_post(const char *path, const char *body);

/* Fail the test unless it was answered so: with status and text in the body; or
 * with an error of that status, and text in its message. */
void bench_answered(const struct server_request *request, unsigned int status,
		    const char *text);
void bench_refused(const struct server_request *request, unsigned int http,
		   enum po_status status, const char *text);

/* Milliseconds go by, and the loop goes round once. */
void bench_advance(int64_t ms);

/* A worker's answer to a "token" job: asked of the server now. */
json_t *bench_token(const char *value, int64_t life_s);

/* The last record of the ledger, which the caller frees. */
json_t *bench_record(void);
size_t bench_records(void);

#endif
