/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock-shift.c - a library to be preloaded, by which a test steps the time of
 * day of one program while it runs; the machine's clock is left alone.
 *
 *   P11FAULT_CLOCK  file of eight bytes, an int64_t of the machine's byte
 * order:
 *                   seconds to be added to the time of day. It is mapped at the
 *                   start and read at each question, so what is written there
 *                   counts at once, sandboxes notwithstanding.
 *
 * Clocks that do not know the time of day (CLOCK_MONOTONIC, CLOCK_BOOTTIME) are
 * what they are.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const volatile int64_t *shift_s;

__attribute__((constructor)) static void map_file(void)
{
	const char *path = getenv("P11FAULT_CLOCK");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*shift_s), PROT_READ, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		shift_s = map;
	(void)close(fd);
}

/* The wrapped function cannot be looked up: it may be asked before dlsym() can
 * be. */
int clock_gettime(clockid_t clock, struct timespec *ts)
{
	int result = (int)syscall(SYS_clock_gettime, clock, ts);

	if (result == 0 && shift_s &&
	    (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
		ts->tv_sec += *shift_s;
	return result;
}

int gettimeofday(struct timeval *restrict tv, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &ts) != 0)
		return -1;
	tv->tv_sec = ts.tv_sec;
	tv->tv_usec = (suseconds_t)(ts.tv_nsec / 1000);
	return 0;
}

time_t time(time_t *ret)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	if (ret)
		*ret = ts.tv_sec;
	return ts.tv_sec;
}
