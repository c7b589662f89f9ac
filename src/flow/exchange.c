/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/exchange.h"

#include "base/clock.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "cryptoki/token_signer.h"
#include "flow/audit.h"
#include "flow/tls_identity.h"
#include "oauth/token_request.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define TICK_MS 50

struct exchange {
	const struct po_env *env;
	const struct profile *profile;
	const struct open_key *key;      /* NULL: TLS needs none */
	uint64_t assertion_seq, tls_seq; /* of the records; 0: none */

	/* the thread that connects */
	pthread_t thread;
	bool is_started;
	struct http_late_body late;
	struct http_response response;
	struct po_error err;
	enum po_status st;
	atomic_bool cancelled;

	/* under the lock */
	pthread_mutex_t lock;
	pthread_cond_t changed;
	const struct secret *form; /* NULL until it is there */
	bool was_held_too_long;
};

static struct http_request request_of(const struct profile *p)
{
	return (struct http_request){
		.method = HTTP_POST,
		.url = p->token_endpoint,
		.accept = TOKEN_REQUEST_ACCEPT,
		.content_type = TOKEN_REQUEST_CONTENT_TYPE,
		.ca_file = p->cacert,
		.timeout_ms = p->timeout_s * 1000,
		.allow_loopback_http = p->allow_loopback_http,
	};
}

struct exchange *exchange_new(const struct po_env *env,
			      const struct profile *profile)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	x->env = env;
	x->profile = profile;
	(void)pthread_mutex_init(&x->lock, NULL);
	clock_cond_init(&x->changed);
	return x;
}

/* ---- in the thread that connects ---------------------------------------- */

static enum po_status wait_for_form(void *user, const struct secret **ret_body,
				    struct po_error *err)
{
	struct exchange *x = user;
	int64_t until_ms = clock_monotonic_ms(x->env->clock) + EXCHANGE_HOLD_MS;

	(void)pthread_mutex_lock(&x->lock);
	while (!x->form && !x->was_held_too_long &&
	       !atomic_load(&x->cancelled) && !interrupt_is_pending()) {
		clock_cond_wait_ms(&x->changed, &x->lock, TICK_MS);
		x->was_held_too_long =
			!x->form &&
			clock_monotonic_ms(x->env->clock) > until_ms;
	}
	*ret_body = x->form;
	(void)pthread_mutex_unlock(&x->lock);
	if (*ret_body)
		return PO_OK;
	return po_fail(err, PO_E_NETWORK, ECANCELED,
		       "the connection was given up");
}

static void *connect_early(void *arg)
{
	struct exchange *x = arg;
	struct http_request request = request_of(x->profile);

	request.late_body = &x->late;
	request.cancelled = &x->cancelled;
	x->st = x->env->http->perform(x->env->http, &request, &x->response,
				      &x->err);
	return NULL;
}

/* ---- in the caller's thread --------------------------------------------- */

static void abandon(struct exchange *x)
{
	if (!x->is_started)
		return;
	atomic_store(&x->cancelled, true);
	(void)pthread_join(x->thread, NULL);
	x->is_started = false;
	http_response_clear(&x->response);
}

void exchange_expect(struct exchange *x, size_t len)
{
	if (x->profile->no_overlap || profile_uses_tls(x->profile) ||
	    (x->is_started && x->late.len == len))
		return;
	abandon(x);
	http_response_init(&x->response);
	x->late = (struct http_late_body){ len, wait_for_form, x };
	x->err = (struct po_error){ 0 };
	x->form = NULL;
	x->was_held_too_long = false;
	atomic_store(&x->cancelled, false);
	x->is_started = pthread_create(&x->thread, NULL, connect_early, x) == 0;
}

/* The form is there: the thread sends it. False: send it in another way. */
static bool finish_early(struct exchange *x, const struct secret *form,
			 struct http_response *response, enum po_status *ret_st,
			 struct po_error *err)
{
	if (!x->is_started)
		return false;
	if (x->late.len != secret_len(form)) {
		abandon(x);
		return false;
	}
	(void)pthread_mutex_lock(&x->lock);
	x->form = form;
	(void)pthread_cond_broadcast(&x->changed);
	(void)pthread_mutex_unlock(&x->lock);
	(void)pthread_join(x->thread, NULL);
	x->is_started = false;
	if (x->was_held_too_long) {
		log_debug(LOG_HTTP, "the connection waited too long for the "
				    "token; another one is made");
		http_response_clear(&x->response);
		return false;
	}
	http_response_clear(response);
	*response = x->response;
	x->response = (struct http_response){ 0 };
	*ret_st = x->st;
	if (x->st != PO_OK && err && err->status == PO_OK)
		*err = x->err;
	return true;
}

void exchange_use_key(struct exchange *x, const struct open_key *key)
{
	x->key = key;
}

struct posting { /* what exchange_post() does, for token_signer_run() */
	struct exchange *x;
	struct http_request request;
	struct http_response *response;
};

static enum po_status post(void *arg, struct po_error *err)
{
	struct posting *p = arg;
	struct http_client *http = p->x->env->http;

	return http->perform(http, &p->request, p->response, err);
}

/* The token takes part in the handshake, and a touch takes its time. */
static int64_t both_timeouts_ms(const struct profile *p)
{
	int64_t token_s = p->token_timeout_s ? p->token_timeout_s
					     : DEVICE_TIMEOUT_DEFAULT_S;

	return (p->timeout_s ? p->timeout_s * 1000 : HTTP_TIMEOUT_DEFAULT_MS) +
	       token_s * 1000;
}

static enum po_status post_with_key(struct posting *p, struct po_error *err)
{
	struct exchange *x = p->x;
	const struct profile *profile = x->profile;
	struct tls_identity identity;
	enum po_status st = tls_identity_of(x->key, &identity, err);

	if (st != PO_OK)
		return st;
	p->request.identity = &identity.http;
	p->request.timeout_ms = both_timeouts_ms(profile);
	if (profile->mtls_token_endpoint)
		p->request.url = profile->mtls_token_endpoint;
	st = audit_sign_tls(x->env, x->key, p->request.url, x->assertion_seq,
			    &x->tls_seq, err);
	if (st == PO_OK)
		st = token_signer_run(x->key->signer, post, p, err);
	p->request.identity = NULL; /* it was this function's */
	if (st != PO_OK)
		audit_pin(x->env, x->key, open_key_pin_failed(x->key), st);
	return st;
}

void exchange_set_sign_seq(struct exchange *x, uint64_t seq)
{
	x->assertion_seq = seq;
}

uint64_t exchange_sign_seq(const struct exchange *x)
{
	return x->assertion_seq ? x->assertion_seq : x->tls_seq;
}

const struct profile *exchange_profile(const struct exchange *x)
{
	return x->profile;
}

enum po_status exchange_post(struct exchange *x, const struct secret *form,
			     struct http_response *response,
			     struct po_error *err)
{
	struct posting p = { x, request_of(x->profile), response };
	enum po_status st = PO_OK;

	if (finish_early(x, form, response, &st, err))
		return st;
	http_response_clear(response);
	http_response_init(response); /* discovery's may be in it */
	p.request.body = form;
	return x->key ? post_with_key(&p, err) : post(&p, err);
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	abandon(x);
	(void)pthread_mutex_destroy(&x->lock);
	(void)pthread_cond_destroy(&x->changed);
	free(x);
}
