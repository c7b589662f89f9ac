/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault-module.c - a PKCS #11 module in front of a real one, which misbehaves
 * on demand. Everything it is not told to spoil is the real module's own.
 *
 *   P11FAULT_MODULE      the real module
 *   P11FAULT_FAIL        FUNCTION:N:WHAT, comma-separated: at its n-th call
 *                        FUNCTION does WHAT instead of its work; N+: from the
 *                        n-th on. WHAT is a CKR as a number (0xA4), or hang,
 *                        abort, crash, exit; or slow: wait P11FAULT_MS
 *                        milliseconds, then do the work
 *   P11FAULT_CONTROL     file: "FUNCTION WHAT", looked at anew at each call,
 * for
 *                        faults that come and go while the module runs; absent
 *                        or empty: none
 *   P11FAULT_COUNTS      file: the calls are counted over all processes that
 *                        name it, not in each process anew
 *   P11FAULT_MS          how long slow takes
 *   P11FAULT_SESSIONS    as many sessions can be open, then CKR_SESSION_COUNT
 *   P11FAULT_TOKENFLAGS  set in the flags of every CK_TOKEN_INFO
 *   P11FAULT_PINPAD      the PIN that is typed on this token's own keys: sets
 *                        CKF_PROTECTED_AUTHENTICATION_PATH, stands in for a
 *                        NULL PIN
 *   P11FAULT_CLAIM       CKA:VALUE, both numbers: what every object claims for
 *                        this CK_BBOOL attribute
 *   P11FAULT_LIE         one of: slot-count, find-count, attribute-length
 *                        (more is claimed than was given room for),
 *                        attribute-unavailable (CK_UNAVAILABLE_INFORMATION)
 *   P11FAULT_LOG         file: one line per call, "FUNCTION CKR", no data, and
 *                        "fault: FUNCTION WHAT"
 *   P11FAULT_STDOUT      set: prints a line on stdout at every call
 *   P11FAULT_LEAK        so many open files are left behind at every call
 *   P11FAULT_SIGN        der, short, long, huge or flip: falsifies signatures
 */
#include <dlfcn.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <p11-kit/pkcs11.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST list;

/* ---- what is asked of us ------------------------------------------------ */

struct fault {
	char function[40];
	unsigned long from, to; /* calls, counted from one */
	char what[32];
};

static struct fault faults[64];
static size_t fault_count;

/* In this process, or in a file of "FUNCTION" lines over several of them. */
static unsigned long count_call(const char *function)
{
	static struct {
		const char *function;
		unsigned long calls;
	} counters[80];
	const char *path = getenv("P11FAULT_COUNTS");
	unsigned long n = 0;
	char line[64];
	FILE *file;
	size_t i = 0;

	if (!path) {
		while (i < 79 && counters[i].function &&
		       strcmp(counters[i].function, function) != 0)
			i++;
		counters[i].function = function;
		return ++counters[i].calls;
	}
	file = fopen(path, "a+");
	if (!file)
		abort();
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "\n")] = '\0';
		n += strcmp(line, function) == 0;
	}
	fprintf(file, "%s\n", function);
	fclose(file);
	return n + 1;
}

static void read_faults(void)
{
	const char *text = getenv("P11FAULT_FAIL");

	while (text && *text && fault_count < 64) {
		struct fault *f = &faults[fault_count];
		char n[16];

		if (sscanf(text, "%39[^:]:%15[^:]:%31[^,]", f->function, n,
			   f->what) != 3)
			abort(); /* a fault that is not understood */
		f->from = strtoul(n, NULL, 10);
		f->to = strchr(n, '+') ? (unsigned long)-1 : f->from;
		fault_count++;
		text = strchr(text, ',');
		text = text ? text + 1 : NULL;
	}
}

static bool lies(const char *how)
{
	const char *lie = getenv("P11FAULT_LIE");

	return lie && strcmp(lie, how) == 0;
}

__attribute__((format(printf, 1, 2))) static void log_line(const char *text,
							   ...)
{
	const char *path = getenv("P11FAULT_LOG");
	FILE *log = path ? fopen(path, "a") : NULL;
	va_list args;

	if (!log)
		return;
	va_start(args, text);
	vfprintf(log, text, args);
	va_end(args);
	fputc('\n', log);
	fclose(log);
}

