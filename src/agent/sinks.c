/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/sinks.h"

#include "base/account.h"
#include "base/fs.h"
#include "base/log.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static enum po_status find_owner(const struct sink *sink,
				 struct fs_owner *ret_owner,
				 struct po_error *err)
{
	struct fs_owner owner = { (uid_t)-1, (gid_t)-1, sink->mode };

	if (sink->owner && !account_uid(sink->owner, &owner.uid))
		return po_fail(err, PO_E_CONFIG, 0,
			       "owner: there is no user '%s'", sink->owner);
	if (sink->group && !account_gid(sink->group, &owner.gid))
		return po_fail(err, PO_E_CONFIG, 0,
			       "group: there is no group '%s'", sink->group);
	*ret_owner = owner;
	return PO_OK;
}

static enum po_status write_sink(const struct sink *sink,
				 const struct access_token_view *token,
				 struct po_error *err)
{
	enum token_format format = FORMAT_RAW;
	po_auto(secret) *text = NULL;
	struct fs_owner owner;
	enum po_status st = find_owner(sink, &owner, err);

	if (st != PO_OK)
		return st;
	if (sink->format && !token_format_parse(sink->format, &format))
		return po_fail(err, PO_E_INTERNAL, 0, "unknown format '%s'",
			       sink->format);
	st = token_format_print(format, token, &text, err);
	if (st != PO_OK || !text)
		return st;
	return fs_write_owned(sink->path, &owner, secret_reveal(text),
			      secret_len(text), err);
}

enum po_status sinks_write(const struct profile *p,
			   const struct access_token_view *token,
			   struct po_error *err)
{
	enum po_status first = PO_OK;

	for (size_t i = 0; i < p->sink_count; i++) {
		const struct sink *sink = &p->sinks[i];
		struct po_error *why = first == PO_OK ? err : NULL;
		enum po_status st = write_sink(sink, token, why);

		st = po_context(why, st, "%s:%d: sink", sink->file, sink->line);
		if (first == PO_OK)
			first = st;
	}
	return first;
}

void sinks_remove(const struct profile *p)
{
	for (size_t i = 0; i < p->sink_count; i++)
		if (unlink(p->sinks[i].path) != 0 && errno != ENOENT)
			log_debug(LOG_CONF, "sink '%s' stays: %s",
				  p->sinks[i].path, strerror(errno));
}
