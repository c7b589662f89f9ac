/* SPDX-License-Identifier: Apache-2.0 */
#include "paper-token.h"

#include "test-data.h"
#include "unit.h"

#include <dlfcn.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

struct paper paper;

static CK_RV called(const char *function, const char *more)
{
	size_t len = strlen(paper.calls);

	(void)snprintf(paper.calls + len, sizeof(paper.calls) - len, "%s%s%s%s",
		       len ? " " : "", function, more ? " " : "",
		       more ? more : "");
	return paper.before ? paper.before(function) : CKR_OK;
}

unsigned int paper_calls(const char *function)
{
	size_t len = strlen(function);
	unsigned int n = 0;

	for (const char *p = paper.calls; (p = strstr(p, function)); p += len)
		n += p[len] == ' ' || p[len] == '\0';
	return n;
}

/* ---- what is written down ----------------------------------------------- */

static void pad(unsigned char *field, size_t size, const char *text)
{
	memset(field, ' ', size);
	memcpy(field, text, strlen(text) < size ? strlen(text) : size);
}

unsigned int paper_add_token(const char *label, const char *serial,
			     CK_FLAGS flags)
{
	CK_TOKEN_INFO *t = &paper.tokens[paper.token_count];

	assert_true(paper.token_count < PAPER_TOKENS_MAX);
	memset(t, 0, sizeof(*t));
	pad(t->label, sizeof(t->label), label);
	pad(t->serialNumber, sizeof(t->serialNumber), serial);
	pad(t->manufacturerID, sizeof(t->manufacturerID), "Paper");
	pad(t->model, sizeof(t->model), "A4");
	t->flags = CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED |
		   CKF_LOGIN_REQUIRED | flags;
	return (unsigned int)paper.token_count++;
}

void paper_reset(void)
{
	memset(&paper, 0, sizeof(paper));
	paper.pin = "739154";
	(void)paper_add_token("lab", "1", 0);
}

void paper_set(struct paper_object *o, CK_ATTRIBUTE_TYPE type,
	       const void *value, CK_ULONG len)
{
	struct paper_attribute *a = paper_attribute(o, type);

	if (!a) {
		assert_true(o->count < PAPER_ATTRIBUTES_MAX);
		a = &o->attributes[o->count++];
	}
	assert_true(len <= sizeof(a->value));
	a->type = type;
	a->len = len;
	a->claimed = 0;
	memcpy(a->value, value, len);
}

struct paper_attribute *paper_attribute(struct paper_object *o,
					CK_ATTRIBUTE_TYPE type)
{
	for (size_t i = 0; i < o->count; i++)
		if (o->attributes[i].type == type)
			return &o->attributes[i];
	return NULL;
}

static struct paper_object *add(unsigned int token, CK_OBJECT_CLASS class,
				const char *id, const char *label)
{
	struct paper_object *o = &paper.objects[paper.object_count++];

	assert_true(paper.object_count <= PAPER_OBJECTS_MAX);
	o->token = token;
	paper_set(o, CKA_CLASS, &class, sizeof(class));
	if (id)
		paper_set(o, CKA_ID, id, strlen(id));
	if (label)
		paper_set(o, CKA_LABEL, label, strlen(label));
	return o;
}

static void set_number(struct paper_object *o, CK_ATTRIBUTE_TYPE type,
		       EVP_PKEY *key, const char *name)
{
	BIGNUM *n = NULL;
	uint8_t bytes[1024];

	assert_true(EVP_PKEY_get_bn_param(key, name, &n));
	paper_set(o, type, bytes, (CK_ULONG)BN_bn2bin(n, bytes));
	BN_free(n);
}

static void set_public(struct paper_object *o, EVP_PKEY *key)
{
	static const uint8_t p256[] = { 6,    8,    0x2a, 0x86, 0x48,
					0xce, 0x3d, 3,    1,    7 };
	bool is_rsa = EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA;
	CK_KEY_TYPE type = is_rsa ? CKK_RSA : CKK_EC;
	uint8_t point[67] = { 4, 65 }; /* OCTET STRING */
	size_t len = 0;

	paper_set(o, CKA_KEY_TYPE, &type, sizeof(type));
	if (is_rsa) {
		set_number(o, CKA_MODULUS, key, OSSL_PKEY_PARAM_RSA_N);
		set_number(o, CKA_PUBLIC_EXPONENT, key, OSSL_PKEY_PARAM_RSA_E);
		return;
	}
	assert_true(EVP_PKEY_get_octet_string_param(
		key, OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY, point + 2, 65, &len));
	assert_int_equal(len, 65);
	paper_set(o, CKA_EC_PARAMS, p256, sizeof(p256));
	paper_set(o, CKA_EC_POINT, point, sizeof(point));
}

