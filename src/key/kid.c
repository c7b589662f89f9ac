/* SPDX-License-Identifier: Apache-2.0 */
#include "key/kid.h"

#include "base/text.h"
#include "key/jwk.h"
#include "key/x5t.h"

#include <stdio.h>
#include <string.h>

#define LITERAL "literal:"

const char *const kid_style_words[] = {
	[KID_JWK_THUMBPRINT] = "jwk-thumbprint",
	[KID_X5T_HEX] = "x5t-hex",
	[KID_X5T] = "x5t",
	[KID_X5T_S256] = "x5t-s256",
	[KID_ID] = "id",
	[KID_LITERAL] = LITERAL,
	[KID_NONE] = "none",
	NULL,
};

static enum po_status check_literal(const char *text, struct po_error *err)
{
	size_t len = strlen(text);

	if (len == 0 || len > KID_LEN_MAX || !text_is_utf8(text, len))
		return po_fail(err, PO_E_USAGE, 0,
			       "a literal kid is 1 to %d bytes of UTF-8",
			       KID_LEN_MAX);
	return PO_OK;
}

enum po_status kid_rule_parse(const char *text, struct kid_rule *ret_rule,
			      struct po_error *err)
{
	int i = text_word_index(text, kid_style_words);

	if (strncmp(text, LITERAL, strlen(LITERAL)) == 0) {
		const char *literal = text + strlen(LITERAL);
		enum po_status st = check_literal(literal, err);

		if (st == PO_OK)
			*ret_rule = (struct kid_rule){ KID_LITERAL, literal };
		return st;
	}
	if (i < 0)
		return po_fail(err, PO_E_USAGE, 0,
			       "'%s' is none of x5t-hex, x5t, x5t-s256, "
			       "jwk-thumbprint, id, literal:TEXT, none",
			       text);
	*ret_rule = (struct kid_rule){ .style = (enum kid_style)i };
	return PO_OK;
}

static enum po_status derive_id(const struct kid_source *source,
				char out[static KID_LEN_MAX + 1],
				struct po_error *err)
{
	if (!source->id || source->id_len == 0 ||
	    source->id_len > KID_LEN_MAX / 2)
		return po_fail(err, PO_E_NOT_FOUND, 0,
			       "kid = \"id\": the key has no CKA_ID");
	for (size_t i = 0; i < source->id_len; i++)
		(void)snprintf(out + 2 * i, 3, "%02x", source->id[i]);
	return PO_OK;
}

enum po_status kid_derive(const struct kid_rule *rule,
			  const struct kid_source *source,
			  char out[static KID_LEN_MAX + 1],
			  struct po_error *err)
{
	bool needs_cert = rule->style == KID_X5T_HEX ||
			  rule->style == KID_X5T || rule->style == KID_X5T_S256;

	out[0] = '\0';
	if (needs_cert && !source->cert)
		return po_fail(err, PO_E_NOT_FOUND, 0,
			       "kid = \"%s\" needs a certificate, and there is "
			       "none beside the key; name a certificate-file",
			       kid_style_words[rule->style]);
	switch (rule->style) {
	case KID_JWK_THUMBPRINT:
		return jwk_thumbprint(source->pubkey, out, err);
	case KID_X5T_HEX: return x5t_sha1_hex(source->cert, out, err);
	case KID_X5T: return x5t_sha1(source->cert, out, err);
	case KID_X5T_S256: return x5t_sha256(source->cert, out, err);
	case KID_ID: return derive_id(source, out, err);
	case KID_LITERAL:
		memcpy(out, rule->literal, strlen(rule->literal) + 1);
		return PO_OK;
	case KID_NONE: return PO_OK;
	}
	return PO_OK;
}
