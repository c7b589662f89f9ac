/* SPDX-License-Identifier: Apache-2.0 */
/*
 * uri.h - PKCS #11 URIs, parsed by libp11-kit and checked where it is lenient.
 *
 * Source: RFC 7512 sections 2.3, 2.4 and 6. Refused here: an attribute twice,
 * an unknown one, an empty or over-long value, pin-value and pin-source (the
 * PIN has its own setting), a relative module-path, slot-id as the only
 * selector of a token (slot ids drift).
 */
#ifndef PO_CRYPTOKI_URI_H
#define PO_CRYPTOKI_URI_H

#include "base/error.h"

#include <p11-kit/uri.h>

PO_DEFINE_AUTO_T(P11KitUri, p11_kit_uri_free);

/* PO_E_USAGE: malformed; the text names the attribute. */
enum po_status uri_parse(const char *text, P11KitUri **ret_uri,
			 struct po_error *err) PO_MUST_CHECK;

#endif
