/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sinks.h - files that hold a profile's access token, for programs that read
 * one.
 */
#ifndef PO_AGENT_SINKS_H
#define PO_AGENT_SINKS_H

#include "base/error.h"
#include "conf/profile.h"
#include "flow/format.h"

/*
 * Replaces all sinks of the profile. One that fails does not keep the others
 * from being written; the first failure is returned. PO_E_CONFIG: an owner or
 * group that is not known, a file that cannot be written; the text says which
 * sink, where it is configured and what to do.
 */
enum po_status sinks_write(const struct profile *p,
			   const struct access_token_view *token,
			   struct po_error *err) PO_MUST_CHECK;

/* The access token has expired, or is not to be had: the files go. */
void sinks_remove(const struct profile *p);

#endif
