/* SPDX-License-Identifier: Apache-2.0 */
/* The PINs that people typed: whose, for how long, and for which try. */
#include "agent/pins.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MANY 32 /* tokens that are kept at once */

static const struct pin_token lab = { .label = "lab", .serial = "1" };
static const struct pin_token other_label = { .label = "other", .serial = "1" };
static const struct pin_token other_serial = { .label = "lab", .serial = "2" };
static const struct pin_token last_try = { .label = "lab",
					   .serial = "1",
					   .last_try = true };

static int set_up(void **state)
{
	*state = pins_new();
	return *state ? 0 : -1;
}

static int tear_down(void **state)
{
	pins_free(*state);
	return 0;
}

static void offer(struct pins *pins, const char *pin)
{
	struct secret *s = secret_from(pin, strlen(pin));

	assert_non_null(s);
	pins_offer(pins, s);
}

static void gives(struct pins *pins, const struct pin_token *token,
		  const char *want)
{
	const struct pin_asker *asker = pins_asker(pins);
	struct secret *pin = NULL;

	assert_int_equal(asker->ask(asker->user, token, &pin, NULL), PO_OK);
	assert_non_null(pin);
	assert_string_equal(secret_reveal(pin), want);
	secret_free(pin);
}

static void gives_none(struct pins *pins, const struct pin_token *token,
		       enum po_status why)
{
	const struct pin_asker *asker = pins_asker(pins);
	struct po_error err = { 0 };
	struct secret *pin = NULL;

	assert_int_equal(asker->ask(asker->user, token, &pin, &err), why);
	assert_int_equal(err.status, why);
	assert_non_null(strstr(err.text, "unlock"));
	assert_null(pin);
}

static bool is_there(struct pins *pins)
{
	return pins_asker(pins)->is_there(pins_asker(pins)->user);
}

/* As an unlock that the token accepted. */
static void unlock(struct pins *pins, const struct pin_token *token,
		   const char *pin)
{
	offer(pins, pin);
	gives(pins, token, pin);
	pins_keep(pins, token->label, token->serial);
	pins_withdraw(pins);
}

static void at_first_there_is_none(void **state)
{
	gives_none(*state, &lab, PO_E_PIN);
	assert_false(is_there(*state));
	assert_false(pins_forget(*state, "lab", "1"));
}

static void an_offer_is_for_any_token(void **state)
{
	offer(*state, "1234");
	assert_true(is_there(*state));
	gives(*state, &lab, "1234");
	gives(*state, &lab, "1234");
	gives(*state, &other_label, "1234");
	pins_withdraw(*state);
	assert_false(is_there(*state));
	gives_none(*state, &lab, PO_E_PIN);
}

/* One that is known to be another than the one that was taken. */
static void another_than_the_kept_one(void **state)
{
	unlock(*state, &lab, "1234");
	assert_true(pins_offer_fits(*state, "lab", "1"));
	offer(*state, "1235");
	assert_false(pins_offer_fits(*state, "lab", "1"));
	assert_true(pins_offer_fits(*state, "lab", "2"));
	offer(*state, "12345");
	assert_false(pins_offer_fits(*state, "lab", "1"));
	offer(*state, "1234");
	assert_true(pins_offer_fits(*state, "lab", "1"));
	pins_offer(*state, NULL);
	assert_true(pins_offer_fits(*state, "lab", "1"));
	pins_withdraw(*state);
}

static void kept_is_for_the_one_that_took_it(void **state)
{
	unlock(*state, &lab, "1234");
	assert_false(is_there(*state));
	gives(*state, &lab, "1234");
	gives(*state, &lab, "1234"); /* as often as need be */
	gives_none(*state, &other_label, PO_E_PIN);
	gives_none(*state, &other_serial, PO_E_PIN);
}

static void forgotten(void **state)
{
	unlock(*state, &lab, "1234");
	unlock(*state, &other_serial, "5678");
	assert_false(pins_forget(*state, "lab", "3"));
	assert_false(pins_forget(*state, "la", "1"));
	assert_true(pins_forget(*state, "lab", "1"));
	assert_false(pins_forget(*state, "lab", "1"));
	gives_none(*state, &lab, PO_E_PIN);
	gives(*state, &other_serial, "5678");
}

static void an_offer_that_nobody_asked_for_is_not_kept(void **state)
{
	offer(*state, "1234");
	/* the token was logged in already: nothing vouches for this PIN */
	pins_keep(*state, "lab", "1");
	pins_withdraw(*state);
	gives_none(*state, &lab, PO_E_PIN);
	/* what one unlock was asked does not count for the next */
	offer(*state, "1234");
	gives(*state, &lab, "1234");
	pins_withdraw(*state);
	offer(*state, "5678");
	pins_keep(*state, "lab", "1");
	pins_withdraw(*state);
	gives_none(*state, &lab, PO_E_PIN);
}

static void an_offer_goes_before_what_is_kept(void **state)
{
	unlock(*state, &lab, "1234");
	offer(*state, "5678");
	gives(*state, &lab, "5678");
	pins_withdraw(*state);
	gives(*state, &lab, "1234");
	unlock(*state, &lab, "5678");
	gives(*state, &lab, "5678");
	assert_true(pins_forget(*state, "lab", "1"));
	gives_none(*state, &lab, PO_E_PIN); /* it is not there twice */
}

static void the_last_try_is_a_persons(void **state)
{
	offer(*state, "1234");
	gives(*state, &last_try, "1234");
	pins_keep(*state, "lab", "1");
	pins_withdraw(*state);
	gives_none(*state, &last_try, PO_E_PIN_LOCKED);
	gives(*state, &lab, "1234"); /* it is still kept for better days */
	offer(*state, "5678");
	gives(*state, &last_try, "5678");
	pins_withdraw(*state);
}

static void a_person_without_a_pin(void **state)
{
	unlock(*state, &lab, "1234");
	pins_offer(*state, NULL);
	assert_true(is_there(*state));
	pins_keep(*state, "other", "1");
	gives(*state, &lab, "1234");
	gives_none(*state, &other_label, PO_E_PIN);
	gives_none(*state, &last_try, PO_E_PIN_LOCKED);
	pins_withdraw(*state);
	assert_false(is_there(*state));
}

static void as_many_as_there_is_room_for(void **state)
{
	char serial[16];
	struct pin_token token = { .label = "many", .serial = serial };

	for (int i = 0; i <= MANY; i++) {
		(void)snprintf(serial, sizeof(serial), "%d", i);
		unlock(*state, &token, serial);
	}
	for (int i = 0; i < MANY; i++) {
		(void)snprintf(serial, sizeof(serial), "%d", i);
		gives(*state, &token, serial);
	}
	(void)snprintf(serial, sizeof(serial), "%d", MANY);
	gives_none(*state, &token, PO_E_PIN);
	assert_true(pins_forget(*state, "many", "7"));
	unlock(*state, &token, "there is room again");
	gives(*state, &token, "there is room again");
}

#define WITH_PINS(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_PINS(at_first_there_is_none),
		WITH_PINS(an_offer_is_for_any_token),
		WITH_PINS(another_than_the_kept_one),
		WITH_PINS(kept_is_for_the_one_that_took_it),
		WITH_PINS(forgotten),
		WITH_PINS(an_offer_that_nobody_asked_for_is_not_kept),
		WITH_PINS(an_offer_goes_before_what_is_kept),
		WITH_PINS(the_last_try_is_a_persons),
		WITH_PINS(a_person_without_a_pin),
		WITH_PINS(as_many_as_there_is_room_for),
	};

	pins_free(NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
