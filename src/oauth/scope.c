/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scope.c - scope values: their grammar, and whether what was granted is what
 * was asked for.
 *
 * Source: RFC 6749 section 3.3; SMART App Launch 2.2, "Scopes" (v1 read is v2
 * rs, write is cud, * is cruds).
 */
#include "oauth/access_token.h"
#include "oauth/token_request.h"

#include <string.h>

#define CRUDS "cruds"

static bool is_scope_char(char c)
{
	return c == 0x21 || (c >= 0x23 && c <= 0x5b) ||
	       (c >= 0x5d && c <= 0x7e);
}

enum po_status scope_check(const char *scope, struct po_error *err)
{
	bool in_token = false;

	for (const char *c = scope; *c; c++) {
		if (*c == ' ') {
			if (!in_token)
				break; /* a space leads, or two follow */
			in_token = false;
			continue;
		}
		if (!is_scope_char(*c))
			return po_fail(err, PO_E_USAGE, 0,
				       "a scope has no control character, "
				       "quote, backslash or character outside "
				       "ASCII (byte 0x%02x at %zu)",
				       (unsigned char)*c, (size_t)(c - scope));
		in_token = true;
	}
	if (!in_token)
		return po_fail(err, PO_E_USAGE, 0,
			       "scopes are separated by one space, with none "
			       "before or behind, and not empty");
	return PO_OK;
}

/* A scope as v2 sees it: everything up to the last dot, and its letters. */
struct parts {
	const char *resource;
	size_t resource_len;
	const char *letters;
	size_t letters_len;
	const char *query; /* "?…", or the empty end */
	size_t query_len;
};

static bool is_smart(const char *scope, size_t len)
{
	static const char *const contexts[] = { "system/", "user/",
						"patient/" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(contexts); i++) {
		size_t n = strlen(contexts[i]);

		if (len > n && memcmp(scope, contexts[i], n) == 0)
			return true;
	}
	return false;
}

static const char *last_dot(const char *text, size_t len)
{
	while (len > 0)
		if (text[--len] == '.')
			return text + len;
	return NULL;
}

static bool equals(const char *text, size_t len, const char *word)
{
	return strlen(word) == len && memcmp(text, word, len) == 0;
}

static bool split(const char *scope, size_t len, struct parts *p)
{
	const char *question = memchr(scope, '?', len);
	size_t head = question ? (size_t)(question - scope) : len;
	const char *dot = is_smart(scope, len) ? last_dot(scope, head) : NULL;

	if (!dot)
		return false;
	p->resource = scope;
	p->resource_len = (size_t)(dot - scope);
	p->letters = dot + 1;
	p->letters_len = (size_t)(scope + head - dot - 1);
	p->query = scope + head;
	p->query_len = len - head;
	if (equals(p->letters, p->letters_len, "read")) {
		p->letters = "rs";
		p->letters_len = 2;
	} else if (equals(p->letters, p->letters_len, "write")) {
		p->letters = "cud";
		p->letters_len = 3;
	} else if (equals(p->letters, p->letters_len, "*")) {
		p->letters = CRUDS;
		p->letters_len = strlen(CRUDS);
	}
	return true;
}

/* The same words, and v1 and v2 spellings of the same permission. */
static bool is_same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	struct parts pa, pb;

	if (a_len == b_len && memcmp(a, b, a_len) == 0)
		return true;
	return split(a, a_len, &pa) && split(b, b_len, &pb) &&
	       pa.resource_len == pb.resource_len &&
	       memcmp(pa.resource, pb.resource, pa.resource_len) == 0 &&
	       pa.letters_len == pb.letters_len &&
	       memcmp(pa.letters, pb.letters, pa.letters_len) == 0 &&
	       pa.query_len == pb.query_len &&
	       memcmp(pa.query, pb.query, pa.query_len) == 0;
}

static bool contains(const char *granted, const char *one, size_t len)
{
	while (*granted) {
		size_t n = strcspn(granted, " ");

		if (n > 0 && is_same(granted, n, one, len))
			return true;
		granted += n + (granted[n] == ' ');
	}
	return false;
}

bool access_token_grants(const struct access_token *token, const char *asked)
{
	if (!token->scope)
		return true; /* RFC 6749 section 5.1: as it was asked for */
	while (*asked) {
		size_t n = strcspn(asked, " ");

		if (n > 0 && !contains(token->scope, asked, n))
			return false;
		asked += n + (asked[n] == ' ');
	}
	return true;
}
