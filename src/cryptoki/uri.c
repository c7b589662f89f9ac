/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/uri.h"

#include "cryptoki/token_signer.h"

#include <stdbool.h>
#include <string.h>

#define URI_TEXT_MAX 4096 /* characters */

/* Values longer than the field they are compared with can match nothing. */
struct attribute {
	const char *name;
	bool in_query;
	size_t max; /* decoded bytes; 0: any */
};

static const struct attribute attributes[] = {
	{ "token", false, 32 },
	{ "manufacturer", false, 32 },
	{ "serial", false, 16 },
	{ "model", false, 16 },
	{ "library-manufacturer", false, 32 },
	{ "library-version", false, 7 },
	{ "library-description", false, 32 },
	{ "object", false, 255 },
	{ "type", false, 0 },
	{ "id", false, 255 },
	{ "slot-manufacturer", false, 32 },
	{ "slot-description", false, 64 },
	{ "slot-id", false, 20 },
	{ "module-name", true, 0 },
	{ "module-path", true, 0 },
	{ "pin-source", true, 0 },
	{ "pin-value", true, 0 },
};

static const struct attribute *attribute_named(const char *name, size_t len,
					       bool in_query)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(attributes); i++)
		if (attributes[i].in_query == in_query &&
		    strlen(attributes[i].name) == len &&
		    memcmp(attributes[i].name, name, len) == 0)
			return &attributes[i];
	return NULL;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') ||
	       (c >= 'A' && c <= 'F');
}

/* Decoded length of a value; false at a malformed percent escape. */
static bool decoded_len(const char *value, size_t len, size_t *ret_len)
{
	*ret_len = 0;
	for (size_t i = 0; i < len; i++, ++*ret_len) {
		if (value[i] != '%')
			continue;
		if (len - i < 3 || !is_hex(value[i + 1]) ||
		    !is_hex(value[i + 2]))
			return false;
		i += 2;
	}
	return true;
}

static bool is_type(const char *value, size_t len)
{
	static const char *const types[] = { "private", "public", "cert",
					     "secret-key", "data" };

	for (size_t i = 0; i < PO_ARRAY_SIZE(types); i++)
		if (strlen(types[i]) == len &&
		    memcmp(types[i], value, len) == 0)
			return true;
	return false;
}

static enum po_status check_value(const struct attribute *a, const char *value,
				  size_t len, struct po_error *err)
{
	size_t decoded = 0;

	if (len == 0)
		return po_fail(err, PO_E_USAGE, 0, "'%s' is empty", a->name);
	if (!decoded_len(value, len, &decoded))
		return po_fail(err, PO_E_USAGE, 0,
			       "'%s' has a malformed percent escape", a->name);
	/* whoever compares C strings takes it for empty, and that for any */
	if (strcmp(a->name, "id") != 0 && memmem(value, len, "%00", 3))
		return po_fail(err, PO_E_USAGE, 0, "'%s' has a NUL character",
			       a->name);
	if (a->max && decoded > a->max)
		return po_fail(err, PO_E_USAGE, 0,
			       "'%s' is longer than %zu bytes", a->name,
			       a->max);
	if (strcmp(a->name, "type") == 0 && !is_type(value, len))
		return po_fail(err, PO_E_USAGE, 0,
			       "'type' is '%.*s'; it can be private, public, "
			       "cert, secret-key or data",
			       (int)len, value);
	if (strncmp(a->name, "pin-", 4) == 0)
		return po_fail(err, PO_E_USAGE, 0,
			       "'%s' is not taken, a URI ends up in logs; "
			       "use pin-from",
			       a->name);
	if (strcmp(a->name, "module-path") == 0 && value[0] != '/' &&
	    strncasecmp(value, "%2f", len < 3 ? len : 3) != 0)
		return po_fail(
			err, PO_E_USAGE, 0,
			"'module-path' is a relative path; only absolute "
			"ones are loaded");
	return PO_OK;
}

