/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jwt.h"

enum po_status jwt_claims(const struct jws *jws, json_t **ret_claims,
			  struct po_error *err)
{
	if (json_parse_object(secret_reveal(jws->payload),
			      secret_len(jws->payload), ret_claims,
			      NULL) != PO_OK)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the claims are not one JSON object without "
			       "repeated members");
	return PO_OK;
}

/* A NumericDate may have a fraction (RFC 7519 section 2); it is cut off. */
static enum po_status read_time(const json_t *claims, const char *name,
				int64_t *ret_s, bool *ret_has,
				struct po_error *err)
{
	const json_t *value = json_object_get(claims, name);

	*ret_has = false;
	if (!value)
		return PO_OK;
	if (json_is_integer(value)) {
		*ret_s = json_integer_value(value);
	} else if (json_is_real(value) && json_real_value(value) > -1e15 &&
		   json_real_value(value) < 1e15) {
		*ret_s = (int64_t)json_real_value(value);
	} else {
		return po_fail(err, PO_E_CRYPTO, 0,
			       "claim '%s' is no number of seconds", name);
	}
	*ret_has = true;
	return PO_OK;
}

enum po_status jwt_read_times(const json_t *claims, struct jwt_times *ret_times,
			      struct po_error *err)
{
	struct jwt_times t = { 0 };
	enum po_status st;

	st = read_time(claims, "iat", &t.iat_s, &t.has_iat, err);
	if (st == PO_OK)
		st = read_time(claims, "nbf", &t.nbf_s, &t.has_nbf, err);
	if (st == PO_OK)
		st = read_time(claims, "exp", &t.exp_s, &t.has_exp, err);
	if (st == PO_OK)
		*ret_times = t;
	return st;
}

/* now - time, without overflow: claims may hold any number. */
static int64_t seconds_since(int64_t time_s, int64_t now_s)
{
	int64_t since_s;

	if (__builtin_sub_overflow(now_s, time_s, &since_s))
		return time_s > 0 ? -INT64_MAX : INT64_MAX;
	return since_s;
}

enum po_status jwt_check_times(const struct jwt_times *times, int64_t now_s,
			       int64_t skew_s, struct po_error *err)
{
	int64_t since_exp_s = seconds_since(times->exp_s, now_s);
	int64_t since_nbf_s = seconds_since(times->nbf_s, now_s);
	int64_t since_iat_s = seconds_since(times->iat_s, now_s);

	if (!times->has_exp)
		return po_fail(err, PO_E_CRYPTO, 0, "the JWT has no exp");
	if (since_exp_s >= skew_s)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the JWT expired %lld s ago",
			       (long long)since_exp_s);
	if (times->has_nbf && since_nbf_s < -skew_s)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the JWT is valid in %lld s only (nbf)",
			       (long long)-since_nbf_s);
	if (times->has_iat && since_iat_s < -skew_s)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the JWT was issued %lld s in the future (iat)",
			       (long long)-since_iat_s);
	return PO_OK;
}
