/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: read as they are, found in whatever PEM people have. */
#include "key/certificate.h"

#include "test-data.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void fields(void **state)
{
	po_auto(certificate) *c = data_certificate("sandbox/cert.pem");
	char text[16];

	(void)state;
	assert_string_equal(certificate_subject(c), "CN=jwt.careevolution.com");
	assert_string_equal(certificate_issuer(c), "CN=jwt.careevolution.com");
	assert_string_equal(certificate_serial(c), "9543CFBAB1DE2167");
	assert_int_equal(certificate_not_before_s(c), 1578605484);
	assert_int_equal(certificate_not_after_s(c), 1751405484);
	pubkey_describe(certificate_pubkey(c), text);
	assert_string_equal(text, "RSA-2048");
	assert_true(certificate_may_sign(c));
}

static void names_of_others(void **state)
{
	po_auto(certificate) *c = data_certificate("certs/leaf.pem");

	(void)state;
	assert_string_equal(certificate_subject(c),
			    "CN=T\xc3\xabst Leaf,O=p11oauth tests");
	assert_string_equal(certificate_issuer(c),
			    "CN=Test Issuing CA,O=p11oauth tests,C=XX");
	assert_string_equal(certificate_serial(c), "0A0B0C");
}

static void key_of_the_sandbox(void **state)
{
	po_auto(certificate) *c = data_certificate("sandbox/cert.pem");
	po_auto_t(EVP_PKEY) *private = data_private_key("sandbox/key.pem");
	po_auto(pubkey) *key = public_half(private);

	(void)state;
	assert_true(pubkey_equal(certificate_pubkey(c), key));
}

struct use_row {
	const char *name;
	bool may_sign;
};

static struct use_row use_rows[] = {
	{ "certs/leaf.pem", true },      { "certs/encipherment.pem", false },
	{ "certs/root.pem", false },     /* keyCertSign only */
	{ "certs/rfc8705_A.pem", true }, /* no keyUsage */
	{ "certs/rsa1024.pem", true },   /* weak, but it parses */
};

static void use_row(void **state)
{
	const struct use_row *r = *state;
	po_auto(certificate) *c = data_certificate(r->name);

	assert_int_equal(certificate_may_sign(c), r->may_sign);
}

static void issuers(void **state)
{
	po_auto(certificate) *root = data_certificate("certs/root.pem");
	po_auto(certificate) *ca = data_certificate("certs/intermediate.pem");
	po_auto(certificate) *leaf = data_certificate("certs/leaf.pem");
	po_auto(certificate) *fake = data_certificate("certs/same-name.pem");

	(void)state;
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
static void bytes_stay_as_they_are(void **state)
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

	(void)state;
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

static void damaged_der(void **state)
{
	po_auto(certificate) *good = data_certificate("sandbox/cert.pem");
	po_auto(certificate) *c = NULL;
	static uint8_t der[CERTIFICATE_DER_MAX + 1];
	const uint8_t *bytes;
	struct po_error err = { 0 };
	size_t len = 0;

	(void)state;
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

static struct list_row list_rows[] = {
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

static void list_row(void **state)
{
	const struct list_row *r = *state;
	po_auto(certificate) *cert = data_certificate(CERT);
	struct certificate_list list;
	struct po_error err = { 0 };
	enum po_status st;
	po_auto_buf text = { 0 };

	buf_init(&text, CERTIFICATE_PEM_MAX);
	build(r, &text);
	st = certificate_list_parse(buf_text(&text), text.len, &list, &err);
	if (st != (r->count ? PO_OK : PO_E_CONFIG))
		fail_msg("status %d: %s", st, err.text);
	assert_int_equal(err.status, st);
	assert_int_equal(list.count, r->count);
	if (r->count)
		assert_true(certificate_list_find(
				    &list, certificate_pubkey(cert)) >= 0);
	certificate_list_clear(&list);
	assert_int_equal(list.count, 0);
}

static void list_of_der(void **state)
{
	po_auto(certificate) *c = data_certificate(CERT);
	struct certificate_list list;
	size_t len = 0;
	const uint8_t *der = certificate_der(c, &len);

	(void)state;
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

static void list_at_max_and_one_more(void **state)
{
	struct certificate_list list;
	struct po_error err = { 0 };
	po_auto_buf text = { 0 };

	(void)state;
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

static void list_size_limit(void **state)
{
	static char text[CERTIFICATE_PEM_MAX + 1];
	struct certificate_list list;
	struct po_error err = { 0 };
	po_auto_buf pem = { 0 };

	(void)state;
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

static void find_in_list(void **state)
{
	po_auto(certificate) *leaf = data_certificate(LEAF);
	po_auto(certificate) *ca = data_certificate("certs/intermediate.pem");
	struct certificate_list list;
	po_auto_buf text = { 0 };

	(void)state;
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

static void other_keys_are_refused(void **state)
{
	static const char *const names[] = { "certs/ed25519.pem",
					     "certs/secp256k1.pem" };
	struct certificate_list list;

	(void)state;
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

#define N_USE PO_ARRAY_SIZE(use_rows)
#define N_LIST PO_ARRAY_SIZE(list_rows)
#define N_OTHER 11

int main(void)
{
	struct CMUnitTest tests[N_OTHER + N_USE + N_LIST] = {
		cmocka_unit_test(fields),
		cmocka_unit_test(names_of_others),
		cmocka_unit_test(key_of_the_sandbox),
		cmocka_unit_test(issuers),
		cmocka_unit_test(bytes_stay_as_they_are),
		cmocka_unit_test(damaged_der),
		cmocka_unit_test(list_of_der),
		cmocka_unit_test(list_at_max_and_one_more),
		cmocka_unit_test(list_size_limit),
		cmocka_unit_test(find_in_list),
		cmocka_unit_test(other_keys_are_refused),
	};
	struct CMUnitTest *next = tests + N_OTHER;

	for (size_t i = 0; i < N_USE; i++)
		*next++ = (struct CMUnitTest){ use_rows[i].name, use_row, NULL,
					       NULL, &use_rows[i] };
	for (size_t i = 0; i < N_LIST; i++)
		*next++ = (struct CMUnitTest){ list_rows[i].name, list_row,
					       NULL, NULL, &list_rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
