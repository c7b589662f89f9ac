/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_rules.h - what one kind of authorization server wants of a client.
 *
 * Source of the default: SMART App Launch 2.2, "Backend Services" and "Client
 * Authentication: Asymmetric". aud and typ are one switch: SMART wants the
 * token endpoint and JWT, RFC 10070 the issuer and client-authentication+jwt,
 * and a mixture breaks.
 */
#ifndef PO_OAUTH_SERVER_RULES_H
#define PO_OAUTH_SERVER_RULES_H

#include <stdbool.h>
#include <stdint.h>

enum audience_kind {
	AUDIENCE_TOKEN_ENDPOINT,
	AUDIENCE_ISSUER,
};

struct server_rules {
	const char *name;
	enum audience_kind audience;
	const char *typ;
	bool send_iat;
	bool send_nbf;
	bool send_client_id; /* in the form, besides the assertion */
	bool need_scope;
	int64_t lifetime_s; /* of an assertion, when the profile says nothing */
};

/* NULL when there is no rule set of this name. Static. */
const struct server_rules *server_rules_find(const char *name);

/* NULL-terminated, for help and completion. */
extern const char *const server_rules_names[];

#endif
