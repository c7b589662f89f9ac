/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pins.h - the PINs that people typed at "unlock", in the worker's memory and
 * nowhere else.
 *
 * Each belongs to the one token that accepted it, by label and serial. One that
 * was accepted may be sent again, for a key that wants it at each signature or
 * after a session was lost, but never as a token's last try. Safe to use by
 * several threads.
 */
#ifndef PO_AGENT_PINS_H
#define PO_AGENT_PINS_H

#include "cryptoki/pin.h"

struct pins;

struct pins *pins_new(void) PO_MUST_CHECK; /* NULL: out of memory */
void pins_free(struct pins *pins);

/* What stands in for a person in this process. Borrowed from pins. */
const struct pin_asker *pins_asker(struct pins *pins);

/*
 * A person is there, with this PIN (owned from now on; NULL: it is typed on the
 * token, or comes from elsewhere), for logins until pins_withdraw(). Nobody
 * else may log in meanwhile.
 */
void pins_offer(struct pins *pins, struct secret *pin);
void pins_withdraw(struct pins *pins);

/* The token accepted what was offered: it is kept. */
void pins_keep(struct pins *pins, const char *label, const char *serial);

/* False when a PIN is offered and another one is kept for the token: what is
 * known to be wrong need not be sent to find out. */
bool pins_offer_fits(struct pins *pins, const char *label, const char *serial);

/* Forgets the PIN of a token. True when there was one. */
bool pins_forget(struct pins *pins, const char *label, const char *serial);

#endif
