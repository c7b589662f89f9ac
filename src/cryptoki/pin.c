/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/pin.h"

#include "base/environment.h"
#include "base/fs.h"
#include "base/interrupt.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define FD_MAX 1023
#define INTERRUPT_CHECK_MS 100

/* "KIND:rest" of a source; NULL when it is of another kind. */
static const char *rest_of(const char *source, const char *kind)
{
	size_t len = strlen(kind);

	return strncmp(source, kind, len) == 0 ? source + len : NULL;
}

bool pin_source_is_prompt(const char *source)
{
	return strcmp(source, "prompt") == 0;
}

enum po_status pin_source_check(const char *source, struct po_error *err)
{
	const char *rest;
	uint64_t fd;

	if (pin_source_is_prompt(source))
		return PO_OK;
	if ((rest = rest_of(source, "file:")))
		return *rest ? PO_OK
			     : po_fail(err, PO_E_USAGE, 0,
				       "'file:' has no path");
	if ((rest = rest_of(source, "fd:")))
		return text_to_uint(rest, FD_MAX, &fd)
			       ? PO_OK
			       : po_fail(err, PO_E_USAGE, 0,
					 "'%s': a file descriptor is a number",
					 source);
	if ((rest = rest_of(source, "env:")))
		return *rest ? PO_OK
			     : po_fail(err, PO_E_USAGE, 0,
				       "'env:' has no name");
	if ((rest = rest_of(source, "cred:")))
		return *rest && !strchr(rest, '/')
			       ? PO_OK
			       : po_fail(err, PO_E_USAGE, 0,
					 "'%s': a credential is a name without "
					 "slashes",
					 source);
	/* the text may be the PIN itself, so it is not repeated */
	return po_fail(err, PO_E_USAGE, 0,
		       "a PIN comes from prompt, file:PATH, fd:N, env:NAME or "
		       "cred:NAME, never from the command line itself");
}

static enum po_status read_file(const char *path, struct secret *pin,
				struct po_error *err)
{
	enum po_status st;
	int fd = -1;

	st = fs_open_private(path, &fd, err);
	if (st != PO_OK)
		return st;
	st = fs_read_secret_fd(fd, pin, err);
	(void)close(fd);
	return st;
}

static enum po_status read_credential(const char *name, struct secret *pin,
				      struct po_error *err)
{
	const char *dir = environment_get("CREDENTIALS_DIRECTORY");
	char path[4096];
	int n;

	if (!dir)
		return po_fail(err, PO_E_PIN, 0,
			       "CREDENTIALS_DIRECTORY is not set; the service "
			       "needs LoadCredential=%s",
			       name);
	n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return po_fail(err, PO_E_PIN, 0, "the path is too long");
	return read_file(path, pin, err);
}

static enum po_status read_environment(const char *name, struct secret *pin,
				       struct po_error *err)
{
	const char *value = environment_get(name);

	if (!value)
		return po_fail(err, PO_E_PIN, 0, "%s is not set", name);
	return secret_append(pin, value, strlen(value), err);
}

static enum po_status read_fd(const char *number, struct secret *pin,
			      struct po_error *err)
{
	uint64_t fd = 0;

	if (!text_to_uint(number, FD_MAX, &fd))
		return po_fail(err, PO_E_USAGE, 0, "no file descriptor");
	return fs_read_secret_fd((int)fd, pin, err);
}

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

/* False when a signal came; it may do so between any two instructions. */
static bool wait_for_key(int tty)
{
	struct pollfd p = { .fd = tty, .events = POLLIN };

	while (!interrupt_is_pending()) {
		int n = poll(&p, 1, INTERRUPT_CHECK_MS);

		if (n > 0 || (n < 0 && errno != EINTR))
			return n > 0;
	}
	return false;
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

	while (st == PO_OK && wait_for_key(tty) &&
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

static enum po_status read_prompt(const struct pin_token *token,
				  const struct pin_purpose *purpose,
				  struct secret *pin, struct po_error *err)
{
	po_auto_buf raw = { 0 }, question = { 0 };
	enum po_status st;
	int tty;

	buf_init(&raw, 8192);
	buf_init(&question, 32768);
	if (!add_question(&raw, token, purpose) ||
	    !text_add_printable(&question, buf_text(&raw), raw.len))
		return po_no_memory(err);

	tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	if (tty < 0)
		return po_fail(err, PO_E_PIN, errno,
			       "a PIN is needed and there is no terminal to "
			       "ask on; set 'pin-from'");
	st = read_line(tty, buf_text(&question), pin, err);
	(void)close(tty);
	return st;
}

/* Spends no try on what cannot be a PIN. */
static enum po_status check(const struct secret *pin, struct po_error *err)
{
	const char *text = secret_reveal(pin);
	size_t len = secret_len(pin);

	if (len == 0)
		return po_fail(err, PO_E_PIN, 0, "the PIN is empty");
	if (memchr(text, '\r', len) || memchr(text, '\n', len))
		return po_fail(
			err, PO_E_PIN, 0,
			"the PIN has a line break in it; it is one line, "
			"ended by one newline at most");
	if (memchr(text, '\0', len) || !text_is_utf8(text, len))
		return po_fail(err, PO_E_PIN, 0, "the PIN is not UTF-8 text");
	return PO_OK;
}

enum po_status pin_read(const char *source, const struct pin_token *token,
			const struct pin_purpose *purpose,
			struct secret **ret_pin, struct po_error *err)
{
	po_auto(secret) *pin = secret_new(PIN_MAX + 1); /* and a newline */
	enum po_status st;
	const char *rest;

	if (!pin)
		return po_no_memory(err);
	if ((rest = rest_of(source, "file:")))
		st = read_file(rest, pin, err);
	else if ((rest = rest_of(source, "fd:")))
		st = read_fd(rest, pin, err);
	else if ((rest = rest_of(source, "env:")))
		st = read_environment(rest, pin, err);
	else if ((rest = rest_of(source, "cred:")))
		st = read_credential(rest, pin, err);
	else
		st = read_prompt(token, purpose, pin, err);

	if (st == PO_OK) {
		secret_chomp(pin);
		st = check(pin, err);
	}
	if (st == PO_OK && secret_len(pin) > PIN_MAX)
		st = po_fail(err, PO_E_PIN, 0,
			     "the PIN is longer than %d bytes", PIN_MAX);
	if (st != PO_OK) {
		/* whatever is wrong with the source: there is no PIN */
		if (st != PO_E_USER && st != PO_E_USAGE) {
			st = PO_E_PIN;
			if (err)
				err->status = st;
		}
		return po_context(err, st, "PIN from %s", source);
	}
	*ret_pin = po_steal(pin);
	return PO_OK;
}
