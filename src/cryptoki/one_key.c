/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/one_key.h"

#include <dlfcn.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <string.h>

#define SLOT 1 /* the handles of the only ones that there are */
#define SESSION 1
#define KEY 1
#define POINT_MAX (1 + 2 * PUBKEY_FIELD_MAX)

PO_DEFINE_AUTO_T(BIGNUM, BN_free);

static struct {
	const struct one_key *key; /* NULL: no token is present */

	/* the key's attributes */
	CK_KEY_TYPE type;
	uint8_t modulus[PUBKEY_RSA_BITS_MAX / 8], exponent[64];
	size_t modulus_len, exponent_len;
	uint8_t point[3 + POINT_MAX]; /* in an OCTET STRING */
	size_t point_len;

	bool found; /* the search has a result that was not fetched yet */
	bool signing;
	CK_MECHANISM_TYPE mechanism;
	CK_RSA_PKCS_PSS_PARAMS pss;
} shown;

/* ---- attributes --------------------------------------------------------- */

struct attribute {
	CK_ATTRIBUTE_TYPE type;
	const void *value;
	size_t len;
};

static const CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
static const CK_BBOOL yes = CK_TRUE, no = CK_FALSE;
static const uint8_t id[] = { KEY };

/* DER of the curves' OIDs, in the order of enum pubkey_type. */
static const struct {
	uint8_t der[11];
	size_t len;
} curves[] = {
	[PUBKEY_P256] = { "\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10 },
	[PUBKEY_P384] = { "\x06\x05\x2b\x81\x04\x00\x22", 7 },
	[PUBKEY_P521] = { "\x06\x05\x2b\x81\x04\x00\x23", 7 },
};

static struct attribute attribute_of(CK_ATTRIBUTE_TYPE type)
{
	enum pubkey_type kind = pubkey_type(shown.key->pubkey);
	bool is_rsa = kind == PUBKEY_RSA;
	const struct attribute all[] = {
		{ CKA_CLASS, &private_key, sizeof(private_key) },
		{ CKA_TOKEN, &yes, sizeof(yes) },
		{ CKA_PRIVATE, &yes, sizeof(yes) },
		{ CKA_SIGN, &yes, sizeof(yes) },
		{ CKA_ID, id, sizeof(id) },
		{ CKA_KEY_TYPE, &shown.type, sizeof(shown.type) },
		/* the sign function sees to it */
		{ CKA_ALWAYS_AUTHENTICATE, &no, sizeof(no) },
		{ CKA_MODULUS, is_rsa ? shown.modulus : NULL,
		  shown.modulus_len },
		{ CKA_PUBLIC_EXPONENT, is_rsa ? shown.exponent : NULL,
		  shown.exponent_len },
		{ CKA_EC_PARAMS, is_rsa ? NULL : curves[kind].der,
		  curves[kind].len },
		{ CKA_EC_POINT, is_rsa ? NULL : shown.point, shown.point_len },
	};

	for (size_t i = 0; i < PO_ARRAY_SIZE(all); i++)
		if (all[i].type == type)
			return all[i];
	return (struct attribute){ type, NULL, 0 };
}

static bool number_of(EVP_PKEY *evp, const char *name, uint8_t *out,
		      size_t size, size_t *ret_len)
{
	po_auto_t(BIGNUM) *n = NULL;

	if (!EVP_PKEY_get_bn_param(evp, name, &n) ||
	    (size_t)BN_num_bytes(n) > size)
		return false;
	*ret_len = (size_t)BN_bn2bin(n, out);
	return true;
}

static bool read_rsa(EVP_PKEY *evp)
{
	shown.type = CKK_RSA;
	return number_of(evp, OSSL_PKEY_PARAM_RSA_N, shown.modulus,
			 sizeof(shown.modulus), &shown.modulus_len) &&
	       number_of(evp, OSSL_PKEY_PARAM_RSA_E, shown.exponent,
			 sizeof(shown.exponent), &shown.exponent_len);
}

static bool read_ec(EVP_PKEY *evp)
{
	uint8_t point[POINT_MAX], *out = shown.point;
	size_t len = 0;

	shown.type = CKK_EC;
	if (!EVP_PKEY_get_octet_string_param(evp, OSSL_PKEY_PARAM_PUB_KEY,
					     point, sizeof(point), &len))
		return false;
	*out++ = 0x04; /* OCTET STRING */
	if (len > 127)
		*out++ = 0x81;
	*out++ = (uint8_t)len;
	memcpy(out, point, len);
	shown.point_len = (size_t)(out - shown.point) + len;
	return true;
}

static CK_RV get_attributes(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE object,
			    CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_RV rv = CKR_OK;

	if (!shown.key || session != SESSION || object != KEY)
		return CKR_OBJECT_HANDLE_INVALID;
	for (CK_ULONG i = 0; i < count; i++) {
		struct attribute a = attribute_of(template[i].type);
		CK_ULONG room = template[i].ulValueLen;

		template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
		if (!a.value) {
			rv = CKR_ATTRIBUTE_TYPE_INVALID;
		} else if (template[i].pValue && room < a.len) {
			rv = CKR_BUFFER_TOO_SMALL;
		} else {
			template[i].ulValueLen = a.len;
			if (template[i].pValue)
				memcpy(template[i].pValue, a.value, a.len);
		}
	}
	return rv;
}

/* ---- the module, its slot and its token --------------------------------- */

static CK_RV initialize(void *args)
{
	(void)args;
	return shown.key ? CKR_OK : CKR_GENERAL_ERROR;
}

static CK_RV finalize(void *reserved)
{
	(void)reserved;
	return CKR_OK;
}

static CK_RV get_info(CK_INFO *info)
{
	*info = (CK_INFO){ .cryptokiVersion = { 2, 40 } };
	return CKR_OK;
}

static CK_RV get_slots(CK_BBOOL present, CK_SLOT_ID *slots, CK_ULONG *count)
{
	(void)present;
	if (slots && *count < 1)
		return CKR_BUFFER_TOO_SMALL;
	if (slots)
		slots[0] = SLOT;
	*count = 1;
	return CKR_OK;
}

static CK_RV get_slot(CK_SLOT_ID slot, CK_SLOT_INFO *info)
{
	if (slot != SLOT)
		return CKR_SLOT_ID_INVALID;
	*info = (CK_SLOT_INFO){ .flags = CKF_TOKEN_PRESENT };
	return CKR_OK;
}

static CK_RV get_token(CK_SLOT_ID slot, CK_TOKEN_INFO *info)
{
	if (slot != SLOT)
		return CKR_SLOT_ID_INVALID;
	*info = (CK_TOKEN_INFO){ .flags = CKF_TOKEN_INITIALIZED |
					  CKF_WRITE_PROTECTED };
	return CKR_OK;
}

static CK_RV open_session(CK_SLOT_ID slot, CK_FLAGS flags, void *application,
			  CK_NOTIFY notify, CK_SESSION_HANDLE *ret_session)
{
	(void)flags;
	(void)application;
	(void)notify;
	if (slot != SLOT)
		return CKR_SLOT_ID_INVALID;
	*ret_session = SESSION;
	return CKR_OK;
}

static CK_RV close_session(CK_SESSION_HANDLE session)
{
	(void)session;
	return CKR_OK;
}

static CK_RV close_sessions(CK_SLOT_ID slot)
{
	(void)slot;
	return CKR_OK;
}

static CK_RV get_session(CK_SESSION_HANDLE session, CK_SESSION_INFO *info)
{
	if (session != SESSION)
		return CKR_SESSION_HANDLE_INVALID;
	*info = (CK_SESSION_INFO){ .slotID = SLOT,
				   .state = CKS_RO_USER_FUNCTIONS,
				   .flags = CKF_SERIAL_SESSION };
	return CKR_OK;
}

/* Nobody but us sees a PIN. */
static CK_RV login(CK_SESSION_HANDLE session, CK_USER_TYPE user,
		   CK_UTF8CHAR *pin, CK_ULONG len)
{
	(void)session;
	(void)user;
	(void)pin;
	(void)len;
	return CKR_FUNCTION_NOT_SUPPORTED;
}

/* ---- finding and signing ------------------------------------------------ */

static CK_RV find_init(CK_SESSION_HANDLE session, CK_ATTRIBUTE *template,
		       CK_ULONG count)
{
	if (!shown.key || session != SESSION)
		return CKR_SESSION_HANDLE_INVALID;
	shown.found = true;
	for (CK_ULONG i = 0; i < count; i++) {
		struct attribute a = attribute_of(template[i].type);

		if (!a.value || template[i].ulValueLen != a.len ||
		    memcmp(template[i].pValue, a.value, a.len) != 0)
			shown.found = false;
	}
	return CKR_OK;
}

static CK_RV find(CK_SESSION_HANDLE session, CK_OBJECT_HANDLE *objects,
		  CK_ULONG max, CK_ULONG *count)
{
	(void)session;
	*count = shown.found && max > 0 ? 1 : 0;
	if (*count)
		objects[0] = KEY;
	shown.found = false;
	return CKR_OK;
}

static CK_RV find_final(CK_SESSION_HANDLE session)
{
	(void)session;
	shown.found = false;
	return CKR_OK;
}

static CK_RV sign_init(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
		       CK_OBJECT_HANDLE object)
{
	if (!shown.key || session != SESSION || object != KEY)
		return CKR_KEY_HANDLE_INVALID;
	shown.mechanism = mechanism->mechanism;
	shown.signing = true;
	if (mechanism->mechanism != CKM_RSA_PKCS_PSS)
		return CKR_OK;
	if (mechanism->ulParameterLen != sizeof(shown.pss))
		return CKR_MECHANISM_PARAM_INVALID;
	memcpy(&shown.pss, mechanism->pParameter, sizeof(shown.pss));
	return CKR_OK;
}

static CK_RV sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG len,
		  CK_BYTE *sig, CK_ULONG *sig_len)
{
	struct sign_operation op = {
		.what = "TLS",
		.mechanism = shown.mechanism,
		.pss = shown.pss,
		.input_len = len,
	};
	size_t room = *sig_len;
	struct signature made;
	CK_RV rv;

	if (!shown.key || session != SESSION || !shown.signing)
		return CKR_OPERATION_NOT_INITIALIZED;
	*sig_len = pubkey_signature_len(shown.key->pubkey);
	if (!sig)
		return CKR_OK;
	if (room < *sig_len)
		return CKR_BUFFER_TOO_SMALL;
	shown.signing = false;
	if (len > sizeof(op.input))
		return CKR_DATA_LEN_RANGE;
	memcpy(op.input, data, len);
	rv = shown.key->sign(shown.key->user, &op, &made);
	if (rv == CKR_OK && made.len != *sig_len)
		rv = CKR_DEVICE_ERROR;
	if (rv == CKR_OK)
		memcpy(sig, made.bytes, made.len);
	return rv;
}

