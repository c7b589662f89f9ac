/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/ckr.h"

#include <stdio.h>

struct row {
	CK_RV rv;
	const char *name;
	enum po_status status;
	const char *text;
};

/* What is not here is PO_E_DEVICE without further words. */
static const struct row rows[] = {
#define ROW(rv, status, text)         \
	{                             \
		rv, #rv, status, text \
	}
	ROW(CKR_CANCEL, PO_E_USER, "cancelled"),
	ROW(CKR_HOST_MEMORY, PO_E_INTERNAL, "the module is out of memory"),
	ROW(CKR_SLOT_ID_INVALID, PO_E_TOKEN, "the slot is gone"),
	ROW(CKR_GENERAL_ERROR, PO_E_DEVICE, "the module failed"),
	ROW(CKR_FUNCTION_FAILED, PO_E_DEVICE, "the token failed"),
	ROW(CKR_ARGUMENTS_BAD, PO_E_DEVICE, "the module refused its arguments"),
	ROW(CKR_CANT_LOCK, PO_E_DEVICE, "the module cannot use locks"),
	ROW(CKR_ATTRIBUTE_SENSITIVE, PO_E_DEVICE, "the attribute is sensitive"),
	ROW(CKR_ATTRIBUTE_TYPE_INVALID, PO_E_DEVICE, "no such attribute"),
	ROW(CKR_DATA_INVALID, PO_E_DEVICE, "the token refused the data"),
	ROW(CKR_DATA_LEN_RANGE, PO_E_DEVICE,
	    "the token refused the data's length"),
	ROW(CKR_DEVICE_ERROR, PO_E_DEVICE, "device error"),
	ROW(CKR_DEVICE_MEMORY, PO_E_DEVICE, "the device is out of memory"),
	ROW(CKR_DEVICE_REMOVED, PO_E_DEVICE, "the device was removed"),
	ROW(CKR_FUNCTION_CANCELED, PO_E_USER, "cancelled on the device"),
	ROW(CKR_FUNCTION_NOT_SUPPORTED, PO_E_DEVICE, "not supported"),
	ROW(CKR_KEY_HANDLE_INVALID, PO_E_DEVICE, "the key is gone"),
	ROW(CKR_KEY_SIZE_RANGE, PO_E_CRYPTO,
	    "the token does not use keys of this size"),
	ROW(CKR_KEY_TYPE_INCONSISTENT, PO_E_CRYPTO,
	    "the key is of another type, or not for signing"),
	ROW(CKR_KEY_FUNCTION_NOT_PERMITTED, PO_E_CRYPTO,
	    "the key is not for signing (CKA_SIGN is false)"),
	ROW(CKR_MECHANISM_INVALID, PO_E_CRYPTO,
	    "the token or the key does not allow this mechanism"),
	ROW(CKR_MECHANISM_PARAM_INVALID, PO_E_CRYPTO,
	    "the token does not allow this mechanism's parameters"),
	ROW(CKR_OBJECT_HANDLE_INVALID, PO_E_DEVICE, "the object is gone"),
	ROW(CKR_OPERATION_ACTIVE, PO_E_DEVICE, "the session is busy"),
	ROW(CKR_OPERATION_NOT_INITIALIZED, PO_E_DEVICE,
	    "the module lost the operation"),
	ROW(CKR_PIN_INCORRECT, PO_E_PIN, "wrong PIN"),
	ROW(CKR_PIN_INVALID, PO_E_PIN,
	    "the PIN has characters that the token does not take"),
	ROW(CKR_PIN_LEN_RANGE, PO_E_PIN,
	    "the PIN is too long or too short for the token"),
	ROW(CKR_PIN_EXPIRED, PO_E_PIN,
	    "the PIN has expired; change it with the token's own tool"),
	ROW(CKR_PIN_LOCKED, PO_E_PIN_LOCKED,
	    "the PIN is locked; unlock it with the token's own tool"),
	ROW(CKR_SESSION_CLOSED, PO_E_DEVICE, "the session was closed"),
	ROW(CKR_SESSION_COUNT, PO_E_DEVICE,
	    "the token has no session left; another program holds them"),
	ROW(CKR_SESSION_HANDLE_INVALID, PO_E_DEVICE, "the session is gone"),
	ROW(CKR_SESSION_READ_WRITE_SO_EXISTS, PO_E_DEVICE,
	    "another session is logged in as security officer"),
	ROW(CKR_TOKEN_NOT_PRESENT, PO_E_TOKEN, "the token is gone"),
	ROW(CKR_TOKEN_NOT_RECOGNIZED, PO_E_TOKEN,
	    "the token is not initialised, or not for this module"),
	ROW(CKR_USER_ALREADY_LOGGED_IN, PO_E_DEVICE, "already logged in"),
	ROW(CKR_USER_NOT_LOGGED_IN, PO_E_PIN, "the token wants a login"),
	ROW(CKR_USER_PIN_NOT_INITIALIZED, PO_E_PIN,
	    "the token has no user PIN yet; set one with its own tool"),
	ROW(CKR_USER_TYPE_INVALID, PO_E_PIN, "the token has no such user"),
	ROW(CKR_USER_ANOTHER_ALREADY_LOGGED_IN, PO_E_PIN,
	    "another user is logged in to the token"),
	ROW(CKR_USER_TOO_MANY_TYPES, PO_E_PIN,
	    "the token has no room for another user"),
	ROW(CKR_BUFFER_TOO_SMALL, PO_E_DEVICE, "more than can be taken"),
	ROW(CKR_CRYPTOKI_NOT_INITIALIZED, PO_E_DEVICE,
	    "the module was finalised"),
	ROW(CKR_CRYPTOKI_ALREADY_INITIALIZED, PO_E_DEVICE,
	    "the module is in use"),
	ROW(CKR_FUNCTION_REJECTED, PO_E_USER, "refused on the device"),
#undef ROW
};

static const struct row *row_of(CK_RV rv)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(rows); i++)
		if (rows[i].rv == rv)
			return &rows[i];
	return NULL;
}

const char *ckr_name(CK_RV rv)
{
	static __thread char number[32];
	const struct row *row = row_of(rv);

	if (row)
		return row->name;
	(void)snprintf(number, sizeof(number), "CKR 0x%lx", rv);
	return number;
}

enum po_status ckr_fail(struct po_error *err, CK_RV rv, const char *what)
{
	const struct row *row = row_of(rv);

	if (!row)
		return po_fail(err, PO_E_DEVICE, (long)rv, "%s failed (%s)",
			       what, ckr_name(rv));
	return po_fail(err, row->status, (long)rv, "%s (%s: %s)", row->text,
		       what, row->name);
}

bool ckr_is_loss(long rv)
{
	switch ((CK_RV)rv) {
	case CKR_GENERAL_ERROR:
	case CKR_FUNCTION_FAILED:
	case CKR_DEVICE_ERROR:
	case CKR_DEVICE_REMOVED:
	case CKR_TOKEN_NOT_PRESENT:
	case CKR_SLOT_ID_INVALID:
	case CKR_SESSION_CLOSED:
	case CKR_SESSION_HANDLE_INVALID:
	case CKR_KEY_HANDLE_INVALID:
	case CKR_OBJECT_HANDLE_INVALID:
	case CKR_OPERATION_ACTIVE:
	case CKR_OPERATION_NOT_INITIALIZED:
	case CKR_CRYPTOKI_NOT_INITIALIZED:
	case CKR_USER_NOT_LOGGED_IN: return true;
	default: return false;
	}
}
