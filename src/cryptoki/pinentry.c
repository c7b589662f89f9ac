/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/pinentry.h"

#include "base/buf.h"
#include "base/child.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MAX_BYTES 1000
#define CODE_MASK 0xffff /* the rest of a libgpg-error code is the source */
#define CODE_CANCELED 99 /* GPG_ERR_CANCELED */
#define CODE_FULLY_CANCELED 198

/* Decodes the percent escapes of a data line. */
static enum po_status add_data(const char *text, struct secret *pin,
			       struct po_error *err)
{
	enum po_status st = PO_OK;

	for (; st == PO_OK && *text; text++) {
		int high = *text == '%'
				   ? OPENSSL_hexchar2int((unsigned char)text[1])
				   : -1;
		int low = high >= 0
				  ? OPENSSL_hexchar2int((unsigned char)text[2])
				  : -1;
		char c = *text;

		if (low >= 0) {
			c = (char)(high << 4 | low);
			text += 2;
		}
		st = secret_append(pin, &c, 1, err);
	}
	return st;
}

static enum po_status fail_line(const char *line, struct po_error *err)
{
	const char *number = line + strlen("ERR ");
	char digits[16] = "";
	uint64_t code = 0;
	size_t len = strspn(number, "0123456789");

	if (len < sizeof(digits))
		memcpy(digits, number, len);
	if (text_to_uint(digits, UINT32_MAX, &code) &&
	    ((code & CODE_MASK) == CODE_CANCELED ||
	     (code & CODE_MASK) == CODE_FULLY_CANCELED))
		return po_fail(err, PO_E_USER, (long)code,
			       "no PIN was typed (cancelled)");
	return po_fail(err, PO_E_PIN, (long)code, "pinentry failed: %s", line);
}

/* Reads up to the OK that ends an answer; data lines go to pin. */
static enum po_status read_answer(struct child *child, struct secret *pin,
				  struct po_error *err)
{
	for (;;) {
		po_auto(secret) *line = secret_new(LINE_MAX_BYTES + 2);
		const char *text;
		enum po_status st;

		if (!line)
			return po_no_memory(err);
		st = child_read_line(child, line, err);
		if (st != PO_OK)
			return st;
		text = secret_reveal(line);
		if (secret_len(line) == 0)
			return po_fail(err, PO_E_PIN, 0,
				       "pinentry ended without an answer");
		secret_chomp(line);
		if (strncmp(text, "OK", 2) == 0)
			return PO_OK;
		if (strncmp(text, "ERR ", 4) == 0)
			return fail_line(text, err);
		if (strncmp(text, "D ", 2) == 0 && pin)
			st = add_data(text + 2, pin, err);
		if (st != PO_OK)
			return st;
		/* S (status) and # (comment) lines say nothing to us */
	}
}

static enum po_status tell(struct child *child, const char *command,
			   const char *argument, struct secret *pin,
			   struct po_error *err)
{
	po_auto_buf line = { 0 };
	bool fits;
	enum po_status st;

	buf_init(&line, LINE_MAX_BYTES);
	fits = buf_adds(&line, command);
	for (const char *c = argument; fits && *c; c++)
		fits = *c == '%' || (unsigned char)*c < ' '
			       ? buf_addf(&line, "%%%02X", (unsigned char)*c)
			       : buf_add(&line, c, 1);
	if (!fits || !buf_adds(&line, "\n"))
		return po_fail(err, PO_E_PIN, 0,
			       "the question is too long for pinentry");
	st = child_write(child, buf_text(&line), err);
	return st == PO_OK ? read_answer(child, pin, err) : st;
}

enum po_status pinentry_ask(const char *program, const char *question,
			    struct secret *pin, struct po_error *err)
{
	char *name = text_dup(program);
	char *argv[] = { name, NULL };
	struct child child;
	enum po_status st;

	if (!name)
		return po_no_memory(err);
	st = child_start(argv, PINENTRY_TIMEOUT_S, &child, err);
	free(name);
	if (st != PO_OK)
		return po_context(err, st, "pinentry");
	st = read_answer(&child, NULL, err); /* its greeting */
	if (st == PO_OK)
		st = tell(&child, "SETTITLE ", "p11oauth", NULL, err);
	if (st == PO_OK)
		st = tell(&child, "SETDESC ", question, NULL, err);
	if (st == PO_OK)
		st = tell(&child, "SETPROMPT ", "PIN", NULL, err);
	if (st == PO_OK)
		st = tell(&child, "GETPIN", "", pin, err);
	(void)child_end(&child);
	return st;
}
