/* SPDX-License-Identifier: Apache-2.0 */
/*
 * response.h - HTTP answers made by hand, for the unit tests of oauth/.
 */
#ifndef PO_TESTS_RESPONSE_H
#define PO_TESTS_RESPONSE_H

#include "http/http.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* Initialises r; http_response_clear() it. content_type NULL: none sent. */
static inline void response_make(struct http_response *r, long status,
				 const char *content_type, const char *body,
				 size_t len)
{
	http_response_init(r);
	r->status = status;
	(void)snprintf(r->content_type, sizeof(r->content_type), "%s",
		       content_type ? content_type : "");
	assert_true(buf_add(&r->body, body, len));
}

#endif
