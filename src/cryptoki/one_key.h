/* SPDX-License-Identifier: Apache-2.0 */
/*
 * one_key.h - a PKCS #11 module of our own with one token and one key on it.
 *
 * This is what libp11 gets to see instead of the real module: everything
 * public is answered from memory, and a signature is a call of ours. So the
 * real module keeps one owner, one session, one login and one thread with a
 * deadline; and what libp11 0.4.12 does badly cannot happen: it waits for ever
 * when C_OpenSession fails, takes no key at all when it does not know the type
 * of one, calls C_CloseAllSessions when it lets go, asks for a PIN again after
 * a wrong one, and wants modules to share a login among their callers.
 *
 * libp11 loads a module with dlopen() and dlsym(). The program is that module:
 * it exports C_GetFunctionList, and ONE_KEY_PATH is its name.
 *
 * Source: PKCS #11 v2.40, "Functions".
 */
#ifndef PO_CRYPTOKI_ONE_KEY_H
#define PO_CRYPTOKI_ONE_KEY_H

#include "cryptoki/sign.h"

/* To glibc the empty name is the program itself, as NULL is. */
#define ONE_KEY_PATH ""

/* Signs once; RSA as wide as the modulus, ECDSA as R || S. */
typedef CK_RV one_key_sign(void *user, const struct sign_operation *op,
			   struct signature *ret_sig);

struct one_key { /* borrowed while it is shown */
	const struct pubkey *pubkey;
	one_key_sign *sign;
	void *user;
};

/*
 * From now on the module has this key. PO_E_INTERNAL: it has one already, or
 * ONE_KEY_PATH does not lead to it in this program.
 */
enum po_status one_key_show(const struct one_key *key,
			    struct po_error *err) PO_MUST_CHECK;
void one_key_hide(void);

#endif
