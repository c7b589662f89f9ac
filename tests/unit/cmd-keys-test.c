/* SPDX-License-Identifier: Apache-2.0 */
/* `keys`: what a person, or a program, is told of tokens and keys. */
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "conf/profile.h"
#include "cryptoki/inventory.h"
#include "fake-clock.h"
#include "flow/env.h"
#include "test-data.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY INT64_C(86400)
#define BEGINS INT64_C(1578605484) /* of sandbox/cert.pem */
#define ENDS INT64_C(1751405484)

static struct fake_clock fake;
static struct profile *profile;
static struct inventory *inventory; /* the command's, once it has run */
static struct inventory_token *token;
static struct inventory_request asked;
static char text[4096]; /* what was printed */
static json_t *printed; /* owned; NULL: it was text */

/* NOLINTBEGIN */
enum po_status __wrap_inventory_read(const struct inventory_request *req,
				     struct inventory **ret_inventory,
				     struct po_error *err);
enum po_status __wrap_output_text(const char *said, struct po_error *err);
enum po_status __wrap_output_json(const json_t *value, struct po_error *err);
/* NOLINTEND */

enum po_status __wrap_inventory_read(const struct inventory_request *req,
				     struct inventory **ret_inventory,
				     struct po_error *err)
{
	(void)err;
	asked = *req;
	*ret_inventory = po_steal(inventory);
	return PO_OK;
}

enum po_status __wrap_output_text(const char *said, struct po_error *err)
{
	(void)err;
	(void)snprintf(text, sizeof(text), "%s", said);
	return PO_OK;
}

enum po_status __wrap_output_json(const json_t *value, struct po_error *err)
{
	(void)err;
	printed = json_deep_copy(value);
	return PO_OK;
}

static void set(char *out, size_t size, const char *to)
{
	assert_true(snprintf(out, size, "%s", to) < (int)size);
}

/* One token, without keys, for the next run. */
static void fresh_inventory(void)
{
	inventory_free(inventory);
	inventory = calloc(1, sizeof(*inventory));
	token = calloc(1, sizeof(*token));
	assert_true(inventory && token);
	token->keys = calloc(1, sizeof(*token->keys));
	assert_non_null(token->keys);
	inventory->tokens = token;
	inventory->token_count = 1;
	set(token->label, sizeof(token->label), "lab");
	set(token->model, sizeof(token->model), "Model 1");
	set(token->uri, sizeof(token->uri), "pkcs11:token=lab");
}

BEFORE_EACH
{
	fake_clock_init(&fake, BEGINS + DAY);
	profile = profile_new("lab");
	assert_non_null(profile);
	fresh_inventory();
	token->initialized = true;
	text[0] = '\0';
	printed = NULL;
}

AFTER_EACH
{
	inventory_free(inventory);
	inventory = NULL;
	profile_free(profile);
	json_decref(printed);
}

/* A key on the token: its public half and its certificate, and no more. */
static struct inventory_key *add_key(void)
{
	struct inventory_key *k = &token->keys[token->key_count++];
	po_auto_t(EVP_PKEY) *key = data_private_key("sandbox/key.pem");

	k->pubkey = public_half(key);
	k->cert = data_certificate("sandbox/cert.pem");
	k->cert_matches = true;
	memcpy(k->id, "\x0a\xb0", 2);
	k->id_len = 2;
	set(k->label, sizeof(k->label), "one");
	set(k->uri, sizeof(k->uri), "pkcs11:token=lab;object=one");
	return k;
}

static void run(bool is_json)
{
	const struct command_line line = { .operand_count = 0 };
	const struct po_env env = { .clock = &fake.clock };
	const bool login = true; /* the command's own option */
	const struct cmd_context ctx = { .line = &line,
					 .opts = &login,
					 .profile = profile,
					 .env = &env,
					 .json = is_json };
	struct po_error err = { 0 };

	if (cmd_keys.run(&ctx, &err) != PO_OK)
		fail_msg("%s", err.text);
}

/* Of what was printed: the first token, and its first key. */
static const json_t *printed_token(void)
{
	return json_array_get(json_object_get(printed, "tokens"), 0);
}

static const json_t *printed_key(void)
{
	return json_array_get(json_object_get(printed_token(), "keys"), 0);
}

static void says(const char *said)
{
	if (!strstr(text, said))
		fail_msg("no '%s' in: %s", said, text);
}

static void says_not(const char *said)
{
	if (strstr(text, said))
		fail_msg("'%s' in: %s", said, text);
}

TEST(settings_of_the_profile_are_heeded)
{
	static char module[] = "/paper/module.so", arguments[] = "a=b";

	assert_int_equal(cmd_keys.opts_size, sizeof(bool));
	profile->module = module;
	profile->module_init_args = arguments;
	profile->token_timeout_s = 7;
	run(false);
	profile->module = profile->module_init_args = NULL; /* not owned */
	assert_string_equal(asked.module, "/paper/module.so");
	assert_string_equal(asked.init_args, "a=b");
	assert_int_equal(asked.timeout_s, 7);
	assert_true(asked.login);
	assert_null(asked.uri);
}

/* ---- tokens ------------------------------------------------------------- */

struct state_row {
	const char *name;
	bool is_low, is_final, is_locked;
	const char *said;
};
static const struct state_row state_rows[] = {
	{ "PIN: nothing is said", false, false, false, "(Model 1)\n" },
	{ "PIN: a wrong try", true, false, false, "a wrong PIN was tried" },
	{ "PIN: the last try", true, true, false, "LAST TRY before" },
	{ "PIN: the last try alone", false, true, false, "LAST TRY before" },
	{ "PIN: locked", true, true, true, "PIN LOCKED" },
};

