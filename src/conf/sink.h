/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink.h - "sink { … }": a file in which the agent keeps a profile's access
 * token.
 */
#ifndef PO_CONF_SINK_H
#define PO_CONF_SINK_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define SINKS_MAX 16       /* of one profile */
#define SINK_PATH_MAX 4000 /* bytes; leaves room for the temporary name */
#define SINK_MODE_DEFAULT 0600

struct sink {                /* texts owned */
	char *path;          /* absolute */
	char *owner, *group; /* name or number; NULL: as the agent's own */
	mode_t mode;
	char *format;     /* one of sink_formats; NULL: the first of them */
	const char *file; /* where path stands; borrowed from struct config */
	int line;
};

/* The keys of the section and the words of format, NULL-terminated. */
extern const char *const sink_keys[];
extern const char *const sink_formats[];

/*
 * Sets one key from its text. Owner and group are not looked up: they may not
 * exist yet. PO_E_CONFIG; the text says what is wrong, not where.
 */
enum po_status sink_set(struct sink *sink, const char *key, const char *text,
			struct po_error *err) PO_MUST_CHECK;

/* What is left to say at the end of the section. PO_E_CONFIG: no path. */
enum po_status sink_finish(struct sink *sink,
			   struct po_error *err) PO_MUST_CHECK;

void sink_clear(struct sink *sink);

/* An array of its own with count sinks; NULL: out of memory, or count is 0. */
struct sink *sinks_copy(const struct sink *sinks, size_t count) PO_MUST_CHECK;
void sinks_free(struct sink *sinks, size_t count);

#endif
