/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/slot.h"

#include "base/log.h"
#include "cryptoki/ckr.h"
#include "cryptoki/device.h"
#include "cryptoki/pcsc.h"
#include "cryptoki/uri.h"

#include <stdlib.h>
#include <string.h>

#define SLOTS_AT_ONCE 64 /* enough for most, so that one call lists them */
#define LISTED_MAX 8     /* tokens named in an error text */

void slot_copy_padded(char *out, size_t out_size, const unsigned char *field,
		      size_t field_len)
{
	size_t len = strnlen((const char *)field, field_len);

	while (len > 0 && field[len - 1] == ' ')
		len--;
	if (len >= out_size)
		len = out_size - 1;
	memcpy(out, field, len);
	out[len] = '\0';
}

bool slot_uri(const struct token *token, char *out, size_t size)
{
	po_auto_t(P11KitUri) *uri = p11_kit_uri_new();
	char *text = NULL;
	bool fits;

	if (!uri)
		return false;
	*p11_kit_uri_get_token_info(uri) = token->info;
	if (p11_kit_uri_format(uri, P11_KIT_URI_FOR_TOKEN, &text) !=
	    P11_KIT_URI_OK)
		return false;
	fits = strlen(text) < size;
	if (fits)
		memcpy(out, text, strlen(text) + 1);
	free(text);
	return fits;
}

static enum po_status fail_listing(CK_RV rv, struct po_error *err)
{
	enum po_status st = ckr_fail(err, rv, "C_GetSlotList");

	return pcsc_refuses() ? po_append(err, st, "; " PCSC_REFUSES) : st;
}

/* Reads all slots with a token into ids, which the caller free()s. */
static enum po_status slot_ids(const struct module *m, CK_SLOT_ID **ret_ids,
			       CK_ULONG *ret_count, struct po_error *err)
{
	CK_ULONG room = SLOTS_AT_ONCE, count = room;
	CK_SLOT_ID *ids = calloc(count, sizeof(*ids));
	CK_RV rv;

	if (!ids)
		return po_no_memory(err);
	rv = MODULE_CALL(m, C_GetSlotList, CK_TRUE, ids, &count);
	if (rv == CKR_BUFFER_TOO_SMALL) {
		free(ids);
		room = count = SLOT_COUNT_MAX;
		ids = calloc(count, sizeof(*ids));
		if (!ids)
			return po_no_memory(err);
		rv = MODULE_CALL(m, C_GetSlotList, CK_TRUE, ids, &count);
	}
	if (rv != CKR_OK) {
		free(ids);
		return fail_listing(rv, err);
	}
	if (count == 0 && pcsc_refuses()) {
		free(ids);
		return po_fail(err, PO_E_TOKEN, 0,
			       "module '%s' shows no token; " PCSC_REFUSES,
			       m->path);
	}
	*ret_ids = ids;
	*ret_count = count < room ? count : room; /* a module may lie */
	return PO_OK;
}

static bool names_library(P11KitUri *uri)
{
	const CK_INFO *info = p11_kit_uri_get_module_info(uri);

	return info->libraryDescription[0] || info->manufacturerID[0] ||
	       info->libraryVersion.major != (CK_BYTE)-1;
}

static bool names_slot(P11KitUri *uri)
{
	const CK_SLOT_INFO *info = p11_kit_uri_get_slot_info(uri);

	return info->slotDescription[0] || info->manufacturerID[0];
}

/* C_GetInfo and C_GetSlotInfo are asked only when the URI speaks of them. */
static bool library_matches(const struct module *m, P11KitUri *uri)
{
	CK_INFO info;

	if (!uri || !names_library(uri))
		return true;
	return MODULE_CALL(m, C_GetInfo, &info) == CKR_OK &&
	       p11_kit_uri_match_module_info(uri, &info);
}

static bool slot_matches(const struct module *m, P11KitUri *uri, CK_SLOT_ID id)
{
	CK_SLOT_INFO info;
	CK_SLOT_ID want;

	if (!uri)
		return true;
	want = p11_kit_uri_get_slot_id(uri);
	if (want != (CK_SLOT_ID)-1 && want != id)
		return false;
	if (!names_slot(uri))
		return true;
	return MODULE_CALL(m, C_GetSlotInfo, id, &info) == CKR_OK &&
	       p11_kit_uri_match_slot_info(uri, &info);
}

enum po_status slot_list(const struct module *module, P11KitUri *uri,
			 struct token *tokens, size_t max, size_t *ret_count,
			 struct po_error *err)
{
	CK_SLOT_ID *ids = NULL;
	CK_ULONG id_count = 0;
	enum po_status st;

