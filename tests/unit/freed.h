/* SPDX-License-Identifier: Apache-2.0 */
/*
 * freed.h - what memory holds at the moment it is freed.
 *
 * A canary that is still in a block when it is freed was not wiped. Covered
 * are blocks that libcrypto frees (after freed_hook_openssl()), and calls of
 * free() from objects that are linked in statically, which needs the linker
 * option --wrap=free (freed_link).
 */
#ifndef PO_TESTS_FREED_H
#define PO_TESTS_FREED_H

#include <stddef.h>

/* First thing in main(): OpenSSL takes it before its first allocation only. */
void freed_hook_openssl(void);

/* From now on, count freed blocks that have these bytes anywhere in them. */
void freed_look_for(const void *canary, size_t len);

/*
 * From now on, also remember the bytes of the block at p when it is freed.
 * len <= 4096.
 */
void freed_watch(const void *p, size_t len);

/* Blocks that had the canary since freed_look_for(); it stops looking. */
unsigned int freed_with_canary(void);

/* The bytes of the watched block as they were freed; NULL: it was not. */
const unsigned char *freed_bytes(void);

#endif
