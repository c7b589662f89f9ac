/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which token, key and certificate a URI leads to: where several fit, where
 * one is gone, and where a module does not tell the truth.
 */
#include "base/text.h"
#include "cryptoki/object.h"
#include "paper-signer.h"
#include "unit.h"

#include <ctype.h>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#define LAB "pkcs11:token=lab;object=key"
#define OTHER_SPKI \
	"00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF"
#define FOREVER (PAPER_NOW_S + 365 * DAY_S)

static EVP_PKEY *one, *two;

BEFORE_ALL
{
	one = EVP_EC_gen("P-256");
	two = EVP_EC_gen("P-256");
}

AFTER_ALL
{
	EVP_PKEY_free(one);
	EVP_PKEY_free(two);
}

BEFORE_EACH
{
	paper_signer_up();
}

AFTER_EACH
{
	paper_signer_down();
}

static bool is_key(EVP_PKEY *key)
{
	return ps.signer->pubkey &&
	       EVP_PKEY_eq(pubkey_evp(ps.signer->pubkey), key) == 1;
}

/* A list as read from a file, of one certificate of this key. */
static void file_of(EVP_PKEY *key, struct certificate_list *list)
{
	struct paper_object *o = paper_add_certificate(0, "file", "file", key,
						       PAPER_NOW_S, FOREVER);
	const struct paper_attribute *der = paper_attribute(o, CKA_VALUE);
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len;

	o->is_gone = true;
	assert_true(PEM_write_bio(bio, "CERTIFICATE", "", der->value,
				  (long)der->len) > 0);
	len = BIO_get_mem_data(bio, &text);
	assert_int_equal(certificate_list_parse(text, (size_t)len, list, NULL),
			 PO_OK);
	(void)BIO_free(bio);
}

/* ---- tokens ------------------------------------------------------------- */

TEST(a_second_card_with_the_same_label_is_not_guessed)
{
	(void)paper_add_token("lab", "2", 0);
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)paper_add_certificate(1, "1", "key", two, PAPER_NOW_S, FOREVER);
	assert_int_equal(paper_open(LAB), PO_E_AMBIGUOUS);
	paper_says("2 tokens match");
	paper_says("serial=1");
	paper_says("serial=2");
	assert_int_equal(paper_open("pkcs11:token=lab;serial=2;object=key"),
			 PO_OK);
	assert_true(is_key(two));
	assert_string_equal(ps.signer->token_serial, "2");
}

TEST(a_card_that_is_gone_and_one_that_comes_back)
{
	(void)paper_add_token("spare", "2", 0);
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)paper_add_certificate(1, "1", "key", two, PAPER_NOW_S, FOREVER);
	paper.is_absent[0] = true;
	assert_int_equal(paper_open(LAB), PO_E_TOKEN);
	paper_says("there is: ");
	paper_says("token=spare");
	assert_null(ps.signer);
	paper.is_absent[0] = false;
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_true(is_key(one));
	paper.is_absent[0] = true;
	assert_int_equal(token_signer_check(ps.signer, &ps.err), PO_E_TOKEN);
	paper_says("token 'lab' is not there any more");
}

struct part_row {
	const char *name; /* also what the URI says besides */
	bool is_there;
};
static const struct part_row part_rows[] = {
	{ "library-manufacturer=Paper", true },
	{ "library-manufacturer=Pape", false },
	{ "library-description=A4", true },
	{ "library-description=A5", false },
	{ "library-version=0.0", true },
	{ "library-version=99.9", false },
	{ "serial=1", true },
	{ "serial=11", false },
};

/* RFC 7512: all that a URI says must be so. */
ROWS(part_rows, each_part_of_a_uri_counts)
{
	char uri[128];

	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)snprintf(uri, sizeof(uri), "pkcs11:token=lab;object=key;%s",
		       row->name);
	assert_int_equal(paper_open(uri), row->is_there ? PO_OK : PO_E_TOKEN);
	(void)snprintf(uri, sizeof(uri), "pkcs11:object=key;%s", row->name);
	assert_int_equal(paper_open(uri), row->is_there ? PO_OK : PO_E_TOKEN);
}

