/* SPDX-License-Identifier: Apache-2.0 */
/*
 * format.h - an access token as its user wants to read it.
 *
 * Source: RFC 6749 section 5.1 (json); RFC 6750 section 2.1 (header); the
 * ExecCredential of client.authentication.k8s.io/v1 and v1beta1, RFC 3339
 * (kube-exec-credential); AIP-4117, version 1 (executable).
 */
#ifndef PO_FLOW_FORMAT_H
#define PO_FLOW_FORMAT_H

#include "base/buf.h"
#include "base/json.h"
#include "base/secret.h"

#include <stdbool.h>
#include <stdint.h>

enum token_format {
	FORMAT_RAW,        /* the access token alone */
	FORMAT_JSON,       /* the server's answer and expires_at */
	FORMAT_HEADER,     /* "Authorization: Bearer …" */
	FORMAT_ENV,        /* two assignments, for a shell or systemd */
	FORMAT_KUBE,       /* for kubectl and others that use client-go */
	FORMAT_EXECUTABLE, /* for Google's libraries */
};

#define TOKEN_FORMAT_ENV_NAME "ACCESS_TOKEN" /* unless told otherwise */

/* What there is to show; everything borrowed. */
struct access_token_view {
	const char *value;
	const json_t *answer; /* an object; NULL will do unless FORMAT_JSON */
	int64_t expires_at_s; /* since the epoch */
	int64_t expires_in_s; /* what is left of it; 0: past */
	bool expiry_is_assumed;
	const char *env_name; /* NULL: TOKEN_FORMAT_ENV_NAME */
};

/* The words of --format in the order of the enum, NULL-terminated. */
extern const char *const token_format_words[];

/* False: no such format. */
bool token_format_parse(const char *name, enum token_format *ret_format);

/* A name that a shell takes as a variable's: A-Z a-z 0-9 _, no digit first. */
bool token_format_is_env_name(const char *name);

/*
 * The whole text with its final newline. *ret_text is the caller's.
 * PO_E_USAGE: env_name is no name; PO_E_INTERNAL: no answer for FORMAT_JSON,
 * larger than 2 * JSON_TEXT_MAX, out of memory.
 */
enum po_status token_format_print(enum token_format format,
				  const struct access_token_view *token,
				  struct secret **ret_text,
				  struct po_error *err) PO_MUST_CHECK;

/*
 * What FORMAT_EXECUTABLE says instead of an access token; its code is the
 * exit status. Appends with a newline; false: does not fit.
 */
bool token_format_add_failure(struct buf *out,
			      const struct po_error *why) PO_MUST_CHECK;

#endif
