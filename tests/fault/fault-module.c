/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault-module.c - a PKCS #11 module in front of a real one, which misbehaves
 * on demand. Everything it is not told to spoil is the real module's own.
 *
 *   P11FAULT_MODULE      the real module
 *   P11FAULT_FAIL        FUNCTION:N:CKR, comma-separated: the n-th call of
 *                        FUNCTION returns CKR and does nothing; N+: from the
 *                        n-th on; CKR as a number (0xA4)
 *   P11FAULT_TOKENFLAGS  set in the flags of every CK_TOKEN_INFO
 *   P11FAULT_LOG         file: one line per call, "FUNCTION CKR", no data
 *   P11FAULT_STDOUT      set: prints a line on stdout at every call
 *   P11FAULT_SIGN        der, short, long or flip: falsifies signatures
 */
#include <dlfcn.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CK_FUNCTION_LIST *real;
static CK_FUNCTION_LIST list;

/* ---- what is asked of us --------------------------------------------------- */

struct fault {
	char function[40];
	unsigned long from, to; /* calls, counted from one */
	CK_RV rv;
};

static struct fault faults[64];
static size_t fault_count;

struct counter {
	const char *function;
	unsigned long calls;
};

static struct counter counters[80];

static unsigned long count_call(const char *function)
{
	size_t i = 0;

	while (i < 79 && counters[i].function &&
	       strcmp(counters[i].function, function) != 0)
		i++;
	counters[i].function = function;
	return ++counters[i].calls;
}

static void read_faults(void)
{
	const char *text = getenv("P11FAULT_FAIL");

	while (text && *text && fault_count < 64) {
		struct fault *f = &faults[fault_count];
		char n[16], rv[32];

		if (sscanf(text, "%39[^:]:%15[^:]:%31[^,]", f->function, n,
			   rv) != 3)
			abort(); /* a fault that is not understood */
		f->from = strtoul(n, NULL, 10);
		f->to = strchr(n, '+') ? (unsigned long)-1 : f->from;
		f->rv = strtoul(rv, NULL, 0);
		fault_count++;
		text = strchr(text, ',');
		text = text ? text + 1 : NULL;
	}
}

static void log_call(const char *function, CK_RV rv)
{
	const char *path = getenv("P11FAULT_LOG");
	FILE *log = path ? fopen(path, "a") : NULL;

	if (log) {
		fprintf(log, "%s 0x%lx\n", function, rv);
		fclose(log);
	}
	if (getenv("P11FAULT_STDOUT")) {
		printf("fault-module: %s was called\n", function);
		fflush(stdout);
	}
}

/* True when this call is to fail; *rv is with what. */
static bool is_spoilt(const char *function, CK_RV *rv)
{
	unsigned long n = count_call(function);

	for (size_t i = 0; i < fault_count; i++)
		if (strcmp(faults[i].function, function) == 0 &&
		    faults[i].from <= n && n <= faults[i].to) {
			*rv = faults[i].rv;
			return true;
		}
	return false;
}

/* ---- functions with more than a return value to spoil ----------------------- */

static void add_flags(CK_TOKEN_INFO *info)
{
	const char *flags = getenv("P11FAULT_TOKENFLAGS");

	if (flags)
		info->flags |= strtoul(flags, NULL, 0);
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

static void falsify(CK_BYTE *sig, CK_ULONG *len)
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
	else if (strcmp(how, "der") == 0)
		to_der(sig, len);
	else
		abort();
}

/* ---- every function ------------------------------------------------------------ */

