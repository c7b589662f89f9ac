/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: read as they are, found in whatever PEM people have. */
#include "key/certificate.h"

#include "test-data.h"
#include "unit.h"

#include <string.h>

TEST(fields)
{
	po_auto(certificate) *c = data_certificate("sandbox/cert.pem");
	char text[16];

	assert_string_equal(certificate_subject(c), "CN=jwt.careevolution.com");
	assert_string_equal(certificate_issuer(c), "CN=jwt.careevolution.com");
	assert_string_equal(certificate_serial(c), "9543CFBAB1DE2167");
	assert_int_equal(certificate_not_before_s(c), 1578605484);
	assert_int_equal(certificate_not_after_s(c), 1751405484);
	pubkey_describe(certificate_pubkey(c), text);
	assert_string_equal(text, "RSA-2048");
	assert_true(certificate_may_sign(c));
}

TEST(names_of_others)
{
	po_auto(certificate) *c = data_certificate("certs/leaf.pem");

	assert_string_equal(certificate_subject(c),
			    "CN=T\xc3\xabst Leaf,O=p11oauth tests");
	assert_string_equal(certificate_issuer(c),
			    "CN=Test Issuing CA,O=p11oauth tests,C=XX");
	assert_string_equal(certificate_serial(c), "0A0B0C");
}

TEST(key_of_the_sandbox)
{
	po_auto(certificate) *c = data_certificate("sandbox/cert.pem");
	po_auto_t(EVP_PKEY) *private = data_private_key("sandbox/key.pem");
	po_auto(pubkey) *key = public_half(private);

	assert_true(pubkey_equal(certificate_pubkey(c), key));
}

struct use_row {
	const char *name;
	bool may_sign;
};

static const struct use_row use_rows[] = {
	{ "certs/leaf.pem", true },      { "certs/encipherment.pem", false },
	{ "certs/root.pem", false },     /* keyCertSign only */
	{ "certs/rfc8705_A.pem", true }, /* no keyUsage */
	{ "certs/rsa1024.pem", true },   /* weak, but it parses */
};

ROWS(use_rows, use_row)
{
	po_auto(certificate) *c = data_certificate(row->name);

	assert_int_equal(certificate_may_sign(c), row->may_sign);
}

TEST(issuers)
{
	po_auto(certificate) *root = data_certificate("certs/root.pem");
	po_auto(certificate) *ca = data_certificate("certs/intermediate.pem");
	po_auto(certificate) *leaf = data_certificate("certs/leaf.pem");
	po_auto(certificate) *fake = data_certificate("certs/same-name.pem");

	assert_true(certificate_is_issued_by(leaf, ca));
	assert_true(certificate_is_issued_by(ca, root));
	assert_true(certificate_is_issued_by(root, root));
	assert_false(certificate_is_issued_by(leaf, root));
	assert_false(certificate_is_issued_by(ca, leaf));
	assert_false(certificate_is_issued_by(leaf, leaf));
	/* the root's name, but another key */
	assert_string_equal(certificate_subject(fake),
			    certificate_subject(root));
	assert_false(certificate_is_issued_by(ca, fake));
}

/*
 * TRUE written as 01 instead of ff is BER, not DER. The bytes stay, and the
 * PEM that comes out has them too.
 */
TEST(bytes_stay_as_they_are)
{
	static const uint8_t critical[] = { 0x55, 0x1d, 0x0f, 0x01,
					    0x01, 0xff, 0x04 };
	po_auto(certificate) *plain = data_certificate("sandbox/cert.pem");
	po_auto(certificate) *odd = NULL;
	struct certificate_list again;
	uint8_t der[2048], *at;
	const uint8_t *bytes;
	size_t len = 0, len2 = 0;
	po_auto_buf pem = { 0 };

	bytes = certificate_der(plain, &len);
	assert_true(len < sizeof(der));
	memcpy(der, bytes, len);
	at = memmem(der, len, critical, sizeof(critical));
	assert_non_null(at);
	at[5] = 0x01;
	assert_int_equal(certificate_from_der(der, len, &odd, NULL), PO_OK);
	bytes = certificate_der(odd, &len2);
	assert_int_equal(len2, len);
	assert_memory_equal(bytes, der, len);
	buf_init(&pem, 10000);
	assert_int_equal(certificate_add_pem(odd, &pem, NULL), PO_OK);
	assert_int_equal(
		certificate_list_parse(pem.data, pem.len, &again, NULL), PO_OK);
	bytes = certificate_der(again.items[0], &len2);
	assert_int_equal(len2, len);
	assert_memory_equal(bytes, der, len);
	certificate_list_clear(&again);
}

