/* SPDX-License-Identifier: Apache-2.0 */
/* paper-signer.h - a signer on a paper token, opened as a test wants it. */
#ifndef PO_TESTS_UNIT_PAPER_SIGNER_H
#define PO_TESTS_UNIT_PAPER_SIGNER_H

#include "cryptoki/token_signer.h"

#include "fake-clock.h"
#include "paper-token.h"

#define PAPER_NOW_S INT64_C(1800000000)
#define DAY_S INT64_C(86400)

struct paper_signer {
	struct fake_clock clock;
	struct pin_request pin;
	struct kept_pin kept;
	struct token_signer_request request; /* to be changed before opening */
	struct signer *signer;               /* owned; NULL: not opened */
	struct po_error err;
};
extern struct paper_signer ps;

/* The request is for object "key" of token "lab" with the PIN in a file. The
 * working directory is a folder of its own. */
void paper_signer_up(void);
void paper_signer_down(void);

void paper_pin(const char *pin); /* what the file says from now on */

/* As token_signer_open() and then signer_unlock() have it; the error is in
 * ps.err. One that was opened before is closed. */
enum po_status paper_open(const char *uri);
enum po_status paper_unlock(void);
void paper_close(void);

/* Fails the test unless text is in the error. */
void paper_says(const char *text);

#endif
