/* SPDX-License-Identifier: Apache-2.0 */
/* An error as JSON, there and back. */
#include "base/error_json.h"

#include "unit.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

TEST(every_status_comes_back)
{
	for (int st = PO_E_INTERNAL; st >= (int)PO_STATUS_LAST; st--) {
		struct po_error err = { 0 }, back = { 0 };
		json_auto_t *value = NULL;

		(void)po_fail(&err, (enum po_status)st, 1000L - st,
			      "what happened: %d", st);
		value = error_json(&err);
		assert_non_null(value);
		assert_int_equal(json_object_size(value), 4);
		assert_string_equal(json_text(value, "status"),
				    po_status_name((enum po_status)st));
		assert_int_equal(
			json_integer_value(json_object_get(value, "exit")),
			-st);
		assert_true(error_from_json(value, &back));
		assert_int_equal(back.status, st);
		assert_int_equal(back.native, 1000L - st);
		assert_string_equal(back.text, err.text);
	}
}

TEST(large_native_codes)
{
	static const long natives[] = { 0, -1, LONG_MAX, LONG_MIN,
					0x80000000L /* CKR_VENDOR_DEFINED */ };

	for (size_t i = 0; i < sizeof(natives) / sizeof(natives[0]); i++) {
		struct po_error err = { .status = PO_E_DEVICE,
					.native = natives[i],
					.text = "x" };
		struct po_error back = { 0 };
		json_auto_t *value = error_json(&err);

		assert_true(error_from_json(value, &back));
		assert_true(back.native == natives[i]);
	}
}

TEST(what_cannot_be_printed_is_made_so)
{
	struct po_error err = { .status = PO_E_SERVER,
				.text = "a\nb\x1b[31m\xff" };
	json_auto_t *value = error_json(&err);
	const char *message;

	assert_non_null(value);
	message = json_text(value, "message");
	assert_non_null(message);
	assert_null(strchr(message, '\n'));
	assert_null(strchr(message, '\x1b'));
}

TEST(the_longest_text)
{
	struct po_error err = { .status = PO_E_SERVER }, back = { 0 };
	json_auto_t *value = NULL;

	memset(err.text, 'x', sizeof(err.text) - 1);
	value = error_json(&err);
	assert_true(error_from_json(value, &back));
	assert_string_equal(back.text, err.text);
	json_decref(value);
	/* each byte becomes more when it is made printable; it still fits */
	memset(err.text, '\x01', sizeof(err.text) - 1);
	value = error_json(&err);
	assert_non_null(value);
	assert_true(error_from_json(value, &back));
	assert_int_equal(strlen(back.text), sizeof(back.text) - 1);
}

struct row {
	const char *name;
	const char *text;
	enum po_status want; /* PO_OK: it is none */
};

static const struct row rows[] = {
	{ "one of ours", "{\"exit\":7,\"message\":\"m\",\"native\":160}",
	  PO_E_PIN },
	{ "the last one", "{\"exit\":16,\"message\":\"m\"}", PO_E_AGENT },
	{ "more members", "{\"exit\":1,\"message\":\"m\",\"retry_after\":3}",
	  PO_E_INTERNAL },
	{ "success", "{\"exit\":0,\"message\":\"m\"}", PO_OK },
	{ "an exit status that is none", "{\"exit\":17,\"message\":\"m\"}",
	  PO_OK },
	{ "a negative one", "{\"exit\":-7,\"message\":\"m\"}", PO_OK },
	{ "a huge one", "{\"exit\":4294967303,\"message\":\"m\"}", PO_OK },
	{ "exit as text", "{\"exit\":\"7\",\"message\":\"m\"}", PO_OK },
	{ "no exit", "{\"status\":\"pin\",\"message\":\"m\"}", PO_OK },
	{ "no message", "{\"exit\":7}", PO_OK },
	{ "message null", "{\"exit\":7,\"message\":null}", PO_OK },
	{ "message no text", "{\"exit\":7,\"message\":7}", PO_OK },
	{ "empty", "{}", PO_OK },
};

ROWS(rows, read_row)
{
	json_auto_t *value = json_loads(row->text, 0, NULL);
	struct po_error err = { .status = PO_OK, .native = 99 };

	assert_non_null(value);
	assert_int_equal(error_from_json(value, &err), row->want != PO_OK);
	assert_int_equal(err.status, row->want);
	if (row->want == PO_OK) /* untouched */
		assert_int_equal(err.native, 99);
}

TEST(no_object)
{
	json_auto_t *array = json_pack("[i]", 7);
	struct po_error err = { 0 };

	assert_false(error_from_json(NULL, &err));
	assert_false(error_from_json(json_null(), &err));
	assert_false(error_from_json(array, &err));
}
