/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key-json.h - a certificate and the names of a key, as keys, cert and
 * jwt verify show them.
 */
#ifndef PO_CMD_KEY_JSON_H
#define PO_CMD_KEY_JSON_H

#include "base/json.h"
#include "key/certificate.h"
#include "key/jwk.h"
#include "key/x5t.h"

struct thumbprints { /* "" where there is no certificate */
	char x5t[X5T_LEN + 1];
	char x5t_s256[X5T_S256_LEN + 1];
	char x5t_hex[X5T_HEX_LEN + 1];
	char jwk[JWK_THUMBPRINT_LEN + 1];
	char spki[2 * PUBKEY_SHA256_LEN + 1]; /* SHA-256 in hex */
};

/* cert may be NULL. */
enum po_status thumbprints_of(const struct pubkey *key,
			      const struct certificate *cert,
			      struct thumbprints *ret_prints,
			      struct po_error *err) PO_MUST_CHECK;

/* {"subject":…, "issuer":…, "serial":…, "not_before":…, "not_after":…,
 * "expired":…}; NULL when memory is out. */
json_t *certificate_json(const struct certificate *cert, int64_t now_s);

/* "2020-01-09 to 2025-07-01 (expired 12 days ago)". false: does not fit. */
bool certificate_add_validity(const struct certificate *cert, int64_t now_s,
			      struct buf *out) PO_MUST_CHECK;

#endif
