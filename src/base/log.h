/* SPDX-License-Identifier: Apache-2.0 */
/*
 * log.h - what a person may want to know while the program runs, on stderr.
 *
 * Library layers log at debug level only; warnings come from flow and cmd, and
 * the one error line from main(). A debug line belongs to an area and shows
 * when that area is on (P11OAUTH_DEBUG=cryptoki,http or --verbose). No format
 * argument may come from a struct secret.
 */
#ifndef PO_BASE_LOG_H
#define PO_BASE_LOG_H

#include "base/compiler.h"

#include <stdbool.h>

enum log_area {
	LOG_CRYPTOKI = 1 << 0,
	LOG_HTTP = 1 << 1,
	LOG_OAUTH = 1 << 2,
	LOG_CONF = 1 << 3,
	LOG_ALL = LOG_CRYPTOKI | LOG_HTTP | LOG_OAUTH | LOG_CONF,
};

/* Switches areas on; names is a comma-separated list or "all". False: unknown
 * name, nothing changed. */
bool log_enable(const char *names);
void log_set_quiet(bool quiet); /* no warnings either */

/* Warnings are dropped meanwhile: the caller tells the same in its own way. */
void log_hold_warnings(bool hold);
bool log_area_is_on(enum log_area area);

void log_debug(enum log_area area, const char *fmt, ...) PO_PRINTF(2, 3);
void log_warn(const char *fmt, ...) PO_PRINTF(1, 2);

/* What a person should know beforehand; as a warning, but without the word. */
void log_say(const char *fmt, ...) PO_PRINTF(1, 2);

/*
 * A line for a person who waits: shown only when stderr is a terminal (false:
 * it is not shown), and gone after log_notice_clear().
 */
bool log_notice(const char *fmt, ...) PO_PRINTF(1, 2);
void log_notice_clear(void);

/*
 * Vendors' modules write to stderr, some at every call. Between these two,
 * what others write there is dropped, unless LOG_CRYPTOKI is on; our own lines
 * arrive. Their order is free: back without away changes nothing.
 */
void log_stderr_away(void);
void log_stderr_back(void);

#endif
