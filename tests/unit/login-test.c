/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PINs, logins and signatures on a token: how many tries are spent, in which
 * order the module is called, and that no module keeps us.
 */
#include "in-child.h"
#include "paper-signer.h"

#include <fcntl.h>
#include <openssl/ec.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define LAB "pkcs11:token=lab;object=key"

static EVP_PKEY *one;
static const char message[] = "header.claims";

BEFORE_ALL
{
	one = EVP_EC_gen("P-256");
}

AFTER_ALL
{
	EVP_PKEY_free(one);
}

BEFORE_EACH
{
	paper_signer_up();
	(void)paper_add_certificate(0, "1", "key", one, PAPER_NOW_S - DAY_S,
				    PAPER_NOW_S + DAY_S);
	(void)paper_add_private(0, "1", "key", one);
}

AFTER_EACH
{
	paper.before = NULL;
	paper_signer_down();
}

static enum po_status sign(void)
{
	struct signature made;

	ps.err = (struct po_error){ 0 };
	return signer_sign(ps.signer, ALG_ES256, message, strlen(message),
			   &made, &ps.err);
}

static enum po_status open_and_sign(void)
{
	enum po_status st = paper_open(LAB);

	return st == PO_OK ? sign() : st;
}

static unsigned int logins(void)
{
	return paper_calls("C_Login");
}

/* ---- calls -------------------------------------------------------------- */

TEST(a_signature_is_one_login_one_init_and_one_sign)
{
	assert_int_equal(open_and_sign(), PO_OK);
	assert_int_equal(logins(), 1);
	assert_int_equal(paper_calls("C_SignInit"), 1);
	assert_int_equal(paper_calls("C_Sign"), 1);
	assert_int_equal(sign(), PO_OK);
	assert_int_equal(logins(), 1); /* it stays open */
	assert_int_equal(paper_calls("C_Sign"), 2);
	paper_close();
	assert_int_equal(paper_calls("C_Finalize"), 1);
	assert_non_null(strstr(paper.calls, "C_Login 739154 "));
	assert_true(strstr(paper.calls, "C_OpenSession") <
		    strstr(paper.calls, "C_Login"));
	assert_true(strstr(paper.calls, "C_Login") <
		    strstr(paper.calls, "C_SignInit"));
	assert_true(strstr(paper.calls, "C_SignInit") <
		    strstr(paper.calls, "C_Finalize"));
}

TEST(a_token_that_wants_no_login_gets_none)
{
	paper.tokens[0].flags &= ~(CK_FLAGS)CKF_LOGIN_REQUIRED;
	paper.objects[1].is_private = false;
	assert_int_equal(open_and_sign(), PO_OK);
	assert_int_equal(logins(), 0);
}

TEST(a_key_that_wants_its_pin_for_each_signature_gets_it)
{
	static const CK_BBOOL yes = CK_TRUE;

	paper_set(&paper.objects[1], CKA_ALWAYS_AUTHENTICATE, &yes,
		  sizeof(yes));
	assert_int_equal(open_and_sign(), PO_OK);
	assert_int_equal(logins(), 2);
	/* between init and sign, and with the PIN that is known */
	assert_non_null(strstr(paper.calls,
			       "C_SignInit 0x1041 C_Login again:739154 "
			       "C_Sign"));
	assert_int_equal(sign(), PO_OK);
	assert_int_equal(logins(), 3);
}

TEST(a_key_that_does_not_say_so_gets_it_when_it_refuses)
{
	paper.needs_login_to_sign = true;
	assert_int_equal(open_and_sign(), PO_OK);
	assert_int_equal(logins(), 2);
	assert_int_equal(paper_calls("C_SignInit"), 2);
}

/* ---- tries that are not spent ------------------------------------------- */

