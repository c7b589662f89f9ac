/* SPDX-License-Identifier: Apache-2.0 */
#include "fake-http.h"

#include "jose/jwt.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

static void fill(struct http_response *response, const struct fake_answer *a)
{
	http_response_clear(response);
	http_response_init(response);
	response->status = a->status;
	(void)snprintf(response->content_type, sizeof(response->content_type),
		       "application/json");
	(void)snprintf(response->retry_after, sizeof(response->retry_after),
		       "%s", a->retry_after ? a->retry_after : "");
	(void)snprintf(response->cache_control, sizeof(response->cache_control),
		       "%s", a->cache_control ? a->cache_control : "");
	(void)snprintf(response->date, sizeof(response->date), "%s",
		       a->date ? a->date : "");
	(void)snprintf(response->last_modified, sizeof(response->last_modified),
		       "%s", a->last_modified ? a->last_modified : "");
	if (a->body)
		assert_true(buf_adds(&response->body, a->body));
}

static enum po_status perform(struct http_client *client,
			      const struct http_request *request,
			      struct http_response *response,
			      struct po_error *err)
{
	struct fake_http *f = (struct fake_http *)(void *)client;
	const struct fake_answer *a;
	const struct secret *body = request->body;
	size_t n = f->count++;

	assert_true(n < FAKE_ANSWERS_MAX && f->answer_count > 0);
	a = &f->answers[n < f->answer_count ? n : f->answer_count - 1];
	f->requests[n].method = request->method;
	f->requests[n].timeout_ms = request->timeout_ms;
	f->requests[n].at_ms = f->clock->monotonic_ms;
	(void)snprintf(f->requests[n].url, sizeof(f->requests[n].url), "%s",
		       request->url);
	(void)snprintf(f->requests[n].ca_file, sizeof(f->requests[n].ca_file),
		       "%s", request->ca_file ? request->ca_file : "");
	if (a->failure == HTTP_FAILED_CONNECT)
		body = NULL;
	else if (request->late_body) {
		enum po_status st = request->late_body->wait(
			request->late_body->user, &body, err);

		f->requests[n].is_late = true;
		if (st != PO_OK)
			return st;
	}
	if (body)
		(void)snprintf(f->requests[n].body, sizeof(f->requests[n].body),
			       "%s", secret_reveal(body));
	fake_clock_advance(f->clock, a->takes_ms);
	if (a->status == 0) {
		response->failure = a->failure;
		return po_fail(err, PO_E_NETWORK, 0, "no answer");
	}
	fill(response, a);
	return PO_OK;
}

static void free_nothing(struct http_client *client)
{
	(void)client;
}

void fake_http_init(struct fake_http *f, struct fake_clock *clock)
{
	memset(f, 0, sizeof(*f));
	f->client.perform = perform;
	f->client.free = free_nothing;
	f->clock = clock;
}

void fake_http_will(struct fake_http *f, struct fake_answer answer)
{
	assert_true(f->answer_count < FAKE_ANSWERS_MAX);
	f->answers[f->answer_count++] = answer;
}

json_t *fake_http_claims(const struct fake_http *f, size_t request,
			 json_t **ret_header)
{
	static const char name[] = "client_assertion=";
	const char *at = strstr(f->requests[request].body, name);
	po_auto(jws) *jws = NULL;
	json_t *claims = NULL;

	assert_non_null(at);
	at += sizeof(name) - 1;
	assert_int_equal(jws_parse(at, strcspn(at, "&"), &jws, NULL), PO_OK);
	assert_int_equal(jwt_claims(jws, &claims, NULL), PO_OK);
	if (ret_header)
		*ret_header = json_incref(jws->header);
	return claims;
}
