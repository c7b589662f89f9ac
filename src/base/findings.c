/* SPDX-License-Identifier: Apache-2.0 */
#include "base/findings.h"

#include "base/buf.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

void findings_clear(struct findings *findings)
{
	free(findings->items);
	*findings = (struct findings){ 0 };
}

static struct finding *next(struct findings *f)
{
	struct finding *grown;

	if (f->count < FINDINGS_MAX) {
		grown = reallocarray(f->items, f->count + 1, sizeof(*grown));
		if (grown) {
			f->items = grown;
			return &f->items[f->count++];
		}
	}
	f->is_full = true;
	return NULL;
}

/* What is too long ends in "...". False: no memory. */
static bool put(char out[static FINDING_TEXT_MAX], const char *text)
{
	static const char dots[] = "...";
	po_auto_buf shown = { 0 };
	size_t len = strlen(text);
	bool whole;

	buf_init(&shown, FINDING_TEXT_MAX - sizeof(dots));
	whole = text_add_printable(&shown, text, len);
	memcpy(out, buf_text(&shown), shown.len);
	memcpy(out + shown.len, whole ? "" : dots, whole ? 1 : sizeof(dots));
	return shown.data || len == 0;
}

/* The name as it is, so that it can be looked for; cut to whole characters. */
static void put_kid(char out[static FINDING_TEXT_MAX], const char *kid)
{
	size_t len = strnlen(kid, FINDING_TEXT_MAX - 1);

	while (kid[len] && len > 0 && ((unsigned char)kid[len] & 0xc0) == 0x80)
		len--;
	memcpy(out, kid, len);
	out[len] = '\0';
}

static void fill(struct findings *findings, const struct finding *head,
		 const char *text, const char *remedy)
{
	struct finding *f = next(findings);

	if (!f)
		return;
	*f = *head;
	if (findings->kid)
		put_kid(f->kid, findings->kid);
	if (!put(f->text, text) || !put(f->remedy, remedy ? remedy : ""))
		findings->is_full = true;
}

void findings_add(struct findings *findings, enum severity severity,
		  const char *check, const char *remedy, const char *fmt, ...)
{
	const struct finding head = {
		.severity = severity,
		.check = check,
		.status = severity == FINDING_FAILED ? PO_E_SERVER : PO_OK,
	};
	struct po_error text = { 0 }; /* for its formatting, and its length */
	va_list ap;

	va_start(ap, fmt);
	(void)po_vfail(&text, PO_E_INTERNAL, 0, fmt, ap);
	va_end(ap);
	fill(findings, &head, text.text, remedy);
}

void findings_fail(struct findings *findings, const char *check,
		   const struct po_error *err, const char *remedy)
{
	const struct finding head = {
		.severity = FINDING_FAILED,
		.check = check,
		.status = err->status,
	};

	fill(findings, &head, err->text, remedy);
}

void findings_take(struct findings *findings, const struct finding *finding,
		   const char *check)
{
	struct finding *f = next(findings);

	if (!f)
		return;
	*f = *finding;
	f->check = check;
}

enum po_status findings_status(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++)
		if (findings->items[i].severity == FINDING_FAILED)
			return findings->items[i].status;
	return findings->is_full ? PO_E_INTERNAL : PO_OK;
}

const char *severity_name(enum severity severity)
{
	switch (severity) {
	case FINDING_OK: return "ok";
	case FINDING_WARNING: return "warning";
	case FINDING_FAILED: break;
	}
	return "failed";
}
