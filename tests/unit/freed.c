/* SPDX-License-Identifier: Apache-2.0 */
#include "freed.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static struct {
	const void *canary;
	size_t canary_len;
	unsigned int found;
	const void *watched;
	size_t watched_len;
	bool caught;
	unsigned char bytes[4096];
} look;

/* Only present where the linker was given --wrap=free. */
void __real_free(void *p) __attribute__((weak));
void __wrap_free(void *p);

static void look_at(const void *p, size_t len)
{
	if (look.canary && memmem(p, len, look.canary, look.canary_len))
		look.found++;
	if (p != look.watched)
		return;
	memcpy(look.bytes, p, look.watched_len);
	look.caught = true;
	look.watched = NULL;
}

static void really_free(void *p)
{
	if (__real_free)
		__real_free(p);
	else
		free(p);
}

void __wrap_free(void *p)
{
	if (p)
		look_at(p, malloc_usable_size(p));
	really_free(p);
}

static void *hook_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return n ? malloc(n) : NULL;
}

static void hook_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	__wrap_free(p);
}

static void *hook_realloc(void *p, size_t n, const char *file, int line)
{
	void *bigger = hook_malloc(n, file, line);
	size_t have = p ? malloc_usable_size(p) : 0;

	if (p && bigger)
		memcpy(bigger, p, have < n ? have : n);
	if (bigger || n == 0)
		hook_free(p, file, line);
	return bigger;
}

void freed_hook_openssl(void)
{
	if (!CRYPTO_set_mem_functions(hook_malloc, hook_realloc, hook_free))
		abort();
}

void freed_look_for(const void *canary, size_t len)
{
	look.canary = canary;
	look.canary_len = len;
	look.found = 0;
}

void freed_watch(const void *p, size_t len)
{
	if (len > sizeof(look.bytes))
		abort();
	look.watched = p;
	look.watched_len = len;
	look.caught = false;
}

unsigned int freed_with_canary(void)
{
	look.canary = NULL;
	return look.found;
}

const unsigned char *freed_bytes(void)
{
	return look.caught ? look.bytes : NULL;
}
