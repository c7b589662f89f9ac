/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/microhttpd.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <string.h>

#define SONAME "libmicrohttpd.so.12" /* the ABI of 0.9.71 and later */

static bool find(void *library, const char *name, void *function)
{
	void *symbol = dlsym(library, name);

	memcpy(function, &symbol, sizeof(symbol)); /* ISO C has no such cast */
	return symbol != NULL;
}

static bool find_all(void *lib, struct microhttpd *m)
{
	return find(lib, "MHD_start_daemon", &m->start_daemon) &&
	       find(lib, "MHD_stop_daemon", &m->stop_daemon) &&
	       find(lib, "MHD_get_daemon_info", &m->get_daemon_info) &&
	       find(lib, "MHD_run", &m->run) &&
	       find(lib, "MHD_get_timeout", &m->get_timeout) &&
	       find(lib,
		    "MHD_create_response_from_buffer_with_free_callback_cls",
		    &m->create_response) &&
	       find(lib, "MHD_add_response_header", &m->add_response_header) &&
	       find(lib, "MHD_queue_response", &m->queue_response) &&
	       find(lib, "MHD_destroy_response", &m->destroy_response) &&
	       find(lib, "MHD_suspend_connection", &m->suspend_connection) &&
	       find(lib, "MHD_resume_connection", &m->resume_connection) &&
	       find(lib, "MHD_get_connection_info", &m->get_connection_info) &&
	       find(lib, "MHD_get_connection_values",
		    &m->get_connection_values);
}

enum po_status microhttpd_load(const struct microhttpd **ret_mhd,
			       struct po_error *err)
{
	static struct microhttpd mhd;
	static bool loaded;
	void *library;

	if (!loaded) {
		library = dlopen(SONAME, RTLD_NOW | RTLD_LOCAL);
		if (!library)
			return po_fail(err, PO_E_INTERNAL, 0,
				       "cannot load libmicrohttpd: %s; the "
				       "agent needs it",
				       dlerror());
		if (!find_all(library, &mhd))
			return po_fail(err, PO_E_INTERNAL, 0,
				       "libmicrohttpd is too old: %s",
				       dlerror());
		loaded = true;
	}
	*ret_mhd = &mhd;
	return PO_OK;
}
