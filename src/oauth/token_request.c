/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/token_request.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdbool.h>
#include <string.h>

#define GRANT_TYPE "client_credentials"
#define JWT_BEARER "urn:ietf:params:oauth:grant-type:jwt-bearer"
#define ASSERTION_TYPE "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
#define FORM_MAX ((size_t)1024 * 1024) /* bytes */

/* What the request itself sets, and what would be a second authentication. */
static const char *const reserved[] = {
	"grant_type", "scope",     "client_assertion_type", "client_assertion",
	"assertion",  "client_id", "client_secret",         NULL,
};

static enum po_status check_param(const char *param, struct po_error *err)
{
	const char *equals = strchr(param, '=');
	size_t len = equals ? (size_t)(equals - param) : 0;
	char name[64] = "";

	if (!equals || len == 0 || !equals[1])
		return po_fail(err, PO_E_USAGE, 0,
			       "a parameter is NAME=VALUE, with both");
	if (!text_is_utf8(param, strlen(param)))
		return po_fail(err, PO_E_USAGE, 0, "a parameter is not UTF-8");
	if (len < sizeof(name))
		memcpy(name, param, len);
	if (text_word_index(name, reserved) >= 0)
		return po_fail(err, PO_E_USAGE, 0,
			       "'%s' is not for a parameter to set", name);
	return PO_OK;
}

static bool same_name(const char *a, const char *b)
{
	size_t len = strcspn(a, "=");

	return strncmp(a, b, len) == 0 && b[len] == '=';
}

static bool is_taken(const char *const *form, const char *param)
{
	for (; form && *form; form++)
		if (same_name(*form, param))
			return true;
	return false;
}

enum po_status params_check(const char *const *params, const char *const *form,
			    struct po_error *err)
{
	enum po_status st = PO_OK;

	for (size_t i = 0; st == PO_OK && params[i]; i++) {
		if (i == TOKEN_REQUEST_PARAMS_MAX)
			return po_fail(err, PO_E_USAGE, 0,
				       "more than %d parameters",
				       TOKEN_REQUEST_PARAMS_MAX);
		st = check_param(params[i], err);
		if (st == PO_OK && is_taken(form, params[i]))
			st = po_fail(err, PO_E_USAGE, 0,
				     "'%.*s' is set by the server's rules",
				     (int)strcspn(params[i], "="), params[i]);
		for (size_t j = 0; st == PO_OK && j < i; j++)
			if (same_name(params[i], params[j]))
				st = po_fail(err, PO_E_USAGE, 0,
					     "parameter '%.*s' is there twice",
					     (int)strcspn(params[i], "="),
					     params[i]);
	}
	return st;
}

static bool is_unreserved(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

/* RFC 6749 appendix B: UTF-8, all but the unreserved as %XX. */
static bool add_encoded(struct buf *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool ok = is_unreserved(text[i])
				  ? buf_add(out, &text[i], 1)
				  : buf_addf(out, "%%%02X",
					     (unsigned char)text[i]);

		if (!ok)
			return false;
	}
	return true;
}

static bool add_pair(struct buf *out, const char *name, size_t name_len,
		     const char *value)
{
	return (out->len == 0 || buf_adds(out, "&")) &&
	       add_encoded(out, name, name_len) && buf_adds(out, "=") &&
	       add_encoded(out, value, strlen(value));
}

static bool add(struct buf *out, const char *name, const char *value)
{
	return !value || add_pair(out, name, strlen(name), value);
}

static bool add_params(struct buf *out, const char *const *params)
{
	for (size_t i = 0; params && params[i]; i++) {
		size_t len = strcspn(params[i], "=");

		if (!add_pair(out, params[i], len, params[i] + len + 1))
			return false;
	}
	return true;
}

/* The assertion as the grant needs it; false: does not fit. */
static bool add_proof(struct buf *out, const struct token_request *req)
{
	if (!req->assertion)
		return true;
	if (req->grant == GRANT_JWT_BEARER)
		return add(out, "assertion", req->assertion);
	return add(out, "client_assertion_type", ASSERTION_TYPE) &&
	       add(out, "client_assertion", req->assertion);
}

enum po_status token_request_form(const struct token_request *req,
				  struct secret **ret_form,
				  struct po_error *err)
{
	bool is_bearer = req->grant == GRANT_JWT_BEARER;
	struct secret *secret;
	po_auto_buf form = { 0 }; /* wiped as a secret is */
	enum po_status st = PO_OK;

	buf_init(&form, FORM_MAX);
	if (req->scope)
		st = scope_check(req->scope, err);
	if (st == PO_OK && req->params)
		st = params_check(req->params, req->form, err);
	if (st != PO_OK)
		return st;
	if (!add(&form, "grant_type", is_bearer ? JWT_BEARER : GRANT_TYPE) ||
	    !add(&form, "scope", req->scope) || !add_proof(&form, req) ||
	    !add(&form, "client_id", req->client_id) ||
	    !add_params(&form, req->form) || !add_params(&form, req->params))
		return po_fail(err, PO_E_USAGE, 0,
			       "the token request is too long");
	secret = secret_from(form.data, form.len);
	if (!secret)
		return po_no_memory(err);
	*ret_form = secret;
	return PO_OK;
}