struct paper_object *paper_add_private(unsigned int token, const char *id,
				       const char *label, EVP_PKEY *key)
{
	struct paper_object *o = add(token, CKO_PRIVATE_KEY, id, label);
	static const CK_BBOOL yes = CK_TRUE;

	set_public(o, key);
	o->is_private = true;
	o->key = key;
	paper_set(o, CKA_SIGN, &yes, sizeof(yes));
	paper_set(o, CKA_SENSITIVE, &yes, sizeof(yes));
	return o;
}

struct paper_object *paper_add_public(unsigned int token, const char *id,
				      const char *label, EVP_PKEY *key)
{
	struct paper_object *o = add(token, CKO_PUBLIC_KEY, id, label);

	set_public(o, key);
	return o;
}

struct paper_object *paper_add_certificate(unsigned int token, const char *id,
					   const char *label, EVP_PKEY *key,
					   int64_t from_s, int64_t until_s)
{
	struct paper_object *o = add(token, CKO_CERTIFICATE, id, label);
	X509 *cert = X509_new();
	uint8_t *der = NULL;
	int len;

	assert_non_null(cert);
	assert_true(X509_set_version(cert, X509_VERSION_3));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(cert),
				     (long)paper.object_count));
	assert_non_null(ASN1_TIME_set(X509_getm_notBefore(cert), from_s));
	assert_non_null(ASN1_TIME_set(X509_getm_notAfter(cert), until_s));
	assert_true(X509_NAME_add_entry_by_txt(
		X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
		(const uint8_t *)(label ? label : "none"), -1, -1, 0));
	assert_true(X509_set_issuer_name(cert, X509_get_subject_name(cert)));
	assert_true(X509_set_pubkey(cert, key));
	assert_true(X509_sign(cert, key, EVP_sha256()) > 0);
	len = i2d_X509(cert, &der);
	assert_true(len > 0);
	paper_set(o, CKA_VALUE, der, (CK_ULONG)len);
	OPENSSL_free(der);
	X509_free(cert);
	return o;
}

/* ---- the module --------------------------------------------------------- */

#define CALLED(more)                                    \
	do {                                            \
		CK_RV rv_ = called(__func__ + 2, more); \
		if (rv_ != CKR_OK)                      \
			return rv_;                     \
	} while (0)

/* Each is named p_ and its PKCS #11 name. */
static CK_RV p_C_Initialize(void *args)
{
	(void)args;
	CALLED(NULL);
	return CKR_OK;
}

static CK_RV p_C_Finalize(void *args)
{
	(void)args;
	CALLED(NULL);
	paper.logged_in = false;
	return CKR_OK;
}

static CK_RV p_C_GetInfo(CK_INFO *info)
{
	CALLED(NULL);
	memset(info, 0, sizeof(*info));
	pad(info->manufacturerID, sizeof(info->manufacturerID), "Paper");
	pad(info->libraryDescription, sizeof(info->libraryDescription), "A4");
	return CKR_OK;
}

static CK_RV p_C_GetSlotList(CK_BBOOL present, CK_SLOT_ID *ids, CK_ULONG *count)
{
	CK_ULONG n = 0, room = *count;

	(void)present;
	CALLED(NULL);
	for (size_t i = 0; i < paper.token_count; i++)
		n += !paper.is_absent[i];
	*count = paper.claimed_slots ? paper.claimed_slots : n;
	if (!ids)
		return CKR_OK;
	if (n > room)
		return CKR_BUFFER_TOO_SMALL;
	n = 0;
	for (size_t i = 0; i < paper.token_count; i++)
		if (!paper.is_absent[i])
			ids[n++] = i;
	return CKR_OK;
}

static CK_RV p_C_GetSlotInfo(CK_SLOT_ID id, CK_SLOT_INFO *info)
{
	CALLED(NULL);
	memset(info, 0, sizeof(*info));
	pad(info->slotDescription, sizeof(info->slotDescription), "Folder");
	pad(info->manufacturerID, sizeof(info->manufacturerID), "Paper");
	info->flags = paper.is_absent[id] ? 0 : CKF_TOKEN_PRESENT;
	return CKR_OK;
}