/* OpenSSL's methods for RSA and EC have encryption and agreement, too. */
static CK_RV refuse(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
		    CK_OBJECT_HANDLE object)
{
	(void)session;
	(void)mechanism;
	(void)object;
	return CKR_FUNCTION_NOT_SUPPORTED;
}

static CK_RV derive(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
		    CK_OBJECT_HANDLE object, CK_ATTRIBUTE *template,
		    CK_ULONG count, CK_OBJECT_HANDLE *ret_object)
{
	(void)template;
	(void)count;
	(void)ret_object;
	return refuse(session, mechanism, object);
}

/* ---- the way in --------------------------------------------------------- */

__attribute__((visibility("default"))) CK_RV C_GetFunctionList(
	CK_FUNCTION_LIST **ret_list)
{
	/* libp11 calls none of the others for a key that signs */
	static CK_FUNCTION_LIST list = {
		.version = { 2, 40 },
		.C_Initialize = initialize,
		.C_Finalize = finalize,
		.C_GetInfo = get_info,
		.C_GetFunctionList = C_GetFunctionList,
		.C_GetSlotList = get_slots,
		.C_GetSlotInfo = get_slot,
		.C_GetTokenInfo = get_token,
		.C_OpenSession = open_session,
		.C_CloseSession = close_session,
		.C_CloseAllSessions = close_sessions,
		.C_GetSessionInfo = get_session,
		.C_Login = login,
		.C_Logout = close_session,
		.C_GetAttributeValue = get_attributes,
		.C_FindObjectsInit = find_init,
		.C_FindObjects = find,
		.C_FindObjectsFinal = find_final,
		.C_EncryptInit = refuse,
		.C_DecryptInit = refuse,
		.C_SignInit = sign_init,
		.C_Sign = sign,
		.C_DeriveKey = derive,
	};

	*ret_list = &list;
	return CKR_OK;
}

/* Does what libp11 will do: libp11-kit has a function of this name, too. */
static bool leads_to_us(void)
{
	void *library = dlopen(ONE_KEY_PATH, RTLD_LAZY | RTLD_LOCAL);
	CK_C_GetFunctionList get = NULL;
	void *symbol;

	if (!library)
		return false;
	symbol = dlsym(library, "C_GetFunctionList");
	(void)dlclose(library);
	memcpy(&get, &symbol, sizeof(get)); /* ISO C has no such cast */
	return get == C_GetFunctionList;
}

enum po_status one_key_show(const struct one_key *key, struct po_error *err)
{
	EVP_PKEY *evp = pubkey_evp(key->pubkey);
	bool read;

	if (shown.key)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "one key at a time can be used for TLS");
	if (!leads_to_us())
		return po_fail(err, PO_E_INTERNAL, 0,
			       "this program was linked without "
			       "--export-dynamic-symbol=C_GetFunctionList");
	read = pubkey_type(key->pubkey) == PUBKEY_RSA ? read_rsa(evp)
						      : read_ec(evp);
	if (!read)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the public key cannot be shown to libp11");
	shown.key = key;
	return PO_OK;
}

void one_key_hide(void)
{
	memset(&shown, 0, sizeof(shown));
}
