/* SPDX-License-Identifier: Apache-2.0 */
/*
 * get_token.h - the two use cases: an assertion, and an access token for it.
 */
#ifndef PO_FLOW_GET_TOKEN_H
#define PO_FLOW_GET_TOKEN_H

#include "conf/profile.h"
#include "flow/env.h"
#include "oauth/access_token.h"

struct server_rules;

/* The rules of the profile's server. Static. */
const struct server_rules *profile_rules(const struct profile *profile);

/* Everything an assertion needs, before a token is touched. */
enum po_status get_assertion_check(const struct profile *profile,
				   struct po_error *err) PO_MUST_CHECK;

/*
 * Opens the profile's key, unlocks it, stamps and signs one assertion. A token
 * that was lost on the way is opened once more; when it is absent, broken or
 * past its deadline, the profile's next key is taken, with a warning.
 * Fails as open_key(), signer_unlock() and assertion_sign() do.
 */
enum po_status get_assertion(const struct po_env *env,
			     const struct profile *profile,
			     struct secret **ret_jwt,
			     struct po_error *err) PO_MUST_CHECK;

/*
 * The same and then the exchange at the token endpoint. The key is released
 * (C_Finalize) before the request is sent. Warns when the granted scope lacks
 * something that was asked for.
 */
enum po_status get_token(const struct po_env *env,
			 const struct profile *profile,
			 struct access_token **ret_token,
			 struct po_error *err) PO_MUST_CHECK;

#endif
