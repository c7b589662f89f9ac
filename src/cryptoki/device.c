/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/device.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TICK_MS 50             /* between two looks at the device */
#define INTERRUPT_GRACE_MS 500 /* a signal came: time to unwind properly */
#define FREE_MS 3000           /* C_Finalize gets no longer */
#define SIGNAL_STACK_BYTES 65536

struct device {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const struct po_clock *clock;
	int64_t timeout_ms;
	char name[64];

	/* under the lock */
	bool busy;       /* somebody waits for a job */
	device_job *job; /* to do; NULL: none */
	void *arg;
	bool done;
	bool quit;
	bool lost;
	enum po_status st;
	struct po_error err;
	const char *call; /* into the module, going on now; NULL: none */
	int64_t call_since_ms;
	int64_t spent_ms; /* in finished calls of this use */

	volatile sig_atomic_t crashed; /* a signal, or -1: exit() was called */
};

/* The one whose job is waited for; handlers have no other way to it. */
static struct device *volatile active;
static bool any_lost;

static __thread struct device *mine; /* in the device's own thread */

/* ---- in the device's thread -------------------------------------------- */

static void park(void)
{
	for (;;)
		(void)pause();
}

void device_enter(const char *function)
{
	struct device *d = mine;

	if (!d)
		return;
	(void)pthread_mutex_lock(&d->lock);
	d->call = function;
	d->call_since_ms = clock_monotonic_ms(d->clock);
	(void)pthread_mutex_unlock(&d->lock);
	log_stderr_away();
}

unsigned long device_leave(unsigned long rv)
{
	struct device *d = mine;
	bool lost;

	if (!d)
		return rv;
	log_stderr_back();
	(void)pthread_mutex_lock(&d->lock);
	lost = d->lost;
	d->spent_ms += clock_monotonic_ms(d->clock) - d->call_since_ms;
	d->call = NULL;
	(void)pthread_mutex_unlock(&d->lock);
	if (lost)
		park();
	return rv;
}

static void *thread_main(void *arg)
{
	struct device *d = arg;
	char *stack = malloc(SIGNAL_STACK_BYTES);
	const stack_t alternate = { .ss_sp = stack,
				    .ss_size = SIGNAL_STACK_BYTES };
	stack_t old;

	/* a module may overflow the stack, and the handler needs one; a
	 * sanitizer has set its own and wants it back */
	if (stack && sigaltstack(NULL, &old) == 0 &&
	    (old.ss_flags & SS_DISABLE))
		(void)sigaltstack(&alternate, NULL);
	mine = d;
	(void)pthread_mutex_lock(&d->lock);
	while (!d->quit) {
		device_job *job = d->job;
		enum po_status st;

		if (!job) {
			(void)pthread_cond_wait(&d->changed, &d->lock);
			continue;
		}
		d->job = NULL;
		(void)pthread_mutex_unlock(&d->lock);
		st = job(d->arg, &d->err);
		(void)pthread_mutex_lock(&d->lock);
		d->st = st;
		d->done = true;
		(void)pthread_cond_broadcast(&d->changed);
	}
	(void)pthread_mutex_unlock(&d->lock);
	free(stack);
	return NULL;
}

/* ---- a module that takes the process with it ---------------------------- */

static void on_crash(int sig)
{
	struct device *d = active;

	if (!d || !d->call) { /* our own fault: die of it */
		(void)signal(sig, SIG_DFL);
		(void)raise(sig);
		return;
	}
	d->crashed = sig;
	park();
}

static void on_exit_called(void)
{
	struct device *d = active;

	if (!d || !d->call)
		return;
	d->crashed = -1;
	park();
}

static void install_handlers(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL,
				       SIGABRT };
	static bool installed;
	struct sigaction sa = { .sa_handler = on_crash,
				.sa_flags = SA_ONSTACK };
	struct sigaction old;

	if (installed)
		return;
	installed = true;
	for (size_t i = 0; i < PO_ARRAY_SIZE(signals); i++)
		/* a sanitizer's handler stays */
		if (sigaction(signals[i], NULL, &old) == 0 &&
		    old.sa_handler == SIG_DFL)
			(void)sigaction(signals[i], &sa, NULL);
	/* handlers run last in, first out: ours before OpenSSL's, which would
	 * take the ground from under a thread that shakes hands */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_ADD_ALL_DIGESTS, NULL);
	(void)atexit(on_exit_called);
}

/* ---- in the caller's thread ---------------------------------------------- */

struct device *device_new(const struct po_clock *clock, int64_t timeout_s)
{
	struct device *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->clock = clock;
	d->timeout_ms =
		(timeout_s ? timeout_s : DEVICE_TIMEOUT_DEFAULT_S) * 1000;
	install_handlers();
	(void)pthread_mutex_init(&d->lock, NULL);
	clock_cond_init(&d->changed);
	if (pthread_create(&d->thread, NULL, thread_main, d) != 0) {
		free(d);
		return NULL;
	}
	return d;
}

