/* SPDX-License-Identifier: Apache-2.0 */
#include "base/dirs.h"

#include "base/environment.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static const struct place {
	const char *variable;
	const char *below;
} places[][3] = {
	[DIRS_STATE] = { { "STATE_DIRECTORY", "" },
			 { "XDG_STATE_HOME", "/p11oauth" },
			 { "HOME", "/.local/state/p11oauth" } },
	[DIRS_CACHE] = { { "CACHE_DIRECTORY", "" },
			 { "XDG_CACHE_HOME", "/p11oauth" },
			 { "HOME", "/.cache/p11oauth" } },
};

bool dirs_find(enum dirs_kind kind, const char *below,
	       char out[static PATH_MAX])
{
	for (size_t i = 0; i < PO_ARRAY_SIZE(places[kind]); i++) {
		const struct place *place = &places[kind][i];
		const char *base = environment_get(place->variable);
		size_t len = base ? strcspn(base, ":") : 0; /* systemd's list */
		int n;

		if (!base || base[0] != '/')
			continue;
		n = snprintf(out, PATH_MAX, "%.*s%s/%s", (int)len, base,
			     place->below, below);
		return n > 0 && n < PATH_MAX;
	}
	return false;
}

static bool make_all(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash;
	     slash = strchr(slash + 1, '/')) {
		bool ok;

		*slash = '\0';
		ok = mkdir(path, 0700) == 0 || errno == EEXIST;
		*slash = '/';
		if (!ok)
			return false;
	}
	return mkdir(path, 0700) == 0 || errno == EEXIST;
}

enum po_status dirs_make(enum dirs_kind kind, const char *below,
			 char out[static PATH_MAX], struct po_error *err)
{
	if (!dirs_find(kind, below, out))
		return po_fail(
			err, PO_E_CONFIG, 0, "none of %s, %s and %s is set",
			places[kind][0].variable, places[kind][1].variable,
			places[kind][2].variable);
	if (!make_all(out))
		return po_fail(err, PO_E_CONFIG, errno, "'%s': %s", out,
			       strerror(errno));
	return PO_OK;
}
