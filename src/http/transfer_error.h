/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transfer_error.h - why libcurl brought no answer, in words that are the same
 * for each version of it.
 */
#ifndef PO_HTTP_TRANSFER_ERROR_H
#define PO_HTTP_TRANSFER_ERROR_H

#include "http/tls.h"

/* How far it came, for those who decide on another try. */
enum http_failure transfer_error_stage(CURLcode code, bool is_connected);

/* How libcurl ended. */
struct transfer_end {
	CURLcode code;
	const char *reason; /* libcurl's words */
	int os_errno;       /* the system's, where it did not connect; or 0 */
	bool has_begun;     /* there was some of an answer */
};

/*
 * The failure of a request that ended so.
 *
 * PO_E_CRYPTO   our own certificate or key, before a byte was sent
 * PO_E_NETWORK  all else
 */
enum po_status transfer_error(const struct http_request *request,
			      const struct tls *tls,
			      const struct transfer_end *end,
			      struct po_error *err);

#endif
