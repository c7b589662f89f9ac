/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soft-signer.h - a signer over a private key in memory, for unit tests.
 *
 * It can be told to lie in the ways in which devices have been seen to, or may
 * be suspected to, and counts how often it was asked.
 */
#ifndef PO_TESTS_SOFT_SIGNER_H
#define PO_TESTS_SOFT_SIGNER_H

#include "key/signer.h"

enum soft_lie {
	SOFT_HONEST,
	SOFT_FLIPPED,    /* one bit of the signature is wrong */
	SOFT_DER,        /* ECDSA as a DER SEQUENCE instead of R || S */
	SOFT_SHORT,      /* the first byte is missing */
	SOFT_LONG,       /* a zero byte in front */
	SOFT_EMPTY,      /* success, but nothing written */
	SOFT_OTHER_KEY,  /* a good signature by a new key of the same kind */
	SOFT_OTHER_DATA, /* a good signature of something else */
	SOFT_FAILS,      /* PO_E_DEVICE */
	SOFT_STAYS_SHUT, /* unlock fails with PO_E_PIN */
};

struct soft_signer {
	struct signer signer; /* first, so that one is the other */
	EVP_PKEY *key;
	enum soft_lie lie;
	unsigned int unlocks; /* how often each was called */
	unsigned int signs;
};

/*
 * Takes a reference to key, and cert (which may be NULL) altogether. The
 * public half is that of key. Fails the running test when it cannot. Free it
 * with signer_free(&s->signer).
 */
struct soft_signer *soft_signer_new(EVP_PKEY *key, struct certificate *cert);

#endif
