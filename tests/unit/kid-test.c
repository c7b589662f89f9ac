/* SPDX-License-Identifier: Apache-2.0 */
/* The kid that each style gives for CareEvolution's sandbox identity. */
#include "key/kid.h"

#include "test-data.h"
#include "unit.h"

#include <string.h>

static struct certificate *cert;

BEFORE_ALL
{
	cert = data_certificate("sandbox/cert.pem");
}

AFTER_ALL
{
	certificate_free(cert);
}

struct row {
	const char *name; /* the rule */
	const char *kid;  /* NULL: the rule is refused */
	bool needs_cert;
	bool needs_id;
};

static const struct row rows[] = {
	{ "x5t-hex", "91DFD4A1BD6E7A807289415941A892F2D3DDB68E", true, false },
	{ "x5t", "kd_Uob1ueoByiUFZQaiS8tPdto4", true, false },
	{ "x5t-s256", "9qwXYUU0DnFKIYUbcEmD575Z5GAaGeAK3EHK76a9Yg0", true,
	  false },
	/* the thumbprint that other tools compute for this key */
	{ "jwk-thumbprint", "gCxPlhhbuTbzMFOqDULkN0FKEWI00vztjJaKvJbijJk",
	  false, false },
	{ "id", "0a00ff", false, true },
	{ "literal:2011-04-29", "2011-04-29", false, false },
	{ "literal:literal:", "literal:", false, false },
	{ "literal:T\xc3\xabst \xf0\x9f\x94\x91",
	  "T\xc3\xabst \xf0\x9f\x94\x91", false, false },
	{ "none", "", false, false },
	{ "literal:", NULL, false, false },
	{ "literal", NULL, false, false },
	{ "literal:\xff", NULL, false, false },
	{ "", NULL, false, false },
	{ "X5T", NULL, false, false },
	{ "x5t ", NULL, false, false },
	{ "sha1", NULL, false, false },
};

ROWS(rows, derive_row)
{
	static const uint8_t id[] = { 0x0a, 0x00, 0xff };
	struct kid_rule rule = { .style = KID_NONE };
	struct po_error err = { 0 };
	char out[KID_LEN_MAX + 1];
	struct kid_source source = { certificate_pubkey(cert), cert, id,
				     sizeof(id) };
	enum po_status st = kid_rule_parse(row->name, &rule, &err);

	assert_int_equal(st, row->kid ? PO_OK : PO_E_USAGE);
	if (!row->kid) {
		assert_int_equal(rule.style, KID_NONE);
		assert_true(err.text[0] != '\0');
		return;
	}
	assert_int_equal(kid_derive(&rule, &source, out, NULL), PO_OK);
	assert_string_equal(out, row->kid);

	source.cert = NULL;
	st = kid_derive(&rule, &source, out, &err);
	assert_int_equal(st, row->needs_cert ? PO_E_NOT_FOUND : PO_OK);
	source.cert = cert;
	source.id = NULL;
	source.id_len = 0;
	po_error_clear(&err);
	st = kid_derive(&rule, &source, out, &err);
	assert_int_equal(st, row->needs_id ? PO_E_NOT_FOUND : PO_OK);
}

TEST(literal_at_max_and_one_more)
{
	char text[sizeof("literal:") + KID_LEN_MAX + 1] = "literal:";
	struct kid_source source = { .pubkey = certificate_pubkey(cert) };
	char out[KID_LEN_MAX + 1];
	struct kid_rule rule;

	memset(text + 8, 'a', KID_LEN_MAX);
	assert_int_equal(kid_rule_parse(text, &rule, NULL), PO_OK);
	assert_int_equal(kid_derive(&rule, &source, out, NULL), PO_OK);
	assert_int_equal(strlen(out), KID_LEN_MAX);
	text[8 + KID_LEN_MAX] = 'a';
	assert_int_equal(kid_rule_parse(text, &rule, NULL), PO_E_USAGE);
}

TEST(id_at_max_and_one_more)
{
	struct kid_rule rule = { .style = KID_ID };
	uint8_t id[KID_LEN_MAX / 2 + 1];
	struct kid_source source = { certificate_pubkey(cert), NULL, id,
				     sizeof(id) - 1 };
	char out[KID_LEN_MAX + 1];

	memset(id, 0xab, sizeof(id));
	assert_int_equal(kid_derive(&rule, &source, out, NULL), PO_OK);
	assert_int_equal(strlen(out), 2 * source.id_len);
	source.id_len++;
	assert_int_equal(kid_derive(&rule, &source, out, NULL), PO_E_NOT_FOUND);
}

/* Help and errors list every style. */
TEST(every_style_has_a_word)
{
	struct po_error err = { 0 };
	struct kid_rule rule;
	int n = 0;

	assert_int_equal(kid_rule_parse("?", &rule, &err), PO_E_USAGE);
	for (; kid_style_words[n]; n++)
		assert_non_null(strstr(err.text, kid_style_words[n]));
	assert_int_equal(n, KID_NONE + 1);
	assert_string_equal(kid_style_words[n - 2], "literal:");
}