void device_begin_use(struct device *device)
{
	(void)pthread_mutex_lock(&device->lock);
	device->spent_ms = 0;
	(void)pthread_mutex_unlock(&device->lock);
}

void device_set_name(struct device *device, const char *token_label)
{
	(void)snprintf(device->name, sizeof(device->name), "%s", token_label);
}

/* A line without an end on the terminal, which disappears again. */
struct notice {
	bool shown;
};

static bool waits_for_a_person(const char *call)
{
	return strcmp(call, "C_Sign") == 0 || strcmp(call, "C_Login") == 0;
}

static void notice_show(struct notice *n, const struct device *d)
{
	if (n->shown)
		return;
	n->shown = log_notice("token '%s' is busy (%s): %s", d->name, d->call,
			      waits_for_a_person(d->call)
				      ? "touch it if it blinks, or look at "
					"the reader"
				      : "waiting");
}

static void notice_clear(struct notice *n)
{
	if (n->shown)
		log_notice_clear();
	n->shown = false;
}

static void set_lost(struct device *d)
{
	d->lost = true;
	any_lost = true;
	log_stderr_back();
}

/* Gives the device up; under its lock. */
static enum po_status lose(struct device *d, struct po_error *err,
			   enum po_status st, const char *what)
{
	long native = d->crashed ? 0 : ETIMEDOUT;

	set_lost(d);
	return po_fail(err, st, native, "%s (in %s)", what,
		       d->call ? d->call : "the module");
}

/* What becomes of a call that has not come back yet; PO_OK: wait on. */
static enum po_status judge(struct device *d, struct notice *n,
			    int64_t *interrupted_ms, struct po_error *err)
{
	int64_t now_ms = clock_monotonic_ms(d->clock);

	if (d->crashed > 0)
		return lose(d, err, PO_E_DEVICE,
			    d->crashed == SIGABRT ? "the module aborted"
						  : "the module crashed");
	if (d->crashed)
		return lose(d, err, PO_E_DEVICE,
			    "the module tried to end the program");
	if (!d->call)
		return PO_OK;
	if (interrupt_is_pending() && *interrupted_ms == 0)
		*interrupted_ms = now_ms;
	if (*interrupted_ms && now_ms - *interrupted_ms > INTERRUPT_GRACE_MS) {
		set_lost(d);
		return interrupt_check(err);
	}
	if (d->spent_ms + now_ms - d->call_since_ms > d->timeout_ms)
		return n->shown && waits_for_a_person(d->call)
			       ? lose(d, err, PO_E_USER,
				      "nobody touched the device in time")
			       : lose(d, err, PO_E_DEVICE,
				      "the device did not answer in time");
	if (now_ms - d->call_since_ms > DEVICE_NOTICE_MS)
		notice_show(n, d);
	return PO_OK;
}

enum po_status device_run(struct device *device, device_job *job, void *arg,
			  struct po_error *err)
{
	struct notice notice = { false };
	int64_t interrupted_ms = 0;
	enum po_status st = PO_OK;

	(void)pthread_mutex_lock(&device->lock);
	while (device->busy)
		clock_cond_wait_ms(&device->changed, &device->lock, TICK_MS);
	if (device->lost) {
		(void)pthread_mutex_unlock(&device->lock);
		return po_fail(err, PO_E_DEVICE, 0, "the device is lost");
	}
	device->busy = true;
	device->job = job;
	device->arg = arg;
	device->done = false;
	device->err = (struct po_error){ 0 };
	active = device;
	(void)pthread_cond_broadcast(&device->changed);
	while (!device->done && st == PO_OK) {
		clock_cond_wait_ms(&device->changed, &device->lock, TICK_MS);
		if (!device->done)
			st = judge(device, &notice, &interrupted_ms, err);
	}
	active = NULL;
	if (device->done && st == PO_OK) {
		st = device->st;
		if (err && err->status == PO_OK)
			*err = device->err;
	}
	device->busy = false;
	(void)pthread_cond_broadcast(&device->changed);
	(void)pthread_mutex_unlock(&device->lock);
	notice_clear(&notice);
	return st;
}

bool device_is_lost(const struct device *device)
{
	return device->lost;
}

bool device_was_lost(void)
{
	return any_lost;
}

void device_free(struct device *device, device_job *last, void *arg)
{
	if (!device)
		return;
	if (!device->lost && last) {
		device_begin_use(device);
		if (device->timeout_ms > FREE_MS)
			device->timeout_ms = FREE_MS;
		if (device_run(device, last, arg, NULL) != PO_OK)
			log_debug(LOG_CRYPTOKI, "the module was not finalised");
	}
	if (device->lost)
		return; /* its thread still has it */
	(void)pthread_mutex_lock(&device->lock);
	device->quit = true;
	(void)pthread_cond_broadcast(&device->changed);
	(void)pthread_mutex_unlock(&device->lock);
	(void)pthread_join(device->thread, NULL);
	(void)pthread_mutex_destroy(&device->lock);
	(void)pthread_cond_destroy(&device->changed);
	free(device);
}
