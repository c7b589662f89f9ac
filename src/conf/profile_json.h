/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile_json.h - a complete profile from one process to another: each setting
 * that is set, with where it stands.
 *
 * {"name":"epic","settings":[{"name":"key","value":["pkcs11:…"],"origin":3,
 * "file":"…","line":4},…]}
 */
#ifndef PO_CONF_PROFILE_JSON_H
#define PO_CONF_PROFILE_JSON_H

#include "base/json.h"
#include "conf/profile.h"

/* Without its sinks. NULL: out of memory. */
json_t *profile_to_json(const struct profile *profile) PO_MUST_CHECK;

/*
 * The other way. The profile borrows the names of files from value, which must
 * live as long. PO_E_INTERNAL: not what profile_to_json() makes.
 */
enum po_status profile_from_json(const json_t *value,
				 struct profile **ret_profile,
				 struct po_error *err) PO_MUST_CHECK;

#endif