TEST(no_token_at_all_is_said)
{
	paper.is_absent[0] = true;
	assert_int_equal(paper_open(LAB), PO_E_TOKEN);
	paper_says("shows none at all");
}

TEST(an_empty_card_is_no_token)
{
	paper.tokens[paper_add_token("lab", "2", 0)].flags &=
		~(CK_FLAGS)CKF_TOKEN_INITIALIZED;
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	assert_int_equal(paper_open(LAB), PO_OK);
}

TEST(more_slots_than_are_listed_at_once)
{
	char serial[16];

	for (int i = 2; i <= 70; i++) {
		(void)snprintf(serial, sizeof(serial), "%d", i);
		(void)paper_add_token("other", serial, 0);
	}
	(void)paper_add_certificate(69, "1", "key", one, PAPER_NOW_S, FOREVER);
	assert_int_equal(paper_open("pkcs11:serial=70;object=key"), PO_OK);
	assert_int_equal(paper_calls("C_GetSlotList"), 2);
	assert_true(is_key(one));
}

static unsigned int looks;

static CK_RV count_looks(const char *function)
{
	looks += strcmp(function, "C_GetTokenInfo") == 0;
	return CKR_OK;
}

TEST(more_slots_than_there_are_are_not_believed)
{
	paper.before = count_looks;
	looks = 0;
	paper.claimed_slots = 1000000;
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	/* what lies beyond was zeroed, and is slot 0 once more */
	(void)paper_open("pkcs11:serial=1;object=key");
	assert_in_range(looks, 1, 200);
}

TEST(a_slot_that_says_nothing_of_its_token_is_passed_over)
{
	(void)paper_add_token("broken", "9", 0);
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	assert_int_equal(paper_open("pkcs11:object=key;serial=1"), PO_OK);
}

/* ---- certificates ------------------------------------------------------- */

struct certificate_row {
	const char *name;
	/* two certificates of one key: begin and end in days from now */
	int64_t first_from, first_until, second_from, second_until;
	int wanted; /* 1 or 2 */
};
static const struct certificate_row certificate_rows[] = {
	{ "certificates: the later start wins", -10, 90, -5, 90, 2 },
	{ "certificates: in any order", -5, 90, -10, 90, 1 },
	{ "certificates: the later start, not the later end", -5, 30, -10, 90,
	  1 },
	{ "certificates: one that is valid, not one that is not yet", -10, 90,
	  5, 90, 1 },
	{ "certificates: one that is valid, not one that was", -10, 90, -5, -1,
	  1 },
	{ "certificates: valid though it began earlier", -5, -1, -90, 10, 2 },
	{ "certificates: none is valid, the later start", -90, -50, -40, -10,
	  2 },
	{ "certificates: it ends this very second", -10, 0, -20, 90, 1 },
	{ "certificates: it begins this very second", 0, 90, -20, 90, 1 },
};

ROWS(certificate_rows, of_two_certificates_of_a_key_one_is_chosen)
{
	struct paper_object *first = paper_add_certificate(
		0, "1", "key", one, PAPER_NOW_S + row->first_from * DAY_S,
		PAPER_NOW_S + row->first_until * DAY_S);
	struct paper_object *second = paper_add_certificate(
		0, "1", "key", one, PAPER_NOW_S + row->second_from * DAY_S,
		PAPER_NOW_S + row->second_until * DAY_S);
	const struct paper_attribute *want =
		paper_attribute(row->wanted == 1 ? first : second, CKA_VALUE);
	const uint8_t *der;
	size_t len = 0;

	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(ps.signer->cert_count, 2);
	der = certificate_der(ps.signer->cert, &len);
	assert_int_equal(len, want->len);
	assert_memory_equal(der, want->value, len);
}

