/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setting-text.h - the value of a setting, read back.
 */
#ifndef PO_CMD_SETTING_TEXT_H
#define PO_CMD_SETTING_TEXT_H

#include "base/buf.h"
#include "base/json.h"
#include "conf/profile.h"

/* As JSON; the caller's, NULL: out of memory. */
json_t *setting_json(const struct profile *p, const struct setting *s);

/* As the configuration file spells it. False: does not fit. */
bool setting_add_value(const struct profile *p, const struct setting *s,
		       struct buf *out) PO_MUST_CHECK;

/* True for what is there for people only: summary, source, unknown. */
bool setting_is_prose(const struct setting *s);

#endif
