/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assertion_source.h - a profile's key, and as many assertions as are asked of
 * it.
 *
 * The first of the profile's keys that can sign does; it stays open (one
 * C_Login) until the source is freed, so that another try at the server needs
 * no second PIN. A token that was lost on the way is opened once more; when one
 * is absent, broken or past its deadline, the profile's next key is taken, with
 * a warning.
 */
#ifndef PO_FLOW_ASSERTION_SOURCE_H
#define PO_FLOW_ASSERTION_SOURCE_H

#include "flow/open_key.h"

struct assertion_source;

/*
 * Told the length in characters that the next assertion will have, as soon as
 * it is known; before the login, where the token shows its public side then.
 */
typedef void assertion_expect(void *user, size_t len);

/* env and profile are borrowed, profile until another takes its place. NULL:
 * out of memory. */
struct assertion_source *assertion_source_new(
	const struct po_env *env, const struct profile *profile) PO_MUST_CHECK;
void assertion_source_free(struct assertion_source *source);
PO_DEFINE_AUTO(assertion_source, assertion_source_free);

/*
 * For a source that outlives a request: from now on it goes by env and signs
 * for profile, which is copied. A key that is open stays so when both profiles
 * name it in the same way, and its certificate is read again; otherwise it is
 * closed, and its PIN forgotten. The first of the profile's keys has another
 * chance after FAILBACK_MS. PO_E_INTERNAL: out of memory.
 */
#define FAILBACK_MS 300000
enum po_status assertion_source_turn_to(struct assertion_source *source,
					const struct po_env *env,
					const struct profile *profile,
					struct po_error *err) PO_MUST_CHECK;

/* PO_E_TOKEN: the token of the open key was taken away; the key is closed then
 * and its PIN forgotten. PO_OK also when none is open. */
enum po_status assertion_source_check(struct assertion_source *source,
				      struct po_error *err) PO_MUST_CHECK;

/* The key, opened and not unlocked: what can be seen without a PIN. It is the
 * source's. Fails as open_key() does. */
enum po_status assertion_source_public(struct assertion_source *source,
				       struct open_key **ret_key,
				       struct po_error *err) PO_MUST_CHECK;

/* The key that is open now, unlocked or not; NULL: none. The source's. */
const struct open_key *assertion_source_open(
	const struct assertion_source *source);

/* Closes the key and forgets its PIN. */
void assertion_source_close(struct assertion_source *source);

void assertion_source_on_length(struct assertion_source *source,
				assertion_expect *expect, void *user);

/*
 * Stamps and signs a new one: fresh jti and times, one signature.
 * Fails as open_key(), signer_unlock() and assertion_sign() do.
 */
enum po_status assertion_source_next(struct assertion_source *source,
				     struct secret **ret_jwt,
				     struct po_error *err) PO_MUST_CHECK;

/* The key, unlocked, without a signature. It is the source's. */
enum po_status assertion_source_key(struct assertion_source *source,
				    struct open_key **ret_key,
				    struct po_error *err) PO_MUST_CHECK;

/* Where the record of the last signature stands (audit.h); 0: none was made. */
uint64_t assertion_source_last_seq(const struct assertion_source *source);

/* The key and names of the last assertion; NULL: there is none. The
 * source's. */
const struct open_key *assertion_source_last(
	const struct assertion_source *source, const struct identity **ret_id);

#endif
