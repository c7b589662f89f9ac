/* SPDX-License-Identifier: Apache-2.0 */
/*
 * requester.h - who asked: the member "peer" of a ledger's records.
 *
 * Source: proc(5) (/proc/PID/exe), cgroups(7) (/proc/PID/cgroup); the unit is
 * the last service or scope of systemd in the path.
 */
#ifndef PO_AUDIT_REQUESTER_H
#define PO_AUDIT_REQUESTER_H

#include "base/json.h"

#include <limits.h>
#include <sys/types.h>

#define REQUESTER_UNIT_MAX 256

struct requester {
	uid_t uid;
	gid_t gid;
	pid_t pid;
	char executable[PATH_MAX];     /* "": not known */
	char unit[REQUESTER_UNIT_MAX]; /* "": not known, or none */
};

/* The caller's; NULL: no memory. */
json_t *requester_json(const struct requester *r);

/* False: not what requester_json() makes; r is undefined then. */
bool requester_from_json(const json_t *value, struct requester *r);

/*
 * The unit in a text as /proc/PID/cgroup has it, the last service or scope of
 * the path: "0::/system.slice/a.service". "": there is none, or its name is too
 * long.
 */
void requester_unit(const char *cgroup, char unit[static REQUESTER_UNIT_MAX]);

/* Looks the process up; what cannot be read stays "". */
void requester_of_pid(pid_t pid, uid_t uid, gid_t gid, struct requester *r);

void requester_self(struct requester *r);

#endif
