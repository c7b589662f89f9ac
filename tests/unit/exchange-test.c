/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The POST to the token endpoint, and the connection that is made before its
 * body is there: which one is used, given up, made anew, or never made.
 */
#include "flow/exchange.h"

#include "cryptoki/device.h"
#include "cryptoki/token_signer.h"
#include "fake-http.h"
#include "flow/audit.h"
#include "flow/tls_identity.h"
#include "profile-option.h"
#include "unit.h"

#include <string.h>

/* A clock on which the wait for the body begins at 0, and of which each later
 * look is at later_ms. */
static struct {
	struct po_clock clock;
	int64_t later_ms;
	unsigned int looks;
} held;

static int64_t held_monotonic_ms(void *user)
{
	(void)user;
	return __atomic_fetch_add(&held.looks, 1, __ATOMIC_SEQ_CST)
		       ? __atomic_load_n(&held.later_ms, __ATOMIC_SEQ_CST)
		       : 0;
}

static struct fake_clock fake;
static struct fake_http http;
static struct profile *profile;
static struct exchange *exchange;
static struct http_response response;
static struct po_error why;
static struct po_env env;

BEFORE_EACH
{
	fake_clock_init(&fake, 1800000000);
	fake_http_init(&http, &fake);
	fake_http_will(&http,
		       (struct fake_answer){ .status = 200, .body = "{}" });
	held.clock = fake.clock;
	held.clock.monotonic_ms = held_monotonic_ms;
	held.later_ms = 0;
	held.looks = 0;
	env = (struct po_env){ .clock = &held.clock, .http = &http.client };
	profile = profile_new("lab");
	assert_non_null(profile);
	set_option(profile, "token-endpoint", "https://as.example/token");
	http_response_init(&response);
	why = (struct po_error){ 0 };
	exchange = NULL;
}

AFTER_EACH
{
	exchange_free(exchange);
	http_response_clear(&response);
	profile_free(profile);
}

static void begin(void)
{
	exchange = exchange_new(&env, profile);
	assert_non_null(exchange);
}

static enum po_status post(const char *text)
{
	po_auto(secret) *form = secret_from(text, strlen(text));

	assert_non_null(form);
	return exchange_post(exchange, form, &response, &why);
}

static void asked(size_t n, const char *body, bool is_late)
{
	assert_string_equal(http.requests[n].body, body);
	assert_int_equal(http.requests[n].is_late, is_late);
	assert_int_equal(http.requests[n].method, HTTP_POST);
}

/* Until the wait for the body has looked at the clock so often. */
static void await_looks(unsigned int count)
{
	for (int ms = 0; ms < 10000; ms++) {
		if (__atomic_load_n(&held.looks, __ATOMIC_SEQ_CST) >= count)
			return;
		assert_int_equal(clock_sleep_ms(&po_clock_system, 1, NULL),
				 PO_OK);
	}
	fail_msg("the wait for the body has not begun");
}

TEST(the_body_goes_by_the_connection_that_waits_for_it)
{
	begin();
	exchange_expect(exchange, 3);
	assert_int_equal(post("a=b"), PO_OK);
	assert_int_equal(http.count, 1);
	asked(0, "a=b", true);
	assert_int_equal(response.status, 200);
	assert_int_equal(response.body.len, 2);
}

TEST(without_expectation_there_is_one_request_all_the_same)
{
	begin();
	assert_int_equal(post("a=b"), PO_OK);
	assert_int_equal(http.count, 1);
	asked(0, "a=b", false);
}

TEST(the_same_expectation_twice_is_one_connection)
{
	begin();
	exchange_expect(exchange, 3);
	exchange_expect(exchange, 3);
	assert_int_equal(post("a=b"), PO_OK);
	assert_int_equal(http.count, 1);
	asked(0, "a=b", true);
}

TEST(another_length_is_another_connection)
{
	begin();
	exchange_expect(exchange, 3);
	await_looks(1);
	exchange_expect(exchange, 4);
	assert_int_equal(post("a=bc"), PO_OK);
	assert_int_equal(http.count, 2);
	asked(0, "", true); /* given up: not a byte of it was sent */
	asked(1, "a=bc", true);
}

TEST(a_body_of_another_length_goes_by_a_connection_of_its_own)
{
	begin();
	exchange_expect(exchange, 3);
	await_looks(1);
	assert_int_equal(post("a=bc"), PO_OK);
	assert_int_equal(http.count, 2);
	asked(0, "", true);
	asked(1, "a=bc", false);
	assert_int_equal(why.status, PO_OK);
}

static const struct hold_row {
	const char *name;
	int64_t later_ms;
	size_t requests;
} holds[] = {
	{ "as long as it may", EXCHANGE_HOLD_MS, 1 },
	{ "a millisecond longer", EXCHANGE_HOLD_MS + 1, 2 },
};

ROWS(holds, hold_row)
{
	held.later_ms = row->later_ms;
	begin();
	exchange_expect(exchange, 3);
	await_looks(2);
	assert_int_equal(post("a=b"), PO_OK);
	assert_int_equal(http.count, row->requests);
	asked(0, row->requests > 1 ? "" : "a=b", true);
	asked(row->requests - 1, "a=b", row->requests == 1);
	assert_int_equal(response.status, 200);
	assert_int_equal(why.status, PO_OK);
}

