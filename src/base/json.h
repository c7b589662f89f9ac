/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json.h - JSON in and out, by jansson, with limits and without leftovers.
 *
 * Source: RFC 8259. Parsing takes one object and nothing after it; refuses
 * repeated member names (RFC 7515 section 4, RFC 7519 section 4) unless told
 * otherwise, NUL inside strings and deep nesting; skips one byte order mark. A
 * member that is null counts as absent in json_text(). Owning pointers are
 * json_auto_t; what json_object_get() returns is borrowed and always const.
 */
#ifndef PO_BASE_JSON_H
#define PO_BASE_JSON_H

#include "base/buf.h"
#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>

#define JSON_TEXT_MAX (1024 * 1024) /* bytes */
#define JSON_DEPTH_MAX 32

/*
 * Makes jansson wipe what it frees. Process-wide: called by a program, first
 * thing, never by library code.
 */
void json_use_wiping_allocator(void);

/* PO_E_SERVER: not one JSON object, or over a limit; the text says which. */
enum po_status json_parse_object(const char *text, size_t len,
				 json_t **ret_object,
				 struct po_error *err) PO_MUST_CHECK;

/*
 * The same for those who write JSON by hand: of members with one name the last
 * counts, and *ret_repeats becomes true. What once lists (NULL-terminated) is
 * too important to be there twice at the top.
 */
enum po_status json_parse_lenient(const char *text, size_t len,
				  const char *const *once, json_t **ret_object,
				  bool *ret_repeats,
				  struct po_error *err) PO_MUST_CHECK;

/* The string member name, or NULL when absent, null or no string. Borrowed. */
const char *json_text(const json_t *object, const char *name);

/* Appends compact JSON, members in insertion order. false: does not fit. */
bool json_compact(struct buf *out, const json_t *value) PO_MUST_CHECK;

#endif
