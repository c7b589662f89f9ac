/* SPDX-License-Identifier: Apache-2.0 */
/* broker-asked.h - one who asks the bench's broker, and what it hears. */
#ifndef PO_TESTS_UNIT_BROKER_ASKED_H
#define PO_TESTS_UNIT_BROKER_ASKED_H

#include "agent-bench.h"

struct asked {
	unsigned int answers;
	char value[65]; /* "": none */
	struct po_error why;
	int64_t retry_ms;
};

/* Asks as uid 4242, process 4711; a is borrowed until the answer. */
void asked_ask(const char *profile, struct asked *a,
	       struct broker_request request);
#define ask(profile, a, ...) \
	asked_ask(profile, a, (struct broker_request){ __VA_ARGS__ })

/* The newest job gives it. */
void give(const char *value, int64_t life_s);

/* Fail the test unless that was the one answer. */
void got(const struct asked *a, const char *value);
void failed(const struct asked *a, enum po_status status, const char *text);

struct broker_counts counts(void);

#endif
