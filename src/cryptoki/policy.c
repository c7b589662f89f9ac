/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/policy.h"

#include "base/text.h"
#include "cryptoki/token_signer.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *word;
	int claim;
	int wanted;
	const char *attribute;
} rules[] = {
	{ "sensitive", OBJECT_SENSITIVE, 1, "CKA_SENSITIVE" },
	{ "non-extractable", OBJECT_EXTRACTABLE, 0, "CKA_EXTRACTABLE" },
	{ "never-extractable", OBJECT_NEVER_EXTRACTABLE, 1,
	  "CKA_NEVER_EXTRACTABLE" },
	{ "local", OBJECT_LOCAL, 1, "CKA_LOCAL" },
	{ "always-authenticate", OBJECT_ALWAYS_AUTHENTICATE, 1,
	  "CKA_ALWAYS_AUTHENTICATE" },
};

enum po_status policy_check_claims(const int claims[static OBJECT_CLAIMS],
				   const char *const *words,
				   struct po_error *err)
{
	for (; words && *words; words++) {
		size_t i = 0;

		while (i < PO_ARRAY_SIZE(rules) &&
		       strcmp(rules[i].word, *words) != 0)
			i++;
		if (i == PO_ARRAY_SIZE(rules))
			return po_fail(err, PO_E_POLICY, 0,
				       "key policy '%s' is not known", *words);
		if (claims[rules[i].claim] < 0)
			return po_fail(err, PO_E_POLICY, 0,
				       "key policy '%s': the token does not "
				       "say (%s)",
				       *words, rules[i].attribute);
		if (claims[rules[i].claim] != rules[i].wanted)
			return po_fail(err, PO_E_POLICY, 0,
				       "key policy '%s' does not hold: the "
				       "token says %s is %s",
				       *words, rules[i].attribute,
				       claims[rules[i].claim] ? "true"
							      : "false");
	}
	return PO_OK;
}

enum po_status token_spki_check(const char *pin, struct po_error *err)
{
	static const char digits[] = "0123456789abcdefABCDEF";

	if (strlen(pin) == (size_t)2 * PUBKEY_SHA256_LEN &&
	    strspn(pin, digits) == strlen(pin))
		return PO_OK;
	return po_fail(err, PO_E_USAGE, 0,
		       "'%s' is no SHA-256 in hexadecimal (%d digits)", pin,
		       2 * PUBKEY_SHA256_LEN);
}

enum po_status policy_check_spki(const struct pubkey *key,
				 const char *const *pins, struct po_error *err)
{
	uint8_t hash[PUBKEY_SHA256_LEN];
	char hex[2 * PUBKEY_SHA256_LEN + 1];
	enum po_status st;

	if (!pins || !*pins)
		return PO_OK;
	st = pubkey_spki_sha256(key, hash, err);
	if (st != PO_OK)
		return st;
	text_hex_upper(hex, hash, sizeof(hash));
	for (; *pins; pins++)
		if (strcasecmp(*pins, hex) == 0)
			return PO_OK;
	return po_fail(err, PO_E_POLICY, 0,
		       "the key on the token is not the one that key-spki "
		       "names: its SPKI has SHA-256 %s",
		       hex);
}
