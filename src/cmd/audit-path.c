/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/audit-path.h"

#include "audit/ledger.h"
#include "base/dirs.h"
#include "base/environment.h"
#include "cmd/options.h"
#include "conf/config_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static enum po_status copy(const char *path, char out[static PATH_MAX],
			   struct po_error *err)
{
	if (snprintf(out, PATH_MAX, "%s", path) >= PATH_MAX)
		return po_fail(err, PO_E_CONFIG, ENAMETOOLONG,
			       "the path is too long");
	return PO_OK;
}

static enum po_status of_profile(const struct profile *p,
				 char out[static PATH_MAX],
				 struct po_error *err)
{
	if (p->audit_file)
		return copy(p->audit_file, out, err);
	if (!dirs_find(DIRS_STATE, LEDGER_FILE_NAME, out))
		return po_fail(err, PO_E_CONFIG, 0,
			       "which ledger? none of STATE_DIRECTORY, "
			       "XDG_STATE_HOME and HOME is set, so name the "
			       "file");
	return PO_OK;
}

/* Read only here: an auditor's machine need not have the profile. */
enum po_status audit_path(const struct cmd_context *ctx, const char *name,
			  char out[static PATH_MAX], struct po_error *err)
{
	struct cmd_context with_config = *ctx;
	po_auto(config) *config = NULL;
	po_auto(profile) *profile = NULL;
	enum po_status st;

	if (ctx->line->operand_count > 0)
		return copy(ctx->line->operands[0], out, err);
	if (name || environment_get("P11OAUTH_PROFILE"))
		st = config_load(ctx->line->global.config, &config, err);
	else
		st = config_load_none(&config, err);
	if (st != PO_OK)
		return st;
	with_config.config = config;
	st = commands_profile(&with_config, name, &profile, err);
	return st == PO_OK ? of_profile(profile, out, err) : st;
}
