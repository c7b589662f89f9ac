/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inventory.h - everything of interest on the tokens of a module.
 *
 * The one place that walks whole tokens: for a person who looks, never on the
 * way to a signature.
 */
#ifndef PO_CRYPTOKI_INVENTORY_H
#define PO_CRYPTOKI_INVENTORY_H

#include "base/clock.h"
#include "cryptoki/pin.h"
#include "key/signer.h"

#define INVENTORY_OBJECTS_MAX 10000 /* per token */

enum claim { /* what the module says of a key; it may be wrong */
	     CLAIM_UNKNOWN,
	     CLAIM_NO,
	     CLAIM_YES,
};

struct inventory_key { /* what shares one CKA_ID; all owned */
	char uri[SIGNER_URI_MAX];
	char label[256];
	uint8_t id[SIGNER_ID_MAX];
	size_t id_len;
	struct pubkey *pubkey;    /* NULL: not readable, or not for JOSE */
	struct certificate *cert; /* NULL: none */
	bool cert_matches;        /* cert is of this public key */
	bool has_private;         /* seen; only after login on most tokens */
	enum claim sign, sensitive, extractable, always_sensitive,
		never_extractable, local, always_authenticate;
};

struct inventory_token {
	char uri[SIGNER_URI_MAX];
	char label[33], manufacturer[33], model[17], serial[17];
	bool initialized, login_required, logged_in;
	bool pin_count_low, pin_final_try, pin_locked, pinpad;
	/* why objects are missing; empty: none is */
	char fault[PO_ERROR_TEXT_MAX];
	struct inventory_key *keys;
	size_t key_count;
};

struct inventory {
	struct inventory_token *tokens;
	size_t token_count;
};

struct inventory_request {            /* all borrowed */
	const struct po_clock *clock; /* as in device.h */
	const char *module;
	const char *uri;       /* NULL: every token and object */
	const char *init_args; /* for the module; NULL: none */
	int64_t timeout_s;     /* as in device.h */
	bool login;            /* log in to each token that matches */
	struct pin_request pin;
};

/*
 * Fails as token_signer_open() does, but an empty inventory is PO_OK, and of
 * several tokens one that fails is listed with its fault.
 */
enum po_status inventory_read(const struct inventory_request *req,
			      struct inventory **ret_inventory,
			      struct po_error *err) PO_MUST_CHECK;
void inventory_free(struct inventory *inventory);
PO_DEFINE_AUTO(inventory, inventory_free);

#endif
