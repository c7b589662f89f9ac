/* SPDX-License-Identifier: Apache-2.0 */
/*
 * microhttpd.h - libmicrohttpd, loaded when the agent starts.
 *
 * Linked, it and what it needs would cost every command, most of which serve
 * nobody, milliseconds at their start.
 */
#ifndef PO_AGENT_MICROHTTPD_H
#define PO_AGENT_MICROHTTPD_H

#include "base/error.h"

#include <microhttpd.h>

struct microhttpd {
	__typeof__(&MHD_start_daemon) start_daemon;
	__typeof__(&MHD_stop_daemon) stop_daemon;
	__typeof__(&MHD_get_daemon_info) get_daemon_info;
	__typeof__(&MHD_run) run;
	__typeof__(&MHD_get_timeout) get_timeout;
	__typeof__(&MHD_create_response_from_buffer_with_free_callback_cls)
		create_response;
	__typeof__(&MHD_add_response_header) add_response_header;
	__typeof__(&MHD_queue_response) queue_response;
	__typeof__(&MHD_destroy_response) destroy_response;
	__typeof__(&MHD_suspend_connection) suspend_connection;
	__typeof__(&MHD_resume_connection) resume_connection;
	__typeof__(&MHD_get_connection_info) get_connection_info;
	__typeof__(&MHD_get_connection_values) get_connection_values;
};

/* Loads it once. PO_E_INTERNAL: it is not there, or too old. */
enum po_status microhttpd_load(const struct microhttpd **ret_mhd,
			       struct po_error *err) PO_MUST_CHECK;

#endif
