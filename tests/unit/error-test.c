/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as values: the first one wins, context goes in front. */
#include "base/error.h"

#include "unit.h"

#include <errno.h>
#include <string.h>

struct row {
	const char *name; /* as po_status_name() has it: frozen */
	enum po_status status;
	int exit_status; /* frozen, p11oauth-exit-status(7) */
};

static const struct row rows[] = {
	{ "ok", PO_OK, 0 },
	{ "internal", PO_E_INTERNAL, 1 },
	{ "usage", PO_E_USAGE, 2 },
	{ "config", PO_E_CONFIG, 3 },
	{ "token", PO_E_TOKEN, 4 },
	{ "not-found", PO_E_NOT_FOUND, 5 },
	{ "ambiguous", PO_E_AMBIGUOUS, 6 },
	{ "pin", PO_E_PIN, 7 },
	{ "pin-locked", PO_E_PIN_LOCKED, 8 },
	{ "user", PO_E_USER, 9 },
	{ "device", PO_E_DEVICE, 10 },
	{ "crypto", PO_E_CRYPTO, 11 },
	{ "network", PO_E_NETWORK, 12 },
	{ "refused", PO_E_REFUSED, 13 },
	{ "server", PO_E_SERVER, 14 },
	{ "policy", PO_E_POLICY, 15 },
	{ "agent", PO_E_AGENT, 16 },
};

ROWS(rows, status_row)
{
	assert_string_equal(po_status_name(row->status), row->name);
	assert_int_equal(-(int)row->status, row->exit_status);
}

TEST(all_are_listed)
{
	assert_int_equal(-(int)PO_STATUS_LAST, PO_ARRAY_SIZE(rows) - 1);
}

TEST(append_goes_behind)
{
	struct po_error err = { 0 };

	assert_int_equal(po_append(&err, PO_E_PIN, "lost"), PO_E_PIN);
	assert_string_equal(err.text, "");
	(void)po_fail(&err, PO_E_PIN, 0, "wrong");
	assert_int_equal(po_append(&err, PO_OK, "lost"), PO_OK);
	assert_int_equal(po_append(&err, PO_E_PIN, "; %s", "why"), PO_E_PIN);
	assert_string_equal(err.text, "wrong; why");
	for (int i = 0; i < PO_ERROR_TEXT_MAX; i++)
		(void)po_append(&err, PO_E_PIN, "xy");
	assert_int_equal(strlen(err.text), PO_ERROR_TEXT_MAX - 1);
}

TEST(first_error_wins)
{
	struct po_error err = { 0 };

	assert_int_equal(po_fail(&err, PO_E_PIN, 160, "wrong %s", "PIN"),
			 PO_E_PIN);
	assert_int_equal(po_fail(&err, PO_E_DEVICE, 48, "second"), PO_E_DEVICE);
	assert_int_equal(err.status, PO_E_PIN);
	assert_int_equal(err.native, 160);
	assert_string_equal(err.text, "wrong PIN");
}

TEST(nobody_listens)
{
	assert_int_equal(po_fail(NULL, PO_E_PIN, 0, "x"), PO_E_PIN);
	assert_int_equal(po_context(NULL, PO_E_PIN, "x"), PO_E_PIN);
	assert_int_equal(po_no_memory(NULL), PO_E_INTERNAL);
	po_error_clear(NULL);
}

TEST(no_memory)
{
	struct po_error err = { 0 };

	assert_int_equal(po_no_memory(&err), PO_E_INTERNAL);
	assert_int_equal(err.native, ENOMEM);
}

TEST(context_goes_in_front)
{
	struct po_error err = { 0 };

	assert_int_equal(po_fail(&err, PO_E_PIN, 0, "wrong PIN"), PO_E_PIN);
	assert_int_equal(po_context(&err, PO_E_PIN, "token '%s'", "yk5"),
			 PO_E_PIN);
	assert_int_equal(po_context(&err, PO_E_PIN, "profile '%s'", "epic"),
			 PO_E_PIN);
	assert_string_equal(err.text, "profile 'epic': token 'yk5': wrong PIN");
}

TEST(no_context_on_success)
{
	struct po_error err = { 0 };

	assert_int_equal(po_context(&err, PO_OK, "token"), PO_OK);
	assert_string_equal(err.text, "");
}

/* Text and context longer than there is room for are cut, not overrun. */
TEST(long_texts_are_cut)
{
	struct {
		struct po_error err;
		char guard[16];
	} s = { 0 };
	char big[3 * PO_ERROR_TEXT_MAX];

	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(po_fail(&s.err, PO_E_SERVER, 0, "%s", big),
			 PO_E_SERVER);
	assert_int_equal(strlen(s.err.text), PO_ERROR_TEXT_MAX - 1);
	memset(big, 'b', sizeof(big) - 1);
	for (int i = 0; i < 20; i++) {
		(void)po_context(&s.err, PO_E_SERVER, "%s", big);
		assert_int_equal(strlen(s.err.text), PO_ERROR_TEXT_MAX - 1);
	}
	assert_int_equal(strncmp(s.err.text, "bbbb", 4), 0);
	assert_non_null(strstr(s.err.text, "b: b"));
	for (size_t i = 0; i < sizeof(s.guard); i++)
		assert_int_equal(s.guard[i], 0);
}

TEST(clear_makes_room)
{
	struct po_error err = { 0 };

	assert_int_equal(po_fail(&err, PO_E_PIN, 160, "one"), PO_E_PIN);
	po_error_clear(&err);
	assert_int_equal(err.status, PO_OK);
	assert_int_equal(err.native, 0);
	assert_int_equal(po_fail(&err, PO_E_USER, 0, "two"), PO_E_USER);
	assert_string_equal(err.text, "two");
}
