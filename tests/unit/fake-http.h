/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fake-http.h - an HTTP client that gives the answers it was told to give, in
 * their order, and notes what it was asked.
 */
#ifndef PO_TESTS_UNIT_FAKE_HTTP_H
#define PO_TESTS_UNIT_FAKE_HTTP_H

#include "base/json.h"
#include "fake-clock.h"
#include "http/http.h"

#define FAKE_ANSWERS_MAX 16

struct fake_answer {
	long status; /* 0: none, but a failure */
	const char *body, *retry_after, *cache_control, *date,
		*last_modified; /* NULL: none */
	enum http_failure failure;
	int64_t takes_ms;
};

struct fake_http {
	struct http_client client; /* for those who are tested */
	struct fake_clock *clock;
	struct fake_answer answers[FAKE_ANSWERS_MAX]; /* the last one stays */
	size_t answer_count;
	size_t count; /* of requests */
	struct {
		enum http_method method;
		char url[256];
		char body[4096];
		char ca_file[128];
		int64_t timeout_ms, at_ms;
		bool is_late; /* its body came when it was connected */
	} requests[FAKE_ANSWERS_MAX];
};

void fake_http_init(struct fake_http *fake, struct fake_clock *clock);
void fake_http_will(struct fake_http *fake, struct fake_answer answer);

/* The claims of the assertion in a request, which the caller frees; its JWS
 * header in *ret_header (NULL: not wanted). Fails the test when there is
 * none. */
json_t *fake_http_claims(const struct fake_http *fake, size_t request,
			 json_t **ret_header);

#endif
