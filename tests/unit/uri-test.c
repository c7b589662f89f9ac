/* SPDX-License-Identifier: Apache-2.0 */
/* PKCS #11 URIs: what is taken, and what is named when it is not. */
#include "cryptoki/token_signer.h"

#include "cryptoki/uri.h"
#include "unit.h"

#include <string.h>

struct row {
	const char *name;
	const char *uri;
	const char *named; /* NULL: taken; else a part of the error text */
};

#define LABEL_32 "12345678901234567890123456789012"

static const struct row rows[] = {
	{ "empty path", "pkcs11:", NULL },
	{ "token", "pkcs11:token=lab", NULL },
	{ "manufacturer", "pkcs11:manufacturer=SoftHSM%20project", NULL },
	{ "serial", "pkcs11:serial=0123456789abcdef", NULL },
	{ "model", "pkcs11:model=SoftHSM%20v2", NULL },
	{ "library-manufacturer", "pkcs11:library-manufacturer=x", NULL },
	{ "library-version", "pkcs11:library-version=2.6", NULL },
	{ "library-description", "pkcs11:library-description=x", NULL },
	{ "object", "pkcs11:object=jwt", NULL },
	{ "type private", "pkcs11:type=private", NULL },
	{ "type cert", "pkcs11:type=cert", NULL },
	{ "id of raw octets", "pkcs11:id=%00%01%ff", NULL },
	{ "slot-manufacturer", "pkcs11:slot-manufacturer=x", NULL },
	{ "slot-description", "pkcs11:slot-description=x", NULL },
	{ "slot-id beside token", "pkcs11:token=lab;slot-id=3", NULL },
	{ "module-path", "pkcs11:token=a?module-path=/usr/lib/x.so", NULL },
	{ "module-path, escaped slash", "pkcs11:token=a?module-path=%2Fx.so",
	  NULL },
	{ "module-name", "pkcs11:token=a?module-name=opensc-pkcs11", NULL },
	{ "label of full width", "pkcs11:token=" LABEL_32, NULL },
	{ "label too long", "pkcs11:token=" LABEL_32 "3", "'token'" },
	{ "serial too long", "pkcs11:serial=12345678901234567", "'serial'" },
	{ "other scheme", "http://x", "'pkcs11:'" },
	{ "bad escape", "pkcs11:token=%zz", "'token'" },
	{ "cut escape", "pkcs11:id=%0", "'id'" },
	{ "empty value", "pkcs11:token=", "'token'" },
	{ "a NUL alone", "pkcs11:token=%00", "'token' has a NUL" },
	{ "a NUL first", "pkcs11:manufacturer=%00x;slot-id=3",
	  "'manufacturer' has a NUL" },
	{ "a NUL last", "pkcs11:serial=12%00", "'serial' has a NUL" },
	{ "a NUL in a label", "pkcs11:object=a%00b", "'object' has a NUL" },
	{ "a NUL in a path", "pkcs11:token=a?module-path=/x%00y",
	  "'module-path' has a NUL" },
	{ "two digits that are no NUL", "pkcs11:token=%2500", NULL },
	{ "no value", "pkcs11:token", "NAME=VALUE" },
	{ "no name", "pkcs11:=x", "NAME=VALUE" },
	{ "empty pair", "pkcs11:token=a;;id=%01", "NAME=VALUE" },
	{ "trailing semicolon", "pkcs11:token=a;", "ends in ';'" },
	{ "trailing ampersand", "pkcs11:token=a?module-path=/x&",
	  "ends in '&'" },
	{ "twice", "pkcs11:token=a;token=b", "'token' is there twice" },
	{ "id twice", "pkcs11:id=%01;id=%01", "'id' is there twice" },
	{ "query twice", "pkcs11:token=a?module-path=/x&module-path=/y",
	  "'module-path' is there twice" },
	{ "unknown", "pkcs11:foo=bar", "'foo'" },
	{ "unknown vendor attribute", "pkcs11:token=a;x-foo=bar", "'x-foo'" },
	{ "unknown query", "pkcs11:token=a?foo=bar", "'foo'" },
	{ "path name in the query", "pkcs11:token=a?id=%01", "'id'" },
	{ "query name in the path", "pkcs11:module-path=/x", "'module-path'" },
	{ "unknown type", "pkcs11:type=bogus", "'type'" },
	{ "relative module-path", "pkcs11:token=a?module-path=./x.so",
	  "'module-path'" },
	{ "bare module-path", "pkcs11:token=a?module-path=x.so",
	  "'module-path'" },
	{ "pin-value", "pkcs11:token=a?pin-value=1234", "'pin-value'" },
	{ "pin-source", "pkcs11:token=a?pin-source=/x", "'pin-source'" },
	{ "slot-id alone", "pkcs11:slot-id=3", "'slot-id'" },
	{ "slot-id and object", "pkcs11:slot-id=3;object=a", "'slot-id'" },
	{ "malformed slot-id", "pkcs11:token=a;slot-id=x", "" },
	{ "space", "pkcs11:token=a b", "space" },
	{ "newline", "pkcs11:token=a\n", "control" },
	{ "not ASCII", "pkcs11:token=\xc3\xa4", "ASCII" },
};

ROWS(rows, check_row)
{
	struct po_error err = { 0 };
	enum po_status st = token_uri_check(row->uri, &err);

	assert_int_equal(st, row->named ? PO_E_USAGE : PO_OK);
	if (!row->named)
		return;
	assert_int_equal(err.status, PO_E_USAGE);
	assert_non_null(strstr(err.text, "PKCS #11 URI: "));
	assert_non_null(strstr(err.text, row->named));
	assert_null(strstr(err.text, "1234"));
}

TEST(too_long)
{
	char uri[5000] = "pkcs11:token=a?module-path=/";
	struct po_error err = { 0 };

	memset(uri + strlen(uri), 'x', sizeof(uri) - strlen(uri) - 1);
	assert_int_equal(token_uri_check(uri, &err), PO_E_USAGE);
	assert_non_null(strstr(err.text, "longer than 4096"));
	uri[4096] = '\0';
	assert_int_equal(token_uri_check(uri, NULL), PO_OK);
}

TEST(values_are_decoded)
{
	static const uint8_t id[] = { 0x00, 0x01, 0xff };
	po_auto_t(P11KitUri) *uri = NULL;
	const CK_ATTRIBUTE *a;

	assert_int_equal(
		uri_parse("pkcs11:token=a%20b;id=%00%01%ff", &uri, NULL),
		PO_OK);
	a = p11_kit_uri_get_attribute(uri, CKA_ID);
	assert_non_null(a);
	assert_int_equal(a->ulValueLen, sizeof(id));
	assert_memory_equal(a->pValue, id, sizeof(id));
	assert_memory_equal(p11_kit_uri_get_token_info(uri)->label, "a b ", 4);
}
