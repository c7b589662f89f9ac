/* SPDX-License-Identifier: Apache-2.0 */
#include "key/alg.h"

#include "base/text.h"

struct row {
	const EVP_MD *(*md)(void);
	enum alg_kind kind;
	enum pubkey_type key;
};

static const struct row rows[] = {
	[ALG_RS256] = { EVP_sha256, ALG_PKCS1, PUBKEY_RSA },
	[ALG_RS384] = { EVP_sha384, ALG_PKCS1, PUBKEY_RSA },
	[ALG_RS512] = { EVP_sha512, ALG_PKCS1, PUBKEY_RSA },
	[ALG_PS256] = { EVP_sha256, ALG_PSS, PUBKEY_RSA },
	[ALG_PS384] = { EVP_sha384, ALG_PSS, PUBKEY_RSA },
	[ALG_PS512] = { EVP_sha512, ALG_PSS, PUBKEY_RSA },
	[ALG_ES256] = { EVP_sha256, ALG_ECDSA, PUBKEY_P256 },
	[ALG_ES384] = { EVP_sha384, ALG_ECDSA, PUBKEY_P384 },
	[ALG_ES512] = { EVP_sha512, ALG_ECDSA, PUBKEY_P521 },
};

const char *const alg_names[] = {
	"RS256", "RS384", "RS512", "PS256", "PS384",
	"PS512", "ES256", "ES384", "ES512", NULL,
};

const char *alg_name(enum alg alg)
{
	return alg_names[alg];
}

enum alg_kind alg_kind(enum alg alg)
{
	return rows[alg].kind;
}

const EVP_MD *alg_md(enum alg alg)
{
	return rows[alg].md();
}

enum po_status alg_parse(const char *name, enum alg *ret_alg,
			 struct po_error *err)
{
	int i = text_word_index(name, alg_names);

	if (i < 0)
		return po_fail(err, PO_E_USAGE, 0,
			       "algorithm '%s' is none of RS256, RS384, RS512, "
			       "PS256, PS384, PS512, ES256, ES384, ES512",
			       name);
	*ret_alg = (enum alg)i;
	return PO_OK;
}

enum alg alg_default(const struct pubkey *key)
{
	switch (pubkey_type(key)) {
	case PUBKEY_P256: return ALG_ES256;
	case PUBKEY_P384: return ALG_ES384;
	case PUBKEY_P521: return ALG_ES512;
	case PUBKEY_RSA: break;
	}
	return ALG_RS384;
}

enum po_status alg_check_key(enum alg alg, const struct pubkey *key,
			     struct po_error *err)
{
	static const char *const wanted[] = {
		[PUBKEY_RSA] = "an RSA",
		[PUBKEY_P256] = "a P-256",
		[PUBKEY_P384] = "a P-384",
		[PUBKEY_P521] = "a P-521",
	};
	char have[16];

	pubkey_describe(key, have);
	if (rows[alg].key != pubkey_type(key))
		return po_fail(err, PO_E_CRYPTO, 0,
			       "%s needs %s key, this one is %s", alg_name(alg),
			       wanted[rows[alg].key], have);
	if (pubkey_type(key) == PUBKEY_RSA &&
	    pubkey_bits(key) < PUBKEY_RSA_BITS_MIN)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "%s needs an RSA key of %d bits or more, this "
			       "one is %s",
			       alg_name(alg), PUBKEY_RSA_BITS_MIN, have);
	return PO_OK;
}