TEST(of_certificates_of_two_keys_the_private_key_says_which)
{
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)paper_add_certificate(0, "2", "key", two, PAPER_NOW_S, FOREVER);
	(void)paper_add_private(0, "2", "key", two);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_null(ps.signer->cert); /* not guessed */
	assert_int_equal(paper_unlock(), PO_OK);
	assert_non_null(ps.signer->cert);
	assert_true(is_key(two));
	assert_int_equal(paper_open("pkcs11:token=lab;object=key;id=1"), PO_OK);
	assert_true(is_key(one));
}

TEST(a_public_key_says_which_of_two_certificates_is_meant)
{
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)paper_add_certificate(0, "2", "key", two, PAPER_NOW_S, FOREVER);
	(void)paper_add_public(0, "2", "key", two);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_true(is_key(two));
}

TEST(a_certificate_under_another_label_has_the_keys_id)
{
	(void)paper_add_certificate(0, "1", "other", one, PAPER_NOW_S, FOREVER);
	assert_int_equal(paper_open("pkcs11:token=lab;object=key;id=1"), PO_OK);
	assert_non_null(ps.signer->cert);
}

TEST(one_that_cannot_be_read_is_not_in_the_way_of_another)
{
	struct paper_object *bad =
		paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);

	paper_set(bad, CKA_VALUE, "rubbish", 7);
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	assert_int_equal(paper_open(LAB), PO_OK);
	bad->is_gone = true;
	paper.objects[1].is_gone = true;
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	paper_set(&paper.objects[2], CKA_VALUE, "rubbish", 7);
	assert_int_equal(paper_open(LAB), PO_E_CRYPTO);
}

/* The signer has that object's certificate. */
static bool is_certificate(size_t object)
{
	const struct paper_attribute *a =
		paper_attribute(&paper.objects[object], CKA_VALUE);

	return certificate_has_der(ps.signer->cert, a->value, a->len);
}

TEST(a_successor_is_used_when_the_certificate_is_read_again)
{
	(void)paper_add_certificate(0, "1", "key", one,
				    PAPER_NOW_S - 10 * DAY_S, FOREVER);
	(void)paper_add_private(0, "1", "key", one);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_OK);
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	assert_int_equal(token_signer_refresh(ps.signer, NULL), PO_OK);
	assert_true(is_certificate(2));
	/* one of another key under the same URI is not */
	(void)paper_add_certificate(0, "1", "key", two, PAPER_NOW_S + 1,
				    FOREVER);
	assert_int_equal(token_signer_refresh(ps.signer, NULL), PO_OK);
	assert_true(is_key(one));
	/* and without any the last one stays */
	for (size_t i = 0; i < paper.object_count; i++)
		paper.objects[i].is_gone = true;
	assert_int_equal(token_signer_refresh(ps.signer, NULL), PO_OK);
	assert_non_null(ps.signer->cert);
}

TEST(a_successor_under_another_label_has_the_keys_id)
{
	(void)paper_add_certificate(0, "1", "old", one,
				    PAPER_NOW_S - 10 * DAY_S, FOREVER);
	(void)paper_add_public(0, "1", "key", one);
	(void)paper_add_private(0, "1", "key", one);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_OK);
	(void)paper_add_certificate(0, "1", "new", one, PAPER_NOW_S, FOREVER);
	assert_int_equal(token_signer_refresh(ps.signer, NULL), PO_OK);
	assert_true(is_certificate(3));
}

struct unsaid_row {
	const char *name;
	CK_RV rv;
};
static const struct unsaid_row unsaid_rows[] = {
	{ "not there: no such attribute", CKR_ATTRIBUTE_TYPE_INVALID },
	{ "not there: it is secret", CKR_ATTRIBUTE_SENSITIVE },
	{ "not there: there is no room", CKR_BUFFER_TOO_SMALL },
};