static CK_RV p_C_GetTokenInfo(CK_SLOT_ID id, CK_TOKEN_INFO *info)
{
	CALLED(NULL);
	if (id >= paper.token_count)
		return CKR_SLOT_ID_INVALID;
	if (paper.is_absent[id])
		return CKR_TOKEN_NOT_PRESENT;
	*info = paper.tokens[id];
	return CKR_OK;
}

static CK_RV p_C_OpenSession(CK_SLOT_ID id, CK_FLAGS flags, void *application,
			     CK_NOTIFY notify, CK_SESSION_HANDLE *ret)
{
	(void)flags;
	(void)application;
	(void)notify;
	CALLED(NULL);
	paper.token = (unsigned int)id;
	*ret = 1;
	return CKR_OK;
}

static CK_RV p_C_CloseSession(CK_SESSION_HANDLE session)
{
	(void)session;
	CALLED(NULL);
	return CKR_OK;
}

static CK_RV p_C_GetSessionInfo(CK_SESSION_HANDLE session,
				CK_SESSION_INFO *info)
{
	(void)session;
	CALLED(NULL);
	memset(info, 0, sizeof(*info));
	info->slotID = paper.token;
	return CKR_OK;
}

static CK_RV p_C_Login(CK_SESSION_HANDLE session, CK_USER_TYPE user,
		       CK_UTF8CHAR *pin, CK_ULONG len)
{
	char text[300];

	(void)session;
	(void)snprintf(text, sizeof(text), "%s%.*s",
		       user == CKU_CONTEXT_SPECIFIC ? "again:" : "", (int)len,
		       pin ? (const char *)pin : "");
	CALLED(pin ? text : "(reader)");
	if (pin &&
	    (len != strlen(paper.pin) || memcmp(pin, paper.pin, len) != 0))
		return CKR_PIN_INCORRECT;
	paper.logged_in = true;
	return CKR_OK;
}

static CK_RV p_C_Logout(CK_SESSION_HANDLE session)
{
	(void)session;
	CALLED(NULL);
	paper.logged_in = false;
	return CKR_OK;
}

static CK_OBJECT_HANDLE matches[PAPER_OBJECTS_MAX];
static CK_ULONG match_count, match_given;

static bool fits(struct paper_object *o, const CK_ATTRIBUTE *template,
		 CK_ULONG count)
{
	if (o->is_gone || o->token != paper.token ||
	    (o->is_private && !paper.logged_in))
		return false;
	for (CK_ULONG i = 0; i < count; i++) {
		const struct paper_attribute *a =
			paper_attribute(o, template[i].type);

		if (!a || a->len != template[i].ulValueLen ||
		    memcmp(a->value, template[i].pValue, a->len) != 0)
			return false;
	}
	return true;
}

static CK_RV p_C_FindObjectsInit(CK_SESSION_HANDLE session,
				 CK_ATTRIBUTE *template, CK_ULONG count)
{
	(void)session;
	CALLED(NULL);
	match_count = match_given = 0;
	for (size_t i = 0; i < paper.object_count; i++)
		if (fits(&paper.objects[i], template, count))
			matches[match_count++] = i + 1;
	return CKR_OK;
}

static CK_RV p_C_FindObjects(CK_SESSION_HANDLE session,
			     CK_OBJECT_HANDLE *handles, CK_ULONG max,
			     CK_ULONG *count)
{
	(void)session;
	CALLED(NULL);
	for (*count = 0; *count < max && match_given < match_count; ++*count)
		handles[*count] = matches[match_given++];
	return CKR_OK;
}

static CK_RV p_C_FindObjectsFinal(CK_SESSION_HANDLE session)
{
	(void)session;
	CALLED(NULL);
	return CKR_OK;
}

static CK_RV read_attribute(struct paper_object *o, CK_ATTRIBUTE *out)
{
	const struct paper_attribute *a = paper_attribute(o, out->type);
	CK_ULONG len = a ? a->len : 0;

	if (!a) {
		out->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return paper.says_of_absent ? paper.says_of_absent
					    : CKR_ATTRIBUTE_TYPE_INVALID;
	}
	if (out->pValue && out->ulValueLen < len) {
		out->ulValueLen = CK_UNAVAILABLE_INFORMATION;
		return CKR_BUFFER_TOO_SMALL;
	}
	if (out->pValue)
		memcpy(out->pValue, a->value, len);
	out->ulValueLen = a->claimed ? a->claimed : len;
	return CKR_OK;
}

