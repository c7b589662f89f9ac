/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/refusal.h"

#include "base/text.h"

#include <string.h>

#define SNIPPET_MAX 200 /* octets of a body that is no JSON */

/*
 * Appends text as it can be printed, at most max octets of it, so that a hostile
 * text cannot push the HTTP status out of the error.
 */
static void add_cut(struct buf *out, const char *text, size_t max)
{
	size_t len = strnlen(text, max);
	po_auto_buf shown = { 0 };
	bool whole;

	buf_init(&shown, max);
	/* a character that is cut in two is left out */
	while (text[len] && len > 0 &&
	       ((unsigned char)text[len] & 0xc0) == 0x80)
		len--;
	whole = text_add_printable(&shown, text, len) && !text[len];
	if (!buf_adds(out, buf_text(&shown)) ||
	    (!whole && !buf_adds(out, "...")))
		return; /* the text is long enough as it is */
}

static void add_field_cut(struct buf *out, const char *before, const char *text,
			  size_t max)
{
	if (text && *text && buf_adds(out, before))
		add_cut(out, text, max);
}

static void add_field(struct buf *out, const char *before, const char *text)
{
	add_field_cut(out, before, text, REFUSAL_TEXT_MAX);
}

/* Anything that looks as if an access token could be in it. */
static bool may_hold_token(const char *text)
{
	static const char *const signs[] = {
		"access_token", "accessToken",
		"\\u", /* may spell the name in another way */
		"eyJ", /* a JWT begins so */
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(signs); i++)
		if (strcasestr(text, signs[i]))
			return true;
	return false;
}

/* What a body is that is no JSON object, and how it begins. */
static void add_body(struct buf *out, const struct http_response *r)
{
	const char *body = buf_text(&r->body);
	const char *start = body + strspn(body, " \t\r\n");

	if (r->body.len == 0)
		add_cut(out, "the body is empty", SNIPPET_MAX);
	else if (may_hold_token(body))
		add_cut(out, "the body is not shown", SNIPPET_MAX);
	else if (*start == '<')
		add_field_cut(out, "HTML, from a proxy or a wrong URL? ", start,
			      SNIPPET_MAX);
	else
		add_field_cut(out, "it begins: ", start, SNIPPET_MAX);
}

/* An "error" that is no string is shown as the JSON it is. */
static void add_error(struct buf *out, const json_t *error)
{
	po_auto_buf json = { 0 };

	buf_init(&json, JSON_TEXT_MAX);
	if (json_is_string(error))
		add_cut(out, json_string_value(error), REFUSAL_TEXT_MAX);
	else if (json_compact(&json, error) && !may_hold_token(buf_text(&json)))
		add_cut(out, buf_text(&json), REFUSAL_TEXT_MAX);
}

/* FHIR servers answer with an OperationOutcome (issue[0].diagnostics). */
static void add_outcome(struct buf *out, const json_t *body)
{
	const json_t *issue = json_array_get(json_object_get(body, "issue"), 0);

	add_field(out, "", json_text(issue, "code"));
	add_field(out, out->len ? ": " : "", json_text(issue, "diagnostics"));
}

/* "invalid_client: no such key (urn:…)" */
static void describe(const json_t *body, struct buf *out)
{
	const json_t *error = json_object_get(body, "error");
	const char *description = json_text(body, "error_description");

	if (error && !json_is_null(error))
		add_error(out, error);
	add_field(out, out->len ? ": " : "", description);
	if (!description)
		add_field(out, out->len ? ", see " : "",
			  json_text(body, "error_uri"));
	if (out->len == 0)
		add_outcome(out, body);
	if (out->len == 0)
		add_field(out, "", json_text(body, "message"));
}

static const char *correlation(const struct http_response *r, struct buf *out)
{
	add_field(out, ", ", r->correlation);
	return buf_text(out);
}

static enum po_status fail_redirect(const struct http_response *r,
				    struct po_error *err)
{
	po_auto_buf where = { 0 };

	buf_init(&where, 2 * PO_ERROR_TEXT_MAX);
	add_cut(&where, r->location[0] ? r->location : "nowhere",
		REFUSAL_TEXT_MAX);
	return po_fail(err, PO_E_REFUSED, r->status,
		       "the server redirects to %s (HTTP %ld), which is not "
		       "followed; if that is the token endpoint, configure it",
		       buf_text(&where), r->status);
}

enum po_status refusal_fail(const struct http_response *response,
			    const json_t *body, struct po_error *err)
{
	long status = response->status;
	const json_t *error = json_object_get(body, "error");
	bool refused = (error && !json_is_null(error) && status < 500) ||
		       (status >= 400 && status < 500);
	po_auto_buf text = { 0 }, where = { 0 };

	buf_init(&text, 8 * REFUSAL_TEXT_MAX);
	buf_init(&where, 4 * REFUSAL_TEXT_MAX);
	if (status >= 300 && status < 400)
		return fail_redirect(response, err);
	describe(body, &text);
	if (text.len == 0 && !refused)
		return refusal_nonsense(response, "the server failed", err);
	if (text.len == 0)
		add_field(&text, "", response->www_authenticate);
	if (text.len == 0)
		add_body(&text, response);
	return po_fail(err, refused ? PO_E_REFUSED : PO_E_SERVER, status,
		       "%s: %s (HTTP %ld%s)",
		       refused ? "the server refused" : "the server failed",
		       buf_text(&text), status, correlation(response, &where));
}

enum po_status refusal_nonsense(const struct http_response *response,
				const char *why, struct po_error *err)
{
	po_auto_buf text = { 0 }, type = { 0 }, where = { 0 };

	buf_init(&text, 8 * SNIPPET_MAX);
	buf_init(&type, 1024);
	buf_init(&where, 4 * REFUSAL_TEXT_MAX);
	add_cut(&type,
		response->content_type[0] ? response->content_type
					  : "no content type",
		128);
	add_body(&text, response);
	return po_fail(err, PO_E_SERVER, response->status,
		       "%s (HTTP %ld, %s%s); %s", why, response->status,
		       buf_text(&type), correlation(response, &where),
		       buf_text(&text));
}

static json_t *parse(const struct http_response *r)
{
	json_t *body = NULL;

	if (json_parse_object(buf_text(&r->body), r->body.len, &body, NULL) !=
	    PO_OK)
		return NULL;
	return body;
}

bool refusal_is(const struct http_response *response, const char *code)
{
	json_auto_t *body = parse(response);
	const char *error = json_text(body, "error");

	return error && strcmp(error, code) == 0;
}

bool refusal_has_description(const struct http_response *response)
{
	json_auto_t *body = parse(response);

	return json_text(body, "error_description") ||
	       json_text(body, "error_uri");
}