TEST(damaged_der)
{
	po_auto(certificate) *good = data_certificate("sandbox/cert.pem");
	po_auto(certificate) *c = NULL;
	static uint8_t der[CERTIFICATE_DER_MAX + 1];
	const uint8_t *bytes;
	struct po_error err = { 0 };
	size_t len = 0;

	bytes = certificate_der(good, &len);
	memcpy(der, bytes, len);
	assert_int_equal(certificate_from_der(der, len - 1, &c, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(certificate_from_der(der, len + 1, &c, NULL),
			 PO_E_CRYPTO);
	assert_int_equal(certificate_from_der(der, 0, &c, NULL), PO_E_CRYPTO);
	assert_int_equal(certificate_from_der(der, sizeof(der), &c, &err),
			 PO_E_CRYPTO);
	assert_non_null(strstr(err.text, "65536"));
	assert_null(c);
}

struct list_row {
	const char *name;
	const char *before; /* put before the certificates */
	const char *files[4];
	const char *after;
	bool crlf;
	size_t count; /* 0: PO_E_CONFIG */
};

#define CERT "sandbox/cert.pem"
#define LEAF "certs/leaf.pem"
#define KEY "sandbox/key.pem"
#define BOM "\xef\xbb\xbf"
#define ENCRYPTED                                                    \
	"-----BEGIN RSA PRIVATE KEY-----\n"                          \
	"Proc-Type: 4,ENCRYPTED\n"                                   \
	"DEK-Info: AES-128-CBC,00112233445566778899AABBCCDDEEFF\n\n" \
	"AAAA\n-----END RSA PRIVATE KEY-----\n"

static const struct list_row list_rows[] = {
	{ "list: one", "", { CERT }, "", false, 1 },
	{ "list: two", "", { CERT, LEAF }, "", false, 2 },
	{ "list: the same twice", "", { CERT, CERT }, "", false, 2 },
	{ "list: text before and after",
	  "Bag Attributes\n    friendlyName: x\n",
	  { CERT },
	  "the end\n",
	  false,
	  1 },
	{ "list: as s_client prints it",
	  "0 s:CN = x\n   i:CN = x\n",
	  { CERT },
	  "",
	  false,
	  1 },
	{ "list: CRLF", "", { CERT, LEAF }, "", true, 2 },
	{ "list: byte order mark", BOM, { CERT }, "", false, 1 },
	{ "list: byte order mark and CRLF", BOM, { CERT, LEAF }, "", true, 2 },
	{ "list: byte order mark and text",
	  BOM "text\n",
	  { CERT },
	  "",
	  false,
	  1 },
	{ "list: private key before", "", { KEY, CERT }, "", false, 1 },
	{ "list: private key after", "", { CERT, KEY }, "", false, 1 },
	{ "list: encrypted key before", ENCRYPTED, { CERT }, "", false, 1 },
	{ "list: private key alone", "", { KEY }, "", false, 0 },
	{ "list: no newline at the end", "", { CERT }, "x", false, 1 },
	{ "list: empty", "", { NULL }, "", false, 0 },
	{ "list: byte order mark alone", BOM, { NULL }, "", false, 0 },
	{ "list: plain text", "nothing to see\n", { NULL }, "", false, 0 },
	{ "list: a zero, then nothing", "0\n", { NULL }, "", false, 0 },
	{ "list: cut in the middle",
	  "",
	  { CERT },
	  "-----BEGIN CERTIFICATE-----\nMIIC\n",
	  false,
	  0 },
	{ "list: not base64",
	  "",
	  { CERT },
	  "-----BEGIN CERTIFICATE-----\n!!!!\n-----END CERTIFICATE-----\n",
	  false,
	  0 },
	{ "list: not a certificate inside",
	  "",
	  { CERT },
	  "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
	  false,
	  0 },
};

static void build(const struct list_row *r, struct buf *out)
{
	po_auto_buf text = { 0 };

	buf_init(&text, CERTIFICATE_PEM_MAX);
	assert_true(buf_adds(&text, r->before));
	for (size_t i = 0; i < 4 && r->files[i]; i++)
		data_read(r->files[i], &text);
	assert_true(buf_adds(&text, r->after));
	for (size_t i = 0; i < text.len; i++) {
		if (r->crlf && text.data[i] == '\n')
			assert_true(buf_adds(out, "\r"));
		assert_true(buf_add(out, text.data + i, 1));
	}
}

ROWS(list_rows, list_row)
{
	po_auto(certificate) *cert = data_certificate(CERT);
	struct certificate_list list;
	struct po_error err = { 0 };
	enum po_status st;
	po_auto_buf text = { 0 };

	buf_init(&text, CERTIFICATE_PEM_MAX);
	build(row, &text);
	st = certificate_list_parse(buf_text(&text), text.len, &list, &err);
	if (st != (row->count ? PO_OK : PO_E_CONFIG))
		fail_msg("status %d: %s", st, err.text);
	assert_int_equal(err.status, st);
	assert_int_equal(list.count, row->count);
	if (row->count)
		assert_true(certificate_list_find(
				    &list, certificate_pubkey(cert)) >= 0);
	certificate_list_clear(&list);
	assert_int_equal(list.count, 0);
}

TEST(list_of_der)
{
	po_auto(certificate) *c = data_certificate(CERT);
	struct certificate_list list;
	size_t len = 0;
	const uint8_t *der = certificate_der(c, &len);

	assert_int_equal(
		certificate_list_parse((const char *)der, len, &list, NULL),
		PO_OK);
	assert_int_equal(list.count, 1);
	certificate_list_clear(&list);
	assert_int_equal(
		certificate_list_parse((const char *)der, len - 1, &list, NULL),
		PO_E_CONFIG);
	assert_int_equal(list.count, 0);
}

TEST(list_at_max_and_one_more)
{
	struct certificate_list list;
	struct po_error err = { 0 };
	po_auto_buf text = { 0 };

	buf_init(&text, CERTIFICATE_PEM_MAX);
	for (int i = 0; i < CERTIFICATE_CHAIN_MAX; i++)
		data_read(LEAF, &text);
	assert_int_equal(
		certificate_list_parse(text.data, text.len, &list, NULL),
		PO_OK);
	assert_int_equal(list.count, CERTIFICATE_CHAIN_MAX);
	certificate_list_clear(&list);
	data_read(LEAF, &text);
	assert_int_equal(
		certificate_list_parse(text.data, text.len, &list, &err),
		PO_E_CONFIG);
	assert_non_null(strstr(err.text, "more than 10"));
	assert_int_equal(list.count, 0);
}

TEST(list_size_limit)
{
	static char text[CERTIFICATE_PEM_MAX + 1];
	struct certificate_list list;
	struct po_error err = { 0 };
	po_auto_buf pem = { 0 };

	buf_init(&pem, 10000);
	data_read(CERT, &pem);
	memset(text, '\n', sizeof(text));
	memcpy(text, pem.data, pem.len);
	assert_int_equal(
		certificate_list_parse(text, CERTIFICATE_PEM_MAX, &list, NULL),
		PO_OK);
	certificate_list_clear(&list);
	assert_int_equal(certificate_list_parse(text, CERTIFICATE_PEM_MAX + 1,
						&list, &err),
			 PO_E_CONFIG);
	assert_non_null(strstr(err.text, "1048576"));
}

TEST(find_in_list)
{
	po_auto(certificate) *leaf = data_certificate(LEAF);
	po_auto(certificate) *ca = data_certificate("certs/intermediate.pem");
	struct certificate_list list;
	po_auto_buf text = { 0 };

	buf_init(&text, CERTIFICATE_PEM_MAX);
	data_read("certs/root.pem", &text);
	data_read(CERT, &text);
	data_read(LEAF, &text);
	assert_int_equal(
		certificate_list_parse(text.data, text.len, &list, NULL),
		PO_OK);
	assert_int_equal(certificate_list_find(&list, certificate_pubkey(leaf)),
			 2);
	assert_int_equal(certificate_list_find(&list, certificate_pubkey(ca)),
			 -1);
	certificate_list_clear(&list);
}

TEST(other_keys_are_refused)
{
	static const char *const names[] = { "certs/ed25519.pem",
					     "certs/secp256k1.pem" };
	struct certificate_list list;

	for (size_t i = 0; i < 2; i++) {
		struct po_error err = { 0 };
		po_auto_buf text = { 0 };

		buf_init(&text, 10000);
		data_read(names[i], &text);
		assert_int_equal(certificate_list_parse(text.data, text.len,
							&list, &err),
				 PO_E_CONFIG);
		assert_true(err.text[0] != '\0');
	}
}
