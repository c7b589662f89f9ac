/* SPDX-License-Identifier: Apache-2.0 */
/* What is on the tokens of a module, for a person who looks. */
#include "cryptoki/inventory.h"

#include "paper-signer.h"
#include "unit.h"

#include <openssl/ec.h>
#include <string.h>

#define FOREVER (PAPER_NOW_S + 365 * DAY_S)

static EVP_PKEY *one, *two;
static struct inventory_request request;
static struct inventory *inventory;

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
	request = (struct inventory_request){ .clock = &ps.clock.clock,
					      .module = "/paper/token.so",
					      .pin = ps.pin };
	inventory = NULL;
}

AFTER_EACH
{
	inventory_free(inventory);
	paper.before = NULL;
	paper_signer_down();
}

static void look(void)
{
	struct po_error err = { 0 };

	if (inventory_read(&request, &inventory, &err) != PO_OK)
		fail_msg("%s", err.text);
}

/* Of the first token; fails the test when there is none of this id. */
static const struct inventory_key *key(const char *id)
{
	const struct inventory_token *t = &inventory->tokens[0];

	for (size_t i = 0; i < t->key_count; i++)
		if (t->keys[i].id_len == strlen(id) &&
		    memcmp(t->keys[i].id, id, strlen(id)) == 0)
			return &t->keys[i];
	fail_msg("no key of id '%s'", id);
	return NULL;
}

TEST(what_has_one_id_is_one_key)
{
	(void)paper_add_public(0, "1", "key", one);
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S, FOREVER);
	(void)paper_add_private(0, "1", "key", one);
	request.login = true;
	look();
	assert_int_equal(inventory->token_count, 1);
	assert_int_equal(inventory->tokens[0].key_count, 1);
	assert_true(key("1")->has_private);
	assert_true(key("1")->cert_matches);
	assert_int_equal(EVP_PKEY_eq(pubkey_evp(key("1")->pubkey), one), 1);
}

TEST(an_id_that_begins_another_is_another)
{
	(void)paper_add_public(0, "12", "long", one);
	(void)paper_add_public(0, "1", "short", two);
	(void)paper_add_public(0, "123", "longer", two);
	look();
	assert_int_equal(inventory->tokens[0].key_count, 3);
	assert_string_equal(key("12")->label, "long");
	assert_string_equal(key("1")->label, "short");
	assert_int_equal(EVP_PKEY_eq(pubkey_evp(key("12")->pubkey), one), 1);
	assert_int_equal(EVP_PKEY_eq(pubkey_evp(key("1")->pubkey), two), 1);
}

TEST(objects_without_an_id_stay_alone)
{
	(void)paper_add_public(0, NULL, "a", one);
	(void)paper_add_public(0, NULL, "b", two);
	look();
	assert_int_equal(inventory->tokens[0].key_count, 2);
}

TEST(a_certificate_of_another_key_does_not_match)
{
	(void)paper_add_public(0, "1", "key", one);
	(void)paper_add_certificate(0, "1", "key", two, PAPER_NOW_S, FOREVER);
	look();
	assert_int_equal(inventory->tokens[0].key_count, 1);
	assert_false(key("1")->cert_matches);
	assert_non_null(key("1")->cert);
}

TEST(without_a_login_no_pin_is_sent)
{
	(void)paper_add_private(0, "1", "key", one);
	look();
	assert_int_equal(paper_calls("C_Login"), 0);
	assert_int_equal(inventory->tokens[0].key_count, 0);
	assert_false(inventory->tokens[0].logged_in);
	assert_true(inventory->tokens[0].login_required);
}

struct claim_row {
	const char *name;
	int said; /* -1: nothing */
	enum claim claim;
};
static const struct claim_row claim_rows[] = {
	{ "claims: nothing is said", -1, CLAIM_UNKNOWN },
	{ "claims: no", CK_FALSE, CLAIM_NO },
	{ "claims: yes", CK_TRUE, CLAIM_YES },
};

ROWS(claim_rows, a_claim_is_what_the_token_says)
{
	struct paper_object *o = paper_add_private(0, "1", "key", one);
	CK_BBOOL value = (CK_BBOOL)row->said;

	if (row->said >= 0)
		paper_set(o, CKA_LOCAL, &value, sizeof(value));
	request.login = true;
	look();
	assert_int_equal(key("1")->local, row->claim);
}

struct flag_row {
	const char *name;
	CK_FLAGS flags;
	bool is_low, is_last, is_locked;
};
static const struct flag_row flag_rows[] = {
	{ "flags: none", 0, false, false, false },
	{ "flags: a wrong one", CKF_USER_PIN_COUNT_LOW, true, false, false },
	{ "flags: the last try",
	  CKF_USER_PIN_COUNT_LOW | CKF_USER_PIN_FINAL_TRY, true, true, false },
	{ "flags: locked", CKF_USER_PIN_LOCKED, false, false, true },
};

ROWS(flag_rows, what_a_token_says_of_its_pin_is_there)
{
	paper.tokens[0].flags |= row->flags;
	look();
	assert_int_equal(inventory->tokens[0].pin_count_low, row->is_low);
	assert_int_equal(inventory->tokens[0].pin_final_try, row->is_last);
	assert_int_equal(inventory->tokens[0].pin_locked, row->is_locked);
}

static const char *broken_in;
static CK_RV broken_by;

static CK_RV second_is_broken(const char *function)
{
	return paper.token == 1 && strcmp(function, broken_in) == 0 ? broken_by
								    : CKR_OK;
}

struct broken_row {
	const char *name, *function;
	CK_RV rv;
	const char *fault;
};
static const struct broken_row broken_rows[] = {
	{ "broken: its device", "C_FindObjectsInit", CKR_DEVICE_ERROR,
	  "CKR_DEVICE_ERROR" },
	{ "broken: it is taken away", "C_FindObjectsInit",
	  CKR_TOKEN_NOT_PRESENT, "CKR_TOKEN_NOT_PRESENT" },
	{ "broken: its device was removed", "C_FindObjects", CKR_DEVICE_REMOVED,
	  "CKR_DEVICE_REMOVED" },
};

ROWS(broken_rows, of_two_tokens_one_that_fails_is_listed_with_its_fault)
{
	(void)paper_add_token("other", "2", 0);
	(void)paper_add_public(0, "1", "key", one);
	broken_in = row->function;
	broken_by = row->rv;
	paper.before = second_is_broken;
	look();
	assert_int_equal(inventory->token_count, 2);
	assert_string_equal(inventory->tokens[0].fault, "");
	assert_int_equal(inventory->tokens[0].key_count, 1);
	assert_non_null(strstr(inventory->tokens[1].fault, row->fault));
}

TEST(a_uri_chooses_tokens_and_keys)
{
	(void)paper_add_token("other", "2", 0);
	(void)paper_add_public(0, "1", "key", one);
	(void)paper_add_public(0, "2", "spare", two);
	request.uri = "pkcs11:token=lab;object=spare";
	look();
	assert_int_equal(inventory->token_count, 1);
	assert_int_equal(inventory->tokens[0].key_count, 1);
	assert_string_equal(inventory->tokens[0].keys[0].label, "spare");
}
