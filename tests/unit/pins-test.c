/* SPDX-License-Identifier: Apache-2.0 */
/* The PINs that people typed: whose, for how long, and for which try. */
#include "agent/pins.h"

#include "unit.h"

#include <stdio.h>
#include <string.h>

#define MANY 32 /* tokens that are kept at once */

static const struct pin_token lab = { .label = "lab", .serial = "1" };
static const struct pin_token other_label = { .label = "other", .serial = "1" };
static const struct pin_token other_serial = { .label = "lab", .serial = "2" };
static const struct pin_token last_try = { .label = "lab",
					   .serial = "1",
					   .last_try = true };

static struct pins *pins;

BEFORE_EACH
{
	pins = pins_new();
	assert_non_null(pins);
}

AFTER_EACH
{
	pins_free(pins);
}

static void offer(const char *pin)
{
	struct secret *s = secret_from(pin, strlen(pin));

	assert_non_null(s);
	pins_offer(pins, s);
}

static void gives(const struct pin_token *token, const char *want)
{
	const struct pin_asker *asker = pins_asker(pins);
	struct secret *pin = NULL;

	assert_int_equal(asker->ask(asker->user, token, &pin, NULL), PO_OK);
	assert_non_null(pin);
	assert_string_equal(secret_reveal(pin), want);
	secret_free(pin);
}

static void gives_none(const struct pin_token *token, enum po_status why)
{
	const struct pin_asker *asker = pins_asker(pins);
	struct po_error err = { 0 };
	struct secret *pin = NULL;

	assert_int_equal(asker->ask(asker->user, token, &pin, &err), why);
	assert_int_equal(err.status, why);
	assert_non_null(strstr(err.text, "unlock"));
	assert_null(pin);
}

static bool is_there(void)
{
	return pins_asker(pins)->is_there(pins_asker(pins)->user);
}

/* As an unlock that the token accepted. */
static void unlock(const struct pin_token *token, const char *pin)
{
	offer(pin);
	gives(token, pin);
	pins_keep(pins, token->label, token->serial);
	pins_withdraw(pins);
}

TEST(at_first_there_is_none)
{
	pins_free(NULL);
	gives_none(&lab, PO_E_PIN);
	assert_false(is_there());
	assert_false(pins_forget(pins, "lab", "1"));
}

TEST(an_offer_is_for_any_token)
{
	offer("1234");
	assert_true(is_there());
	gives(&lab, "1234");
	gives(&lab, "1234");
	gives(&other_label, "1234");
	pins_withdraw(pins);
	assert_false(is_there());
	gives_none(&lab, PO_E_PIN);
}

/* One that is known to be another than the one that was taken. */
TEST(another_than_the_kept_one)
{
	unlock(&lab, "1234");
	assert_true(pins_offer_fits(pins, "lab", "1"));
	offer("1235");
	assert_false(pins_offer_fits(pins, "lab", "1"));
	assert_true(pins_offer_fits(pins, "lab", "2"));
	offer("12345");
	assert_false(pins_offer_fits(pins, "lab", "1"));
	offer("1234");
	assert_true(pins_offer_fits(pins, "lab", "1"));
	pins_offer(pins, NULL);
	assert_true(pins_offer_fits(pins, "lab", "1"));
	pins_withdraw(pins);
}

TEST(kept_is_for_the_one_that_took_it)
{
	unlock(&lab, "1234");
	assert_false(is_there());
	gives(&lab, "1234");
	gives(&lab, "1234"); /* as often as need be */
	gives_none(&other_label, PO_E_PIN);
	gives_none(&other_serial, PO_E_PIN);
}

TEST(forgotten)
{
	unlock(&lab, "1234");
	unlock(&other_serial, "5678");
	assert_false(pins_forget(pins, "lab", "3"));
	assert_false(pins_forget(pins, "la", "1"));
	assert_true(pins_forget(pins, "lab", "1"));
	assert_false(pins_forget(pins, "lab", "1"));
	gives_none(&lab, PO_E_PIN);
	gives(&other_serial, "5678");
}

TEST(an_offer_that_nobody_asked_for_is_not_kept)
{
	offer("1234");
	/* the token was logged in already: nothing vouches for this PIN */
	pins_keep(pins, "lab", "1");
	pins_withdraw(pins);
	gives_none(&lab, PO_E_PIN);
	/* what one unlock was asked does not count for the next */
	offer("1234");
	gives(&lab, "1234");
	pins_withdraw(pins);
	offer("5678");
	pins_keep(pins, "lab", "1");
	pins_withdraw(pins);
	gives_none(&lab, PO_E_PIN);
}

TEST(an_offer_goes_before_what_is_kept)
{
	unlock(&lab, "1234");
	offer("5678");
	gives(&lab, "5678");
	pins_withdraw(pins);
	gives(&lab, "1234");
	unlock(&lab, "5678");
	gives(&lab, "5678");
	assert_true(pins_forget(pins, "lab", "1"));
	gives_none(&lab, PO_E_PIN); /* it is not there twice */
}

TEST(the_last_try_is_a_persons)
{
	offer("1234");
	gives(&last_try, "1234");
	pins_keep(pins, "lab", "1");
	pins_withdraw(pins);
	gives_none(&last_try, PO_E_PIN_LOCKED);
	gives(&lab, "1234"); /* it is still kept for better days */
	offer("5678");
	gives(&last_try, "5678");
	pins_withdraw(pins);
}

TEST(a_person_without_a_pin)
{
	unlock(&lab, "1234");
	pins_offer(pins, NULL);
	assert_true(is_there());
	pins_keep(pins, "other", "1");
	gives(&lab, "1234");
	gives_none(&other_label, PO_E_PIN);
	gives_none(&last_try, PO_E_PIN_LOCKED);
	pins_withdraw(pins);
	assert_false(is_there());
}

TEST(as_many_as_there_is_room_for)
{
	char serial[16];
	struct pin_token token = { .label = "many", .serial = serial };

	for (int i = 0; i <= MANY; i++) {
		(void)snprintf(serial, sizeof(serial), "%d", i);
		unlock(&token, serial);
	}
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(serial, sizeof(serial), "%d", i);
		gives(&token, serial);
	}
	(void)snprintf(serial, sizeof(serial), "%d", MANY);
	gives_none(&token, PO_E_PIN);
	assert_true(pins_forget(pins, "many", "7"));
	unlock(&token, "there is room again");
	gives(&token, "there is room again");
}