static void log_call(const char *function, CK_RV rv)
{
	log_line("%s 0x%lx", function, rv);
	if (getenv("P11FAULT_LEAK"))
		for (int i = atoi(getenv("P11FAULT_LEAK")); i > 0; i--)
			(void)dup(STDERR_FILENO);
	if (getenv("P11FAULT_STDOUT")) {
		printf("fault-module: %s was called\n", function);
		fflush(stdout);
	}
}

static void crash(void)
{
	static volatile int *volatile nowhere; /* the compiler must not know */

	*nowhere = 1;
}

/* Does what the fault says; true when the function's work is not to be done. */
static bool commit(const struct fault *f, CK_RV *rv)
{
	const char *ms = getenv("P11FAULT_MS");

	log_line("fault: %s %s", f->function, f->what);
	if (strcmp(f->what, "hang") == 0) {
		sleep(300); /* bounded, but longer than any deadline here */
	} else if (strcmp(f->what, "abort") == 0) {
		abort();
	} else if (strcmp(f->what, "crash") == 0) {
		crash();
	} else if (strcmp(f->what, "exit") == 0) {
		exit(0);
	} else if (strcmp(f->what, "slow") == 0) {
		usleep((useconds_t)strtoul(ms ? ms : "1000", NULL, 10) * 1000);
		return false;
	} else {
		*rv = strtoul(f->what, NULL, 0);
	}
	return true;
}

/* True when the file of orders has one for this function now. */
static bool is_ordered(const char *function, struct fault *ret_fault)
{
	const char *path = getenv("P11FAULT_CONTROL");
	FILE *file = path ? fopen(path, "r") : NULL;
	bool is_it = file &&
		     fscanf(file, "%39s %31s", ret_fault->function,
			    ret_fault->what) == 2 &&
		     strcmp(ret_fault->function, function) == 0;

	if (file)
		fclose(file);
	return is_it;
}

/* True when this call is to fail; *rv is with what. */
static bool is_spoilt(const char *function, CK_RV *rv)
{
	unsigned long n = count_call(function);
	struct fault ordered = { 0 };

	if (is_ordered(function, &ordered))
		return commit(&ordered, rv);
	for (size_t i = 0; i < fault_count; i++)
		if (strcmp(faults[i].function, function) == 0 &&
		    faults[i].from <= n && n <= faults[i].to)
			return commit(&faults[i], rv);
	return false;
}

/* ---- functions with more than a return value to spoil ------------------- */

static void add_flags(CK_TOKEN_INFO *info)
{
	const char *flags = getenv("P11FAULT_TOKENFLAGS");

	if (flags)
		info->flags |= strtoul(flags, NULL, 0);
	if (getenv("P11FAULT_PINPAD"))
		info->flags |= CKF_PROTECTED_AUTHENTICATION_PATH;
}

static void falsify_count(const char *how, CK_ULONG *count)
{
	if (lies(how))
		*count += 1000000;
}

