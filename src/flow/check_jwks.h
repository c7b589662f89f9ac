/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_jwks.h - a published JWK Set, fetched as a server fetches it: by a GET
 * without credentials, with TLS verified.
 */
#ifndef PO_FLOW_CHECK_JWKS_H
#define PO_FLOW_CHECK_JWKS_H

#include "conf/profile.h"
#include "flow/diagnose.h"
#include "flow/env.h"
#include "oauth/jwks_check.h"

struct jwks_verdict {
	enum set_state state;
	int64_t changed_s; /* Last-Modified; 0: not said */
	int64_t kept_s;    /* how long it may be kept */
	json_t *keys;      /* owned; as jwks_check() has them, or NULL */
};

/*
 * profile: for cacert and time-outs. expected may be NULL. Does not fail: what
 * goes wrong is a finding. Besides those of jwks_check() they are "access" (no
 * connection, no answer; PO_E_USAGE: no URL to read a set from), "tls", and
 * "chain": the host sends its own certificate without that of its issuer.
 */
void check_jwks(const struct po_env *env, const struct profile *profile,
		const char *url, const struct jwks_expected *expected,
		struct findings *findings, struct jwks_verdict *ret_verdict);

#endif
