/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/refusal.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define SNIPPET_MAX 200 /* octets of a body that is no JSON */
#define URN_END_MAX 128
#define WHITE " \t\r\n"

/* Of b64token (RFC 6750 section 2.1), which JWTs are made of, too. */
#define TOKEN_CHARS                                                            \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/" \
	"="
#define TOKEN_LEN_MIN 24 /* of a word that may be a secret */

/* The next JWT in text, as servers repeat the one that they do not like. */
static const char *find_jwt(const char *text, size_t *ret_len)
{
	for (; (text = strstr(text, "eyJ")); text += *ret_len) {
		*ret_len = strspn(text, TOKEN_CHARS);
		if (*ret_len >= TOKEN_LEN_MIN && memchr(text, '.', *ret_len))
			return text;
	}
	return NULL;
}

/* Appends text as it can be printed, but for JWTs; false: it does not fit. */
static bool add_without_jwts(struct buf *out, const char *text, size_t len)
{
	const char *end = text + len, *jwt;
	size_t jwt_len = 0;

	while ((jwt = find_jwt(text, &jwt_len)) && jwt < end) {
		if (!text_add_printable(out, text, (size_t)(jwt - text)) ||
		    !buf_adds(out, "(a JWT)"))
			return false;
		text = jwt + jwt_len < end ? jwt + jwt_len : end;
	}
	return text_add_printable(out, text, (size_t)(end - text));
}

/*
 * Appends text as it can be printed, at most max octets of it, so that a
 * hostile text cannot push the HTTP status out of the error.
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
	whole = add_without_jwts(&shown, text, len) && !text[len];
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
		"token\"", /* of whatever kind, as a member */
		"eyJ",     /* a JWT begins so */
	};
	size_t len;

	for (size_t i = 0; i < PO_ARRAY_SIZE(signs); i++)
		if (strcasestr(text, signs[i]))
			return true;
	/* a token and nothing else */
	text += strspn(text, WHITE);
	len = strspn(text, TOKEN_CHARS);
	return len >= TOKEN_LEN_MIN && !text[len + strspn(text + len, WHITE)];
}

/* By its first octets: gzip, or zlib as "deflate" is. */
static bool is_compressed(const struct buf *body)
{
	static const char *const starts[] = { "\x1f\x8b", "x\x01", "x\x9c",
					      "x\xda" };

	for (size_t i = 0; body->len >= 2 && i < PO_ARRAY_SIZE(starts); i++)
		if (memcmp(body->data, starts[i], 2) == 0)
			return true;
	return false;
}