struct budget_row {
	const char *name;
	CK_FLAGS flags, without;
	const char *from;
	enum po_status status;
	unsigned int logins;
};
static const struct budget_row budget_rows[] = {
	{ "tries: in order", 0, 0, "file:pin", PO_OK, 1 },
	{ "tries: few are left", CKF_USER_PIN_COUNT_LOW, 0, "file:pin", PO_OK,
	  1 },
	{ "tries: one is left", CKF_USER_PIN_FINAL_TRY, 0, "file:pin",
	  PO_E_PIN_LOCKED, 0 },
	{ "tries: locked", CKF_USER_PIN_LOCKED, 0, "file:pin", PO_E_PIN_LOCKED,
	  0 },
	{ "tries: locked, and one is left",
	  CKF_USER_PIN_LOCKED | CKF_USER_PIN_FINAL_TRY, 0, "file:pin",
	  PO_E_PIN_LOCKED, 0 },
	{ "tries: there is no PIN yet", 0, CKF_USER_PIN_INITIALIZED, "file:pin",
	  PO_E_PIN, 0 },
	{ "tries: one is left, typed on the reader",
	  CKF_USER_PIN_FINAL_TRY | CKF_PROTECTED_AUTHENTICATION_PATH, 0,
	  "file:pin", PO_OK, 1 },
	{ "tries: locked, typed on the reader",
	  CKF_USER_PIN_LOCKED | CKF_PROTECTED_AUTHENTICATION_PATH, 0,
	  "file:pin", PO_E_PIN_LOCKED, 0 },
	{ "tries: a pinpad that is none", 0, 0, "pinpad", PO_E_PIN, 0 },
	{ "tries: a file that is not there", 0, 0, "file:none", PO_E_PIN, 0 },
};

ROWS(budget_rows, a_try_is_spent_only_where_it_may_be)
{
	paper.tokens[0].flags =
		(paper.tokens[0].flags | row->flags) & ~row->without;
	ps.pin.from = row->from;
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), row->status);
	assert_int_equal(logins(), row->logins);
	if (row->flags & CKF_PROTECTED_AUTHENTICATION_PATH && row->logins)
		assert_non_null(strstr(paper.calls, "C_Login (reader)"));
}

/* ---- a PIN that was refused --------------------------------------------- */

TEST(a_refused_pin_is_not_sent_again_by_itself)
{
	paper_pin("000000");
	assert_int_equal(open_and_sign(), PO_E_PIN);
	paper_says("wrong PIN");
	for (int i = 0; i < 3; i++) {
		kept_pin_clear(&ps.kept); /* as another run has it */
		assert_int_equal(open_and_sign(), PO_E_PIN);
		paper_says("--retry-pin");
		paper_says("2027-01-15");
	}
	assert_int_equal(logins(), 1);
	kept_pin_clear(&ps.kept);
	ps.pin.retry = true;
	assert_int_equal(open_and_sign(), PO_E_PIN);
	assert_int_equal(logins(), 2);
	ps.pin.retry = false;
	kept_pin_clear(&ps.kept);
	paper_pin("739154");
	assert_int_equal(open_and_sign(), PO_OK);
	assert_int_equal(logins(), 3);
}

TEST(another_pin_than_the_refused_one_is_sent)
{
	paper_pin("000000");
	assert_int_equal(open_and_sign(), PO_E_PIN);
	kept_pin_clear(&ps.kept);
	paper_pin("111111");
	assert_int_equal(open_and_sign(), PO_E_PIN);
	assert_int_equal(logins(), 2);
	/* the last one is remembered; who goes back and forth is not stopped */
	kept_pin_clear(&ps.kept);
	assert_int_equal(open_and_sign(), PO_E_PIN);
	assert_int_equal(logins(), 2);
}

TEST(what_one_token_refused_another_may_take)
{
	unsigned int other = paper_add_token("other", "2", 0);

	(void)paper_add_certificate(other, "1", "key", one, PAPER_NOW_S - DAY_S,
				    PAPER_NOW_S + DAY_S);
	(void)paper_add_private(other, "1", "key", one);
	paper_pin("000000");
	assert_int_equal(open_and_sign(), PO_E_PIN);
	kept_pin_clear(&ps.kept);
	paper.pin = "000000";
	assert_int_equal(paper_open("pkcs11:token=other;object=key"), PO_OK);
	assert_int_equal(sign(), PO_OK);
	assert_int_equal(logins(), 2);
}

TEST(what_one_token_refused_another_of_that_label_may_take)
{
	paper_pin("000000");
	assert_int_equal(open_and_sign(), PO_E_PIN);
	kept_pin_clear(&ps.kept);
	memset(paper.tokens[0].serialNumber, '7',
	       sizeof(paper.tokens[0].serialNumber));
	paper.pin = "000000";
	assert_int_equal(open_and_sign(), PO_OK);
	assert_int_equal(logins(), 2);
}

