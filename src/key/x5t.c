/* SPDX-License-Identifier: Apache-2.0 */
#include "key/x5t.h"

#include "base/base64url.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

static enum po_status hash(const struct certificate *cert, const EVP_MD *md,
			   uint8_t out[static EVP_MAX_MD_SIZE],
			   unsigned int *ret_len, struct po_error *err)
{
	size_t len = 0;
	const uint8_t *der = certificate_der(cert, &len);

	if (!EVP_Digest(der, len, out, ret_len, md, NULL))
		return po_fail(err, PO_E_INTERNAL, 0,
			       "hashing the certificate failed");
	return PO_OK;
}

enum po_status x5t_sha1(const struct certificate *cert,
			char out[static X5T_LEN + 1], struct po_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	enum po_status st = hash(cert, EVP_sha1(), digest, &len, err);

	if (st == PO_OK)
		base64url_encode(out, digest, len);
	return st;
}

enum po_status x5t_sha256(const struct certificate *cert,
			  char out[static X5T_S256_LEN + 1],
			  struct po_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	enum po_status st = hash(cert, EVP_sha256(), digest, &len, err);

	if (st == PO_OK)
		base64url_encode(out, digest, len);
	return st;
}

enum po_status x5t_sha1_hex(const struct certificate *cert,
			    char out[static X5T_HEX_LEN + 1],
			    struct po_error *err)
{
	uint8_t digest[EVP_MAX_MD_SIZE];
	unsigned int len = 0;
	enum po_status st = hash(cert, EVP_sha1(), digest, &len, err);

	if (st == PO_OK)
		text_hex_upper(out, digest, len);
	return st;
}

/* Standard base64 with padding, on one line (RFC 7515 section 4.1.6). */
static bool append(json_t *array, const struct certificate *cert)
{
	size_t len = 0;
	const uint8_t *der = certificate_der(cert, &len);
	char *text = OPENSSL_malloc((len + 2) / 3 * 4 + 1);
	bool ok;

	if (!text)
		return false;
	(void)EVP_EncodeBlock((unsigned char *)text, der, (int)len);
	ok = json_array_append_new(array, json_string(text)) == 0;
	OPENSSL_free(text);
	return ok;
}

static const struct certificate *issuer_of(const struct certificate *cert,
					   const struct certificate_list *extra)
{
	for (size_t i = 0; extra && i < extra->count; i++)
		if (certificate_is_issued_by(cert, extra->items[i]))
			return extra->items[i];
	return NULL;
}

enum po_status x5t_chain(const struct certificate *leaf,
			 const struct certificate_list *extra,
			 json_t **ret_array, struct po_error *err)
{
	json_auto_t *array = json_array();
	const struct certificate *next = leaf, *cert;
	size_t count = 0;

	if (!array)
		return po_no_memory(err);
	do { /* ends at a root, which issued itself, or at the limit */
		cert = next;
		if (!append(array, cert))
			return po_no_memory(err);
		next = certificate_is_issued_by(cert, cert)
			       ? NULL
			       : issuer_of(cert, extra);
	} while (next && ++count < CERTIFICATE_CHAIN_MAX);
	*ret_array = po_steal(array);
	return PO_OK;
}
