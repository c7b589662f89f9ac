/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certificate.h - an X.509 certificate, parsed only to be read.
 *
 * Source: RFC 5280 section 4.1; RFC 7468 (PEM). The DER bytes stay as the
 * token or file had them: thumbprints are over them, never over a re-encoding.
 */
#ifndef PO_KEY_CERTIFICATE_H
#define PO_KEY_CERTIFICATE_H

#include "base/buf.h"
#include "key/pubkey.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CERTIFICATE_DER_MAX 65536 /* bytes */
#define CERTIFICATE_PEM_MAX (1024 * 1024)
#define CERTIFICATE_CHAIN_MAX 10

struct certificate; /* immutable */

/* PO_E_CRYPTO: not one DER certificate, or a key that JOSE cannot use. */
enum po_status certificate_from_der(const uint8_t *der, size_t len,
				    struct certificate **ret_cert,
				    struct po_error *err) PO_MUST_CHECK;
void certificate_free(struct certificate *cert);
PO_DEFINE_AUTO(certificate, certificate_free);

/* Borrowed views. */
const uint8_t *certificate_der(const struct certificate *cert, size_t *ret_len);
/* der may be borrowed from another certificate. */
bool certificate_has_der(const struct certificate *cert, const uint8_t *der,
			 size_t len);
const struct pubkey *certificate_pubkey(const struct certificate *cert);
const char *certificate_subject(const struct certificate *cert); /* one line */
const char *certificate_issuer(const struct certificate *cert);
const char *certificate_serial(const struct certificate *cert); /* hex */
int64_t certificate_not_before_s(const struct certificate *cert);
int64_t certificate_not_after_s(const struct certificate *cert);

/* keyUsage is absent or has digitalSignature (RFC 5280 section 4.2.1.3). */
bool certificate_may_sign(const struct certificate *cert);

/*
 * A certificate by which a device attests that a key was made in it (Yubico's
 * PIV attestation): it is of the same key, but no server knows it.
 */
bool certificate_is_attestation(const struct certificate *cert);

/* False unless issuer signed cert (names and signature; no dates, no policy).*/
bool certificate_is_issued_by(const struct certificate *cert,
			      const struct certificate *issuer);

enum po_status certificate_add_pem(const struct certificate *cert,
				   struct buf *out,
				   struct po_error *err) PO_MUST_CHECK;

/* Certificates out of a PEM file, in file order; embedded, owns its items. */
struct certificate_list {
	struct certificate *items[CERTIFICATE_CHAIN_MAX];
	size_t count;
};

/*
 * Takes every CERTIFICATE block of a PEM text (other blocks, plain text, CRLF
 * and a byte order mark are passed over) or one DER certificate.
 * PO_E_CONFIG: none in it, more than CERTIFICATE_CHAIN_MAX, or damaged.
 */
enum po_status certificate_list_parse(const char *text, size_t len,
				      struct certificate_list *list,
				      struct po_error *err) PO_MUST_CHECK;
void certificate_list_clear(struct certificate_list *list);

/* Index of the first certificate of key, or -1. */
int certificate_list_find(const struct certificate_list *list,
			  const struct pubkey *key);

#endif
