/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"

#include "base/buf.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096

static unsigned int areas_on;
static bool warnings_off;
static bool warnings_held;
static int own_fd = STDERR_FILENO; /* where our lines go */
static int null_fd = -1;

static const struct {
	const char *name;
	enum log_area area;
} names_of_areas[] = {
	{ "cryptoki", LOG_CRYPTOKI }, { "http", LOG_HTTP },
	{ "oauth", LOG_OAUTH },       { "conf", LOG_CONF },
	{ "all", LOG_ALL },
};

static unsigned int area_named(const char *name, size_t len)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(names_of_areas); i++)
		if (strlen(names_of_areas[i].name) == len &&
		    memcmp(names_of_areas[i].name, name, len) == 0)
			return names_of_areas[i].area;
	return 0;
}

bool log_enable(const char *names)
{
	unsigned int on = 0;

	while (*names) {
		size_t len = strcspn(names, ",");
		unsigned int area = area_named(names, len);

		if (!area)
			return false;
		on |= area;
		names += len;
		if (*names == ',')
			names++;
	}
	areas_on |= on;
	return true;
}

void log_set_quiet(bool quiet)
{
	warnings_off = quiet;
}

void log_hold_warnings(bool hold)
{
	warnings_held = hold;
}

bool log_area_is_on(enum log_area area)
{
	return (areas_on & area) != 0;
}

static void write_whole(const char *text, size_t len)
{
	/* nobody can be told that nobody can be told */
	if (write(own_fd, text, len) < 0)
		return;
}

/* One line in one write, whatever bytes a token or a server put into it. */
static void put(const char *prefix, const char *fmt, va_list ap,
		const char *end) PO_PRINTF(2, 0);

static void put(const char *prefix, const char *fmt, va_list ap,
		const char *end)
{
	char raw[LINE_MAX_BYTES];
	po_auto_buf line = { 0 };

	buf_init(&line, 2 * sizeof(raw));
	if (vsnprintf(raw, sizeof(raw), fmt, ap) < 0 ||
	    !buf_adds(&line, prefix) ||
	    !text_add_printable(&line, raw, strlen(raw)) ||
	    !buf_adds(&line, end))
		return;
	write_whole(buf_text(&line), line.len);
}

void log_debug(enum log_area area, const char *fmt, ...)
{
	va_list ap;

	if (!log_area_is_on(area))
		return;
	va_start(ap, fmt);
	put("p11oauth: debug: ", fmt, ap, "\n");
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	if (warnings_off || warnings_held)
		return;
	va_start(ap, fmt);
	put("p11oauth: warning: ", fmt, ap, "\n");
	va_end(ap);
}

void log_say(const char *fmt, ...)
{
	va_list ap;

	if (warnings_off)
		return;
	va_start(ap, fmt);
	put("p11oauth: ", fmt, ap, "\n");
	va_end(ap);
}

bool log_notice(const char *fmt, ...)
{
	va_list ap;

	if (warnings_off || !isatty(own_fd))
		return false;
	va_start(ap, fmt);
	put("\rp11oauth: ", fmt, ap, "");
	va_end(ap);
	return true;
}

void log_notice_clear(void)
{
	static const char erase[] = "\r\033[K";

	write_whole(erase, sizeof(erase) - 1);
}

static bool keep_stderr(void)
{
	int fd;

	if (null_fd >= 0)
		return true;
	fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (fd < 0)
		return false;
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (null_fd < 0) {
		(void)close(fd);
		return false;
	}
	own_fd = fd;
	return true;
}

void log_stderr_away(void)
{
	if (!log_area_is_on(LOG_CRYPTOKI) && keep_stderr())
		(void)dup2(null_fd, STDERR_FILENO);
}

void log_stderr_back(void)
{
	if (null_fd >= 0)
		(void)dup2(own_fd, STDERR_FILENO);
}