/* What the module says of one attribute is nothing against the others. */
ROWS(unsaid_rows, an_attribute_that_is_not_shown_is_absent)
{
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)paper_add_private(0, "1", "key", one);
	paper.says_of_absent = row->rv;
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_OK);
}

TEST(a_certificate_of_a_file_stays_when_its_successor_is_of_another_key)
{
	struct certificate_list list = { 0 };
	size_t len = 0;

	ps.request.certificates = &list;
	(void)paper_add_public(0, "1", "key", one);
	(void)paper_add_private(0, "1", "key", one);
	file_of(one, &list);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_OK);
	assert_non_null(certificate_der(ps.signer->cert, &len));
	certificate_list_clear(&list);
	file_of(two, &list);
	assert_int_equal(token_signer_refresh(ps.signer, &ps.err), PO_E_CRYPTO);
	assert_non_null(ps.signer->cert);
	assert_true(pubkey_equal(certificate_pubkey(ps.signer->cert),
				 ps.signer->pubkey));
	paper_close(); /* it borrows the list */
	certificate_list_clear(&list);
}

/* ---- keys --------------------------------------------------------------- */

TEST(a_private_key_by_its_label_or_by_its_certificates_id)
{
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)paper_add_private(0, "1", "another label", one);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_OK);
	paper.objects[1].is_gone = true;
	(void)paper_add_private(0, "2", "another label", one);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_E_NOT_FOUND);
	paper_says("no private key matches");
	paper_says("there is: ");
}

TEST(two_private_keys_are_not_guessed)
{
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)paper_add_private(0, "1", "key", one);
	(void)paper_add_private(0, "2", "key", two);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_E_AMBIGUOUS);
	paper_says("several keys match");
}

TEST(another_key_under_the_same_uri_is_not_the_certificates)
{
	struct paper_object *key;

	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	key = paper_add_private(0, "1", "key", two);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_E_CRYPTO);
	paper_says("is of another key than the private key");
	assert_non_null(key);
}

TEST(a_private_key_that_shows_nothing_public_has_its_public_half)
{
	struct paper_object *key = paper_add_private(0, "1", "key", one);

	paper_attribute(key, CKA_EC_POINT)->type = CKA_VENDOR_DEFINED;
	(void)paper_add_public(0, "1", "not its label", one);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_null(ps.signer->pubkey);
	assert_int_equal(paper_unlock(), PO_OK);
	assert_true(is_key(one));
}

TEST(nothing_public_at_all_wants_a_certificate)
{
	struct paper_object *key = paper_add_private(0, "1", "key", one);

	paper_attribute(key, CKA_EC_POINT)->type = CKA_VENDOR_DEFINED;
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_E_NOT_FOUND);
	paper_says("certificate-file");
}

/* ---- lengths and absences that lie -------------------------------------- */

TEST(a_length_beyond_what_was_given_is_no_value)
{
	struct paper_object *cert =
		paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);

	paper_attribute(cert, CKA_ID)->claimed = SIGNER_ID_MAX + 1;
	paper_attribute(cert, CKA_LABEL)->claimed = OBJECT_LABEL_MAX + 1;
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(ps.signer->id_len, 0);
	paper_attribute(cert, CKA_ID)->claimed = 0;
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(ps.signer->id_len, 1);
	paper_attribute(cert, CKA_VALUE)->claimed = 1000000;
	assert_int_equal(paper_open(LAB), PO_E_CRYPTO);
}

TEST(a_key_without_a_type_cannot_be_used)
{
	struct paper_object *key = paper_add_public(0, "1", "key", one);

	paper_attribute(key, CKA_KEY_TYPE)->type = CKA_VENDOR_DEFINED;
	assert_int_equal(paper_open(LAB), PO_E_CRYPTO);
	paper_says("the key has no type");
}

