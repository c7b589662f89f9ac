/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets: never longer than promised, and wiped to the last byte. */
#include "base/secret.h"

#include "freed.h"
#include "unit.h"

#include <openssl/crypto.h>
#include <string.h>

#define CANARY "canary-77ab90"

BEFORE_ALL
{
	freed_hook_openssl();
}

TEST(capacity_and_one_more)
{
	po_auto(secret) *s = secret_new(4);
	struct po_error err = { 0 };

	assert_non_null(s);
	assert_int_equal(secret_len(s), 0);
	assert_string_equal(secret_reveal(s), "");
	assert_int_equal(secret_append(s, "1234", 4, &err), PO_OK);
	assert_string_equal(secret_reveal(s), "1234");
	assert_int_equal(secret_append(s, "5", 1, &err), PO_E_INTERNAL);
	assert_string_equal(secret_reveal(s), "1234");
	assert_int_equal(secret_len(s), 4);
	assert_null(strstr(err.text, "1234"));
	assert_int_equal(secret_append(s, "", 0, NULL), PO_OK);
}

TEST(append_is_all_or_nothing)
{
	po_auto(secret) *s = secret_new(4);

	assert_int_equal(secret_append(s, "12", 2, NULL), PO_OK);
	assert_int_equal(secret_append(s, "345", 3, NULL), PO_E_INTERNAL);
	assert_string_equal(secret_reveal(s), "12");
	assert_int_equal(secret_append(s, "x", SIZE_MAX, NULL), PO_E_INTERNAL);
}

TEST(impossible_capacity)
{
	assert_null(secret_new(SIZE_MAX));
	assert_null(secret_new(SIZE_MAX - 8));
}

TEST(chomp_takes_one_newline)
{
	po_auto(secret) *s = secret_from("pin\n\n", 5);
	po_auto(secret) *none = secret_from("pin\r", 4);
	po_auto(secret) *empty = secret_new(0);

	secret_chomp(s);
	assert_string_equal(secret_reveal(s), "pin\n");
	assert_int_equal(secret_len(s), 4);
	secret_chomp(none);
	assert_int_equal(secret_len(none), 4);
	secret_chomp(empty);
	assert_int_equal(secret_len(empty), 0);
}

TEST(written_in_place)
{
	po_auto(secret) *s = secret_new(8);
	char *tail = secret_tail(s, 8);

	assert_non_null(tail);
	assert_null(secret_tail(s, 9));
	memcpy(tail, "abcdefgh", 8);
	secret_grow(s, 3);
	assert_string_equal(secret_reveal(s), "abc");
	assert_non_null(secret_tail(s, 5));
	assert_null(secret_tail(s, 6));
	assert_ptr_equal(secret_tail(s, 0), tail + 3);
}

TEST(keeps_nul_bytes)
{
	po_auto(secret) *s = secret_from("a\0b", 3);

	assert_int_equal(secret_len(s), 3);
	assert_memory_equal(secret_reveal(s), "a\0b\0", 4);
}

TEST(null_is_a_no_op)
{
	secret_free(NULL);
}

/* All of the capacity and the NUL's place, used or not. */
TEST(wiped_to_the_last_byte)
{
	static const unsigned char zeros[201];
	struct secret *s = secret_new(200);
	size_t head = (size_t)(secret_reveal(s) - (const char *)s);
	char *tail = secret_tail(s, 200);

	assert_int_equal(CRYPTO_secure_malloc_initialized(), 0);
	memset(tail, 0xa5, 200); /* beyond what secret_grow() is told, too */
	secret_grow(s, 200);
	freed_watch(s, head + 201);
	secret_free(s);
	assert_non_null(freed_bytes());
	assert_memory_equal(freed_bytes() + head, zeros, 201);
}

TEST(no_copy_is_left)
{
	struct secret *s;

	freed_look_for(CANARY, strlen(CANARY));
	for (size_t room = 0; room < 2000; room += 97) {
		s = secret_new(room + strlen(CANARY));
		assert_int_equal(secret_append(s, CANARY, strlen(CANARY), NULL),
				 PO_OK);
		secret_free(s);
		s = secret_from(CANARY, strlen(CANARY));
		secret_free(s);
	}
	assert_int_equal(freed_with_canary(), 0);
}

/* The looking itself works: a block that is not wiped is noticed. */
TEST(canary_bites)
{
	char *p = OPENSSL_malloc(100);

	memcpy(p + 100 - strlen(CANARY), CANARY, strlen(CANARY));
	freed_look_for(CANARY, strlen(CANARY));
	OPENSSL_free(p);
	assert_int_equal(freed_with_canary(), 1);
}

/*
 * The secure heap is one mapping that stays, so its bytes may be looked at
 * after they were given back; OpenSSL keeps two pointers of its own there.
 * Last, because it stays.
 */
TEST(secure_heap)
{
	struct secret *s, *big;
	const char *bytes;

	(void)secret_heap_init(); /* false where memory cannot be locked */
	assert_int_equal(CRYPTO_secure_malloc_initialized(), 1);
	s = secret_new(200);
	assert_true(CRYPTO_secure_allocated(s));
	memset(secret_tail(s, 200), 0xa5, 200);
	secret_grow(s, 200);
	bytes = secret_reveal(s);
	secret_free(s);
	for (int i = 16; i <= 200; i++)
		assert_int_equal(bytes[i], 0);

	big = secret_new(1024 * 1024); /* does not fit there */
	assert_non_null(big);
	assert_false(CRYPTO_secure_allocated(big));
	secret_free(big);
}
