/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workers-bench.h - the agent's side of its workers over a real channel: the
 * test stands for the helper that starts workers, and plays each worker at the
 * other end.
 */
#ifndef PO_TESTS_UNIT_WORKERS_BENCH_H
#define PO_TESTS_UNIT_WORKERS_BENCH_H

#include "agent/channel.h"
#include "agent/workers.h"

#include "fake-clock.h"

#define STARTS_MAX 80
#define RETIRE_MS 20000
#define TIMEOUT_MS 60000

extern struct start { /* a worker that the agent started */
	char module[64];
	struct channel channel; /* the worker's end */
	bool has_ended;         /* the agent told the helper so */
} starts[STARTS_MAX];
extern unsigned int start_count;
extern bool spawn_fails;

#define ASKED_MAX 16
extern struct asked {
	unsigned int answers;
	int64_t value; /* of the answer; -1: there was none */
	struct po_error why;
} asked[ASKED_MAX];
void on_answer(void *user, const json_t *answer, const struct po_error *why);

extern struct fake_clock fake;
extern struct workers *workers;
extern unsigned int lost, records, warnings;
extern char lost_module[64], lost_why[256], record_peer[64];
extern enum po_status record_status; /* of the ledger */

void workers_up(void);
void workers_down(void);

/* Hands a job in. */
void ask_in(const char *module, struct asked *a, int64_t timeout_ms);
void ask(const char *module, struct asked *a);

/* What the worker that was started as the i-th hears next; the caller frees it.
 * NULL: nothing. */
json_t *hear(unsigned int i);
void hears_op(unsigned int i, const char *op);
void begins(unsigned int i);       /* its profiles come first */
int64_t hears_job(unsigned int i); /* its id */
void hears_nothing(unsigned int i);

/* What it does; then the loop goes round once. message is taken over. */
void says(unsigned int i, json_t *message);
void answers(unsigned int i, int64_t id, int64_t value);
void dies(unsigned int i);
void advance(int64_t ms);

/* Of the i-th module. */
const char *state_of(size_t i);
int64_t status_number(size_t i, const char *name);

/* What the loop would wait for; -1: for nothing. */
int64_t next_ms(void);

#endif
