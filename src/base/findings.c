/* SPDX-License-Identifier: Apache-2.0 */
#include "base/findings.h"

#include <stdio.h>
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

static void fill(struct finding *f, enum severity severity, const char *check,
		 const char *remedy)
{
	*f = (struct finding){
		.severity = severity,
		.check = check,
		.status = severity == FINDING_FAILED ? PO_E_SERVER : PO_OK,
	};
	(void)snprintf(f->remedy, sizeof(f->remedy), "%s",
		       remedy ? remedy : "");
}

void findings_add(struct findings *findings, enum severity severity,
		  const char *check, const char *remedy, const char *fmt, ...)
{
	struct finding *f = next(findings);
	va_list ap;

	if (!f)
		return;
	fill(f, severity, check, remedy);
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

void findings_fail(struct findings *findings, const char *check,
		   const struct po_error *err, const char *remedy)
{
	struct finding *f = next(findings);

	if (!f)
		return;
	fill(f, FINDING_FAILED, check, remedy);
	f->status = err->status;
	(void)snprintf(f->text, sizeof(f->text), "%.*s", FINDING_TEXT_MAX - 1,
		       err->text);
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
