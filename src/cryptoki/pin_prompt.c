/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/pin_prompt.h"

#include "base/environment.h"
#include "base/interrupt.h"
#include "base/text.h"
#include "cryptoki/pinentry.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static bool add_question(struct buf *q, const struct pin_token *token,
			 const struct pin_purpose *purpose)
{
	static const struct pin_purpose nothing;

	if (!purpose)
		purpose = &nothing;
	if (purpose->profile &&
	    !buf_addf(q, "profile '%s': ", purpose->profile))
		return false;
	if (purpose->audience &&
	    !buf_addf(q, "sign in to %s%s%s: ", purpose->audience,
		      purpose->client_id ? " as " : "",
		      purpose->client_id ? purpose->client_id : ""))
		return false;
	if (token->last_try ? !buf_adds(q, "LAST TRY before the PIN locks: ")
	    : token->few_tries_left ? !buf_adds(q, "few tries are left: ")
				    : false)
		return false;
	return buf_addf(q, "PIN of token '%s' (serial %s): ", token->label,
			token->serial);
}

/* One line without echo. The terminal is as before, whatever happens. */
static enum po_status read_line(int tty, const char *question,
				struct secret *pin, struct po_error *err)
{
	struct termios before, silent;
	enum po_status st = PO_OK;
	char c = '\0';
	ssize_t n = 0;

	if (tcgetattr(tty, &before) != 0)
		return po_fail(err, PO_E_PIN, errno,
			       "the terminal cannot hide what is typed");
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
	/* echo off first: what is typed once the question shows is a PIN */
	if (tcsetattr(tty, TCSAFLUSH, &silent) != 0)
		return po_fail(err, PO_E_PIN, errno,
			       "the terminal cannot hide what is typed");
	if (write(tty, question, strlen(question)) < 0)
		st = po_fail(err, PO_E_PIN, errno, "the terminal is gone");

	while (st == PO_OK && interrupt_wait_readable(tty) &&
	       (n = read(tty, &c, 1)) == 1 && c != '\n')
		st = secret_append(pin, &c, 1, err);
	(void)tcsetattr(tty, TCSAFLUSH, &before);
	if (write(tty, "\n", 1) < 0 && st == PO_OK)
		st = po_fail(err, PO_E_PIN, errno, "the terminal is gone");
	if (st == PO_OK && interrupt_is_pending())
		st = interrupt_check(err);
	if (st == PO_OK && (n <= 0 || c != '\n'))
		st = po_fail(err, PO_E_USER, 0, "no PIN was typed");
	return st;
}

/* Somebody sits before a screen, or the configuration says so. */
static const char *pinentry_program(const struct pin_request *request)
{
	if (request->pinentry)
		return request->pinentry;
	if (environment_get("DISPLAY") || environment_get("WAYLAND_DISPLAY"))
		return "pinentry";
	return NULL;
}

enum po_status pin_prompt(const struct pin_token *token,
			  const struct pin_request *request, struct secret *pin,
			  struct po_error *err)
{
	const char *program = pinentry_program(request);
	po_auto_buf raw = { 0 }, question = { 0 };
	enum po_status st;
	int tty;

	buf_init(&raw, 8192);
	buf_init(&question, 32768);
	if (!add_question(&raw, token, request->purpose) ||
	    !text_add_printable(&question, buf_text(&raw), raw.len))
		return po_no_memory(err);

	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty >= 0) {
		st = read_line(tty, buf_text(&question), pin, err);
		(void)close(tty);
		return st;
	}
	if (program)
		return pinentry_ask(program, buf_text(&question), pin, err);
	return po_fail(err, PO_E_PIN, errno,
		       "a PIN is needed and there is no terminal to ask on; "
		       "set 'pin-from'");
}
