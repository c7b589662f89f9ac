/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test-data.h - the files under tests/data, for unit tests.
 *
 * Every function fails the running test when something is amiss, so that a
 * test need not look. tests/data/README.md names the origin of each file.
 */
#ifndef PO_TESTS_TEST_DATA_H
#define PO_TESTS_TEST_DATA_H

#include "base/buf.h"
#include "base/json.h"
#include "key/certificate.h"
#include "key/pubkey.h"

/* Reads tests/data/NAME, all of it, into an initialised buffer. */
void data_read(const char *name, struct buf *out);

/* tests/data/NAME as a JSON object; json_decref() it. */
json_t *data_json(const char *name);

/* The first certificate in tests/data/NAME; certificate_free() it. */
struct certificate *data_certificate(const char *name);

/* The private key in the PEM file tests/data/NAME; EVP_PKEY_free() it. */
EVP_PKEY *data_private_key(const char *name);

/*
 * The published key of tests/data/vectors/NAME as a JWK: "jwk", or the one of
 * "jwks_private" that has a private member. Borrowed from vector.
 */
const json_t *vector_jwk(const json_t *vector);

/* The private key of a JWK (RFC 7518 section 6); EVP_PKEY_free() it. */
EVP_PKEY *private_key_of_jwk(const json_t *jwk);

/* The public half alone of a private key; pubkey_free() it. */
struct pubkey *public_half(EVP_PKEY *key);

#endif
