/* SPDX-License-Identifier: Apache-2.0 */
#include "base/interrupt.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>

#define TICK_MS 100

static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE, SIGXFSZ };
static struct sigaction before[PO_ARRAY_SIZE(signals)];

static volatile sig_atomic_t pending;

static void on_signal(int sig)
{
	pending = sig;
}

void interrupt_install(void)
{
	/* no SA_RESTART: a prompt must wake up; the second one kills */
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = (int)SA_RESETHAND };
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < PO_ARRAY_SIZE(signals); i++)
		(void)sigaction(signals[i],
				signals[i] == SIGPIPE || signals[i] == SIGXFSZ
					? &ignore
					: &sa,
				&before[i]);
}

void interrupt_uninstall(void)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(signals); i++)
		(void)sigaction(signals[i], &before[i], NULL);
}

bool interrupt_is_pending(void)
{
	return pending != 0;
}

void interrupt_request(void)
{
	pending = SIGTERM;
}

enum po_status interrupt_check(struct po_error *err)
{
	if (!pending)
		return PO_OK;
	return po_fail(err, PO_E_USER, pending, "interrupted by signal %d",
		       (int)pending);
}

bool interrupt_wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	while (!pending) {
		/* poll(2) passes a negative descriptor over */
		int n = fd < 0 ? 1 : poll(&p, 1, TICK_MS);

		if (n > 0 || (n < 0 && errno != EINTR))
			return true; /* what is wrong, read(2) will say */
	}
	return false;
}

void interrupt_reraise(void)
{
	if (!pending)
		return;
	(void)signal(pending, SIG_DFL);
	(void)raise(pending);
}
