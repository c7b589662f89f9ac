/* SPDX-License-Identifier: Apache-2.0 */
/*
 * profile-option.h - a setting of a profile, as an option gives it.
 */
#ifndef PO_TESTS_UNIT_PROFILE_OPTION_H
#define PO_TESTS_UNIT_PROFILE_OPTION_H

#include "conf/profile.h"
#include "unit.h"

/* Fails the test when the value is refused. */
static inline void set_option(struct profile *profile, const char *name,
			      const char *value)
{
	static const struct origin origin = { .kind = ORIGIN_OPTION };
	struct po_error err = { 0 };

	if (profile_set(profile, profile_setting(name), value, &origin, &err) !=
	    PO_OK)
		fail_msg("%s", err.text);
}

#endif