static CK_RV p_C_GetAttributeValue(CK_SESSION_HANDLE session,
				   CK_OBJECT_HANDLE handle,
				   CK_ATTRIBUTE *template, CK_ULONG count)
{
	CK_RV rv = CKR_OK;

	(void)session;
	CALLED(NULL);
	for (CK_ULONG i = 0; i < count; i++) {
		CK_RV one = read_attribute(&paper.objects[handle - 1],
					   &template[i]);

		rv = one != CKR_OK ? one : rv;
	}
	return rv;
}

static EVP_PKEY *signing_key;

static CK_RV p_C_SignInit(CK_SESSION_HANDLE session, CK_MECHANISM *mechanism,
			  CK_OBJECT_HANDLE handle)
{
	char text[32];

	(void)session;
	(void)snprintf(text, sizeof(text), "0x%lx", mechanism->mechanism);
	CALLED(text);
	paper.mechanism = *mechanism;
	if (mechanism->mechanism == CKM_RSA_PKCS_PSS)
		memcpy(&paper.pss, mechanism->pParameter, sizeof(paper.pss));
	signing_key = paper.objects[handle - 1].key;
	return CKR_OK;
}

/* R || S of a hash by the EC key. */
static CK_RV p_C_Sign(CK_SESSION_HANDLE session, CK_BYTE *data, CK_ULONG len,
		      CK_BYTE *signature, CK_ULONG *signature_len)
{
	uint8_t der[128];
	const uint8_t *p = der;
	size_t der_len = sizeof(der);
	EVP_PKEY_CTX *ctx;
	ECDSA_SIG *pair;

	(void)session;
	CALLED(NULL);
	if (paper.needs_login_to_sign && !strstr(paper.calls, "again:"))
		return CKR_USER_NOT_LOGGED_IN;
	assert_true(*signature_len >= 64);
	ctx = EVP_PKEY_CTX_new(signing_key, NULL);
	assert_true(EVP_PKEY_sign_init(ctx) > 0);
	assert_true(EVP_PKEY_sign(ctx, der, &der_len, data, len) > 0);
	EVP_PKEY_CTX_free(ctx);
	pair = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
	assert_true(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32) > 0);
	assert_true(BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32) >
		    0);
	ECDSA_SIG_free(pair);
	*signature_len = 64;
	return CKR_OK;
}

static CK_FUNCTION_LIST functions = {
	.version = { 2, 40 },
	.C_Initialize = p_C_Initialize,
	.C_Finalize = p_C_Finalize,
	.C_GetInfo = p_C_GetInfo,
	.C_GetSlotList = p_C_GetSlotList,
	.C_GetSlotInfo = p_C_GetSlotInfo,
	.C_GetTokenInfo = p_C_GetTokenInfo,
	.C_OpenSession = p_C_OpenSession,
	.C_CloseSession = p_C_CloseSession,
	.C_GetSessionInfo = p_C_GetSessionInfo,
	.C_Login = p_C_Login,
	.C_Logout = p_C_Logout,
	.C_FindObjectsInit = p_C_FindObjectsInit,
	.C_FindObjects = p_C_FindObjects,
	.C_FindObjectsFinal = p_C_FindObjectsFinal,
	.C_GetAttributeValue = p_C_GetAttributeValue,
	.C_SignInit = p_C_SignInit,
	.C_Sign = p_C_Sign,
};

static CK_RV get_function_list(CK_FUNCTION_LIST **ret)
{
	*ret = &functions;
	return CKR_OK;
}

/* ---- how it is loaded --------------------------------------------------- */

static char library; /* what dlopen() gives for it */

void *__real_dlsym(void *handle, const char *name); /* NOLINT */
void *__real_dlopen(const char *path, int flags);   /* NOLINT */
void *__wrap_dlopen(const char *path, int flags);   /* NOLINT */
void *__wrap_dlsym(void *handle, const char *name); /* NOLINT */

void *__wrap_dlopen(const char *path, int flags) /* NOLINT */
{
	if (flags & RTLD_NOLOAD) /* it is no module that is looked for so */
		return __real_dlopen(path, flags);
	return &library;
}

void *__wrap_dlsym(void *handle, const char *name) /* NOLINT */
{
	CK_RV (*function)(CK_FUNCTION_LIST **) = get_function_list;
	void *symbol = NULL;

	if (handle != &library)
		return __real_dlsym(handle, name);
	if (strcmp(name, "C_GetFunctionList") == 0)
		memcpy(&symbol, &function, sizeof(symbol));
	return symbol;
}
