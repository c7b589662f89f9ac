/* SPDX-License-Identifier: Apache-2.0 */
/* What a TLS client shows: its certificate, then what certifies it, once. */
#include "flow/tls_identity.h"

#include "cryptoki/token_signer.h"
#include "test-data.h"
#include "unit.h"

#include <stdio.h>
#include <string.h>

/* The key itself is token_signer.c's, and tried with it. */
static char anything;
static EVP_PKEY *const some_key = (EVP_PKEY *)(void *)&anything;
static enum po_status key_fails;

enum po_status __wrap_token_signer_evp(struct signer *s, EVP_PKEY **ret_key,
				       struct po_error *err);
enum po_status __wrap_token_signer_evp(struct signer *s, EVP_PKEY **ret_key,
				       struct po_error *err)
{
	assert_non_null(s);
	if (key_fails != PO_OK)
		return po_fail(err, key_fails, 0, "not unlocked");
	*ret_key = some_key;
	return PO_OK;
}

/* Names of tests/data/certs, apart by blanks. */
static const struct chain_row {
	const char *name;
	const char *leaf, *extra, *shown;
} chains[] = {
	{ "the certificate alone", "leaf", "", "leaf" },
	{ "in their order", "leaf", "intermediate root",
	  "leaf intermediate root" },
	{ "in another order", "leaf", "root intermediate",
	  "leaf intermediate root" },
	{ "without the root", "leaf", "intermediate", "leaf intermediate" },
	{ "a gap", "leaf", "root", "leaf" },
	{ "the file has the leaf as well", "leaf", "leaf intermediate",
	  "leaf intermediate" },
	{ "others in between", "leaf", "rsa1024 intermediate rsa1024 root",
	  "leaf intermediate root" },
	{ "another leaf of the same issuer", "leaf",
	  "encipherment intermediate", "leaf intermediate" },
	{ "another root of the same name", "leaf",
	  "same-name intermediate root", "leaf intermediate root" },
	{ "each of them twice", "leaf", "intermediate root root intermediate",
	  "leaf intermediate root" },
	{ "self-signed", "rsa1024", "", "rsa1024" },
	{ "self-signed, and again in the file", "rsa1024", "rsa1024",
	  "rsa1024" },
};

static struct certificate *read_certificate(const char *name, int len)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "certs/%.*s.pem", len, name);
	return data_certificate(path);
}

ROWS(chains, chain_row)
{
	po_auto(certificate) *leaf =
		read_certificate(row->leaf, (int)strlen(row->leaf));
	struct signer signer = { .cert = leaf };
	struct open_key key = { .signer = &signer };
	struct tls_identity identity;
	const char *name;
	size_t n = 0;

	key_fails = PO_OK;
	for (name = row->extra; *name; name += strspn(name, " ")) {
		int len = (int)strcspn(name, " ");

		key.extra.items[key.extra.count++] =
			read_certificate(name, len);
		name += len;
	}
	assert_int_equal(tls_identity_of(&key, &identity, NULL), PO_OK);
	assert_ptr_equal(identity.http.key, some_key);
	assert_ptr_equal(identity.http.chain, identity.chain);
	for (name = row->shown; *name; name += strspn(name, " ")) {
		int len = (int)strcspn(name, " ");
		po_auto(certificate) *want = read_certificate(name, len);

		assert_true(n < identity.http.chain_len);
		assert_true(certificate_has_der(want, identity.chain[n].data,
						identity.chain[n].len));
		n++;
		name += len;
	}
	assert_int_equal(identity.http.chain_len, n);
	certificate_list_clear(&key.extra);
}

TEST(without_a_certificate_there_is_no_identity)
{
	struct signer signer = { .cert = NULL };
	struct open_key key = { .signer = &signer };
	struct tls_identity identity;
	struct po_error err = { 0 };

	assert_int_equal(tls_identity_of(&key, &identity, &err),
			 PO_E_NOT_FOUND);
	assert_non_null(strstr(err.text, "certificate-file"));
	assert_int_equal(identity.http.chain_len, 0);
}

TEST(a_key_that_cannot_be_had_is_said)
{
	po_auto(certificate) *leaf = data_certificate("certs/leaf.pem");
	struct signer signer = { .cert = leaf };
	struct open_key key = { .signer = &signer };
	struct tls_identity identity;
	struct po_error err = { 0 };

	key_fails = PO_E_INTERNAL;
	assert_int_equal(tls_identity_of(&key, &identity, &err), PO_E_INTERNAL);
	assert_string_equal(err.text, "not unlocked");
}

static const struct uses_row {
	const char *name;
	const char *method;
	bool certificate, uses, is_proof;
} uses[] = {
	{ "neither", NULL, false, false, false },
	{ "an assertion", "private_key_jwt", false, false, false },
	{ "a bound access token", "private_key_jwt", true, true, false },
	{ "a bound one by default", NULL, true, true, false },
	{ "a CA's", "tls_client_auth", false, true, true },
	{ "self-signed", "self_signed_tls_client_auth", false, true, true },
	{ "self-signed and bound", "self_signed_tls_client_auth", true, true,
	  true },
};

ROWS(uses, uses_row)
{
	char method[64];
	struct profile profile = { .tls_certificate = row->certificate };

	if (row->method) {
		(void)snprintf(method, sizeof(method), "%s", row->method);
		profile.client_auth = method;
	}
	assert_int_equal(profile_uses_tls(&profile), row->uses);
	assert_int_equal(profile_tls_is_proof(&profile), row->is_proof);
}
