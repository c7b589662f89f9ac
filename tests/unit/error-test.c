/* SPDX-License-Identifier: Apache-2.0 */
/* Errors as values: the first one wins, context goes in front. */
#include "base/error.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct row {
	const char *name; /* as po_status_name() has it: frozen */
	enum po_status status;
	int exit_status; /* frozen, p11oauth-exit-status(7) */
};

static struct row rows[] = {
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

static void status_row(void **state)
{
	const struct row *r = *state;

	assert_string_equal(po_status_name(r->status), r->name);
	assert_int_equal(-(int)r->status, r->exit_status);
}

static void all_are_listed(void **state)
{
	(void)state;
	assert_int_equal(-(int)PO_STATUS_LAST, PO_ARRAY_SIZE(rows) - 1);
}

static void append_goes_behind(void **state)
{
	struct po_error err = { 0 };

	(void)state;
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

static void first_error_wins(void **state)
{
	struct po_error err = { 0 };

	(void)state;
	assert_int_equal(po_fail(&err, PO_E_PIN, 160, "wrong %s", "PIN"),
			 PO_E_PIN);
	assert_int_equal(po_fail(&err, PO_E_DEVICE, 48, "second"), PO_E_DEVICE);
	assert_int_equal(err.status, PO_E_PIN);
	assert_int_equal(err.native, 160);
	assert_string_equal(err.text, "wrong PIN");
}

static void nobody_listens(void **state)
{
	(void)state;
	assert_int_equal(po_fail(NULL, PO_E_PIN, 0, "x"), PO_E_PIN);
	assert_int_equal(po_context(NULL, PO_E_PIN, "x"), PO_E_PIN);
	assert_int_equal(po_no_memory(NULL), PO_E_INTERNAL);
	po_error_clear(NULL);
}

static void no_memory(void **state)
{
	struct po_error err = { 0 };

	(void)state;
	assert_int_equal(po_no_memory(&err), PO_E_INTERNAL);
	assert_int_equal(err.native, ENOMEM);
}

static void context_goes_in_front(void **state)
{
	struct po_error err = { 0 };

	(void)state;
	assert_int_equal(po_fail(&err, PO_E_PIN, 0, "wrong PIN"), PO_E_PIN);
	assert_int_equal(po_context(&err, PO_E_PIN, "token '%s'", "yk5"),
			 PO_E_PIN);
	assert_int_equal(po_context(&err, PO_E_PIN, "profile '%s'", "epic"),
			 PO_E_PIN);
	assert_string_equal(err.text, "profile 'epic': token 'yk5': wrong PIN");
}

static void no_context_on_success(void **state)
{
	struct po_error err = { 0 };

	(void)state;
	assert_int_equal(po_context(&err, PO_OK, "token"), PO_OK);
	assert_string_equal(err.text, "");
}

/* Text and context longer than there is room for are cut, not overrun. */
static void long_texts_are_cut(void **state)
{
	struct {
		struct po_error err;
		char guard[16];
	} s = { 0 };
	char big[3 * PO_ERROR_TEXT_MAX];

	(void)state;
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

static void clear_makes_room(void **state)
{
	struct po_error err = { 0 };

	(void)state;
	assert_int_equal(po_fail(&err, PO_E_PIN, 160, "one"), PO_E_PIN);
	po_error_clear(&err);
	assert_int_equal(err.status, PO_OK);
	assert_int_equal(err.native, 0);
	assert_int_equal(po_fail(&err, PO_E_USER, 0, "two"), PO_E_USER);
	assert_string_equal(err.text, "two");
}

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

int main(void)
{
	struct CMUnitTest tests[N_ROWS + 9] = {
		cmocka_unit_test(all_are_listed),
		cmocka_unit_test(append_goes_behind),
		cmocka_unit_test(first_error_wins),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(no_memory),
		cmocka_unit_test(context_goes_in_front),
		cmocka_unit_test(no_context_on_success),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(clear_makes_room),
	};

	for (size_t i = 0; i < N_ROWS; i++)
		tests[9 + i] = (struct CMUnitTest){ rows[i].name, status_row,
						    NULL, NULL, &rows[i] };
	return cmocka_run_group_tests(tests, NULL, NULL);
}
