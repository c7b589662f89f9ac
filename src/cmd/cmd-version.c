/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"
#include "cmd/output.h"
#include "config.h"

#include <openssl/crypto.h>

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	json_auto_t *value = NULL;

	if (!ctx->json)
		return output_text(PACKAGE_NAME " " PACKAGE_VERSION "\n", err);
	value = json_pack("{s:s, s:s, s:s, s:s}", "name", PACKAGE_NAME,
			  "version", PACKAGE_VERSION, "openssl",
			  OpenSSL_version(OPENSSL_VERSION_STRING), "jansson",
			  jansson_version_str());
	return value ? output_json(value, err) : po_no_memory(err);
}

const struct cmd cmd_version = {
	.name = "version",
	.summary = "show the version",
	.operands = "",
	.takes_json = true,
	.run = run,
};
