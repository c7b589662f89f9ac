/* SPDX-License-Identifier: Apache-2.0 */
#include "http/libcurl.h"

#include <dlfcn.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SONAME "libcurl.so.4" /* the ABI of <curl/curl.h> since 2006 */

/* libcurl's buffers hold assertions and access tokens. */
static void wiping_free(void *p)
{
	if (!p)
		return;
	OPENSSL_cleanse(p, malloc_usable_size(p));
	free(p);
}

static void *wiping_realloc(void *p, size_t size)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *bigger;

	if (p && size <= old)
		return p;
	bigger = malloc(size);
	if (!bigger)
		return NULL;
	if (p)
		memcpy(bigger, p, old);
	wiping_free(p);
	return bigger;
}

static bool find(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	memcpy(function, &symbol, sizeof(symbol)); /* ISO C has no such cast */
	return symbol != NULL;
}

static bool find_all(void *lib, struct libcurl *c)
{
	return find(lib, "curl_global_init_mem", &c->global_init_mem) &&
	       find(lib, "curl_easy_init", &c->easy_init) &&
	       find(lib, "curl_easy_cleanup", &c->easy_cleanup) &&
	       find(lib, "curl_easy_setopt", &c->easy_setopt) &&
	       find(lib, "curl_easy_reset", &c->easy_reset) &&
	       find(lib, "curl_easy_getinfo", &c->easy_getinfo) &&
	       find(lib, "curl_easy_strerror", &c->easy_strerror) &&
	       find(lib, "curl_multi_init", &c->multi_init) &&
	       find(lib, "curl_multi_cleanup", &c->multi_cleanup) &&
	       find(lib, "curl_multi_add_handle", &c->multi_add_handle) &&
	       find(lib, "curl_multi_remove_handle", &c->multi_remove_handle) &&
	       find(lib, "curl_multi_perform", &c->multi_perform) &&
	       find(lib, "curl_multi_poll", &c->multi_poll) &&
	       find(lib, "curl_multi_info_read", &c->multi_info_read) &&
	       find(lib, "curl_slist_append", &c->slist_append) &&
	       find(lib, "curl_slist_free_all", &c->slist_free_all) &&
	       find(lib, "curl_version_info", &c->version_info);
}

bool libcurl_find(const struct libcurl *curl, const char *name, void *function)
{
	return find(curl->library, name, function);
}

static enum po_status load(const struct libcurl **ret_curl,
			   struct po_error *err)
{
	static struct libcurl curl;
	static bool loaded;
	void *library;

	if (loaded) {
		*ret_curl = &curl;
		return PO_OK;
	}
	library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return po_fail(err, PO_E_INTERNAL, 0, "cannot load libcurl: %s",
			       dlerror());
	if (!find_all(library, &curl))
		return po_fail(err, PO_E_INTERNAL, 0, "libcurl is too old: %s",
			       dlerror());
	if (curl.global_init_mem(CURL_GLOBAL_DEFAULT, malloc, wiping_free,
				 wiping_realloc, strdup, calloc) != CURLE_OK)
		return po_fail(err, PO_E_INTERNAL, 0,
			       "libcurl cannot be initialised");
	curl.library = library;
	loaded = true;
	*ret_curl = &curl;
	return PO_OK;
}

enum po_status libcurl_load(const struct libcurl **ret_curl,
			    struct po_error *err)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	enum po_status st;

	(void)pthread_mutex_lock(&lock);
	st = load(ret_curl, err);
	(void)pthread_mutex_unlock(&lock);
	return st;
}
