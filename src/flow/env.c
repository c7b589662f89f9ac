/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/env.h"

#include "base/clock.h"
#include "flow/audit.h"
#include "http/curl.h"

enum po_status po_env_init(struct po_env *env, struct po_error *err)
{
	*env = (struct po_env){ .clock = &po_clock_system,
				.audit = audit_trail_of_process() };
	return curl_client_new(env->clock, &env->http, err);
}

void po_env_clear(struct po_env *env)
{
	if (env->http)
		env->http->free(env->http);
	*env = (struct po_env){ 0 };
}
