/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: read once they are an object, and when they hold. */
#include "jose/jwt.h"

#include "base/base64url.h"
#include "unit.h"

#include <string.h>

struct claims_row {
	const char *name;
	const char *payload;
	bool ok;
};

static const struct claims_row claims_rows[] = {
	{ "claims: an object", "{\"iss\":\"a\"}", true },
	{ "claims: empty object", "{}", true },
	{ "claims: empty", "", false },
	{ "claims: text", "Payload", false },
	{ "claims: an array", "[]", false },
	{ "claims: repeated", "{\"iss\":\"a\",\"iss\":\"b\"}", false },
	{ "claims: garbage behind", "{}x", false },
};

ROWS(claims_rows, claims_row)
{
	char text[256] = "e30.";
	json_auto_t *claims = NULL;
	po_auto(jws) *jws = NULL;
	struct po_error err = { 0 };

	base64url_encode(text + 4, (const uint8_t *)row->payload,
			 strlen(row->payload));
	memcpy(text + strlen(text), ".AA", 4);
	assert_int_equal(jws_parse(text, strlen(text), &jws, NULL), PO_OK);
	assert_int_equal(jwt_claims(jws, &claims, &err),
			 row->ok ? PO_OK : PO_E_CRYPTO);
	assert_int_equal(claims != NULL, row->ok);
}

#define NONE INT64_MIN
#define BAD (INT64_MIN + 1)

struct read_row {
	const char *name;
	const char *value; /* of exp; NULL: absent */
	int64_t exp_s;     /* NONE: absent; BAD: refused */
};

static const struct read_row read_rows[] = {
	{ "read: absent", NULL, NONE },
	{ "read: seconds", "1637709663", 1637709663 },
	{ "read: zero", "0", 0 },
	{ "read: negative", "-1", -1 },
	{ "read: a fraction is cut off", "1637709663.9", 1637709663 },
	{ "read: exponent", "1.5e3", 1500 },
	{ "read: largest", "9223372036854775807", INT64_MAX },
	{ "read: beyond any time", "1e300", BAD },
	{ "read: text", "\"1637709663\"", BAD },
	{ "read: null", "null", BAD },
	{ "read: true", "true", BAD },
	{ "read: a list", "[1]", BAD },
};

ROWS(read_rows, read_row)
{
	static const char *const names[] = { "iat", "nbf", "exp" };

	for (size_t i = 0; i < 3; i++) {
		struct jwt_times t = { .exp_s = 5, .has_exp = true };
		json_auto_t *claims = NULL;
		struct po_error err = { 0 };
		po_auto_buf text = { 0 };
		enum po_status st;

		buf_init(&text, 256);
		assert_true(row->value ? buf_addf(&text, "{\"%s\":%s}",
						  names[i], row->value)
				       : buf_adds(&text, "{}"));
		assert_int_equal(
			json_parse_object(text.data, text.len, &claims, NULL),
			PO_OK);
		st = jwt_read_times(claims, &t, &err);
		assert_int_equal(st, row->exp_s == BAD ? PO_E_CRYPTO : PO_OK);
		if (row->exp_s == BAD) {
			assert_non_null(strstr(err.text, names[i]));
			assert_int_equal(t.exp_s, 5); /* untouched */
			continue;
		}
		assert_int_equal(t.has_iat, i == 0 && row->value);
		assert_int_equal(t.has_nbf, i == 1 && row->value);
		assert_int_equal(t.has_exp, i == 2 && row->value);
		if (row->value)
			assert_true((i == 0   ? t.iat_s
				     : i == 1 ? t.nbf_s
					      : t.exp_s) == row->exp_s);
	}
}

#define NOW 1000000

struct check_row {
	const char *name;
	int64_t iat_s, nbf_s, exp_s; /* NONE: absent */
	int64_t skew_s;
	const char *says; /* NULL: holds */
};

static const struct check_row check_rows[] = {
	{ "check: holds", NOW, NOW, NOW + 240, 0, NULL },
	{ "check: exp alone", NONE, NONE, NOW + 1, 0, NULL },
	{ "check: no exp", NOW, NOW, NONE, 0, "exp" },
	{ "check: exp is now", NONE, NONE, NOW, 0, "expired 0 s ago" },
	{ "check: just expired", NONE, NONE, NOW - 1, 0, "expired 1 s ago" },
	{ "check: expired within the skew", NONE, NONE, NOW - 59, 60, NULL },
	{ "check: expired, skew used up", NONE, NONE, NOW - 60, 60,
	  "expired 60 s ago" },
	{ "check: nbf ahead", NONE, NOW + 1, NOW + 99, 0, "1 s only (nbf)" },
	{ "check: nbf within the skew", NONE, NOW + 60, NOW + 99, 60, NULL },
	{ "check: nbf beyond the skew", NONE, NOW + 61, NOW + 99, 60,
	  "61 s only (nbf)" },
	{ "check: iat ahead", NOW + 5, NONE, NOW + 99, 0,
	  "5 s in the future (iat)" },
	{ "check: iat within the skew", NOW + 60, NONE, NOW + 99, 60, NULL },
	{ "check: iat beyond the skew", NOW + 61, NONE, NOW + 99, 60, "(iat)" },
	{ "check: old iat", NOW - 100000, NONE, NOW + 99, 0, NULL },
	{ "check: earliest times", BAD, BAD, BAD, 60, "expired" },
	{ "check: latest exp", NONE, NONE, INT64_MAX, 60, NULL },
	{ "check: latest nbf", NONE, INT64_MAX, INT64_MAX, 60, "(nbf)" },
	{ "check: latest iat", INT64_MAX, NONE, INT64_MAX, 60, "(iat)" },
};

ROWS(check_rows, check_row)
{
	struct jwt_times t = {
		.iat_s = row->iat_s == NONE ? 0 : row->iat_s,
		.nbf_s = row->nbf_s == NONE ? 0 : row->nbf_s,
		.exp_s = row->exp_s == NONE ? 0 : row->exp_s,
		.has_iat = row->iat_s != NONE,
		.has_nbf = row->nbf_s != NONE,
		.has_exp = row->exp_s != NONE,
	};
	struct po_error err = { 0 };

	assert_int_equal(jwt_check_times(&t, NOW, row->skew_s, &err),
			 row->says ? PO_E_CRYPTO : PO_OK);
	if (row->says && !strstr(err.text, row->says))
		fail_msg("'%s' does not say '%s'", err.text, row->says);
}
