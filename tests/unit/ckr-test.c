/* SPDX-License-Identifier: Apache-2.0 */
/* Return values of modules and the statuses they become. */
#include "cryptoki/ckr.h"

#include "unit.h"

#include <errno.h>
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

/* What a session, card or module that was lost says: it is looked for once
 * more. A PIN, a policy or a mechanism would say the same again. */
struct loss_row {
	const char *name;
	CK_RV rv;
	bool is_loss;
};
static const struct loss_row loss_rows[] = {
	{ "loss: general", CKR_GENERAL_ERROR, true },
	{ "loss: function", CKR_FUNCTION_FAILED, true },
	{ "loss: device", CKR_DEVICE_ERROR, true },
	{ "loss: removed", CKR_DEVICE_REMOVED, true },
	{ "loss: token", CKR_TOKEN_NOT_PRESENT, true },
	{ "loss: slot", CKR_SLOT_ID_INVALID, true },
	{ "loss: session closed", CKR_SESSION_CLOSED, true },
	{ "loss: session", CKR_SESSION_HANDLE_INVALID, true },
	{ "loss: key", CKR_KEY_HANDLE_INVALID, true },
	{ "loss: object", CKR_OBJECT_HANDLE_INVALID, true },
	{ "loss: operation", CKR_OPERATION_ACTIVE, true },
	{ "loss: no operation", CKR_OPERATION_NOT_INITIALIZED, true },
	{ "loss: module", CKR_CRYPTOKI_NOT_INITIALIZED, true },
	{ "loss: login", CKR_USER_NOT_LOGGED_IN, true },
	{ "no loss: PIN", CKR_PIN_INCORRECT, false },
	{ "no loss: locked", CKR_PIN_LOCKED, false },
	{ "no loss: mechanism", CKR_MECHANISM_INVALID, false },
	{ "no loss: cancelled", CKR_FUNCTION_CANCELED, false },
	{ "no loss: refused", CKR_FUNCTION_REJECTED, false },
	{ "no loss: not permitted", CKR_KEY_FUNCTION_NOT_PERMITTED, false },
	{ "no loss: memory", CKR_HOST_MEMORY, false },
	{ "no loss: a time-out", ETIMEDOUT, false },
	{ "no loss: none", 0, false },
};

ROWS(loss_rows, what_may_be_back_is_looked_for_once_more)
{
	assert_int_equal(ckr_is_loss((long)row->rv), row->is_loss);
}
