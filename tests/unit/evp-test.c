/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys that OpenSSL uses and that are somewhere else: what libp11 asks for,
 * that it holds, and what becomes of a refusal.
 */
#include "cryptoki/evp.h"

#include "test-data.h"
#include "unit.h"

#include <openssl/ec.h>
#include <openssl/rsa.h>
#include <string.h>

PO_DEFINE_AUTO_T(EVP_MD_CTX, EVP_MD_CTX_free);
PO_DEFINE_AUTO_T(EVP_PKEY_CTX, EVP_PKEY_CTX_free);
PO_DEFINE_AUTO_T(ECDSA_SIG, ECDSA_SIG_free);

/* A token in memory, which notes what it is asked for. */
struct soft_token {
	EVP_PKEY *pkey;
	struct pubkey *pubkey;
	struct one_key key;
	CK_MECHANISM_TYPE asked[8];
	size_t asks;
	CK_MECHANISM_TYPE refuses; /* with CKR_MECHANISM_INVALID */
	CK_RV fails;               /* whatever it is asked for */
};

static bool sign_rsa(EVP_PKEY_CTX *ctx, int padding,
		     const struct sign_operation *op, struct signature *sig)
{
	const EVP_MD *md = op->input_len == 32   ? EVP_sha256()
			   : op->input_len == 48 ? EVP_sha384()
						 : EVP_sha512();
	bool is_pss = padding == RSA_PKCS1_PSS_PADDING;

	return EVP_PKEY_sign_init(ctx) > 0 &&
	       EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0 &&
	       (!is_pss || (EVP_PKEY_CTX_set_signature_md(ctx, md) > 0 &&
			    EVP_PKEY_CTX_set_rsa_pss_saltlen(
				    ctx, (int)op->pss.sLen) > 0)) &&
	       EVP_PKEY_sign(ctx, sig->bytes, &sig->len, op->input,
			     op->input_len) > 0;
}

/* R || S, as a token has it. */
static bool sign_ec(EVP_PKEY_CTX *ctx, size_t width,
		    const struct sign_operation *op, struct signature *sig)
{
	const uint8_t *der = sig->bytes;
	po_auto_t(ECDSA_SIG) *pair = NULL;

	if (EVP_PKEY_sign_init(ctx) <= 0 ||
	    EVP_PKEY_sign(ctx, sig->bytes, &sig->len, op->input,
			  op->input_len) <= 0)
		return false;
	pair = d2i_ECDSA_SIG(NULL, &der, (long)sig->len);
	sig->len = 2 * width;
	return pair &&
	       BN_bn2binpad(ECDSA_SIG_get0_r(pair), sig->bytes, (int)width) >
		       0 &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(pair), sig->bytes + width,
			    (int)width) > 0;
}

static CK_RV soft_sign(void *user, const struct sign_operation *op,
		       struct signature *ret_sig)
{
	struct soft_token *t = user;
	po_auto_t(EVP_PKEY_CTX) *ctx = EVP_PKEY_CTX_new(t->pkey, NULL);
	bool ok = false;

	assert_true(t->asks < PO_ARRAY_SIZE(t->asked));
	t->asked[t->asks++] = op->mechanism;
	if (t->fails != CKR_OK)
		return t->fails;
	if (op->mechanism == t->refuses)
		return CKR_MECHANISM_INVALID;
	ret_sig->len = sizeof(ret_sig->bytes);
	switch (op->mechanism) {
	case CKM_RSA_PKCS:
		ok = sign_rsa(ctx, RSA_PKCS1_PADDING, op, ret_sig);
		break;
	case CKM_RSA_X_509:
		ok = sign_rsa(ctx, RSA_NO_PADDING, op, ret_sig);
		break;
	case CKM_RSA_PKCS_PSS:
		ok = sign_rsa(ctx, RSA_PKCS1_PSS_PADDING, op, ret_sig);
		break;
	case CKM_ECDSA:
		ok = sign_ec(ctx, pubkey_signature_len(t->pubkey) / 2, op,
			     ret_sig);
		break;
	default: break;
	}
	assert_true(ok);
	assert_int_equal(sign_check(t->pubkey, op, ret_sig, NULL), PO_OK);
	/* the check itself can say no */
	ret_sig->bytes[ret_sig->len / 2] ^= 1;
	assert_int_equal(sign_check(t->pubkey, op, ret_sig, NULL), PO_E_CRYPTO);
	ret_sig->bytes[ret_sig->len / 2] ^= 1;
	return CKR_OK;
}