TEST(what_goes_wrong_early_shows_in_the_post)
{
	http.answer_count = 0;
	fake_http_will(&http,
		       (struct fake_answer){ .failure = HTTP_FAILED_CONNECT });
	begin();
	exchange_expect(exchange, 3);
	assert_int_equal(post("a=b"), PO_E_NETWORK);
	assert_int_equal(http.count, 1); /* asked again by who decides that */
	assert_string_equal(why.text, "no answer");
	assert_int_equal(response.failure, HTTP_FAILED_CONNECT);
}

TEST(the_answer_of_before_is_gone)
{
	http.answer_count = 0;
	fake_http_will(&http, (struct fake_answer){ .status = 503,
						    .retry_after = "7" });
	fake_http_will(&http,
		       (struct fake_answer){ .status = 200, .body = "{}" });
	begin();
	assert_int_equal(post("a=b"), PO_OK);
	assert_string_equal(response.retry_after, "7");
	exchange_expect(exchange, 3);
	assert_int_equal(post("a=b"), PO_OK);
	assert_int_equal(response.status, 200);
	assert_string_equal(response.retry_after, "");
}

TEST(who_gives_up_sends_nothing)
{
	begin();
	exchange_expect(exchange, 3);
	await_looks(1);
	exchange_free(exchange);
	exchange = NULL;
	assert_int_equal(http.count, 1);
	asked(0, "", true);
}

static const struct never_row {
	const char *name, *setting, *value;
} nevers[] = {
	{ "no-overlap", "no-overlap", "true" },
	{ "a certificate in TLS", "tls-certificate", "true" },
	{ "TLS in place of an assertion", "client-auth", "tls_client_auth" },
};

ROWS(nevers, never_row)
{
	set_option(profile, row->setting, row->value);
	begin();
	exchange_expect(exchange, 3);
	assert_int_equal(post("a=b"), PO_OK);
	assert_int_equal(http.count, 1);
	asked(0, "a=b", false);
}

static const struct said_row {
	const char *name;
	bool is_early;
} saids[] = { { "early", true }, { "at once", false } };

ROWS(saids, said_row)
{
	set_option(profile, "timeout", "7");
	set_option(profile, "cacert", "/ca.pem");
	begin();
	if (row->is_early)
		exchange_expect(exchange, 3);
	assert_int_equal(post("a=b"), PO_OK);
	assert_string_equal(http.requests[0].url, "https://as.example/token");
	assert_string_equal(http.requests[0].ca_file, "/ca.pem");
	assert_int_equal(http.requests[0].timeout_ms, 7000);
}

/* ---- with the key in the handshake -------------------------------------- */

/* NOLINTBEGIN */
enum po_status __wrap_tls_identity_of(const struct open_key *key,
				      struct tls_identity *ret_identity,
				      struct po_error *err);
enum po_status __wrap_audit_sign_tls(const struct po_env *of,
				     const struct open_key *key,
				     const char *url, uint64_t assertion_seq,
				     uint64_t *ret_seq, struct po_error *err);
enum po_status __wrap_token_signer_run(struct signer *s, device_job *job,
				       void *arg, struct po_error *err);
/* NOLINTEND */

static struct open_key open; /* is not looked into */
static uint64_t beside;      /* what the record of TLS names */
static char recorded_url[256];

enum po_status __wrap_tls_identity_of(const struct open_key *key,
				      struct tls_identity *ret_identity,
				      struct po_error *err)
{
	(void)err;
	assert_ptr_equal(key, &open);
	*ret_identity = (struct tls_identity){ 0 };
	return PO_OK;
}

enum po_status __wrap_audit_sign_tls(const struct po_env *of,
				     const struct open_key *key,
				     const char *url, uint64_t assertion_seq,
				     uint64_t *ret_seq, struct po_error *err)
{
	(void)of;
	(void)key;
	(void)err;
	(void)snprintf(recorded_url, sizeof(recorded_url), "%s", url);
	beside = assertion_seq;
	*ret_seq = 9;
	return PO_OK;
}

enum po_status __wrap_token_signer_run(struct signer *s, device_job *job,
				       void *arg, struct po_error *err)
{
	(void)s;
	assert_int_equal(http.count, 0); /* the record is first */
	return job(arg, err);
}

struct seq_row {
	const char *name;
	uint64_t assertion, seq;
	bool is_tls;
};
static const struct seq_row seq_rows[] = {
	{ "record: none", 0, 0, false },
	{ "record: the assertion's", 5, 5, false },
	{ "record: that of TLS", 0, 9, true },
	{ "record: the assertion's before that of TLS", 5, 5, true },
};

ROWS(seq_rows, an_answer_belongs_to_the_assertions_record)
{
	set_option(profile, "timeout", "7");
	set_option(profile, "token-timeout", "20");
	set_option(profile, "mtls-token-endpoint",
		   "https://mtls.example/token");
	begin();
	assert_int_equal(exchange_sign_seq(exchange), 0);
	exchange_set_sign_seq(exchange, row->assertion);
	if (row->is_tls)
		exchange_use_key(exchange, &open);
	assert_int_equal(post("a=b"), PO_OK);
	assert_int_equal(exchange_sign_seq(exchange), row->seq);
	assert_ptr_equal(exchange_profile(exchange), profile);
	asked(0, "a=b", false);
	assert_int_equal(http.requests[0].timeout_ms,
			 row->is_tls ? 27000 : 7000);
	if (!row->is_tls)
		return;
	assert_int_equal(beside, row->assertion);
	assert_string_equal(http.requests[0].url, "https://mtls.example/token");
	assert_string_equal(recorded_url, "https://mtls.example/token");
}
