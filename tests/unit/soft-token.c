/* SPDX-License-Identifier: Apache-2.0 */
#include "soft-token.h"

#include "test-data.h"
#include "unit.h"

#include <openssl/ec.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct soft_token soft_token;

/* A soft signer whose work is counted for all of them. */
static const struct signer_ops *soft_ops;

static const struct pin_asker *asker; /* of the last opening */

static enum po_status ask(const struct signer *s, struct po_error *err)
{
	const struct pin_token token = { .label = s->token_label,
					 .serial = s->token_serial };
	struct secret *pin = NULL;
	enum po_status st = asker->ask(asker->user, &token, &pin, err);

	if (st != PO_OK)
		return st;
	soft_token.sent++;
	if (strcmp(secret_reveal(pin), soft_token.typed) != 0)
		st = po_fail(err, PO_E_PIN, 0xa0, "wrong PIN");
	secret_free(pin);
	return st;
}

static enum po_status counted_unlock(struct signer *s, struct po_error *err)
{
	enum po_status st;

	soft_token.unlocks++;
	st = soft_token.typed ? ask(s, err) : PO_OK;
	return st == PO_OK ? soft_ops->unlock(s, err) : st;
}

static void set(char *out, size_t size, const char *to)
{
	(void)snprintf(out, size, "%s", to);
}

static enum po_status counted_sign(struct signer *s, enum alg alg,
				   const void *data, size_t len,
				   struct signature *ret_signature,
				   struct po_error *err)
{
	soft_token.signs++;
	if (soft_token.clock)
		fake_clock_advance(soft_token.clock, soft_token.takes_ms);
	return soft_ops->sign(s, alg, data, len, ret_signature, err);
}

static struct signer_ops counted_ops;

void soft_token_up(void)
{
	soft_token = (struct soft_token){ .key = EVP_EC_gen("P-256") };
	assert_non_null(soft_token.key);
}

void soft_token_down(void)
{
	EVP_PKEY_free(soft_token.key);
	soft_token.key = NULL;
}

/* NOLINTBEGIN */
enum po_status __wrap_token_signer_open(const struct token_signer_request *req,
					struct signer **ret_signer,
					struct po_error *err);
enum po_status __wrap_token_signer_refresh(struct signer *s,
					   struct po_error *err);
enum po_status __wrap_token_signer_check(struct signer *s,
					 struct po_error *err);
/* NOLINTEND */

enum po_status __wrap_token_signer_open(const struct token_signer_request *req,
					struct signer **ret_signer,
					struct po_error *err)
{
	struct soft_signer *s;

	(void)snprintf(soft_token.uri, sizeof(soft_token.uri), "%s", req->uri);
	(void)snprintf(soft_token.pin_from, sizeof(soft_token.pin_from), "%s",
		       req->pin && req->pin->from ? req->pin->from : "");
	soft_token.opens++;
	if (soft_token.absent != PO_OK)
		return po_fail(err, soft_token.absent, soft_token.absent_native,
			       "no such token");
	s = soft_signer_new(soft_token.key,
			    soft_token.cert ? data_certificate(soft_token.cert)
					    : NULL);
	s->lie = soft_token.lie;
	s->signer.pin = soft_token.pin;
	asker = req->pin ? req->pin->asker : NULL;
	if (soft_token.typed) {
		set(s->signer.token_label, sizeof(s->signer.token_label),
		    "lab");
		set(s->signer.token_serial, sizeof(s->signer.token_serial),
		    "7");
	}
	soft_ops = s->signer.ops;
	counted_ops = *soft_ops;
	counted_ops.unlock = counted_unlock;
	counted_ops.sign = counted_sign;
	s->signer.ops = &counted_ops;
	*ret_signer = &s->signer;
	return PO_OK;
}

enum po_status __wrap_token_signer_refresh(struct signer *s,
					   struct po_error *err)
{
	(void)s;
	(void)err;
	soft_token.refreshes++;
	return PO_OK;
}

enum po_status __wrap_token_signer_check(struct signer *s, struct po_error *err)
{
	(void)s;
	if (soft_token.lost == PO_OK)
		return PO_OK;
	return po_fail(err, soft_token.lost, 0, "the token was taken away");
}
