/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/jwt-input.h"

#include "base/fs.h"
#include "cmd/options.h"

#include <string.h>

static bool looks_like_jws(const char *text)
{
	size_t dots = 0;

	for (const char *c = text; *c; c++)
		dots += *c == '.';
	return dots == 2 && !strchr(text, '/') && strlen(text) > 8 &&
	       strncmp(text, "eyJ", 3) == 0;
}

enum po_status jwt_input(const struct cmd_context *ctx, struct jws **ret_jws,
			 struct po_error *err)
{
	const struct command_line *line = ctx->line;
	const char *path = line->operand_count ? line->operands[0] : "-";
	po_auto_buf text = { 0 };
	enum po_status st;

	if (looks_like_jws(path))
		return po_fail(err, PO_E_USAGE, 0,
			       "a JWT on the command line can be read by every "
			       "user of the machine; give it on standard input "
			       "or in a file");
	buf_init(&text, JWS_TEXT_MAX + 2);
	st = fs_read(path, &text, err);
	return st == PO_OK ? jws_parse(buf_text(&text), text.len, ret_jws, err)
			   : st;
}
