/* SPDX-License-Identifier: Apache-2.0 */
/* Return values of modules and the statuses they become. */
#include "cryptoki/ckr.h"

#include "unit.h"

#include <string.h>

struct row {
	const char *name; /* as ckr_name() has it */
	CK_RV rv;
	enum po_status status;
};

static const struct row rows[] = {
	{ "CKR_PIN_INCORRECT", CKR_PIN_INCORRECT, PO_E_PIN },
	{ "CKR_PIN_LEN_RANGE", CKR_PIN_LEN_RANGE, PO_E_PIN },
	{ "CKR_PIN_EXPIRED", CKR_PIN_EXPIRED, PO_E_PIN },
	{ "CKR_PIN_LOCKED", CKR_PIN_LOCKED, PO_E_PIN_LOCKED },
	{ "CKR_USER_PIN_NOT_INITIALIZED", CKR_USER_PIN_NOT_INITIALIZED,
	  PO_E_PIN },
	{ "CKR_USER_ANOTHER_ALREADY_LOGGED_IN",
	  CKR_USER_ANOTHER_ALREADY_LOGGED_IN, PO_E_PIN },
	{ "CKR_TOKEN_NOT_PRESENT", CKR_TOKEN_NOT_PRESENT, PO_E_TOKEN },
	{ "CKR_DEVICE_REMOVED", CKR_DEVICE_REMOVED, PO_E_DEVICE },
	{ "CKR_SESSION_HANDLE_INVALID", CKR_SESSION_HANDLE_INVALID,
	  PO_E_DEVICE },
	{ "CKR_FUNCTION_REJECTED", CKR_FUNCTION_REJECTED, PO_E_USER },
	{ "CKR_FUNCTION_CANCELED", CKR_FUNCTION_CANCELED, PO_E_USER },
	{ "CKR_MECHANISM_INVALID", CKR_MECHANISM_INVALID, PO_E_CRYPTO },
	{ "CKR_KEY_FUNCTION_NOT_PERMITTED", CKR_KEY_FUNCTION_NOT_PERMITTED,
	  PO_E_CRYPTO },
	{ "CKR_HOST_MEMORY", CKR_HOST_MEMORY, PO_E_INTERNAL },
	{ "CKR 0x80001234", CKR_VENDOR_DEFINED | 0x1234, PO_E_DEVICE },
};

ROWS(rows, check_row)
{
	struct po_error err = { 0 };

	assert_string_equal(ckr_name(row->rv), row->name);
	assert_int_equal(ckr_fail(&err, row->rv, "C_Sign"), row->status);
	assert_int_equal(err.native, (long)row->rv);
	assert_non_null(strstr(err.text, row->name));
	assert_non_null(strstr(err.text, "C_Sign"));
}