static void token_init(struct soft_token *t, const char *kind)
{
	*t = (struct soft_token){ 0 };
	t->pkey =
		strcmp(kind, "RSA") == 0 ? EVP_RSA_gen(2048) : EVP_EC_gen(kind);
	assert_non_null(t->pkey);
	t->pubkey = public_half(t->pkey);
	t->key = (struct one_key){ t->pubkey, soft_sign, t };
}

static void token_clear(struct soft_token *t)
{
	EVP_PKEY_free(t->pkey);
	pubkey_free(t->pubkey);
}

static const char text[] = "what a handshake signs";

/* Signs as libssl does; the signature holds for the public key. */
static bool sign_and_verify(struct soft_token *t, EVP_PKEY *pkey,
			    const EVP_MD *md, int padding)
{
	po_auto_t(EVP_MD_CTX) *signing = EVP_MD_CTX_new();
	po_auto_t(EVP_MD_CTX) *verifying = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	uint8_t sig[SIGNATURE_MAX];
	size_t len = sizeof(sig);

	assert_true(EVP_DigestSignInit(signing, &ctx, md, NULL, pkey) > 0);
	if (padding) {
		assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0);
		assert_true(padding != RSA_PKCS1_PSS_PADDING ||
			    EVP_PKEY_CTX_set_rsa_pss_saltlen(
				    ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
	}
	if (EVP_DigestSign(signing, sig, &len, (const uint8_t *)text,
			   sizeof(text)) <= 0)
		return false;
	assert_true(EVP_DigestVerifyInit(verifying, &ctx, md, NULL,
					 pubkey_evp(t->pubkey)) > 0);
	if (padding)
		assert_true(EVP_PKEY_CTX_set_rsa_padding(ctx, padding) > 0);
	assert_int_equal(EVP_DigestVerify(verifying, sig, len,
					  (const uint8_t *)text, sizeof(text)),
			 1);
	return true;
}

struct row {
	const char *name;
	const char *kind;
	const char *md;
	int padding;
	CK_MECHANISM_TYPE asks_for;
};

static const struct row rows[] = {
	{ "RSA, PKCS #1", "RSA", "SHA256", RSA_PKCS1_PADDING, CKM_RSA_PKCS },
	{ "RSA, PSS, SHA-256", "RSA", "SHA256", RSA_PKCS1_PSS_PADDING,
	  CKM_RSA_PKCS_PSS },
	{ "RSA, PSS, SHA-384", "RSA", "SHA384", RSA_PKCS1_PSS_PADDING,
	  CKM_RSA_PKCS_PSS },
	{ "RSA, PSS, SHA-512", "RSA", "SHA512", RSA_PKCS1_PSS_PADDING,
	  CKM_RSA_PKCS_PSS },
	{ "P-256", "P-256", "SHA256", 0, CKM_ECDSA },
	{ "P-256 with a longer hash", "P-256", "SHA512", 0, CKM_ECDSA },
	{ "P-384", "P-384", "SHA384", 0, CKM_ECDSA },
	{ "P-521", "P-521", "SHA512", 0, CKM_ECDSA },
};

ROWS(rows, sign_row)
{
	po_auto(evp_key) *key = NULL;
	struct soft_token t;

	token_init(&t, row->kind);
	assert_int_equal(evp_key_new(&t.key, &key, NULL), PO_OK);
	assert_int_equal(EVP_PKEY_eq(evp_key_pkey(key), t.pkey), 1);
	assert_int_equal(t.asks, 0);
	assert_true(sign_and_verify(&t, evp_key_pkey(key),
				    EVP_get_digestbyname(row->md),
				    row->padding));
	assert_int_equal(t.asks, 1);
	assert_int_equal(t.asked[0], row->asks_for);
	evp_key_free(po_steal(key));
	token_clear(&t);
}

/* libp11 pads by itself then. */
TEST(raw_rsa_where_pss_is_refused)
{
	po_auto(evp_key) *key = NULL;
	struct soft_token t;

	token_init(&t, "RSA");
	t.refuses = CKM_RSA_PKCS_PSS;
	assert_int_equal(evp_key_new(&t.key, &key, NULL), PO_OK);
	assert_true(sign_and_verify(&t, evp_key_pkey(key), EVP_sha256(),
				    RSA_PKCS1_PSS_PADDING));
	assert_int_equal(t.asks, 2);
	assert_int_equal(t.asked[1], CKM_RSA_X_509);
	evp_key_free(po_steal(key));
	token_clear(&t);
}

TEST(failure_is_a_failure)
{
	po_auto(evp_key) *key = NULL;
	struct soft_token t;

	token_init(&t, "P-256");
	t.fails = CKR_DEVICE_ERROR;
	assert_int_equal(evp_key_new(&t.key, &key, NULL), PO_OK);
	assert_false(sign_and_verify(&t, evp_key_pkey(key), EVP_sha256(), 0));
	t.fails = CKR_OK;
	assert_true(sign_and_verify(&t, evp_key_pkey(key), EVP_sha256(), 0));
	assert_int_equal(t.asks, 2);
	evp_key_free(po_steal(key));
	token_clear(&t);
}

TEST(one_at_a_time)
{
	po_auto(evp_key) *first = NULL;
	po_auto(evp_key) *second = NULL;
	struct po_error err = { 0 };
	struct soft_token a, b;

	token_init(&a, "P-256");
	token_init(&b, "RSA");
	assert_int_equal(evp_key_new(&a.key, &first, NULL), PO_OK);
	assert_int_equal(evp_key_new(&b.key, &second, &err), PO_E_INTERNAL);
	assert_non_null(strstr(err.text, "one key at a time"));
	/* the first still signs, and makes room when it goes */
	assert_true(sign_and_verify(&a, evp_key_pkey(first), EVP_sha256(), 0));
	evp_key_free(po_steal(first));
	assert_int_equal(evp_key_new(&b.key, &second, NULL), PO_OK);
	assert_true(sign_and_verify(&b, evp_key_pkey(second), EVP_sha256(),
				    RSA_PKCS1_PADDING));
	assert_int_equal(a.asks, 1);
	assert_int_equal(b.asks, 1);
	evp_key_free(po_steal(second));
	token_clear(&a);
	token_clear(&b);
}

/* What a module of ours says to those who ask for more than libp11 does. */
TEST(the_module_has_one_key)
{
	CK_OBJECT_CLASS class = CKO_PRIVATE_KEY;
	CK_ATTRIBUTE template[] = { { CKA_CLASS, &class, sizeof(class) } };
	CK_ATTRIBUTE secret = { CKA_PRIVATE_EXPONENT, NULL, 0 };
	CK_OBJECT_HANDLE found[2];
	CK_FUNCTION_LIST *fn = NULL;
	CK_SESSION_HANDLE session;
	struct soft_token t;
	CK_SLOT_ID slots[4];
	CK_ULONG count = 4;

	assert_int_equal(C_GetFunctionList(&fn), CKR_OK);
	assert_int_equal(fn->C_Initialize(NULL), CKR_GENERAL_ERROR);
	token_init(&t, "RSA");
	assert_int_equal(one_key_show(&t.key, NULL), PO_OK);
	assert_int_equal(fn->C_Initialize(NULL), CKR_OK);
	assert_int_equal(fn->C_GetSlotList(CK_TRUE, slots, &count), CKR_OK);
	assert_int_equal(count, 1);
	assert_int_equal(fn->C_OpenSession(slots[0], 0, NULL, NULL, &session),
			 CKR_OK);
	assert_int_equal(fn->C_Login(session, CKU_USER, NULL, 0),
			 CKR_FUNCTION_NOT_SUPPORTED);
	assert_int_equal(fn->C_FindObjectsInit(session, template, 1), CKR_OK);
	assert_int_equal(fn->C_FindObjects(session, found, 2, &count), CKR_OK);
	assert_int_equal(count, 1);
	assert_int_equal(fn->C_GetAttributeValue(session, found[0], &secret, 1),
			 CKR_ATTRIBUTE_TYPE_INVALID);
	class = CKO_SECRET_KEY;
	assert_int_equal(fn->C_FindObjectsInit(session, template, 1), CKR_OK);
	assert_int_equal(fn->C_FindObjects(session, found, 2, &count), CKR_OK);
	assert_int_equal(count, 0);
	one_key_hide();
	token_clear(&t);
}
