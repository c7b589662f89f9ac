/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/access_token.h"

#include "base/log.h"
#include "base/text.h"
#include "oauth/refusal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* b64token of RFC 6750 section 2.1, by its characters. */
static bool is_token_char(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
	       (c >= '0' && c <= '9') || strchr("-._~+/=", c);
}

static bool is_usable(const char *value)
{
	for (const char *c = value; *c; c++)
		if (!is_token_char(*c))
			return false;
	return *value != '\0';
}

static enum po_status read_value(const struct http_response *r,
				 struct access_token *t, struct po_error *err)
{
	const json_t *value = json_object_get(t->answer, "access_token");
	const char *text = json_string_value(value);

	if (!value || json_is_null(value))
		return refusal_nonsense(r, "the answer has no access token",
					err);
	if (!text || strlen(text) != json_string_length(value) ||
	    !is_usable(text))
		return refusal_nonsense(r,
					"the access token is not one that can "
					"stand in a header",
					err);
	t->value = secret_from(text, strlen(text));
	return t->value ? PO_OK : po_no_memory(err);
}

static enum po_status read_type(const struct http_response *r,
				struct access_token *t, struct po_error *err)
{
	const json_t *type = json_object_get(t->answer, "token_type");
	const char *text = json_string_value(type);

	if (!type || json_is_null(type)) {
		t->type_is_assumed = true;
		return PO_OK;
	}
	if (text && strcasecmp(text, "Bearer") == 0)
		return PO_OK;
	return refusal_nonsense(r, "the token_type is not Bearer", err);
}

/* Seconds as servers write them; false: nothing to go by. */
static bool read_seconds(const json_t *value, int64_t *ret_s)
{
	uint64_t digits = 0;

	if (json_is_integer(value)) {
		*ret_s = json_integer_value(value);
	} else if (json_is_real(value)) {
		double real = json_real_value(value);

		*ret_s = real >= (double)ACCESS_TOKEN_EXPIRY_MAX_S
				 ? ACCESS_TOKEN_EXPIRY_MAX_S
			 : real <= 0 ? 0
				     : (int64_t)real;
	} else if (json_is_string(value) &&
		   text_to_uint(json_string_value(value), INT64_MAX, &digits)) {
		*ret_s = (int64_t)digits;
	} else {
		return false;
	}
	return true;
}

static void read_expiry(struct access_token *t, int64_t now_s)
{
	int64_t s = 0;

	if (!read_seconds(json_object_get(t->answer, "expires_in"), &s)) {
		s = ACCESS_TOKEN_EXPIRY_ASSUMED_S;
		t->expiry_is_assumed = true;
	}
	if (s < 0)
		s = 0;
	if (s >= ACCESS_TOKEN_EXPIRY_MAX_S) {
		s = ACCESS_TOKEN_EXPIRY_MAX_S;
		t->expiry_is_capped = true;
	}
	t->expires_in_s = s;
	t->expires_at_s = now_s + s;
}

/* "a b", or ["a","b"] from servers that mean the same. */
static enum po_status read_scope(struct access_token *t, struct po_error *err)
{
	const json_t *scope = json_object_get(t->answer, "scope");
	const char *text = json_string_value(scope);
	po_auto_buf all = { 0 };

	buf_init(&all, JSON_TEXT_MAX);
	for (size_t i = 0; i < json_array_size(scope); i++) {
		const char *one = json_string_value(json_array_get(scope, i));

		if (one &&
		    !(buf_adds(&all, i > 0 ? " " : "") && buf_adds(&all, one)))
			return po_no_memory(err);
	}
	if (json_is_array(scope))
		text = buf_text(&all);
	if (text && !(t->scope = text_dup(text)))
		return po_no_memory(err);
	return PO_OK;
}

static enum po_status read_answer(const struct http_response *r, int64_t now_s,
				  struct access_token *t, struct po_error *err)
{
	enum po_status st = read_value(r, t, err);

	if (st == PO_OK)
		st = read_type(r, t, err);
	if (st == PO_OK)
		st = read_scope(t, err);
	if (st == PO_OK)
		read_expiry(t, now_s);
	return st;
}

/* The content type is not what decides, but tells of a strange server. */
static void note_type(const struct http_response *r)
{
	if (!strcasestr(r->content_type, "/json") &&
	    !strcasestr(r->content_type, "+json"))
		log_debug(LOG_OAUTH, "the answer is JSON, and says it is '%s'",
			  r->content_type);
}

static bool has_error(const json_t *body)
{
	const json_t *error = json_object_get(body, "error");

	return error && !json_is_null(error);
}

enum po_status access_token_read(const struct http_response *response,
				 int64_t now_s, struct access_token **ret_token,
				 struct po_error *err)
{
	po_auto(access_token) *t = calloc(1, sizeof(*t));
	struct po_error why = { 0 };
	enum po_status st;

	if (!t)
		return po_no_memory(err);
	st = refusal_parse(response, &t->answer, &t->members_repeat, &why);
	if (st == PO_OK)
		note_type(response);
	/* an error wins over everything, an access token beside it too */
	if (response->status < 200 || response->status > 299 ||
	    has_error(t->answer))
		return refusal_fail(response, t->answer, err);
	if (st != PO_OK)
		return refusal_nonsense(response, why.text, err);
	st = read_answer(response, now_s, t, err);
	if (st == PO_OK)
		*ret_token = po_steal(t);
	return st;
}

void access_token_free(struct access_token *token)
{
	if (!token)
		return;
	secret_free(token->value);
	json_decref(token->answer);
	free(token->scope);
	free(token);
}