	*ret_count = 0;
	if (!library_matches(module, uri))
		return PO_OK;
	st = slot_ids(module, &ids, &id_count, err);
	if (st != PO_OK)
		return st;
	for (CK_ULONG i = 0; i < id_count; i++) {
		struct token t = { .slot = ids[i] };
		CK_RV rv = MODULE_CALL(module, C_GetTokenInfo, ids[i], &t.info);

		if (rv != CKR_OK) {
			log_debug(LOG_CRYPTOKI, "slot %lu: C_GetTokenInfo: %s",
				  ids[i], ckr_name(rv));
			continue;
		}
		if ((uri && !p11_kit_uri_match_token_info(uri, &t.info)) ||
		    !slot_matches(module, uri, ids[i]))
			continue;
		slot_copy_padded(t.label, sizeof(t.label), t.info.label,
				 sizeof(t.info.label));
		slot_copy_padded(t.serial, sizeof(t.serial),
				 t.info.serialNumber,
				 sizeof(t.info.serialNumber));
		if (*ret_count < max)
			tokens[*ret_count] = t;
		++*ret_count;
	}
	free(ids);
	return PO_OK;
}

/* "URI, URI, … and N more" of the initialised ones. */
static void describe(const struct token *tokens, size_t count, struct buf *out)
{
	size_t shown = 0, left_out = 0;
	char uri[512];

	for (size_t i = 0; i < count; i++) {
		if (!(tokens[i].info.flags & CKF_TOKEN_INITIALIZED))
			continue;
		if (shown == LISTED_MAX ||
		    !slot_uri(&tokens[i], uri, sizeof(uri)) ||
		    !buf_addf(out, "%s%s", shown ? ", " : "", uri))
			left_out++;
		else
			shown++;
	}
	if (left_out && !buf_addf(out, " and %zu more", left_out))
		log_debug(LOG_CRYPTOKI, "%zu tokens not listed", left_out);
}

static enum po_status fail_absent(const struct module *m, const char *uri_text,
				  struct token *room, struct po_error *err)
{
	po_auto_buf there = { 0 };
	size_t count = 0;

	buf_init(&there, PO_ERROR_TEXT_MAX / 2);
	if (slot_list(m, NULL, room, SLOTS_AT_ONCE, &count, NULL) == PO_OK)
		describe(room, count < SLOTS_AT_ONCE ? count : SLOTS_AT_ONCE,
			 &there);
	if (there.len == 0)
		return po_fail(err, PO_E_TOKEN, 0,
			       "no token matches '%s'; module '%s' shows none "
			       "at all",
			       uri_text, m->path);
	return po_fail(err, PO_E_TOKEN, 0,
		       "no token matches '%s'; there is: %s", uri_text,
		       buf_text(&there));
}

static enum po_status pick(const struct module *m, const char *uri_text,
			   struct token *tokens, size_t count,
			   struct token *ret_token, struct po_error *err)
{
	const struct token *found = NULL;
	po_auto_buf list = { 0 };
	size_t matches = 0;

	for (size_t i = 0; i < count; i++) {
		if (!(tokens[i].info.flags & CKF_TOKEN_INITIALIZED))
			continue;
		matches++;
		found = &tokens[i];
	}
	if (matches == 0)
		return fail_absent(m, uri_text, tokens, err);
	if (matches == 1) {
		*ret_token = *found;
		return PO_OK;
	}
	buf_init(&list, PO_ERROR_TEXT_MAX / 2);
	describe(tokens, count, &list);
	return po_fail(err, PO_E_AMBIGUOUS, 0, "%zu tokens match '%s': %s",
		       matches, uri_text, buf_text(&list));
}

enum po_status slot_find(const struct module *module, P11KitUri *uri,
			 const char *uri_text, struct token *ret_token,
			 struct po_error *err)
{
	struct token *tokens = calloc(SLOTS_AT_ONCE, sizeof(*tokens));
	size_t count = 0;
	enum po_status st;

	if (!tokens)
		return po_no_memory(err);
	st = slot_list(module, uri, tokens, SLOTS_AT_ONCE, &count, err);
	if (st == PO_OK)
		st = pick(module, uri_text, tokens,
			  count < SLOTS_AT_ONCE ? count : SLOTS_AT_ONCE,
			  ret_token, err);
	free(tokens);
	return st;
}

enum po_status session_open(const struct po_clock *clock,
			    const struct module *module,
			    const struct token *token,
			    struct session *ret_session, struct po_error *err)
{
	struct session s = { .clock = clock,
			     .module = module,
			     .token = *token };
	CK_RV rv = MODULE_CALL(module, C_OpenSession, token->slot,
			       CKF_SERIAL_SESSION, NULL, NULL, &s.handle);

	if (rv != CKR_OK)
		return ckr_fail(err, rv, "C_OpenSession");
	*ret_session = s;
	return PO_OK;
}