/* What a body is that is no JSON object, and how it begins. */
static void add_body(struct buf *out, const struct http_response *r)
{
	const char *body = buf_text(&r->body);
	const char *start = body + strspn(body, WHITE);

	if (start == body + r->body.len)
		add_cut(out, "the body is empty", SNIPPET_MAX);
	else if (is_compressed(&r->body))
		add_cut(out, "the body is compressed, which was not asked for",
			SNIPPET_MAX);
	else if (may_hold_token(body) || strstr(body, "\\u")) /* a spelling */
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

/* FHIR servers answer with an OperationOutcome (issue[0]). */
static void add_outcome(struct buf *out, const json_t *body)
{
	const json_t *issue = json_array_get(json_object_get(body, "issue"), 0);
	const char *why = json_text(issue, "diagnostics");

	if (!why)
		why = json_text(json_object_get(issue, "details"), "text");
	add_field(out, "", json_text(issue, "code"));
	add_field(out, out->len ? ": " : "", why);
}

/* "urn:a:b" at the start of text, or escaped, up to the next delimiter: where
 * its last part begins; NULL: no URN. */
static const char *urn_end(const char *text)
{
	const char *last = NULL;

	if (strncasecmp(text, "urn", 3) != 0)
		return NULL;
	text += 3;
	if (*text != ':' && strncasecmp(text, "%3a", 3) != 0)
		return NULL;
	for (; *text && !strchr("/?#", *text); text++)
		if (*text == ':')
			last = text + 1;
		else if (strncasecmp(text, "%3a", 3) == 0)
			last = text + 3;
	return last;
}

/*
 * Behind the last colon of a URN, alone or as a part of a URL, stands what is
 * wrong: "urn:cerner:error:…:unknown-client".
 */
static void add_urn_end(struct buf *out, const char *uri)
{
	const char *end = NULL;
	size_t len;

	while (uri && !(end = urn_end(uri)))
		uri = strchr(uri, '/') ? strchr(uri, '/') + 1 : NULL;
	len = end ? strcspn(end, "/?#") : 0;
	if (len == 0 || len >= URN_END_MAX ||
	    !buf_adds(out, out->len ? ": " : "") ||
	    !text_add_printable(out, end, len))
		return; /* no hint then */
}

/* "invalid_client: no such key"; "invalid_client: unknown-client, see urn:…" */
static void describe(const json_t *body, struct buf *out)
{
	const json_t *error = json_object_get(body, "error");
	const char *description = json_text(body, "error_description");
	const char *uri = json_text(body, "error_uri");

	if (error && !json_is_null(error))
		add_error(out, error);
	add_field(out, out->len ? ": " : "", description);
	if (!description) {
		add_urn_end(out, uri);
		add_field(out, out->len ? ", see " : "", uri);
	}
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

/* Where a redirect leads; what may be a token in it is left out. */
static void add_location(struct buf *out, const char *location)
{
	char shown[HTTP_FIELD_MAX + 3];
	size_t len = strcspn(location, "?#");

	if (!may_hold_token(location + len))
		len = strlen(location);
	(void)snprintf(shown, sizeof(shown), "%.*s%s", (int)len, location,
		       location[len] ? "..." : "");
	add_cut(out, *shown ? shown : "nowhere", REFUSAL_TEXT_MAX);
}

static enum po_status fail_redirect(const struct http_response *r,
				    struct po_error *err)
{
	po_auto_buf where = { 0 };

	buf_init(&where, 2 * PO_ERROR_TEXT_MAX);
	add_location(&where, r->location);
	return po_fail(err, PO_E_REFUSED, r->status,
		       "the server redirects to %s (HTTP %ld), which is not "
		       "followed; if that is the token endpoint, configure it",
		       buf_text(&where), r->status);
}

static bool is_word(const char *text, const char *word)
{
	return text && strcmp(text, word) == 0;
}

static bool has_error(const json_t *body)
{
	const json_t *error = json_object_get(body, "error");

	return error && !json_is_null(error);
}

enum po_status refusal_fail(const struct http_response *response,
			    const json_t *body, struct po_error *err)
{
	long status = response->status;
	bool refused = status >= 400 ? status < 500 : has_error(body);
	po_auto_buf text = { 0 }, where = { 0 };

	buf_init(&text, 8 * REFUSAL_TEXT_MAX);
	buf_init(&where, 4 * REFUSAL_TEXT_MAX);
	if (status >= 300 && status < 400)
		return fail_redirect(response, err);
	if (is_word(json_text(body, "error"), "temporarily_unavailable"))
		refused = false;
	describe(body, &text);
	if (text.len == 0 && !refused)
		return refusal_nonsense(response, "the server failed", err);
	if (text.len == 0)
		add_field(&text, "", response->www_authenticate);
	else
		add_field_cut(&where, ", WWW-Authenticate: ",
			      response->www_authenticate, SNIPPET_MAX);
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

enum po_status refusal_parse(const struct http_response *response,
			     json_t **ret_body, bool *ret_repeats,
			     struct po_error *err)
{
	static const char *const once[] = { "access_token", "error", NULL };

	return json_parse_lenient(buf_text(&response->body), response->body.len,
				  once, ret_body, ret_repeats, err);
}

static json_t *parse(const struct http_response *r)
{
	json_t *body = NULL;
	bool repeats;

	return refusal_parse(r, &body, &repeats, NULL) == PO_OK ? body : NULL;
}

bool refusal_is(const struct http_response *response, const char *code)
{
	json_auto_t *body = parse(response);

	return is_word(json_text(body, "error"), code);
}

bool refusal_has_description(const struct http_response *response)
{
	json_auto_t *body = parse(response);

	return json_text(body, "error_description") ||
	       json_text(body, "error_uri");
}
