/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/pins.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PINS_MAX 32

struct pins {
	pthread_mutex_t lock;
	struct pin_asker asker;
	bool is_there;          /* a person */
	struct secret *offered; /* owned; NULL: none */
	bool was_asked;         /* for it */
	struct kept_pin kept[PINS_MAX];
};

static struct secret *copy_of(const struct secret *pin)
{
	return secret_from(secret_reveal(pin), secret_len(pin));
}

static struct kept_pin *find(struct pins *pins, const char *label,
			     const char *serial)
{
	for (size_t i = 0; i < PINS_MAX; i++)
		if (pins->kept[i].pin &&
		    strcmp(pins->kept[i].label, label) == 0 &&
		    strcmp(pins->kept[i].serial, serial) == 0)
			return &pins->kept[i];
	return NULL;
}

static enum po_status answer(struct pins *pins, const struct pin_token *token,
			     struct secret **ret_pin, struct po_error *err)
{
	const struct kept_pin *kept = find(pins, token->label, token->serial);
	const struct secret *pin = pins->offered;

	if (pin)
		pins->was_asked = true;
	else if (kept && token->last_try)
		return po_fail(err, PO_E_PIN_LOCKED, 0,
			       "one try is left before the PIN locks; unlock "
			       "anew to spend it");
	else if (kept)
		pin = kept->pin;
	if (!pin)
		return po_fail(err, PO_E_PIN, 0,
			       "it is locked; 'p11oauth unlock' unlocks it");
	*ret_pin = copy_of(pin);
	return *ret_pin ? PO_OK : po_no_memory(err);
}

static enum po_status on_ask(void *user, const struct pin_token *token,
			     struct secret **ret_pin, struct po_error *err)
{
	struct pins *pins = user;
	enum po_status st;

	(void)pthread_mutex_lock(&pins->lock);
	st = answer(pins, token, ret_pin, err);
	(void)pthread_mutex_unlock(&pins->lock);
	return st;
}

static bool on_is_there(void *user)
{
	struct pins *pins = user;
	bool is_there;

	(void)pthread_mutex_lock(&pins->lock);
	is_there = pins->is_there;
	(void)pthread_mutex_unlock(&pins->lock);
	return is_there;
}

struct pins *pins_new(void)
{
	struct pins *pins = calloc(1, sizeof(*pins));

	if (!pins)
		return NULL;
	(void)pthread_mutex_init(&pins->lock, NULL);
	pins->asker = (struct pin_asker){ on_is_there, on_ask, pins };
	return pins;
}

void pins_free(struct pins *pins)
{
	if (!pins)
		return;
	secret_free(pins->offered);
	for (size_t i = 0; i < PINS_MAX; i++)
		kept_pin_clear(&pins->kept[i]);
	(void)pthread_mutex_destroy(&pins->lock);
	free(pins);
}

const struct pin_asker *pins_asker(struct pins *pins)
{
	return &pins->asker;
}

static void set_offer(struct pins *pins, bool is_there, struct secret *pin)
{
	(void)pthread_mutex_lock(&pins->lock);
	secret_free(pins->offered);
	pins->is_there = is_there;
	pins->offered = pin;
	pins->was_asked = false;
	(void)pthread_mutex_unlock(&pins->lock);
}

void pins_offer(struct pins *pins, struct secret *pin)
{
	set_offer(pins, /* is_there= */ true, pin);
}

void pins_withdraw(struct pins *pins)
{
	set_offer(pins, /* is_there= */ false, NULL);
}

void pins_keep(struct pins *pins, const char *label, const char *serial)
{
	struct kept_pin *kept;

	(void)pthread_mutex_lock(&pins->lock);
	kept = find(pins, label, serial);
	for (size_t i = 0; !kept && i < PINS_MAX; i++)
		if (!pins->kept[i].pin)
			kept = &pins->kept[i];
	if (kept && pins->offered && pins->was_asked) {
		kept_pin_clear(kept);
		kept->pin = pins->offered;
		pins->offered = NULL;
		(void)snprintf(kept->label, sizeof(kept->label), "%s", label);
		(void)snprintf(kept->serial, sizeof(kept->serial), "%s",
			       serial);
	}
	(void)pthread_mutex_unlock(&pins->lock);
}

bool pins_offer_fits(struct pins *pins, const char *label, const char *serial)
{
	const struct kept_pin *kept;
	bool fits = true;

	(void)pthread_mutex_lock(&pins->lock);
	kept = find(pins, label, serial);
	if (kept && pins->offered)
		fits = secret_len(kept->pin) == secret_len(pins->offered) &&
		       CRYPTO_memcmp(secret_reveal(kept->pin),
				     secret_reveal(pins->offered),
				     secret_len(kept->pin)) == 0;
	(void)pthread_mutex_unlock(&pins->lock);
	return fits;
}

bool pins_forget(struct pins *pins, const char *label, const char *serial)
{
	struct kept_pin *kept;

	(void)pthread_mutex_lock(&pins->lock);
	kept = find(pins, label, serial);
	if (kept)
		kept_pin_clear(kept);
	(void)pthread_mutex_unlock(&pins->lock);
	return kept != NULL;
}
