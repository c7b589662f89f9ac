/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x5t.h - certificate thumbprints as JOSE and Microsoft write them.
 *
 * Source: RFC 7515 section 4.1.7 (x5t: SHA-1), 4.1.8 (x5t#S256), 4.1.6 (x5c).
 * SHA-1 serves as an identifier here, never as a proof.
 */
#ifndef PO_KEY_X5T_H
#define PO_KEY_X5T_H

#include "base/json.h"
#include "key/certificate.h"

#define X5T_LEN 27      /* characters of x5t */
#define X5T_S256_LEN 43 /* characters of x5t#S256 */
#define X5T_HEX_LEN 40  /* characters of the upper-case hex form */

enum po_status x5t_sha1(const struct certificate *cert,
			char out[static X5T_LEN + 1],
			struct po_error *err) PO_MUST_CHECK;
enum po_status x5t_sha256(const struct certificate *cert,
			  char out[static X5T_S256_LEN + 1],
			  struct po_error *err) PO_MUST_CHECK;
enum po_status x5t_sha1_hex(const struct certificate *cert,
			    char out[static X5T_HEX_LEN + 1],
			    struct po_error *err) PO_MUST_CHECK;

/*
 * A JSON array of standard base64 certificates: leaf, then its issuers as far
 * as extra has them, each certifying the one before; extra in any order.
 * extra may be NULL: the leaf alone.
 */
enum po_status x5t_chain(const struct certificate *leaf,
			 const struct certificate_list *extra,
			 json_t **ret_array,
			 struct po_error *err) PO_MUST_CHECK;

#endif