static void falsify_attributes(CK_ATTRIBUTE *a, CK_ULONG count)
{
	const char *claim = getenv("P11FAULT_CLAIM");
	unsigned long type = 0, value = 0;

	if (claim && sscanf(claim, "%li:%li", &type, &value) != 2)
		abort();
	for (CK_ULONG i = 0; i < count; i++) {
		if (lies("attribute-length"))
			a[i].ulValueLen += 100000;
		if (lies("attribute-unavailable"))
			a[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
		if (claim && a[i].type == type && a[i].pValue) {
			*(CK_BBOOL *)a[i].pValue = (CK_BBOOL)value;
			a[i].ulValueLen = sizeof(CK_BBOOL);
		}
	}
}

static void to_der(CK_BYTE *sig, CK_ULONG *len)
{
	ECDSA_SIG *pair = ECDSA_SIG_new();
	unsigned char *end = sig;

	ECDSA_SIG_set0(pair, BN_bin2bn(sig, (int)*len / 2, NULL),
		       BN_bin2bn(sig + *len / 2, (int)*len / 2, NULL));
	*len = (CK_ULONG)i2d_ECDSA_SIG(pair, &end);
	ECDSA_SIG_free(pair);
}

static void falsify_signature(CK_BYTE *sig, CK_ULONG *len)
{
	const char *how = getenv("P11FAULT_SIGN");

	if (!how || !sig)
		return;
	if (strcmp(how, "flip") == 0)
		sig[*len / 2] ^= 1;
	else if (strcmp(how, "short") == 0)
		--*len;
	else if (strcmp(how, "long") == 0)
		sig[(*len)++] = 0;
	else if (strcmp(how, "huge") == 0)
		*len = (CK_ULONG)-1;
	else if (strcmp(how, "der") == 0)
		to_der(sig, len);
	else
		abort();
}

/* ---- every function ----------------------------------------------------- */

/* clang-format off: one function a line */
#define CALL(name, args, after)                                 \
	{                                                       \
		CK_RV rv = CKR_OK;                              \
		if (!is_spoilt(#name, &rv)) {                   \
			rv = real->name args;                   \
			if (rv == CKR_OK ||                     \
			    rv == CKR_ATTRIBUTE_TYPE_INVALID) { \
				after;                          \
			}                                       \
		}                                               \
		log_call(#name, rv);                            \
		return rv;                                      \
	}

#define F1(name, A, ...) static CK_RV f_##name(A a) CALL(name, (a), (void)0)
#define F2(name, A, B, after) \
	static CK_RV f_##name(A a, B b) CALL(name, (a, b), after)
#define F3(name, A, B, C, after) \
	static CK_RV f_##name(A a, B b, C c) CALL(name, (a, b, c), after)
#define F4(name, A, B, C, D, after)               \
	static CK_RV f_##name(A a, B b, C c, D d) \
		CALL(name, (a, b, c, d), after)
#define F5(name, A, B, C, D, E, after)                 \
	static CK_RV f_##name(A a, B b, C c, D d, E e) \
		CALL(name, (a, b, c, d, e), after)
#define F6(name, A, B, C, D, E, F)                          \
	static CK_RV f_##name(A a, B b, C c, D d, E e, F f) \
		CALL(name, (a, b, c, d, e, f), (void)0)
#define F8(name, A, B, C, D, E, F, G, H)                              \
	static CK_RV f_##name(A a, B b, C c, D d, E e, F f, G g, H h) \
		CALL(name, (a, b, c, d, e, f, g, h), (void)0)

typedef CK_SESSION_HANDLE S;
typedef CK_OBJECT_HANDLE O;
typedef CK_OBJECT_HANDLE *OP;
typedef CK_MECHANISM *M;
typedef CK_ATTRIBUTE *T;
typedef CK_BYTE *B;
typedef CK_ULONG N;
typedef CK_ULONG *NP;
typedef CK_SLOT_ID I;

F1(C_Initialize, void *)
F1(C_Finalize, void *)
F1(C_GetInfo, CK_INFO *)
F3(C_GetSlotList, CK_BBOOL, I *, NP, falsify_count("slot-count", c))
F2(C_GetSlotInfo, I, CK_SLOT_INFO *, (void)0)
F2(C_GetTokenInfo, I, CK_TOKEN_INFO *, add_flags(b))
F3(C_GetMechanismList, I, CK_MECHANISM_TYPE *, NP, (void)0)
F3(C_GetMechanismInfo, I, CK_MECHANISM_TYPE, CK_MECHANISM_INFO *, (void)0)
F4(C_InitToken, I, B, N, B, (void)0)
F3(C_InitPIN, S, B, N, (void)0)
F5(C_SetPIN, S, B, N, B, N, (void)0)
F1(C_CloseAllSessions, I)
F2(C_GetSessionInfo, S, CK_SESSION_INFO *, (void)0)
F3(C_GetOperationState, S, B, NP, (void)0)
F5(C_SetOperationState, S, B, N, O, O, (void)0)
F1(C_Logout, S)
F4(C_CreateObject, S, T, N, OP, (void)0)
F5(C_CopyObject, S, O, T, N, OP, (void)0)
F2(C_DestroyObject, S, O, (void)0)
F3(C_GetObjectSize, S, O, NP, (void)0)
F4(C_GetAttributeValue, S, O, T, N, falsify_attributes(c, d))
F4(C_SetAttributeValue, S, O, T, N, (void)0)
F3(C_FindObjectsInit, S, T, N, (void)0)
F4(C_FindObjects, S, OP, N, NP, falsify_count("find-count", d))
F1(C_FindObjectsFinal, S)
F3(C_EncryptInit, S, M, O, (void)0)
F5(C_Encrypt, S, B, N, B, NP, (void)0)
F5(C_EncryptUpdate, S, B, N, B, NP, (void)0)
F3(C_EncryptFinal, S, B, NP, (void)0)
F3(C_DecryptInit, S, M, O, (void)0)
F5(C_Decrypt, S, B, N, B, NP, (void)0)
F5(C_DecryptUpdate, S, B, N, B, NP, (void)0)
F3(C_DecryptFinal, S, B, NP, (void)0)
F2(C_DigestInit, S, M, (void)0)
F5(C_Digest, S, B, N, B, NP, (void)0)
F3(C_DigestUpdate, S, B, N, (void)0)
F2(C_DigestKey, S, O, (void)0)
F3(C_DigestFinal, S, B, NP, (void)0)
F3(C_SignInit, S, M, O, (void)0)
F3(C_SignUpdate, S, B, N, (void)0)
F3(C_SignFinal, S, B, NP, (void)0)
F3(C_SignRecoverInit, S, M, O, (void)0)
F5(C_SignRecover, S, B, N, B, NP, (void)0)
F3(C_VerifyInit, S, M, O, (void)0)
F5(C_Verify, S, B, N, B, N, (void)0)
F3(C_VerifyUpdate, S, B, N, (void)0)
F3(C_VerifyFinal, S, B, N, (void)0)
F3(C_VerifyRecoverInit, S, M, O, (void)0)
F5(C_VerifyRecover, S, B, N, B, NP, (void)0)
F5(C_DigestEncryptUpdate, S, B, N, B, NP, (void)0)
F5(C_DecryptDigestUpdate, S, B, N, B, NP, (void)0)
F5(C_SignEncryptUpdate, S, B, N, B, NP, (void)0)
F5(C_DecryptVerifyUpdate, S, B, N, B, NP, (void)0)
F5(C_GenerateKey, S, M, T, N, OP, (void)0)
F8(C_GenerateKeyPair, S, M, T, N, T, N, OP, OP)
F6(C_WrapKey, S, M, O, O, B, NP)
F8(C_UnwrapKey, S, M, O, B, N, T, N, OP)
F6(C_DeriveKey, S, M, O, T, N, OP)
F3(C_SeedRandom, S, B, N, (void)0)
F3(C_GenerateRandom, S, B, N, (void)0)
F1(C_GetFunctionStatus, S)
F1(C_CancelFunction, S)
F3(C_WaitForSlotEvent, CK_FLAGS, I *, void *, (void)0)
/* clang-format on */

static unsigned long sessions;

static CK_RV f_C_OpenSession(I slot, CK_FLAGS flags, void *arg,
			     CK_NOTIFY notify, S *ret)
{
	const char *max = getenv("P11FAULT_SESSIONS");
	CK_RV rv = CKR_OK;

	if (max && sessions >= strtoul(max, NULL, 10))
		rv = CKR_SESSION_COUNT;
	else if (!is_spoilt("C_OpenSession", &rv))
		rv = real->C_OpenSession(slot, flags, arg, notify, ret);
	sessions += rv == CKR_OK;
	log_call("C_OpenSession", rv);
	return rv;
}

static CK_RV f_C_CloseSession(S session)
{
	CK_RV rv = CKR_OK;

	if (!is_spoilt("C_CloseSession", &rv))
		rv = real->C_CloseSession(session);
	sessions -= rv == CKR_OK;
	log_call("C_CloseSession", rv);
	return rv;
}

/* A C_Sign that fails ends the operation (PKCS #11 5.2). */
static CK_RV f_C_Sign(S session, B data, N data_len, B sig, NP sig_len)
{
	CK_BYTE unseen[1024];
	CK_ULONG unseen_len = sizeof(unseen);
	CK_RV rv = CKR_OK;

	if (is_spoilt("C_Sign", &rv)) {
		real->C_Sign(session, data, data_len, unseen, &unseen_len);
	} else {
		rv = real->C_Sign(session, data, data_len, sig, sig_len);
		if (rv == CKR_OK)
			falsify_signature(sig, sig_len);
	}
	log_call("C_Sign", rv);
	return rv;
}

static CK_RV f_C_Login(S session, CK_USER_TYPE user, B pin, N len)
{
	const char *typed = getenv("P11FAULT_PINPAD");
	char copy[64] = "";
	CK_RV rv = CKR_OK;

	if (typed && !pin) {
		snprintf(copy, sizeof(copy), "%s", typed);
		pin = (B)copy;
		len = strlen(copy);
	}
	if (!is_spoilt("C_Login", &rv))
		rv = real->C_Login(session, user, pin, len);
	log_call("C_Login", rv);
	return rv;
}

static void fill_list(void);

static bool load_real(void)
{
	const char *path = getenv("P11FAULT_MODULE");
	void *library = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
	CK_C_GetFunctionList get;
	void *symbol = library ? dlsym(library, "C_GetFunctionList") : NULL;

	if (!symbol)
		return false;
	memcpy(&get, &symbol, sizeof(get));
	return get(&real) == CKR_OK;
}

CK_RV C_GetFunctionList(CK_FUNCTION_LIST **ret_list)
{
	CK_RV rv = CKR_OK;

	if (!real) {
		if (!load_real())
			return CKR_GENERAL_ERROR;
		read_faults();
		fill_list();
	}
	if (!is_spoilt("C_GetFunctionList", &rv))
		*ret_list = &list;
	log_call("C_GetFunctionList", rv);
	return rv;
}

static void fill_list(void)
{
#define SET(name) list.name = f_##name
	list = *real; /* what is newer than this file stays the real one's */
	list.C_GetFunctionList = C_GetFunctionList;
	SET(C_Initialize);
	SET(C_Finalize);
	SET(C_GetInfo);
	SET(C_GetSlotList);
	SET(C_GetSlotInfo);
	SET(C_GetTokenInfo);
	SET(C_GetMechanismList);
	SET(C_GetMechanismInfo);
	SET(C_InitToken);
	SET(C_InitPIN);
	SET(C_SetPIN);
	SET(C_OpenSession);
	SET(C_CloseSession);
	SET(C_CloseAllSessions);
	SET(C_GetSessionInfo);
	SET(C_GetOperationState);
	SET(C_SetOperationState);
	SET(C_Login);
	SET(C_Logout);
	SET(C_CreateObject);
	SET(C_CopyObject);
	SET(C_DestroyObject);
	SET(C_GetObjectSize);
	SET(C_GetAttributeValue);
	SET(C_SetAttributeValue);
	SET(C_FindObjectsInit);
	SET(C_FindObjects);
	SET(C_FindObjectsFinal);
	SET(C_EncryptInit);
	SET(C_Encrypt);
	SET(C_EncryptUpdate);
	SET(C_EncryptFinal);
	SET(C_DecryptInit);
	SET(C_Decrypt);
	SET(C_DecryptUpdate);
	SET(C_DecryptFinal);
	SET(C_DigestInit);
	SET(C_Digest);
	SET(C_DigestUpdate);
	SET(C_DigestKey);
	SET(C_DigestFinal);
	SET(C_SignInit);
	SET(C_Sign);
	SET(C_SignUpdate);
	SET(C_SignFinal);
	SET(C_SignRecoverInit);
	SET(C_SignRecover);
	SET(C_VerifyInit);
	SET(C_Verify);
	SET(C_VerifyUpdate);
	SET(C_VerifyFinal);
	SET(C_VerifyRecoverInit);
	SET(C_VerifyRecover);
	SET(C_DigestEncryptUpdate);
	SET(C_DecryptDigestUpdate);
	SET(C_SignEncryptUpdate);
	SET(C_DecryptVerifyUpdate);
	SET(C_GenerateKey);
	SET(C_GenerateKeyPair);
	SET(C_WrapKey);
	SET(C_UnwrapKey);
	SET(C_DeriveKey);
	SET(C_SeedRandom);
	SET(C_GenerateRandom);
	SET(C_GetFunctionStatus);
	SET(C_CancelFunction);
	SET(C_WaitForSlotEvent);
#undef SET
}
