/* SPDX-License-Identifier: Apache-2.0 */
/*
 * doctor.h - every step from the module to the access token, in order, each
 * with its cause and remedy when it fails.
 *
 * A step that fails ends what depends on it, not the rest. At most one
 * signature is made, and the same assertion goes to the server.
 */
#ifndef PO_FLOW_DOCTOR_H
#define PO_FLOW_DOCTOR_H

#include "base/findings.h"
#include "conf/profile.h"
#include "flow/diagnose.h"
#include "flow/env.h"

struct doctor_request {
	const struct po_env *env;
	struct profile *profile; /* completed by discovery */
	bool no_sign;            /* no signature, so no exchange */
};

/* The checks, in their order. Causes are given when the server refused. */
void doctor(const struct doctor_request *request, struct findings *findings,
	    struct causes *causes);

#endif
