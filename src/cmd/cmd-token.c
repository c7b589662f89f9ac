/* SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "cmd/access-token.h"
#include "cmd/options.h"
#include "cmd/output.h"

struct token_opts {
	struct access_token_opts token; /* first */
	const char *output;
	const char *format;
};

static const struct opt opts[] = {
	{ "output", 'o', OPT_STRING, offsetof(struct token_opts, output),
	  "FILE", "write to FILE, readable by nobody else", NULL },
	{ "format", 0, OPT_STRING, offsetof(struct token_opts, format),
	  "FORMAT", "how to write it; raw unless given", token_format_words },
	ACCESS_TOKEN_ROWS,
	{ NULL, 0, OPT_FLAG, 0, NULL, NULL, NULL },
};

static enum po_status fail_format(const char *format, struct po_error *err)
{
	po_auto_buf words = { 0 };

	buf_init(&words, 256);
	for (size_t i = 0; token_format_words[i]; i++)
		if (!buf_addf(&words, "%s%s", i ? ", " : "",
			      token_format_words[i]))
			return po_no_memory(err);
	return po_fail(err, PO_E_USAGE, 0, "--format: '%.64s' is none of %s",
		       format, buf_text(&words));
}

static enum po_status read_format(const struct cmd_context *ctx,
				  enum token_format *ret_format,
				  struct po_error *err)
{
	const struct token_opts *o = ctx->opts;

	*ret_format = ctx->json ? FORMAT_JSON : FORMAT_RAW;
	if (o->format && !token_format_parse(o->format, ret_format))
		return fail_format(o->format, err);
	if (ctx->json && *ret_format != FORMAT_JSON)
		return po_fail(err, PO_E_USAGE, 0,
			       "--json and --format %s exclude each other",
			       o->format);
	return PO_OK;
}

/* AIP-4117: who reads standard output wants to read failures there. */
static void tell_failure(const struct po_error *why)
{
	po_auto_buf text = { 0 };

	buf_init(&text, JSON_TEXT_MAX);
	if (!token_format_add_failure(&text, why) ||
	    output_text(buf_text(&text), NULL) != PO_OK)
		log_warn("standard output does not take the failure");
}

static enum po_status run(const struct cmd_context *ctx, struct po_error *err)
{
	const struct token_opts *o = ctx->opts;
	po_auto(access_token) *token = NULL;
	enum token_format format = FORMAT_RAW;
	enum po_status st = read_format(ctx, &format, err);

	if (st != PO_OK)
		return st;
	st = access_token_get(ctx, &o->token, &token, err);
	if (st == PO_OK && token)
		return access_token_put(token, format, o->output, err);
	if (format == FORMAT_EXECUTABLE)
		tell_failure(err);
	return st;
}

const struct cmd cmd_token = {
	.name = "token",
	.summary = "get an access token",
	.operands = "[PROFILE]",
	.operands_max = 1,
	.needs = CMD_MAY_ASK_AGENT | CMD_NEEDS_LOCKED,
	.settings = SETTING_FOR_TOKEN | SETTING_FOR_KEY | SETTING_FOR_IDENTITY |
		    SETTING_FOR_ASSERTION | SETTING_FOR_EXCHANGE,
	.takes_json = true,
	.opts = opts,
	.opts_size = sizeof(struct token_opts),
	.run = run,
};