ROWS(state_rows, the_gravest_of_a_pin_is_said)
{
	token->pin_count_low = row->is_low;
	token->pin_final_try = row->is_final;
	token->pin_locked = row->is_locked;
	run(false);
	says(row->said);
	says("token 'lab' (Model 1)");
	says("\n  uri pkcs11:token=lab\n");
	assert_int_equal(strstr(text, "LAST TRY") && strstr(text, "wrong PIN"),
			 0);
}

TEST(every_flag_of_a_token_has_a_member)
{
	static const struct {
		const char *name;
		size_t offset;
	} members[] = {
		{ "initialized",
		  offsetof(struct inventory_token, initialized) },
		{ "login_required",
		  offsetof(struct inventory_token, login_required) },
		{ "pin_count_low",
		  offsetof(struct inventory_token, pin_count_low) },
		{ "pin_final_try",
		  offsetof(struct inventory_token, pin_final_try) },
		{ "pin_locked", offsetof(struct inventory_token, pin_locked) },
		{ "protected_authentication_path",
		  offsetof(struct inventory_token, pinpad) },
	};

	for (size_t on = 0; on < PO_ARRAY_SIZE(members); on++) {
		fresh_inventory();
		*(bool *)((char *)token + members[on].offset) = true;
		run(true);
		for (size_t i = 0; i < PO_ARRAY_SIZE(members); i++)
			assert_int_equal(
				json_is_true(json_object_get(printed_token(),
							     members[i].name)),
				i == on);
		json_decref(printed);
		printed = NULL;
	}
}

TEST(a_token_that_is_not_ready_or_not_readable_says_so)
{
	token->initialized = false;
	set(token->fault, sizeof(token->fault), "the module\x1b[31m failed");
	run(false);
	says("(Model 1, not initialised)");
	says("  NOT READABLE: the module\\x1b[31m failed\n");
}

TEST(a_fault_is_a_member_where_there_is_one)
{
	run(true);
	assert_null(json_object_get(printed_token(), "fault"));
}

/* ---- keys --------------------------------------------------------------- */

TEST(a_key_has_its_names)
{
	struct inventory_key *k = add_key();

	k->has_private = true;
	k->sign = CLAIM_YES;
	k->extractable = CLAIM_NO;
	set(k->label, sizeof(k->label), "o\nne");
	run(false);
	says("  key 'o\\x0ane'\n    uri         pkcs11:token=lab;object=one\n");
	says("    type        RSA-2048\n");
	says("    certificate CN=jwt.careevolution.com\n");
	says("    claimed     sign, not extractable\n");
	says("    x5t-hex     ");
}

TEST(a_key_that_cannot_be_read_is_there_all_the_same)
{
	struct inventory_key *k = add_key();

	pubkey_free(po_steal(k->pubkey));
	run(false);
	says("    type        not for JOSE, or not readable\n");
	says("    private key not seen (--login shows it)\n");
	says_not("claimed");
}

TEST(a_certificate_of_another_key_is_said)
{
	add_key()->cert_matches = false;
	run(false);
	says("CN=jwt.careevolution.com - OF ANOTHER KEY\n");
}

struct valid_row {
	const char *name;
	int64_t now_s;
	const char *said;
	bool is_expired;
};
static const struct valid_row valid_rows[] = {
	{ "valid: not yet", BEGINS - 1, "(not valid yet)", false },
	{ "valid: its first second", BEGINS, "(2000 days left)", false },
	{ "valid: its last second", ENDS, "(0 days left)", false },
	{ "valid: no more", ENDS + 1, "(expired 0 days ago)", true },
	{ "valid: for two days no more", ENDS + 2 * DAY, "(expired 2 days ago)",
	  true },
};

ROWS(valid_rows, a_certificate_is_told_with_what_is_left_of_it)
{
	const json_t *key;

	(void)add_key();
	fake_clock_init(&fake, row->now_s);
	run(false);
	says("    valid       2020-01-09 to 2025-07-01 ");
	says(row->said);
	fresh_inventory();
	(void)add_key();
	run(true);
	key = printed_key();
	assert_int_equal(
		json_is_true(json_object_get(
			json_object_get(key, "certificate"), "expired")),
		row->is_expired);
	assert_true(json_is_true(json_object_get(key, "certificate_matches")));
	assert_string_equal(json_text(key, "id"), "0AB0");
	assert_string_equal(json_text(key, "type"), "RSA-2048");
	assert_int_equal(json_integer_value(json_object_get(key, "bits")),
			 2048);
	assert_null(json_object_get(key, "claimed"));
}

TEST(what_a_key_claims_is_told_as_far_as_it_does)
{
	struct inventory_key *k = add_key();
	const json_t *claimed;

	k->has_private = true;
	k->sensitive = k->local = CLAIM_YES;
	k->extractable = k->always_authenticate = CLAIM_NO;
	run(true);
	claimed = json_object_get(printed_key(), "claimed");
	assert_int_equal(json_object_size(claimed), 4);
	assert_true(json_is_true(json_object_get(claimed, "sensitive")));
	assert_true(json_is_true(json_object_get(claimed, "local")));
	assert_true(json_is_false(json_object_get(claimed, "extractable")));
	assert_true(
		json_is_false(json_object_get(claimed, "always-authenticate")));
}
