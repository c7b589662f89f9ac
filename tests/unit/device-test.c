/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread of a device when several ask at once: a handshake, and whoever
 * signs meanwhile.
 */
#include "cryptoki/device.h"

#include "fake-clock.h"
#include "in-child.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

#define ASKERS 4
#define ASKS 5
#define JOB_US 20000
#define TEST_S 60 /* a test that hangs fails */

static struct fake_clock fake;

BEFORE_ALL
{
	(void)alarm(TEST_S);
	fake_clock_init(&fake, 1700000000);
}

static struct device *device;
static int inside; /* jobs that run now; only in the device's thread */

struct asker {
	pthread_t thread;
	int number;
	int wrong; /* answers that were somebody else's */
};

static enum po_status slow_job(void *arg, struct po_error *err)
{
	const struct asker *a = arg;
	int others = inside++;

	(void)usleep(JOB_US);
	inside--;
	if (others > 0)
		return po_fail(err, PO_E_INTERNAL, 0, "two at a time");
	return po_fail(err, PO_E_PIN, a->number, "for %d", a->number);
}

static void *ask(void *arg)
{
	struct asker *a = arg;

	for (int i = 0; i < ASKS; i++) {
		struct po_error err = { 0 };
		enum po_status st = device_run(device, slow_job, a, &err);

		if (st != PO_E_PIN || err.native != a->number)
			a->wrong++;
	}
	return NULL;
}

TEST(each_gets_its_own_answer)
{
	struct asker askers[ASKERS] = { 0 };

	device = device_new(&fake.clock, 0);
	assert_non_null(device);
	for (int i = 0; i < ASKERS; i++) {
		askers[i].number = i + 1;
		assert_int_equal(pthread_create(&askers[i].thread, NULL, ask,
						&askers[i]),
				 0);
	}
	for (int i = 0; i < ASKERS; i++) {
		assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
		assert_int_equal(askers[i].wrong, 0);
	}
	device_free(device, NULL, NULL);
}

static atomic_bool is_stuck;

/* In a call into a module that does not come back. */
static enum po_status stuck_job(void *arg, struct po_error *err)
{
	(void)arg;
	(void)err;
	device_enter("C_Stuck");
	fake_clock_advance(&fake, 1001);
	atomic_store(&is_stuck, true);
	(void)sleep(5);
	(void)device_leave(0);
	return PO_OK;
}

static void *ask_in_vain(void *arg)
{
	return device_run(device, stuck_job, NULL, arg) == PO_OK ? arg : NULL;
}

/* Who waits for his turn is not left waiting. In a child, since the stuck
 * thread stays. */
TEST_IN_CHILD(a_lost_device_is_lost_for_all)
{
	struct po_error first = { 0 }, second = { 0 };
	void *succeeded = &first;
	pthread_t thread;

	(void)alarm(TEST_S);
	device = device_new(&fake.clock, 1);
	CHECK(device);
	CHECK(pthread_create(&thread, NULL, ask_in_vain, &first) == 0);
	while (!atomic_load(&is_stuck)) /* alarm() bounds it */
		(void)usleep(JOB_US);
	CHECK(device_run(device, stuck_job, NULL, &second) == PO_E_DEVICE);
	CHECK(pthread_join(thread, &succeeded) == 0);
	CHECK(!succeeded);
	CHECK(strstr(first.text, "did not answer in time"));
	CHECK(strstr(second.text, "the device is lost"));
	CHECK(device_is_lost(device));
}
