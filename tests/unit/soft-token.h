/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soft-token.h - stands in for keys on PKCS #11 tokens
 * (cryptoki/token_signer.h): each opening gives a soft signer of the same key.
 *
 * A program that includes this is linked with $(soft_token_link).
 */
#ifndef PO_TESTS_UNIT_SOFT_TOKEN_H
#define PO_TESTS_UNIT_SOFT_TOKEN_H

#include "cryptoki/token_signer.h"

#include "fake-clock.h"
#include "soft-signer.h"

struct soft_token {
	EVP_PKEY *key;         /* the test's */
	const char *cert;      /* with it, below tests/data; NULL: none */
	struct signer_pin pin; /* of the signers to come */
	enum soft_lie lie;     /* of the signers to come */
	const char *typed;     /* what a person must type, at token "lab" with
			    * serial "7"; NULL: nothing is asked for */
	enum po_status
		absent;     /* how the next opening fails; PO_OK: it does not */
	long absent_native; /* with it */
	enum po_status lost; /* the same of a look at an open one */
	unsigned int opens, refreshes, unlocks, signs; /* of all signers */
	unsigned int sent;        /* PINs that were typed */
	char uri[256];            /* of the last opening */
	char pin_from[64];        /* of the same */
	struct fake_clock *clock; /* the test's; NULL: no time goes by */
	int64_t takes_ms;         /* each signature */
};
extern struct soft_token soft_token;

/* Takes a new key; soft_token_down() frees it. */
void soft_token_up(void);
void soft_token_down(void);

#endif
