/* SPDX-License-Identifier: Apache-2.0 */
#include "oauth/server_rules.h"

#include "base/compiler.h"
#include "oauth/assertion.h"

#include <stddef.h>
#include <string.h>

static const struct server_rules rules[] = {
	{
		.name = "smart",
		.audience = AUDIENCE_TOKEN_ENDPOINT,
		.typ = "JWT",
		.send_iat = true,
		.need_scope = true,
		.lifetime_s = ASSERTION_LIFETIME_DEFAULT_S,
	},
};

const char *const server_rules_names[] = { "smart", NULL };

const struct server_rules *server_rules_find(const char *name)
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(rules); i++)
		if (strcmp(rules[i].name, name) == 0)
			return &rules[i];
	return NULL;
}