TEST(a_key_of_a_type_that_cannot_sign_is_named)
{
	static const CK_KEY_TYPE des = CKK_DES3;

	paper_set(paper_add_public(0, "1", "key", one), CKA_KEY_TYPE, &des,
		  sizeof(des));
	assert_int_equal(paper_open(LAB), PO_E_CRYPTO);
	paper_says("cannot sign an assertion");
}

struct claim_row {
	const char *name;
	const char *word;
	CK_ATTRIBUTE_TYPE type; /* 0: it has none */
	CK_BBOOL value;
	bool holds;
};
static const struct claim_row claim_rows[] = {
	{ "claim: sensitive", "sensitive", CKA_SENSITIVE, CK_TRUE, true },
	{ "claim: not sensitive", "sensitive", CKA_SENSITIVE, CK_FALSE, false },
	{ "claim: not extractable", "non-extractable", CKA_EXTRACTABLE,
	  CK_FALSE, true },
	{ "claim: extractable", "non-extractable", CKA_EXTRACTABLE, CK_TRUE,
	  false },
	{ "claim: nothing is said of it", "non-extractable", 0, 0, false },
	{ "claim: never extractable", "never-extractable",
	  CKA_NEVER_EXTRACTABLE, CK_TRUE, true },
	{ "claim: nothing is said of never", "never-extractable", 0, 0, false },
	{ "claim: local", "local", CKA_LOCAL, CK_TRUE, true },
	{ "claim: imported", "local", CKA_LOCAL, CK_FALSE, false },
	{ "claim: always-authenticate", "always-authenticate",
	  CKA_ALWAYS_AUTHENTICATE, CK_FALSE, false },
};

ROWS(claim_rows, a_policy_goes_by_what_is_claimed_and_absence_denies)
{
	const char *const words[] = { "sensitive", row->word, NULL };
	struct paper_object *key;

	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	key = paper_add_private(0, "1", "key", one);
	if (row->type)
		paper_set(key, row->type, &row->value, sizeof(row->value));
	ps.request.claims = words;
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), row->holds ? PO_OK : PO_E_POLICY);
	if (!row->holds)
		paper_says(row->word);
}

/* ---- key-spki ----------------------------------------------------------- */

struct spki_row {
	const char *name;
	const char *pins; /* a letter each: Other, Right, right in lower case */
	bool is_taken;
};
static const struct spki_row spki_rows[] = {
	{ "key-spki: none", "", true },
	{ "key-spki: this one", "R", true },
	{ "key-spki: in lower case", "r", true },
	{ "key-spki: another", "O", false },
	{ "key-spki: the first of two", "RO", true },
	{ "key-spki: the second of two", "Or", true },
	{ "key-spki: the last of three", "OOR", true },
	{ "key-spki: none of three", "OOO", false },
};

ROWS(spki_rows, any_of_the_pins_lets_a_key_through_and_no_other)
{
	char right[2 * PUBKEY_SHA256_LEN + 1], lower[sizeof(right)];
	const char *pins[4] = { NULL };
	uint8_t hash[PUBKEY_SHA256_LEN];

	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)paper_add_private(0, "1", "key", one);
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(pubkey_spki_sha256(ps.signer->pubkey, hash, NULL),
			 PO_OK);
	text_hex_upper(right, hash, sizeof(hash));
	for (size_t i = 0; i < sizeof(right); i++)
		lower[i] = (char)tolower((unsigned char)right[i]);
	for (size_t i = 0; row->pins[i]; i++)
		pins[i] = row->pins[i] == 'R'   ? right
			  : row->pins[i] == 'r' ? lower
						: OTHER_SPKI;
	ps.request.spki = pins;
	(void)paper_open(LAB);
	assert_int_equal(ps.signer ? paper_unlock() : PO_E_POLICY,
			 row->is_taken ? PO_OK : PO_E_POLICY);
	if (!row->is_taken)
		paper_says(right);
	assert_int_equal(paper_calls("C_Sign"), 0);
}
