/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_key.h - from a profile to its key on the token, and to the names that
 * a server knows it by.
 */
#ifndef PO_FLOW_OPEN_KEY_H
#define PO_FLOW_OPEN_KEY_H

#include "conf/profile.h"
#include "cryptoki/pin.h"
#include "flow/env.h"
#include "key/jwk.h"
#include "key/kid.h"
#include "key/signer.h"
#include "key/x5t.h"

struct open_key {                      /* owned */
	struct signer *signer;         /* not unlocked by open_key() */
	struct certificate_list extra; /* what certificate-file holds */
	struct pin_purpose purpose;
	struct pin_request pin;
	struct kept_pin own_kept;      /* when the caller keeps none */
	const struct kept_pin *kept;   /* borrowed; the caller's or our own */
	const struct po_env *env;      /* borrowed */
	const struct profile *profile; /* borrowed */
	int64_t now_s;                 /* when it was opened */
	bool certificate_checked, algorithm_checked;
};

/*
 * Opens the profile's key number index (0 .. as many as it lists); no login.
 * kept: where the PIN stays between two openings; NULL: nowhere. Warns when
 * the certificate is not valid now, soon will not be, or is not for
 * signatures; certificate-expiry = "error" makes the first a PO_E_CRYPTO. An
 * algorithm that does not fit the key is refused here already, before a PIN is
 * asked for. Fails as token_signer_open() does, and as profile_fault() for
 * settings that are wrong.
 */
enum po_status open_key(const struct po_env *env, const struct profile *profile,
			size_t index, struct kept_pin *kept,
			struct open_key **ret_key,
			struct po_error *err) PO_MUST_CHECK;

/*
 * signer_unlock(), then the same checks for what only login has shown. A login
 * that failed is recorded (audit.h).
 */
enum po_status open_key_unlock(struct open_key *key,
			       struct po_error *err) PO_MUST_CHECK;

/*
 * For a key that stays open: reads its certificate once more, and checks it
 * when it is another one. Fails as token_signer_refresh() and open_key() do.
 */
enum po_status open_key_refresh(struct open_key *key,
				struct po_error *err) PO_MUST_CHECK;
void open_key_free(struct open_key *key);
PO_DEFINE_AUTO(open_key, open_key_free);

/* True when a PIN was sent that the token did not take. */
bool open_key_pin_failed(const struct open_key *key);

/* Everything that names the key. Members without a source are "". */
struct identity {
	enum alg alg;              /* the profile's, or the key's default */
	char kid[KID_LEN_MAX + 1]; /* "" for kid = "none" */
	char x5t[X5T_LEN + 1];
	char x5t_s256[X5T_S256_LEN + 1];
	char x5t_hex[X5T_HEX_LEN + 1];
	char thumbprint[JWK_THUMBPRINT_LEN + 1];
	json_t *x5c; /* owned; NULL unless the profile wants it */
};

/*
 * The signer's public key must be known (open_key_unlock() when it is not).
 * PO_E_CRYPTO: the algorithm does not fit the key.
 */
enum po_status identity_of(const struct open_key *key, struct identity *ret_id,
			   struct po_error *err) PO_MUST_CHECK;
void identity_clear(struct identity *id);

/* The key as a public JWK with kid, use and alg, x5t and x5c as the profile
 * has them. */
enum po_status identity_jwk(const struct open_key *key,
			    const struct identity *id, json_t **ret_jwk,
			    struct po_error *err) PO_MUST_CHECK;

/* Checks all that can be checked without the token; for every command. */
enum po_status profile_check(const struct profile *profile,
			     struct po_error *err) PO_MUST_CHECK;

#endif
