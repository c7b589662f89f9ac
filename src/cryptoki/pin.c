/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/pin.h"

#include "base/child.h"
#include "base/environment.h"
#include "base/fs.h"
#include "base/text.h"
#include "cryptoki/pin_prompt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FD_MAX 1023
#define COMMAND_TIMEOUT_S 120
#define COMMAND_WORDS_MAX 32

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

bool pin_source_is_pinpad(const char *source)
{
	return strcmp(source, "pinpad") == 0;
}

const char *pin_request_source(const struct pin_request *request)
{
	return request->from ? request->from : "prompt";
}

enum po_status pin_source_check(const char *source, struct po_error *err)
{
	const char *rest;
	uint64_t fd;

	if (pin_source_is_prompt(source) || pin_source_is_pinpad(source))
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
	if ((rest = rest_of(source, "cmd:")))
		return rest[strspn(rest, " ")]
			       ? PO_OK
			       : po_fail(err, PO_E_USAGE, 0,
					 "'cmd:' has no program");
	/* the text may be the PIN itself, so it is not repeated */
	return po_fail(err, PO_E_USAGE, 0,
		       "a PIN comes from prompt, pinpad, file:PATH, fd:N, "
		       "env:NAME, cred:NAME or cmd:PROGRAM, never from the "
		       "command line itself");
}

static enum po_status read_opened(int fd, struct secret *pin,
				  struct po_error *err)
{
	enum po_status st = fs_read_secret_fd(fd, pin, err);

	(void)close(fd);
	return st;
}

static enum po_status read_file(const char *path, struct secret *pin,
				struct po_error *err)
{
	enum po_status st;
	int fd = -1;

	st = fs_open_private(path, &fd, err);
	return st == PO_OK ? read_opened(fd, pin, err) : st;
}

static enum po_status read_credential(const char *name, struct secret *pin,
				      struct po_error *err)
{
	const char *dir = environment_get("CREDENTIALS_DIRECTORY");
	enum po_status st;
	char path[4096];
	int n, fd = -1;

	if (!dir)
		return po_fail(err, PO_E_PIN, 0,
			       "CREDENTIALS_DIRECTORY is not set; the service "
			       "needs LoadCredential=%s",
			       name);
	n = snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (n < 0 || (size_t)n >= sizeof(path))
		return po_fail(err, PO_E_PIN, 0, "the path is too long");
	st = fs_open_credential(path, &fd, err);
	return st == PO_OK ? read_opened(fd, pin, err) : st;
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

/* Words apart at blanks; text is cut up. */
static size_t split(char *text, char *words[static COMMAND_WORDS_MAX + 1])
{
	size_t n = 0;
	char *rest = text;
	char *word;

	while (n < COMMAND_WORDS_MAX && (word = strsep(&rest, " ")))
		if (*word)
			words[n++] = word;
	words[n] = NULL;
	return n;
}

static enum po_status read_command(const char *command, struct secret *pin,
				   struct po_error *err)
{
	char *words[COMMAND_WORDS_MAX + 1];
	char *text = text_dup(command);
	struct child child;
	enum po_status st;
	size_t before;
	int status;

	if (!text)
		return po_no_memory(err);
	if (split(text, words) == 0)
		st = po_fail(err, PO_E_USAGE, 0, "'cmd:' has no program");
	else
		st = child_start(words, COMMAND_TIMEOUT_S, &child, err);
	free(text);
	if (st != PO_OK)
		return st;
	do {
		before = secret_len(pin);
		st = child_read_line(&child, pin, err);
	} while (st == PO_OK && secret_len(pin) > before);
	status = child_end(&child);
	if (st == PO_OK && status != 0)
		st = po_fail(err, PO_E_PIN, status,
			     "the program failed (exit status %d)", status);
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

enum po_status pin_read(const struct pin_request *request,
			const struct pin_token *token, struct secret **ret_pin,
			struct po_error *err)
{
	const char *source = pin_request_source(request);
	po_auto(secret) *pin = secret_new(PIN_MAX + 1); /* and a newline */
	enum po_status st;
	const char *rest;

	if (!pin)
		return po_no_memory(err);
	if (request->asker && pin_source_is_prompt(source))
		return request->asker->ask(request->asker->user, token, ret_pin,
					   err);
	if ((rest = rest_of(source, "file:")))
		st = read_file(rest, pin, err);
	else if ((rest = rest_of(source, "fd:")))
		st = read_fd(rest, pin, err);
	else if ((rest = rest_of(source, "env:")))
		st = read_environment(rest, pin, err);
	else if ((rest = rest_of(source, "cred:")))
		st = read_credential(rest, pin, err);
	else if ((rest = rest_of(source, "cmd:")))
		st = read_command(rest, pin, err);
	else
		st = pin_prompt(token, request, pin, err);

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

void kept_pin_clear(struct kept_pin *kept)
{
	secret_free(kept->pin);
	*kept = (struct kept_pin){ 0 };
}
