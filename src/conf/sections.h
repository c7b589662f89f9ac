/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sections.h - the text of one configuration file, by libconfuse.
 */
#ifndef PO_CONF_SECTIONS_H
#define PO_CONF_SECTIONS_H

#include "base/buf.h"
#include "conf/config_file.h"

/* Where sections go; what earlier files said is there and gives way. */
struct sections {
	struct profile_list *profiles, *servers;
	struct agent_settings *agent;
};

/*
 * Appends to text. file: borrowed, as long as what is filled in lives. By one
 * thread at a time. PO_E_CONFIG: "FILE:LINE: …".
 */
enum po_status sections_parse(const struct sections *into, const char *file,
			      struct buf *text,
			      struct po_error *err) PO_MUST_CHECK;

#endif
