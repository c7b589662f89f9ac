/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum po_status po_vfail(struct po_error *err, enum po_status status,
			long native, const char *fmt, va_list ap)
{
	if (!err || err->status != PO_OK)
		return status; /* nobody listens, or the first error stands */

	err->status = status;
	err->native = native;
	if (vsnprintf(err->text, sizeof(err->text), fmt, ap) < 0)
		err->text[0] = '\0';
	return status;
}

enum po_status po_fail(struct po_error *err, enum po_status status, long native,
		       const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	status = po_vfail(err, status, native, fmt, ap);
	va_end(ap);
	return status;
}

enum po_status po_no_memory(struct po_error *err)
{
	return po_fail(err, PO_E_INTERNAL, ENOMEM, "out of memory");
}

enum po_status po_context(struct po_error *err, enum po_status st,
			  const char *fmt, ...)
{
	char context[256];
	size_t len, room;
	va_list ap;
	int n;

	if (st == PO_OK || !err || err->status == PO_OK)
		return st;

	va_start(ap, fmt);
	n = vsnprintf(context, sizeof(context) - 2, fmt, ap);
	va_end(ap);
	if (n < 0)
		return st;

	len = strlen(context);
	context[len++] = ':';
	context[len++] = ' ';
	room = sizeof(err->text) - 1 - len;
	if (strlen(err->text) > room)
		err->text[room] = '\0';
	memmove(err->text + len, err->text, strlen(err->text) + 1);
	memcpy(err->text, context, len);
	return st;
}

enum po_status po_append(struct po_error *err, enum po_status st,
			 const char *fmt, ...)
{
	size_t len;
	va_list ap;

	if (st == PO_OK || !err || err->status == PO_OK)
		return st;
	len = strlen(err->text);
	va_start(ap, fmt);
	(void)vsnprintf(err->text + len, sizeof(err->text) - len, fmt, ap);
	va_end(ap);
	return st;
}

void po_error_clear(struct po_error *err)
{
	if (!err)
		return;
	err->status = PO_OK;
	err->native = 0;
	err->text[0] = '\0';
}

const char *po_status_name(enum po_status st)
{
	switch (st) {
	case PO_OK: return "ok";
	case PO_E_INTERNAL: return "internal";
	case PO_E_USAGE: return "usage";
	case PO_E_CONFIG: return "config";
	case PO_E_TOKEN: return "token";
	case PO_E_NOT_FOUND: return "not-found";
	case PO_E_AMBIGUOUS: return "ambiguous";
	case PO_E_PIN: return "pin";
	case PO_E_PIN_LOCKED: return "pin-locked";
	case PO_E_USER: return "user";
	case PO_E_DEVICE: return "device";
	case PO_E_CRYPTO: return "crypto";
	case PO_E_NETWORK: return "network";
	case PO_E_REFUSED: return "refused";
	case PO_E_SERVER: return "server";
	case PO_E_POLICY: return "policy";
	case PO_E_AGENT: return "agent";
	}
	return "internal";
}
