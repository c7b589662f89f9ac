/* SPDX-License-Identifier: Apache-2.0 */
/*
 * environment.h - the only place that reads or changes the environment.
 */
#ifndef PO_BASE_ENVIRONMENT_H
#define PO_BASE_ENVIRONMENT_H

/*
 * The variable's value, NULL when unset or empty; nothing at all in a set-uid
 * process (secure_getenv). Borrowed, valid until the environment changes.
 */
const char *environment_get(const char *name);

/* For what children must not inherit. Not beside other threads. */
void environment_unset(const char *name);

#endif
