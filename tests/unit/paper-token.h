/* SPDX-License-Identifier: Apache-2.0 */
/*
 * paper-token.h - a PKCS #11 module on paper: tokens and objects are what the
 * test writes down, each call is noted, and it may fail, lie or hang as the
 * test wants.
 *
 * A program that includes this is linked with $(paper_token_link), and then
 * loads it by any path.
 */
#ifndef PO_TESTS_UNIT_PAPER_TOKEN_H
#define PO_TESTS_UNIT_PAPER_TOKEN_H

#include <openssl/evp.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAPER_TOKENS_MAX 80
#define PAPER_OBJECTS_MAX 48
#define PAPER_ATTRIBUTES_MAX 16

struct paper_object {
	unsigned int token; /* its slot */
	bool is_private;    /* shows after a login only */
	bool is_gone;
	EVP_PKEY *key; /* borrowed; what it signs with */
	struct paper_attribute {
		CK_ATTRIBUTE_TYPE type;
		uint8_t value[2048];
		CK_ULONG len;
		/* the length it says it has; 0: the true one */
		CK_ULONG claimed;
	} attributes[PAPER_ATTRIBUTES_MAX];
	size_t count;
};

struct paper {
	CK_TOKEN_INFO tokens[PAPER_TOKENS_MAX];
	bool is_absent[PAPER_TOKENS_MAX];
	size_t token_count;
	CK_ULONG claimed_slots; /* by C_GetSlotList; 0: the true number */
	struct paper_object objects[PAPER_OBJECTS_MAX];
	size_t object_count;
	const char *pin;
	unsigned int token; /* that the session is on */
	bool logged_in, needs_login_to_sign;
	/* what it says of an attribute that an object does not have; 0:
	 * CKR_ATTRIBUTE_TYPE_INVALID */
	CK_RV says_of_absent;
	/* "C_Login 739154 C_Sign": what was called, in its order; a PIN behind
	 * C_Login and C_Sign's mechanism behind C_SignInit */
	char calls[8192];
	/* Asked before each call; anything but CKR_OK is its answer. NULL:
	 * no. */
	CK_RV (*before)(const char *function);
	CK_MECHANISM mechanism;
	CK_RSA_PKCS_PSS_PARAMS pss;
};
extern struct paper paper;

/* One token "lab" with serial "1", whose PIN is 739154. */
void paper_reset(void);

/* Another one; its slot. flags are added to those of a token in order. */
unsigned int paper_add_token(const char *label, const char *serial,
			     CK_FLAGS flags);

/* Objects; id NULL or label NULL: it has none. Borrow key. */
struct paper_object *paper_add_private(unsigned int token, const char *id,
				       const char *label, EVP_PKEY *key);
struct paper_object *paper_add_public(unsigned int token, const char *id,
				      const char *label, EVP_PKEY *key);
struct paper_object *paper_add_certificate(unsigned int token, const char *id,
					   const char *label, EVP_PKEY *key,
					   int64_t from_s, int64_t until_s);

void paper_set(struct paper_object *object, CK_ATTRIBUTE_TYPE type,
	       const void *value, CK_ULONG len);
struct paper_attribute *paper_attribute(struct paper_object *object,
					CK_ATTRIBUTE_TYPE type);

/* How often a function was called. */
unsigned int paper_calls(const char *function);

#endif
