/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent-bench.h - an agent without processes and sockets: its profiles, its cache
 * and its ledger are real; time is a fake clock, workers are fake-workers.h, and
 * requests are fake-server.h. Its working directory is a folder of its own.
 */
#ifndef PO_TESTS_UNIT_AGENT_BENCH_H
#define PO_TESTS_UNIT_AGENT_BENCH_H

#include "agent/agent_impl.h"

#include "fake-clock.h"
#include "fake-server.h"
#include "fake-workers.h"

#define BENCH_NOW_S INT64_C(1800000000)

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
 * The settings that every profile needs, for a section of the configuration. Two
 * modules that differ are two workers.
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

/* Milliseconds go by, and the loop goes round once. */
void bench_advance(int64_t ms);

/* A worker's answer to a "token" job: asked of the server now. */
json_t *bench_token(const char *value, int64_t life_s);

/* The last record of the ledger, which the caller frees. */
json_t *bench_record(void);
size_t bench_records(void);

#endif
