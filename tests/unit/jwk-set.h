/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jwk-set.h - published JWK Sets to damage, and what must be found in them.
 *
 * Every function fails the running test when something is amiss.
 */
#ifndef PO_TESTS_JWK_SET_H
#define PO_TESTS_JWK_SET_H

#include "base/findings.h"
#include "base/json.h"
#include "response.h"

#define SET_NOW_S 1400000000 /* 2014: the certificate of RFC 7517 B is valid */
#define SET_TYPE "application/json"

/* The value of every private member in these tests: never to be shown. */
#define SET_CANARY "Y2FuYXJ5LWNhbmFyeS1jYW5hcnk"

/*
 * A key named by its kind: "rsa", "ec" (P-384), "x5c" (RSA with a certificate),
 * "small" (RSA of 1024 bits); use is sig. json_decref() it.
 */
json_t *set_make_jwk(const char *kind);

/* {"keys":[…]} of such kinds, separated by spaces. */
json_t *set_make(const char *kinds);
json_t *set_key(json_t *set, size_t index); /* borrowed */

/* value: JSON text; NULL: the member goes. */
void set_member(json_t *object, const char *name, const char *value);

/* A good answer with this set; http_response_clear() it. */
void set_answer(struct http_response *r, const json_t *set);

/* How many are warnings or failures. */
size_t findings_count_bad(const struct findings *f);

/* All of them have what their severity wants, printable and without canary. */
void findings_must_be_sound(const struct findings *f);

/* One such finding is there. */
const struct finding *findings_must_have(const struct findings *f,
					 enum severity severity,
					 const char *check, const char *text);

#endif
