/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/sink.h"

#include "base/fs.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define NAME_MAX_BYTES 256 /* of an owner or a group */

const char *const sink_keys[] = { "path",  "mode",   "owner",
				  "group", "format", NULL };
const char *const sink_formats[] = {
	"raw",        "json", "header", "env", "kube-exec-credential",
	"executable", NULL,
};

static enum po_status read_mode(const char *text, mode_t *ret_mode,
				struct po_error *err)
{
	size_t len = strspn(text, "01234567");
	const char *why = NULL;
	mode_t mode = 0;

	if (len < 3 || len > 4 || text[len])
		return po_fail(err, PO_E_CONFIG, 0,
			       "'%s' is no mode in octal digits, such as 0600",
			       text);
	for (size_t i = 0; i < len; i++)
		mode = mode * 8 + (mode_t)(text[i] - '0');
	if (mode & S_IRWXO)
		why = "would let every user of this machine at the access "
		      "token; give a group and 0640";
	else if (mode & (S_IXUSR | S_IXGRP))
		why = "has execute bits; an access token is no program";
	else if (mode & (S_ISUID | S_ISGID | S_ISVTX))
		why = "has bits that are for programs and folders";
	else if (!(mode & S_IRUSR))
		why = "does not let the owner read it";
	if (why)
		return po_fail(err, PO_E_CONFIG, 0, "%s %s", text, why);
	*ret_mode = mode;
	return PO_OK;
}

static enum po_status check_format(const char *text, struct po_error *err)
{
	const char *near = text_nearest(text, sink_formats);
	po_auto_buf all = { 0 };

	if (text_word_index(text, sink_formats) >= 0)
		return PO_OK;
	if (near)
		return po_fail(err, PO_E_CONFIG, 0,
			       "unknown format '%s'; did you mean '%s'?", text,
			       near);
	buf_init(&all, 256);
	for (size_t i = 0; sink_formats[i]; i++)
		if (!buf_addf(&all, "%s%s", i ? ", " : "", sink_formats[i]))
			break;
	return po_fail(err, PO_E_CONFIG, 0, "'%s' is none of %s", text,
		       buf_text(&all));
}

static enum po_status check_name(const char *text, struct po_error *err)
{
	size_t len = strlen(text);

	if (len == 0)
		return po_fail(err, PO_E_CONFIG, 0, "the value is empty");
	if (len > NAME_MAX_BYTES || !text_is_utf8(text, len))
		return po_fail(err, PO_E_CONFIG, 0, "this is no name");
	return PO_OK;
}

static enum po_status set_text(char **field, const char *text,
			       enum po_status st, struct po_error *err)
{
	if (st == PO_OK && *field)
		return po_fail(err, PO_E_CONFIG, 0, "this is set twice");
	if (st != PO_OK)
		return st;
	*field = text_dup(text);
	return *field ? PO_OK : po_no_memory(err);
}

enum po_status sink_set(struct sink *sink, const char *key, const char *text,
			struct po_error *err)
{
	enum po_status st;

	if (strcmp(key, "path") == 0)
		st = set_text(&sink->path, text,
			      fs_check_path(text, SINK_PATH_MAX, err), err);
	else if (strcmp(key, "owner") == 0)
		st = set_text(&sink->owner, text, check_name(text, err), err);
	else if (strcmp(key, "group") == 0)
		st = set_text(&sink->group, text, check_name(text, err), err);
	else if (strcmp(key, "format") == 0)
		st = set_text(&sink->format, text, check_format(text, err),
			      err);
	else if (sink->mode)
		st = po_fail(err, PO_E_CONFIG, 0, "this is set twice");
	else
		st = read_mode(text, &sink->mode, err);
	return po_context(err, st, "sink: %s", key);
}

enum po_status sink_finish(struct sink *sink, struct po_error *err)
{
	if (!sink->path)
		return po_fail(err, PO_E_CONFIG, 0,
			       "sink: 'path' is not set (the file to write)");
	if (!sink->mode)
		sink->mode = SINK_MODE_DEFAULT;
	return PO_OK;
}

void sink_clear(struct sink *sink)
{
	free(sink->path);
	free(sink->owner);
	free(sink->group);
	free(sink->format);
	memset(sink, 0, sizeof(*sink));
}

static bool copy_text(char **to, const char *from)
{
	*to = from ? text_dup(from) : NULL;
	return *to || !from;
}

struct sink *sinks_copy(const struct sink *sinks, size_t count)
{
	struct sink *copy = count ? calloc(count, sizeof(*copy)) : NULL;

	for (size_t i = 0; copy && i < count; i++) {
		copy[i].mode = sinks[i].mode;
		copy[i].file = sinks[i].file;
		copy[i].line = sinks[i].line;
		if (!copy_text(&copy[i].path, sinks[i].path) ||
		    !copy_text(&copy[i].owner, sinks[i].owner) ||
		    !copy_text(&copy[i].group, sinks[i].group) ||
		    !copy_text(&copy[i].format, sinks[i].format)) {
			sinks_free(copy, count);
			return NULL;
		}
	}
	return copy;
}

void sinks_free(struct sink *sinks, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sink_clear(&sinks[i]);
	free(sinks);
}
