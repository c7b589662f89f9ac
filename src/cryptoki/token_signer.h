/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token_signer.h - a signer whose private key is on a PKCS #11 token.
 *
 * Opening loads the module, finds the token and reads certificate and public
 * key; unlocking logs in once and finds the private key; signing is one
 * C_SignInit and one C_Sign. Nothing private is ever read, everything is found
 * by template, and freeing the signer ends with C_Finalize.
 *
 * Source: PKCS #11 v2.40 and v3.0; RFC 7512 (URIs).
 */
#ifndef PO_CRYPTOKI_TOKEN_SIGNER_H
#define PO_CRYPTOKI_TOKEN_SIGNER_H

#include "cryptoki/device.h"
#include "cryptoki/pin.h"
#include "key/signer.h"

/* PO_E_USAGE: no URI that can name a key; the text names the attribute. */
enum po_status token_uri_check(const char *text,
			       struct po_error *err) PO_MUST_CHECK;

/* PO_E_USAGE: not the SHA-256 of an SPKI in hexadecimal. */
enum po_status token_spki_check(const char *pin,
				struct po_error *err) PO_MUST_CHECK;

struct token_signer_request { /* all borrowed, for as long as the signer */
	const struct po_clock *clock; /* as in device.h */
	const char *uri;              /* RFC 7512; selects token and key */
	const char *module;    /* NULL: the URI's module-path, or the default */
	const char *init_args; /* for the module; NULL: none */
	int64_t timeout_s;     /* as in device.h */
	const struct certificate_list *certificates; /* from a file, or NULL */
	const struct pin_request *pin;
	struct kept_pin *kept;   /* outlives the signer */
	const char *const *spki; /* as policy.h has them; NULL: any */
	const char *const *claims;
};

/*
 * No login yet. One signer at a time per process and module.
 *
 * PO_E_USAGE      the URI or pin_from is malformed; the text names the part
 * PO_E_TOKEN      module not loadable, no such token (the text lists those
 *                 that exist)
 * PO_E_NOT_FOUND  nothing public found and the certificate is needed
 * PO_E_AMBIGUOUS  several tokens, keys or certificates match, listed
 * PO_E_CRYPTO     no certificate belongs to the key
 * PO_E_DEVICE     the module failed; err->native is the CK_RV
 * PO_E_POLICY     the key may not be used (unlocking says so)
 *
 * Whatever the module does, every operation ends: see device.h.
 */
enum po_status token_signer_open(const struct token_signer_request *req,
				 struct signer **ret_signer,
				 struct po_error *err) PO_MUST_CHECK;

/*
 * For a signer that stays open, at the beginning of another use, for which the
 * deadline counts anew: reads the certificate once more, so that a successor
 * for the same key is used, from the token or from the list in the request.
 * Without one the last stays. Fails as opening does; the signer is what it was
 * then.
 */
enum po_status token_signer_refresh(struct signer *s,
				    struct po_error *err) PO_MUST_CHECK;

/*
 * A look, which is a use as well. PO_E_TOKEN: the token was taken away, or its
 * session is gone (native: the CK_RV); PO_E_DEVICE as device_run().
 */
enum po_status token_signer_check(struct signer *s,
				  struct po_error *err) PO_MUST_CHECK;

/*
 * The private key of an unlocked signer for OpenSSL's own use: TLS with a
 * client certificate (RFC 8705). Borrowed, the same each time, until
 * signer_free(): by then nobody may hold a reference, so a connection that used
 * it is closed before. Each signature is one operation as signer_sign() makes
 * it, with the token's deadline, its own login where the key wants one, and
 * verified; it may take as long as a person takes to touch the device.
 *
 * PO_E_INTERNAL: not unlocked, no token's key, or another signer's key is in
 * use for TLS: one at a time in a process.
 */
enum po_status token_signer_evp(struct signer *s, EVP_PKEY **ret_key,
				struct po_error *err) PO_MUST_CHECK;

/*
 * Runs job(arg), in this thread, which uses that key. When it fails and a
 * signature failed on the way, then that is the error (PO_E_DEVICE, PO_E_USER,
 * PO_E_PIN, PO_E_CRYPTO, …) instead of what became of it in TLS. The network's
 * time is not the token's; but the token's, a touch and all, is part of the
 * exchange, so that this wants a time-out with room for both.
 */
enum po_status token_signer_run(struct signer *s, device_job *job, void *arg,
				struct po_error *err) PO_MUST_CHECK;

/*
 * True when all of it once more, from token_signer_open() on, may succeed: a
 * session, a card or a server was lost on the way.
 */
bool token_signer_may_recover(const struct po_error *err);

#endif
