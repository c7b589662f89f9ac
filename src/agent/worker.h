/* SPDX-License-Identifier: Apache-2.0 */
/*
 * worker.h - the worker's own side: the one-shot path, for one job after
 * another, with one key open at a time.
 *
 * First it is told its profiles ("profile", then "ready"); it reads no
 * configuration, so that it knows what the agent knows. Jobs (workers.h), each
 * answered with "re" and what it gives, or "error":
 *   token   profile, digest, scope, peer → access_token, answer, life_s,
 *           asked_ms, sign_seq
 *   look    profile, digest → what can be seen without a PIN
 *   unlock  profile, digest, pin → the login
 *   jwks    profile, digest → jwks
 *   leave   no answer: finish what is under way, log out, end
 * Answers say of the key in use: token {label, serial}, certificate {subject,
 * not_after}, locked.
 */
#ifndef PO_AGENT_WORKER_H
#define PO_AGENT_WORKER_H

#include "base/clock.h"

#include <stddef.h>

#define WORKER_THREADS_MAX 32 /* jobs that are under way at once */

/* A module that leaks is noticed by these, and its worker replaced. */
#define WORKER_FILES_MAX 256
#define WORKER_GROWTH_MAX_BYTES ((size_t)64 * 1024 * 1024)

/* Works for the agent at descriptor WORKER_FD until it is gone. clock is
 * borrowed by every thread. module: which profiles' module-paths count. */
enum po_status worker_main(const struct po_clock *clock, const char *module,
			   struct po_error *err) PO_MUST_CHECK;

#endif