TEST(a_right_pin_forgets_the_refused_one)
{
	paper_pin("000000");
	assert_int_equal(open_and_sign(), PO_E_PIN);
	kept_pin_clear(&ps.kept);
	paper_pin("739154");
	assert_int_equal(open_and_sign(), PO_OK);
	kept_pin_clear(&ps.kept);
	paper_pin("000000"); /* it was right once, as far as is known */
	assert_int_equal(open_and_sign(), PO_E_PIN);
	assert_int_equal(logins(), 3);
}

/* The token was unlocked with the PIN that it refused. */
TEST(a_refused_pin_that_a_person_sends_and_that_is_right_is_forgotten)
{
	paper_pin("000000");
	assert_int_equal(open_and_sign(), PO_E_PIN);
	kept_pin_clear(&ps.kept);
	paper.pin = "000000";
	ps.pin.retry = true;
	assert_int_equal(open_and_sign(), PO_OK);
	ps.pin.retry = false;
	kept_pin_clear(&ps.kept);
	assert_int_equal(open_and_sign(), PO_OK);
	assert_int_equal(logins(), 3);
}

TEST(in_one_run_a_login_that_failed_is_the_last)
{
	paper_pin("000000");
	assert_int_equal(paper_open(LAB), PO_OK);
	assert_int_equal(paper_unlock(), PO_E_PIN);
	paper_pin("739154");
	assert_int_equal(paper_open(LAB), PO_OK); /* the same kept PIN */
	assert_int_equal(paper_unlock(), PO_E_PIN);
	paper_says("a login failed before");
	assert_int_equal(logins(), 1);
}

static CK_RV login_says;

static CK_RV no_login(const char *function)
{
	return strcmp(function, "C_Login") == 0 ? login_says : CKR_OK;
}

struct refusal_row {
	const char *name;
	CK_RV rv;
	bool is_remembered;
};
static const struct refusal_row refusal_rows[] = {
	{ "refused: incorrect", CKR_PIN_INCORRECT, true },
	{ "refused: invalid", CKR_PIN_INVALID, true },
	{ "refused: its length", CKR_PIN_LEN_RANGE, true },
	{ "refused: locked, not looked at", CKR_PIN_LOCKED, false },
	{ "refused: expired, but right", CKR_PIN_EXPIRED, false },
	{ "refused: the device failed", CKR_DEVICE_ERROR, false },
};

ROWS(refusal_rows, a_pin_that_the_token_looked_at_and_refused_is_remembered)
{
	login_says = row->rv;
	paper.before = no_login;
	assert_int_not_equal(open_and_sign(), PO_OK);
	kept_pin_clear(&ps.kept);
	paper.before = NULL;
	assert_int_equal(open_and_sign(),
			 row->is_remembered ? PO_E_PIN : PO_OK);
	assert_int_equal(logins(), row->is_remembered ? 1 : 2);
}

TEST(without_a_place_to_remember_it_a_stored_pin_is_withheld)
{
	assert_int_equal(setenv("XDG_STATE_HOME", "/proc/nowhere", 1), 0);
	assert_int_equal(open_and_sign(), PO_E_PIN);
	paper_says("withheld");
	assert_int_equal(logins(), 0);
	ps.pin.retry = true;
	assert_int_equal(open_and_sign(), PO_OK);
	assert_int_equal(logins(), 1);
}

/* ---- modules that fail, or do not come back ----------------------------- */

static const char *failing;
static CK_RV fails_with;
static int hangs_in_pipe[2];

static CK_RV fail_there(const char *function)
{
	return strcmp(function, failing) == 0 ? fails_with : CKR_OK;
}

struct failing_row {
	const char *name;
	const char *function;
	CK_RV rv;
	enum po_status status;
};
static const struct failing_row failing_rows[] = {
	{ "failing: no slots", "C_GetSlotList", CKR_DEVICE_ERROR, PO_E_DEVICE },
	{ "failing: no session", "C_OpenSession", CKR_SESSION_COUNT,
	  PO_E_DEVICE },
	{ "failing: no search", "C_FindObjectsInit", CKR_DEVICE_ERROR,
	  PO_E_DEVICE },
	{ "failing: no attributes", "C_GetAttributeValue", CKR_DEVICE_ERROR,
	  PO_E_DEVICE },
	{ "failing: no signature", "C_Sign", CKR_DEVICE_ERROR, PO_E_DEVICE },
	{ "failing: the token is gone", "C_SignInit", CKR_TOKEN_NOT_PRESENT,
	  PO_E_TOKEN },
};

