/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_request.h - the form that carries an assertion to the token endpoint.
 *
 * Source: RFC 6749 section 4.4.2, section 3.3 (scope), appendix B (encoding);
 * RFC 7523 sections 2.1 and 2.2; RFC 7521 section 4.2; RFC 8705 section 2 (no
 * assertion, the client is named by client_id).
 */
#ifndef PO_OAUTH_TOKEN_REQUEST_H
#define PO_OAUTH_TOKEN_REQUEST_H

#include "base/secret.h"

#define TOKEN_REQUEST_CONTENT_TYPE "application/x-www-form-urlencoded"
#define TOKEN_REQUEST_ACCEPT "application/json"
#define TOKEN_REQUEST_PARAMS_MAX 32

enum token_grant {
	GRANT_CLIENT_CREDENTIALS,
	/* the assertion is the grant (RFC 7523 section 2.1) */
	GRANT_JWT_BEARER,
};

struct token_request { /* all borrowed */
	enum token_grant grant;
	const char *scope;         /* NULL: none sent */
	const char *client_id;     /* NULL: none sent */
	const char *assertion;     /* NULL: TLS authenticates the client */
	const char *const *params; /* NULL, or "NAME=VALUE" … NULL */
	const char *const *form;   /* the same, of the server's rules */
};

/*
 * PO_E_USAGE: scope is no list of scope-tokens (space-separated, no control
 * characters, quotes or backslashes; RFC 6749 section 3.3).
 */
enum po_status scope_check(const char *scope,
			   struct po_error *err) PO_MUST_CHECK;

/*
 * "NAME=VALUE" … NULL; form: those of the server's rules, or NULL.
 * PO_E_USAGE: no NAME=VALUE, an empty or non-UTF-8 part, a name that appears
 * twice, or one that the request itself sets.
 */
enum po_status params_check(const char *const *params, const char *const *form,
			    struct po_error *err) PO_MUST_CHECK;

/* The body, percent-encoded. Checks scope and params first. */
enum po_status token_request_form(const struct token_request *req,
				  struct secret **ret_form,
				  struct po_error *err) PO_MUST_CHECK;

#endif
