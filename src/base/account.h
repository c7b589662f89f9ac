/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account.h - users and groups as configurations name them.
 *
 * A text of digits is a number, taken as it is; anything else is looked up
 * (getpwnam_r, getgrnam_r), anew each time, so that an account may be made
 * later. The lookup may block: it asks whatever nsswitch.conf says.
 */
#ifndef PO_BASE_ACCOUNT_H
#define PO_BASE_ACCOUNT_H

#include <stdbool.h>
#include <sys/types.h>

/* False: no such user or group, or it could not be found out. */
bool account_uid(const char *text, uid_t *ret_uid);
bool account_gid(const char *text, gid_t *ret_gid);

#endif
