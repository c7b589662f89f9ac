/* SPDX-License-Identifier: Apache-2.0 */
#include "workers-bench.h"

#include "agent/helper.h"
#include "base/log.h"
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- the helper, and the workers that it starts ------------------------- */

struct start starts[STARTS_MAX];
unsigned int start_count;
bool spawn_fails;

enum po_status helper_spawn(struct helper *helper, const char *module, int fd,
			    pid_t *ret_pid, struct po_error *err)
{
	struct start *s = &starts[start_count];
	int own;

	(void)helper;
	if (spawn_fails)
		return po_fail(err, PO_E_INTERNAL, 0, "no more processes");
	assert_true(start_count < STARTS_MAX);
	own = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	assert_true(own >= 0);
	assert_int_equal(fcntl(own, F_SETFL, O_NONBLOCK), 0);
	channel_init(&s->channel, own);
	(void)snprintf(s->module, sizeof(s->module), "%s", module);
	*ret_pid = (pid_t)(1000 + start_count++);
	return PO_OK;
}

void helper_end(struct helper *helper, pid_t pid, char *ret_how, size_t size)
{
	struct start *s = &starts[pid - 1000];

	(void)helper;
	assert_in_range(pid, 1000, 1000 + start_count - 1);
	assert_false(s->has_ended);
	s->has_ended = true;
	(void)snprintf(ret_how, size, "killed by signal 9");
}

/* ---- who asks ----------------------------------------------------------- */

struct asked asked[ASKED_MAX];

void on_answer(void *user, const json_t *answer, const struct po_error *why)
{
	struct asked *a = user;

	a->answers++;
	a->value = answer ? json_integer_value(json_object_get(answer, "value"))
			  : -1;
	if (why)
		a->why = *why;
}

struct fake_clock fake;
static struct helper helper;
struct workers *workers;
unsigned int lost, records;
char lost_module[64], lost_why[256], record_peer[64];
enum po_status record_status;

static enum po_status on_record(void *user, const json_t *peer, json_t *record,
				uint64_t *ret_seq, struct po_error *err)
{
	(void)user;
	records++;
	(void)snprintf(record_peer, sizeof(record_peer), "%s",
		       json_is_null(peer) ? "nobody" : json_text(peer, "who"));
	assert_string_equal(json_text(record, "event"), "sign");
	json_decref(record);
	if (record_status != PO_OK)
		return po_fail(err, record_status, 0, "the disk is full");
	*ret_seq = 41 + records;
	return PO_OK;
}

static json_t *on_profiles(void *user, const char *module)
{
	(void)user;
	return json_pack("[{s:s}, {s:s}]", "name", module, "name", "second");
}

static void on_lost(void *user, const char *module, const char *why)
{
	(void)user;
	lost++;
	(void)snprintf(lost_module, sizeof(lost_module), "%s", module);
	(void)snprintf(lost_why, sizeof(lost_why), "%s", why);
}

unsigned int warnings;
void __wrap_log_warn(const char *fmt, ...) PO_PRINTF(1, 2);
void __wrap_log_warn(const char *fmt, ...)
{
	(void)fmt;
	warnings++;
}

void workers_up(void)
{
	const struct workers_events events = { on_record, on_profiles, on_lost,
					       NULL };

	memset(starts, 0, sizeof(starts));
	memset(asked, 0, sizeof(asked));
	start_count = lost = records = warnings = 0;
	spawn_fails = false;
	record_status = PO_OK;
	fake_clock_init(&fake, 1800000000);
	workers = workers_new(&fake.clock, &helper, &events);
	assert_non_null(workers);
}

void workers_down(void)
{
	workers_free(workers);
	for (unsigned int i = 0; i < start_count; i++)
		channel_close(&starts[i].channel);
}

void ask_in(const char *module, struct asked *a, int64_t timeout_ms)
{
	json_auto_t *job = json_pack("{s:s, s:{s:s}}", "op", "token", "peer",
				     "who", module);
	struct po_error err = { 0 };

	*a = (struct asked){ 0 };
	if (workers_submit(
		    workers, module,
		    &(struct worker_task){ job, timeout_ms, on_answer, a },
		    &err) != PO_OK)
		fail_msg("%s", err.text);
}

void ask(const char *module, struct asked *a)
{
	ask_in(module, a, TIMEOUT_MS);
}

json_t *hear(unsigned int i)
{
	json_t *message = NULL;

	assert_true(i < start_count);
	if (channel_next(&starts[i].channel, &message, NULL) == PO_OK &&
	    !message) {
		(void)!channel_fill(&starts[i].channel);
		assert_int_equal(
			channel_next(&starts[i].channel, &message, NULL),
			PO_OK);
	}
	return message;
}

void hears_op(unsigned int i, const char *op)
{
	json_auto_t *message = hear(i);

	assert_non_null(message);
	assert_string_equal(json_text(message, "op"), op);
}

void begins(unsigned int i)
{
	hears_op(i, "profile");
	hears_op(i, "profile");
	hears_op(i, "ready");
}

int64_t hears_job(unsigned int i)
{
	json_auto_t *message = hear(i);

	assert_non_null(message);
	assert_string_equal(json_text(message, "op"), "token");
	return json_integer_value(json_object_get(message, "id"));
}

void hears_nothing(unsigned int i)
{
	json_auto_t *message = hear(i);

	assert_null(message);
}

void says(unsigned int i, json_t *message)
{
	assert_int_equal(channel_send(&starts[i].channel, message, NULL),
			 PO_OK);
	json_decref(message);
	workers_handle(workers);
}

void answers(unsigned int i, int64_t id, int64_t value)
{
	says(i, json_pack("{s:I, s:I}", "re", (json_int_t)id, "value",
			  (json_int_t)value));
}

void dies(unsigned int i)
{
	channel_close(&starts[i].channel);
	workers_handle(workers);
}

void advance(int64_t ms)
{
	fake_clock_advance(&fake, ms);
	workers_handle(workers);
}

const char *state_of(size_t i)
{
	static char state[32];
	json_auto_t *list = workers_status(workers);

	(void)snprintf(state, sizeof(state), "%s",
		       json_text(json_array_get(list, i), "state"));
	return state;
}

int64_t status_number(size_t i, const char *name)
{
	json_auto_t *list = workers_status(workers);

	return json_integer_value(
		json_object_get(json_array_get(list, i), name));
}

int64_t next_ms(void)
{
	int64_t ms = workers_next_ms(workers);

	return ms == INT64_MAX ? -1 : ms - clock_monotonic_ms(&fake.clock);
}