/* One NAME=VALUE; *seen has one bit for each attribute. */
static enum po_status check_pair(const char *pair, size_t len, bool in_query,
				 unsigned long *seen, struct po_error *err)
{
	const char *equals = memchr(pair, '=', len);
	size_t name_len = equals ? (size_t)(equals - pair) : len;
	const struct attribute *a;
	unsigned long bit;

	if (!equals || name_len == 0)
		return po_fail(err, PO_E_USAGE, 0,
			       "'%.*s' is not of the form NAME=VALUE",
			       (int)(len < 64 ? len : 64), pair);
	a = attribute_named(pair, name_len, in_query);
	if (!a)
		return po_fail(err, PO_E_USAGE, 0,
			       "'%.*s' is not a%s attribute of a PKCS #11 URI",
			       (int)(name_len < 64 ? name_len : 64), pair,
			       in_query ? " query" : "");
	bit = 1UL << (a - attributes);
	if (*seen & bit)
		return po_fail(err, PO_E_USAGE, 0, "'%s' is there twice",
			       a->name);
	*seen |= bit;
	return check_value(a, equals + 1, len - name_len - 1, err);
}

static bool has(unsigned long seen, const char *name)
{
	const struct attribute *a =
		attribute_named(name, strlen(name), /* in_query= */ false);

	return a && (seen & 1UL << (a - attributes));
}

static enum po_status check_text(const char *text, struct po_error *err)
{
	const char *part = text + strlen("pkcs11:");
	unsigned long seen = 0;
	bool in_query = false;

	while (*part) {
		size_t len = strcspn(part, in_query ? "&" : ";?");
		char end = part[len];
		enum po_status st = PO_OK;

		/* "pkcs11:" and "pkcs11:?query" have an empty path */
		if (len > 0 || in_query || end == ';')
			st = check_pair(part, len, in_query, &seen, err);
		if (st != PO_OK)
			return st;
		part += len + (end != '\0');
		if (end == '?')
			in_query = true;
		else if (end && !*part)
			return po_fail(err, PO_E_USAGE, 0, "it ends in '%c'",
				       end);
	}
	if (has(seen, "slot-id") && !has(seen, "token") &&
	    !has(seen, "serial") && !has(seen, "model") &&
	    !has(seen, "manufacturer") && !has(seen, "slot-description"))
		return po_fail(err, PO_E_USAGE, 0,
			       "'slot-id' alone does not name a token, slot "
			       "numbers drift; add 'token' or 'serial'");
	return PO_OK;
}

static enum po_status parse(const char *text, P11KitUri **ret_uri,
			    struct po_error *err)
{
	po_auto_t(P11KitUri) *uri = NULL;
	enum po_status st;
	int result;

	if (strncmp(text, "pkcs11:", strlen("pkcs11:")) != 0)
		return po_fail(err, PO_E_USAGE, 0,
			       "it does not begin with 'pkcs11:'");
	if (strlen(text) > URI_TEXT_MAX)
		return po_fail(err, PO_E_USAGE, 0,
			       "it is longer than %d characters", URI_TEXT_MAX);
	for (const char *c = text; *c; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return po_fail(err, PO_E_USAGE, 0,
				       "it has a space, a control character or "
				       "one outside ASCII; write it as %%XX");
	st = check_text(text, err);
	if (st != PO_OK)
		return st;

	uri = p11_kit_uri_new();
	if (!uri)
		return po_no_memory(err);
	result = p11_kit_uri_parse(text, P11_KIT_URI_FOR_ANY, uri);
	if (result != P11_KIT_URI_OK)
		return po_fail(err, PO_E_USAGE, result, "%s",
			       p11_kit_uri_message(result));
	if (p11_kit_uri_any_unrecognized(uri))
		return po_fail(err, PO_E_USAGE, 0,
			       "it has an attribute that is not understood");
	*ret_uri = po_steal(uri);
	return PO_OK;
}

enum po_status uri_parse(const char *text, P11KitUri **ret_uri,
			 struct po_error *err)
{
	return po_context(err, parse(text, ret_uri, err), "PKCS #11 URI");
}

enum po_status token_uri_check(const char *text, struct po_error *err)
{
	po_auto_t(P11KitUri) *uri = NULL;

	return uri_parse(text, &uri, err);
}
