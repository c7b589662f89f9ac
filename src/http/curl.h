/* SPDX-License-Identifier: Apache-2.0 */
/*
 * curl.h - the HTTP client on libcurl.
 *
 * TLS 1.2 or later, chain and host name verified, proxies from libcurl's usual
 * environment variables. libcurl is loaded when the first request is made:
 * together with its thirty libraries it costs more than everything else in a
 * command that stays offline.
 */
#ifndef PO_HTTP_CURL_H
#define PO_HTTP_CURL_H

#include "base/clock.h"
#include "http/http.h"

/*
 * clock, which time-outs go by, is borrowed for as long as the client lives.
 * PO_E_INTERNAL: out of memory. client->free() releases it.
 */
enum po_status curl_client_new(const struct po_clock *clock,
			       struct http_client **ret_client,
			       struct po_error *err) PO_MUST_CHECK;

#endif