ROWS(failing_rows, a_function_that_fails_is_named_and_the_module_finalised)
{
	failing = row->function;
	fails_with = row->rv;
	paper.before = fail_there;
	assert_int_equal(open_and_sign(), row->status);
	assert_int_equal(ps.err.native, (long)row->rv);
	paper_says(row->function);
	paper_close();
	assert_int_equal(paper_calls("C_Finalize"), 1);
}

TEST(a_wrong_signature_is_not_given_out)
{
	EVP_PKEY *other = EVP_EC_gen("P-256");

	paper.objects[1].key = other;
	assert_int_equal(open_and_sign(), PO_E_CRYPTO);
	paper_says("does not verify");
	EVP_PKEY_free(other);
}

static int64_t hurried_ms(void *user)
{
	(void)user;
	return __atomic_add_fetch(&ps.clock.monotonic_ms, 200,
				  __ATOMIC_SEQ_CST);
}

/* Each call takes 400 ms by the clock and no time at all; the last one
 * waits. */
static CK_RV slow_calls(const char *function)
{
	struct pollfd nobody = { .fd = hangs_in_pipe[0], .events = POLLIN };

	fake_clock_advance(&ps.clock, 400);
	if (strcmp(function, "C_Sign") == 0)
		(void)poll(&nobody, 1, 1000);
	return CKR_OK;
}

/* A device that is lost leaves a thread that hangs: in a child, which ends as
 * the program does then. */
TEST_IN_CHILD(slow_calls_add_up_to_one_deadline)
{
	CHECK(pipe2(hangs_in_pipe, O_CLOEXEC) == 0);
	ps.request.timeout_s = 2;
	paper.before = slow_calls;
	CHECK(open_and_sign() == PO_E_DEVICE);
	CHECK(strstr(ps.err.text, "did not answer in time (in C_Sign)"));
}

/* C_Sign takes 3 s by the clock, and as long as it takes until that is seen. */
static CK_RV signs_slowly(const char *function)
{
	struct pollfd nobody = { .fd = -1 };

	if (strcmp(function, "C_Sign") == 0) {
		fake_clock_advance(&ps.clock, 3000);
		(void)poll(&nobody, 1, 100);
	}
	return CKR_OK;
}

struct use_row {
	const char *name;
	enum po_status (*begin)(struct signer *s, struct po_error *err);
};
static const struct use_row use_rows[] = {
	{ "the whole time for each use: a request", token_signer_refresh },
	{ "the whole time for each use: a look", token_signer_check },
};

/* An agent's is open for weeks. */
ROWS(use_rows, a_key_that_stays_open_is_not_lost_for_its_many_signatures)
{
	ps.request.timeout_s = 4;
	assert_int_equal(open_and_sign(), PO_OK);
	paper.before = signs_slowly;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(row->begin(ps.signer, &ps.err), PO_OK);
		assert_int_equal(sign(), PO_OK);
	}
	assert_int_equal(logins(), 1);
}

static CK_RV hang_there(const char *function)
{
	char c;

	if (strcmp(function, failing) == 0)
		(void)!read(hangs_in_pipe[0], &c, 1);
	return CKR_OK;
}

/* The clock hurries, so that a deadline is a few looks away; a module that
 * hangs in the end has a deadline of its own, however long the token's is. */
TEST_IN_CHILD(c_finalize_has_a_deadline_of_its_own)
{
	int64_t before_ms, took_ms;

	CHECK(pipe2(hangs_in_pipe, O_CLOEXEC) == 0);
	ps.request.timeout_s = 30;
	CHECK(open_and_sign() == PO_OK);
	failing = "C_Finalize";
	paper.before = hang_there;
	ps.clock.clock.monotonic_ms = hurried_ms;
	before_ms = ps.clock.monotonic_ms;
	paper_close();
	took_ms = ps.clock.monotonic_ms - before_ms;
	CHECK(took_ms >= 3000 && took_ms <= 10000);
	CHECK(device_was_lost());
}
