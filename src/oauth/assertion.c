/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/assertion.h"

#include "base/text.h"
#include "jose/jws.h"

#include <string.h>

/* Adds a member, or nothing when there is no value. */
static bool add_text(json_t *object, const char *name, const char *value)
{
	return !value ||
	       json_object_set_new(object, name, json_string(value)) == 0;
}

static bool add_time(json_t *object, const char *name, int64_t time_s)
{
	return json_object_set_new(object, name, json_integer(time_s)) == 0;
}

static enum po_status check_claim(const char *name, const char *value,
				  struct po_error *err)
{
	if (!value || !*value)
		return po_fail(err, PO_E_USAGE, 0, "the claim %s is empty",
			       name);
	if (!text_is_utf8(value, strlen(value)))
		return po_fail(err, PO_E_USAGE, 0, "the claim %s is not UTF-8",
			       name);
	return PO_OK;
}

static enum po_status check_member(const char *name, const char *value,
				   struct po_error *err)
{
	if (value && !text_is_utf8(value, strlen(value)))
		return po_fail(err, PO_E_USAGE, 0, "%s is not UTF-8", name);
	return PO_OK;
}

static enum po_status check(const struct assertion_request *req,
			    struct po_error *err)
{
	enum po_status st = PO_OK;

	if (req->lifetime_s < 1 || req->lifetime_s > ASSERTION_LIFETIME_MAX_S)
		st = po_fail(err, PO_E_USAGE, 0,
			     "the assertion's lifetime is not 1 to %d seconds",
			     ASSERTION_LIFETIME_MAX_S);
	if (st == PO_OK)
		st = check_claim("iss", req->issuer, err);
	if (st == PO_OK && req->subject)
		st = check_claim("sub", req->subject, err);
	if (st == PO_OK)
		st = check_claim("aud", req->audience, err);
	if (st == PO_OK)
		st = check_claim("jti", req->jti, err);
	if (st == PO_OK)
		st = check_member("kid", req->kid, err);
	if (st == PO_OK)
		st = check_member("jku", req->jku, err);
	return st;
}

static bool add_copy(json_t *object, const char *name, const json_t *value)
{
	return !value ||
	       json_object_set_new(object, name, json_deep_copy(value)) == 0;
}

static json_t *make_header(const struct assertion_request *req)
{
	json_auto_t *header = json_object();

	if (!header || !add_text(header, "alg", alg_name(req->alg)) ||
	    !add_text(header, "kid", req->kid) ||
	    !add_text(header, "typ", req->typ) ||
	    !add_text(header, "x5t", req->x5t) ||
	    !add_text(header, "x5t#S256", req->x5t_s256) ||
	    !add_copy(header, "x5c", req->x5c) ||
	    !add_text(header, "jku", req->jku))
		return NULL;
	return po_steal(header);
}

static json_t *make_claims(const struct assertion_request *req)
{
	json_auto_t *claims = json_object();

	if (!claims || !add_text(claims, "iss", req->issuer) ||
	    !add_text(claims, "sub", req->subject) ||
	    !add_text(claims, "aud", req->audience) ||
	    !add_time(claims, "exp", req->now_s + req->lifetime_s) ||
	    !add_text(claims, "jti", req->jti) ||
	    (req->send_iat && !add_time(claims, "iat", req->now_s)) ||
	    (req->send_nbf && !add_time(claims, "nbf", req->now_s)) ||
	    !add_text(claims, "scope", req->scope) ||
	    !add_copy(claims, "extensions", req->extensions))
		return NULL;
	return po_steal(claims);
}

enum po_status assertion_build(const struct assertion_request *req,
			       struct buf *header, struct buf *claims,
			       struct po_error *err)
{
	enum po_status st = check(req, err);
	json_auto_t *h = NULL;
	json_auto_t *c = NULL;

	if (st != PO_OK)
		return st;
	h = make_header(req);
	c = make_claims(req);
	if (!h || !c || !json_compact(header, h) || !json_compact(claims, c))
		return po_fail(err, PO_E_INTERNAL, 0,
			       "the assertion's header or claims do not fit");
	return PO_OK;
}

size_t assertion_length(const struct assertion_request *req,
			const struct pubkey *key)
{
	po_auto_buf header = { 0 }, claims = { 0 };

	buf_init(&header, JWS_TEXT_MAX / 4);
	buf_init(&claims, JWS_TEXT_MAX / 4);
	if (assertion_build(req, &header, &claims, NULL) != PO_OK)
		return 0;
	return jws_length(header.len, claims.len, pubkey_signature_len(key));
}

enum po_status assertion_sign(const struct assertion_request *req,
			      struct signer *signer, struct secret **ret_jwt,
			      struct po_error *err)
{
	po_auto_buf header = { 0 }, claims = { 0 };
	enum po_status st;

	buf_init(&header, JWS_TEXT_MAX / 4);
	buf_init(&claims, JWS_TEXT_MAX / 4);
	st = assertion_build(req, &header, &claims, err);
	if (st != PO_OK)
		return st;
	return jws_sign(signer, req->alg, buf_text(&header), buf_text(&claims),
			ret_jwt, err);
}