#define CALL(name, args, after)               \
	{                                     \
		CK_RV rv = CKR_OK;            \
                                              \
		if (!is_spoilt(#name, &rv)) { \
			rv = real->name args; \
			if (rv == CKR_OK) {   \
				after;        \
			}                     \
		}                             \
		log_call(#name, rv);          \
		return rv;                    \
	}

#define F1(name, A) static CK_RV f_##name(A a) CALL(name, (a), (void)0)
#define F2(name, A, B) \
	static CK_RV f_##name(A a, B b) CALL(name, (a, b), (void)0)
#define F3(name, A, B, C) \
	static CK_RV f_##name(A a, B b, C c) CALL(name, (a, b, c), (void)0)
#define F4(name, A, B, C, D)                      \
	static CK_RV f_##name(A a, B b, C c, D d) \
		CALL(name, (a, b, c, d), (void)0)
#define F5(name, A, B, C, D, E)                        \
	static CK_RV f_##name(A a, B b, C c, D d, E e) \
		CALL(name, (a, b, c, d, e), (void)0)
#define F6(name, A, B, C, D, E, F)                          \
	static CK_RV f_##name(A a, B b, C c, D d, E e, F f) \
		CALL(name, (a, b, c, d, e, f), (void)0)

typedef CK_SESSION_HANDLE S;
typedef CK_OBJECT_HANDLE O;
typedef CK_MECHANISM *M;
typedef CK_ATTRIBUTE *T;
typedef CK_BYTE *B;
typedef CK_ULONG N;
typedef CK_ULONG *NP;

F1(C_Initialize, void *)
F1(C_Finalize, void *)
F1(C_GetInfo, CK_INFO *)
F3(C_GetSlotList, CK_BBOOL, CK_SLOT_ID *, NP)
F2(C_GetSlotInfo, CK_SLOT_ID, CK_SLOT_INFO *)
static CK_RV f_C_GetTokenInfo(CK_SLOT_ID a, CK_TOKEN_INFO *b) CALL(
	C_GetTokenInfo, (a, b),
	add_flags(b)) F3(C_GetMechanismList, CK_SLOT_ID, CK_MECHANISM_TYPE *,
			 NP) F3(C_GetMechanismInfo, CK_SLOT_ID,
				CK_MECHANISM_TYPE,
				CK_MECHANISM_INFO *) F4(C_InitToken, CK_SLOT_ID,
							B, N,
							B) F3(C_InitPIN, S, B,
							      N) F5(C_SetPIN, S,
								    B, N, B, N)
	F5(C_OpenSession, CK_SLOT_ID, CK_FLAGS, void *, CK_NOTIFY,
	   CK_SESSION_HANDLE *) F1(C_CloseSession,
				   S) F1(C_CloseAllSessions,
					 CK_SLOT_ID) F2(C_GetSessionInfo, S,
							CK_SESSION_INFO *)
		F3(C_GetOperationState, S, B,
		   NP) F5(C_SetOperationState, S, B, N, O,
			  O) F4(C_Login, S, CK_USER_TYPE, B,
				N) F1(C_Logout, S) F4(C_CreateObject, S, T, N,
						      CK_OBJECT_HANDLE *)
			F5(C_CopyObject, S, O, T, N,
			   CK_OBJECT_HANDLE *) F2(C_DestroyObject, S,
						  O) F3(C_GetObjectSize, S, O,
							NP)
				F4(C_GetAttributeValue, S, O, T,
				   N) F4(C_SetAttributeValue, S, O, T,
					 N) F3(C_FindObjectsInit, S, T,
					       N) F4(C_FindObjects, S,
						     CK_OBJECT_HANDLE *, N,
						     NP) F1(C_FindObjectsFinal,
							    S) F3(C_EncryptInit,
								  S, M, O)
					F5(C_Encrypt, S, B, N, B,
					   NP) F5(C_EncryptUpdate, S, B, N,
						  B, NP) F3(C_EncryptFinal, S,
							    B, NP) F3(C_DecryptInit,
								      S, M, O)
						F5(C_Decrypt, S, B, N, B,
						   NP) F5(C_DecryptUpdate, S, B,
							  N, B,
							  NP) F3(C_DecryptFinal,
								 S, B, NP)
							F2(C_DigestInit, S, M) F5(
								C_Digest, S, B,
								N,
								B,
								NP) F3(C_DigestUpdate,
								       S,
								       B,
								       N)
								F2(C_DigestKey,
								   S,
								   O) F3(C_DigestFinal,
									 S, B,
									 NP)
									F3(C_SignInit,
									   S, M,
									   O) static CK_RV
	f_C_Sign(S a, B b, N c, B d,
		 NP e) CALL(C_Sign, (a, b, c, d, e),
			    falsify(d, e)) F3(C_SignUpdate, S, B,
					      N) F3(C_SignFinal, S, B, NP)
		F3(C_SignRecoverInit, S, M, O) F5(C_SignRecover, S, B, N, B, NP)
			F3(C_VerifyInit, S, M,
			   O) F5(C_Verify, S, B, N, B,
				 N) F3(C_VerifyUpdate, S, B,
				       N) F3(C_VerifyFinal, S, B,
					     N) F3(C_VerifyRecoverInit, S, M, O)
				F5(C_VerifyRecover, S, B, N, B,
				   NP) F5(C_DigestEncryptUpdate, S, B, N, B, NP)
					F5(C_DecryptDigestUpdate, S, B, N, B,
					   NP) F5(C_SignEncryptUpdate, S, B, N,
						  B,
						  NP) F5(C_DecryptVerifyUpdate,
							 S, B, N, B, NP)
						F5(C_GenerateKey, S, M, T, N,
						   CK_OBJECT_HANDLE
							   *) static CK_RV
	f_C_GenerateKeyPair(S a, M b, T c, N d, T e, N f, CK_OBJECT_HANDLE *g,
			    CK_OBJECT_HANDLE *h)
		CALL(C_GenerateKeyPair, (a, b, c, d, e, f, g, h), (void)0)
			F6(C_WrapKey, S, M, O, O, B, NP) static CK_RV
	f_C_UnwrapKey(S a, M b, O c, B d, N e, T f, N g, CK_OBJECT_HANDLE *h)
		CALL(C_UnwrapKey, (a, b, c, d, e, f, g, h),
		     (void)0) F6(C_DeriveKey, S, M, O, T, N, CK_OBJECT_HANDLE *)
			F3(C_SeedRandom, S, B, N) F3(C_GenerateRandom, S, B, N)
				F1(C_GetFunctionStatus, S) F1(C_CancelFunction,
							      S)
					F3(C_WaitForSlotEvent, CK_FLAGS,
					   CK_SLOT_ID *, void *)

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
