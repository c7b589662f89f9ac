/* SPDX-License-Identifier: Apache-2.0 */
/* Thumbprints that servers published or compute, and the order of a chain. */
#include "key/x5t.h"

#include "test-data.h"
#include "unit.h"

#include <openssl/evp.h>
#include <string.h>

struct row {
	const char *name;
	const char *file; /* PEM; a JWK with x5c when it ends in json */
	const char *sha1;
	const char *sha256; /* NULL: not published */
	const char *hex;
};

static const struct row rows[] = {
	{ "CareEvolution's sandbox", "sandbox/cert.pem",
	  "kd_Uob1ueoByiUFZQaiS8tPdto4",
	  "9qwXYUU0DnFKIYUbcEmD575Z5GAaGeAK3EHK76a9Yg0",
	  "91DFD4A1BD6E7A807289415941A892F2D3DDB68E" },
	{ "RFC 8705 appendix A", "certs/rfc8705_A.pem",
	  "T8Qp8fPmVYqb9iHyzQUaAbxBedY",
	  "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0",
	  "4FC429F1F3E6558A9BF621F2CD051A01BC4179D6" },
	{ "RFC 7517 appendix B", "vectors/rfc7517_B.json",
	  "4pNenEBLv0JpLIdugWxQkOsZcK0",
	  "pJm2BBpkB8y7tCqrWM0X37WOmQTO8zQw-VpxVgBb21I",
	  "E2935E9C404BBF42692C876E816C5090EB1970AD" },
};

static struct certificate *from_base64(const char *text)
{
	struct certificate *cert = NULL;
	uint8_t der[4096];
	size_t len = strlen(text);
	int n;

	assert_true(len > 0 && len / 4 * 3 <= sizeof(der));
	n = EVP_DecodeBlock(der, (const uint8_t *)text, (int)len);
	assert_true(n > 0);
	n -= (text[len - 1] == '=') + (text[len - 2] == '=');
	assert_int_equal(certificate_from_der(der, (size_t)n, &cert, NULL),
			 PO_OK);
	return cert;
}

static struct certificate *load(const char *file)
{
	struct certificate *cert;
	const json_t *x5c;
	json_t *vector;

	if (!strstr(file, ".json"))
		return data_certificate(file);
	vector = data_json(file);
	x5c = json_object_get(json_object_get(vector, "jwk"), "x5c");
	cert = from_base64(json_string_value(json_array_get(x5c, 0)));
	json_decref(vector);
	return cert;
}

ROWS(rows, thumbprint_row)
{
	po_auto(certificate) *cert = load(row->file);
	char sha1[X5T_LEN + 1], sha256[X5T_S256_LEN + 1], hex[X5T_HEX_LEN + 1];

	assert_int_equal(x5t_sha1(cert, sha1, NULL), PO_OK);
	assert_int_equal(x5t_sha256(cert, sha256, NULL), PO_OK);
	assert_int_equal(x5t_sha1_hex(cert, hex, NULL), PO_OK);
	assert_string_equal(sha1, row->sha1);
	assert_string_equal(sha256, row->sha256);
	assert_string_equal(hex, row->hex);
	assert_int_equal(strlen(sha1), X5T_LEN);
	assert_int_equal(strlen(sha256), X5T_S256_LEN);
	assert_int_equal(strlen(hex), X5T_HEX_LEN);
}

#define ROOT "certs/root.pem"
#define CA "certs/intermediate.pem"
#define LEAF "certs/leaf.pem"
#define FAKE "certs/same-name.pem"
#define SANDBOX "sandbox/cert.pem"

struct chain_row {
	const char *name;
	const char *leaf;
	const char *extra[5]; /* as they stand in the file */
	const char *want[4];
};

static const struct chain_row chain_rows[] = {
	{ "chain: leaf alone", LEAF, { NULL }, { LEAF } },
	{ "chain: in order", LEAF, { LEAF, CA, ROOT }, { LEAF, CA, ROOT } },
	{ "chain: reversed", LEAF, { ROOT, CA, LEAF }, { LEAF, CA, ROOT } },
	{ "chain: shuffled", LEAF, { CA, LEAF, ROOT }, { LEAF, CA, ROOT } },
	{ "chain: leaf not in it", LEAF, { ROOT, CA }, { LEAF, CA, ROOT } },
	{ "chain: no root", LEAF, { CA }, { LEAF, CA } },
	{ "chain: a gap", LEAF, { ROOT }, { LEAF } },
	{ "chain: strangers left out",
	  LEAF,
	  { SANDBOX, FAKE, ROOT, CA },
	  { LEAF, CA, ROOT } },
	{ "chain: twice the same", LEAF, { CA, CA, ROOT }, { LEAF, CA, ROOT } },
	{ "chain: self-signed", SANDBOX, { CA, SANDBOX }, { SANDBOX } },
	{ "chain: from the middle", CA, { LEAF, CA, ROOT }, { CA, ROOT } },
};

static void same_certificate(const json_t *item, const char *file)
{
	const char *text = json_string_value(item);
	po_auto(certificate) *want = load(file);
	po_auto(certificate) *have = NULL;
	const uint8_t *want_der, *have_der;
	size_t want_len = 0, have_len = 0;

	assert_non_null(text);
	assert_null(strpbrk(text, "-_\r\n ")); /* standard base64, one line */
	assert_int_equal(strlen(text) % 4, 0);
	have = from_base64(text);
	want_der = certificate_der(want, &want_len);
	have_der = certificate_der(have, &have_len);
	assert_int_equal(have_len, want_len);
	assert_memory_equal(have_der, want_der, want_len);
}

ROWS(chain_rows, chain_row)
{
	po_auto(certificate) *leaf = load(row->leaf);
	struct certificate_list extra = { 0 };
	json_auto_t *array = NULL;
	po_auto_buf text = { 0 };
	size_t n = 0;

	buf_init(&text, CERTIFICATE_PEM_MAX);
	for (size_t i = 0; row->extra[i]; i++)
		data_read(row->extra[i], &text);
	if (text.len)
		assert_int_equal(certificate_list_parse(text.data, text.len,
							&extra, NULL),
				 PO_OK);
	assert_int_equal(
		x5t_chain(leaf, text.len ? &extra : NULL, &array, NULL), PO_OK);
	for (; n < 4 && row->want[n]; n++)
		same_certificate(json_array_get(array, n), row->want[n]);
	assert_int_equal(json_array_size(array), n);
	certificate_list_clear(&extra);
}
