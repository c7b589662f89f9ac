/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/findings-text.h"

#include "base/text.h"

#include <string.h>

#define COLUMNS "%-8s %-13s "
#define INDENT "                       "

static bool add_printable(struct buf *out, const char *text)
{
	return text_add_printable(out, text, strlen(text));
}

bool findings_add_text(const struct findings *findings, struct buf *out)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->items[i];

		if (!buf_addf(out, COLUMNS, severity_name(f->severity),
			      f->check) ||
		    !add_printable(out, f->text) || !buf_adds(out, "\n"))
			return false;
		if (f->remedy[0] &&
		    (!buf_adds(out, INDENT "-> ") ||
		     !add_printable(out, f->remedy) || !buf_adds(out, "\n")))
			return false;
	}
	return true;
}

json_t *findings_json(const struct findings *findings)
{
	json_auto_t *list = json_array();

	for (size_t i = 0; list && i < findings->count; i++) {
		const struct finding *f = &findings->items[i];
		json_t *item = json_pack(
			"{s:s, s:s, s:s, s:s?, s:s*}", "check", f->check,
			"severity", severity_name(f->severity), "text", f->text,
			"remedy", f->remedy[0] ? f->remedy : NULL, "kid",
			f->kid[0] ? f->kid : NULL);

		if (json_array_append_new(list, item) != 0)
			return NULL;
	}
	return po_steal(list);
}

enum po_status findings_fail_first(const struct findings *findings,
				   struct po_error *err)
{
	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *f = &findings->items[i];

		if (f->severity == FINDING_FAILED)
			return po_fail(err, f->status, 0, "%s: %s", f->check,
				       f->text);
	}
	if (findings->is_full) /* what was dropped may have failed */
		return po_fail(err, PO_E_INTERNAL, 0,
			       "there is more to say than fits, or memory is "
			       "out");
	return PO_OK;
}
