/* SPDX-License-Identifier: Apache-2.0 */
/*
 * extension.h - UDAP's authorization extension object in an assertion.
 *
 * Source: HL7 FHIR UDAP Security IG section 5.2.1.1 (hl7-b2b, version "1").
 */
#ifndef PO_OAUTH_EXTENSION_H
#define PO_OAUTH_EXTENSION_H

#include "base/json.h"

/*
 * {"hl7-b2b": {…}} of "NAME=VALUE" … NULL; purpose_of_use, consent_policy and
 * consent_reference may repeat and become arrays. PO_E_USAGE: an unknown or
 * repeated name, organization_id or purpose_of_use missing, consent_reference
 * without consent_policy.
 */
enum po_status extension_hl7_b2b(const char *const *members,
				 json_t **ret_extensions,
				 struct po_error *err) PO_MUST_CHECK;

#endif
