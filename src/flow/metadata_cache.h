/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metadata_cache.h - server documents between two runs, one file each in
 * $XDG_CACHE_HOME/p11oauth/metadata (dirs.h). What is not there, not ours or
 * not readable counts as not kept; nothing here fails.
 */
#ifndef PO_FLOW_METADATA_CACHE_H
#define PO_FLOW_METADATA_CACHE_H

#include "base/json.h"

#include <stdint.h>

/* The document at url, still fresh at now_s, or NULL. The caller's. */
json_t *metadata_cache_get(const char *url, int64_t now_s);

void metadata_cache_put(const char *url, const json_t *document,
			int64_t until_s);

#endif
