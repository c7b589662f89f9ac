/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kid.h - the name by which a server finds the key that signed.
 *
 * Source: RFC 7515 section 4.1.4; SMART App Launch 2.2, "Client
 * Authentication: Asymmetric"; the styles are those that servers were seen to
 * want: upper-case hex SHA-1 of the certificate (CareEvolution and others of
 * the Microsoft family), x5t, x5t#S256, RFC 7638 thumbprint, CKA_ID.
 */
#ifndef PO_KEY_KID_H
#define PO_KEY_KID_H

#include "key/certificate.h"

#define KID_LEN_MAX 1023 /* bytes, UTF-8 */

enum kid_style {
	KID_JWK_THUMBPRINT, /* the default */
	KID_X5T_HEX,
	KID_X5T,
	KID_X5T_S256,
	KID_ID,      /* CKA_ID in lower-case hex */
	KID_LITERAL, /* "literal:TEXT" */
	KID_NONE,
};

/* The words of the grammar, "literal:" last but one; for help and errors. */
extern const char *const kid_style_words[];

struct kid_rule {
	enum kid_style style;
	const char *literal; /* borrowed from the parsed text, else NULL */
};

/* PO_E_USAGE: no such style, or an empty, over-long or non-UTF-8 literal. */
enum po_status kid_rule_parse(const char *text, struct kid_rule *ret_rule,
			      struct po_error *err) PO_MUST_CHECK;

struct kid_source { /* borrowed; cert and id may be NULL */
	const struct pubkey *pubkey;
	const struct certificate *cert;
	const uint8_t *id;
	size_t id_len;
};

/*
 * Writes the kid and a NUL, or "" for KID_NONE. PO_E_NOT_FOUND: the style needs
 * a certificate or a CKA_ID and there is none.
 */
enum po_status kid_derive(const struct kid_rule *rule,
			  const struct kid_source *source,
			  char out[static KID_LEN_MAX + 1],
			  struct po_error *err) PO_MUST_CHECK;

#endif
