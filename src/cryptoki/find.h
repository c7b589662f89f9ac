/* SPDX-License-Identifier: Apache-2.0 */
/*
 * find.h - objects by template: a handful of calls however full the token is.
 *
 * Source: PKCS #11 v3.0 section 5.7, "Object management functions"; RFC 7512
 * section 2.3 (a key and its certificate share CKA_ID).
 */
#ifndef PO_CRYPTOKI_FIND_H
#define PO_CRYPTOKI_FIND_H

#include "cryptoki/object.h"

#include <p11-kit/uri.h>

#define FIND_MAX 32 /* more matches than this are never looked at */

struct selector { /* what to look for; borrowed; NULL or 0: any */
	const uint8_t *id;
	size_t id_len;
	const char *label;
};

/* The selector that an RFC 7512 URI spells (its id and object). */
struct selector selector_of_uri(P11KitUri *uri);

struct matches {
	CK_OBJECT_HANDLE handles[FIND_MAX];
	size_t count;
};

/* C_FindObjectsInit, C_FindObjects, C_FindObjectsFinal: each once. */
enum po_status find_objects(const struct session *session,
			    CK_OBJECT_CLASS class,
			    const struct selector *selector,
			    struct matches *ret_matches,
			    struct po_error *err) PO_MUST_CHECK;

struct found { /* an object that was found and read; owned */
	struct object_name name;
	CK_OBJECT_HANDLE handle;
	struct pubkey *pubkey;
	struct certificate *cert; /* certificates only */
	size_t cert_count;        /* that were to choose from */
};
void found_clear(struct found *found);

/*
 * The certificate that matches; found->cert stays NULL when there is none. Of
 * several for one key the one valid now with the latest start is taken; those
 * that a device made to attest a key are passed over, and so are those of
 * other keys when of is given. PO_E_AMBIGUOUS: of several keys, listed.
 */
enum po_status find_certificate(const struct session *session,
				const struct selector *selector,
				const struct pubkey *of,
				struct found *ret_found,
				struct po_error *err) PO_MUST_CHECK;

/*
 * The one key of this class that matches; found->handle stays 0
 * (CK_INVALID_HANDLE) when there is none. PO_E_AMBIGUOUS: several, listed.
 */
enum po_status find_key(const struct session *session, CK_OBJECT_CLASS class,
			const struct selector *selector,
			struct found *ret_found,
			struct po_error *err) PO_MUST_CHECK;

/* Appends the URIs of the objects of a class that match; for error texts. */
void find_describe(const struct session *session, CK_OBJECT_CLASS class,
		   const struct selector *selector, struct buf *out);

#endif
