/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c - relative references (RFC 3986 section 5.2).
 */
#include "http/http.h"

#include <ctype.h>
#include <string.h>

/* Length of "https://host:port" at the start of a URL. */
static size_t origin_len(const char *url)
{
	const char *host = strstr(url, "://");

	return host ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?") : 0;
}

/* RFC 3986 section 3.1: a letter, then letters, digits, "+", "-" and ".". */
static bool has_scheme(const char *reference)
{
	size_t len = strspn(reference, "abcdefghijklmnopqrstuvwxyz"
				       "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "0123456789+-.");

	return isalpha((unsigned char)reference[0]) && reference[len] == ':';
}

/* Appends the segments of path to out, which ends in a slash at root or
 * later. */
static bool add_segments(struct buf *out, size_t root, const char *path)
{
	while (*path) {
		size_t len = strcspn(path, "/?");
		bool is_last = path[len] != '/';

		if (len == 2 && memcmp(path, "..", 2) == 0) {
			if (out->len <= root)
				return false;
			do
				out->len--;
			while (out->data[out->len - 1] != '/');
			out->data[out->len] = '\0';
		} else if (len != 1 || *path != '.') {
			if (!buf_add(out, path, len) ||
			    (!is_last && !buf_adds(out, "/")))
				return false;
		}
		path += len;
		if (*path == '?')
			return buf_adds(out, path);
		path += is_last ? 0 : 1;
	}
	return true;
}

bool http_resolve_url(const char *base, const char *reference, struct buf *out)
{
	size_t origin = origin_len(base);
	size_t folder = strcspn(base, "?");
	size_t root;

	if (has_scheme(reference))
		return buf_adds(out, reference);
	if (strncmp(reference, "//", 2) == 0)
		return buf_add(out, base, strcspn(base, "/")) &&
		       buf_adds(out, reference);
	if (origin == 0 || !*reference)
		return false;
	if (!buf_add(out, base, origin) || !buf_adds(out, "/"))
		return false;
	root = out->len;
	if (*reference == '/')
		return add_segments(out, root, reference + 1);
	if (folder > origin + 1 &&
	    !buf_add(out, base + origin + 1, folder - origin - 1))
		return false;
	if (out->data[out->len - 1] != '/' && !buf_adds(out, "/"))
		return false;
	return add_segments(out, root, reference);
}
