/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl.h - libcurl, loaded when it is needed.
 */
#ifndef PO_HTTP_LIBCURL_H
#define PO_HTTP_LIBCURL_H

#include "base/error.h"

#include <curl/curl.h>
#include <stdbool.h>

#undef curl_easy_setopt /* a macro that hides the function's type */
#undef curl_easy_getinfo

struct libcurl { /* the functions that are used, with their own types */
	__typeof__(curl_global_init_mem) *global_init_mem;
	__typeof__(curl_easy_init) *easy_init;
	__typeof__(curl_easy_cleanup) *easy_cleanup;
	__typeof__(curl_easy_setopt) *easy_setopt;
	__typeof__(curl_easy_reset) *easy_reset;
	__typeof__(curl_easy_getinfo) *easy_getinfo;
	__typeof__(curl_easy_strerror) *easy_strerror;
	__typeof__(curl_multi_init) *multi_init;
	__typeof__(curl_multi_cleanup) *multi_cleanup;
	__typeof__(curl_multi_add_handle) *multi_add_handle;
	__typeof__(curl_multi_remove_handle) *multi_remove_handle;
	__typeof__(curl_multi_perform) *multi_perform;
	__typeof__(curl_multi_poll) *multi_poll;
	__typeof__(curl_multi_info_read) *multi_info_read;
	__typeof__(curl_slist_append) *slist_append;
	__typeof__(curl_slist_free_all) *slist_free_all;
	__typeof__(curl_version_info) *version_info;
	void *library;
};

/*
 * The library, initialised with an allocator that wipes; the same each time,
 * never unloaded. Not for several threads at once. PO_E_INTERNAL: libcurl is
 * not there, or too old.
 */
enum po_status libcurl_load(const struct libcurl **ret_curl,
			    struct po_error *err) PO_MUST_CHECK;

/*
 * Sets *function, a pointer to a function of any type, to one of libcurl or of
 * what it is linked with, such as its libssl. False: there is none.
 */
bool libcurl_find(const struct libcurl *curl, const char *name,
		  void *function) PO_MUST_CHECK;

#endif
