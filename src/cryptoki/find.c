/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/find.h"

#include "base/clock.h"
#include "base/log.h"
#include "cryptoki/ckr.h"
#include "cryptoki/device.h"

#include <string.h>

#define LISTED_MAX 6 /* objects named in an error text */

struct selector selector_of_uri(P11KitUri *uri)
{
	const CK_ATTRIBUTE *id = p11_kit_uri_get_attribute(uri, CKA_ID);
	const CK_ATTRIBUTE *label = p11_kit_uri_get_attribute(uri, CKA_LABEL);
	struct selector s = { 0 };

	if (id) {
		s.id = id->pValue;
		s.id_len = id->ulValueLen;
	}
	if (label) /* p11-kit keeps a NUL behind what it decodes */
		s.label = label->pValue;
	return s;
}

enum po_status find_objects(const struct session *session,
			    CK_OBJECT_CLASS class,
			    const struct selector *selector,
			    struct matches *ret_matches, struct po_error *err)
{
	CK_ATTRIBUTE template[3] = { { CKA_CLASS, &class, sizeof(class) } };
	struct matches m = { 0 };
	/* PKCS #11 takes no const; it does not write to a search template */
	uint8_t id[SIGNER_ID_MAX];
	char label[OBJECT_LABEL_MAX + 1];
	CK_ULONG n = 1, count = 0;
	CK_RV rv;

	if (selector->id) {
		memcpy(id, selector->id, selector->id_len);
		template[n++] = (CK_ATTRIBUTE){ CKA_ID, id, selector->id_len };
	}
	if (selector->label) {
		size_t len = strnlen(selector->label, OBJECT_LABEL_MAX);

		memcpy(label, selector->label, len);
		template[n++] = (CK_ATTRIBUTE){ CKA_LABEL, label, len };
	}

	rv = MODULE_CALL(session->module, C_FindObjectsInit, session->handle,
			 template, n);
	if (rv != CKR_OK)
		return ckr_fail(err, rv, "C_FindObjectsInit");
	rv = MODULE_CALL(session->module, C_FindObjects, session->handle,
			 m.handles, FIND_MAX, &count);
	(void)MODULE_CALL(session->module, C_FindObjectsFinal, session->handle);
	if (rv != CKR_OK)
		return ckr_fail(err, rv, "C_FindObjects");
	m.count = count < FIND_MAX ? count : FIND_MAX;
	*ret_matches = m;
	return PO_OK;
}

void found_clear(struct found *found)
{
	pubkey_free(found->pubkey);
	certificate_free(found->cert);
	*found = (struct found){ 0 };
}

static enum po_status read_found(const struct session *s, CK_OBJECT_CLASS class,
				 CK_OBJECT_HANDLE handle, struct found *f,
				 struct po_error *err)
{
	enum po_status st;

	f->handle = handle;
	if (class != CKO_CERTIFICATE)
		return object_read_key(s, class, handle, &f->name, &f->pubkey,
				       err);
	st = object_read_certificate(s, handle, &f->name, &f->cert, err);
	if (st == PO_OK)
		f->pubkey = pubkey_ref(certificate_pubkey(f->cert));
	return st;
}

void find_describe(const struct session *session, CK_OBJECT_CLASS class,
		   const struct selector *selector, struct buf *out)
{
	struct matches m = { 0 };
	size_t shown = 0;

	if (find_objects(session, class, selector, &m, NULL) != PO_OK)
		return;
	for (size_t i = 0; i < m.count && shown < LISTED_MAX; i++) {
		struct found f = { 0 };
		char uri[SIGNER_URI_MAX];

		/* a key of another type is named all the same */
		(void)read_found(session, class, m.handles[i], &f, NULL);
		/* a public key stands for the private one, which is meant */
		f.name.class =
			class == CKO_PUBLIC_KEY ? CKO_PRIVATE_KEY : class;
		if (object_uri(session, &f.name, uri) &&
		    buf_addf(out, "%s%s", shown ? ", " : "", uri))
			shown++;
		found_clear(&f);
	}
	if (shown < m.count && !buf_adds(out, " and more"))
		log_debug(LOG_CRYPTOKI, "not all matches are listed");
}

static enum po_status fail_ambiguous(const struct session *s,
				     CK_OBJECT_CLASS class,
				     const struct selector *selector,
				     const char *what, struct po_error *err)
{
	po_auto_buf list = { 0 };

	buf_init(&list, PO_ERROR_TEXT_MAX * 3 / 4);
	find_describe(s, class, selector, &list);
	return po_fail(err, PO_E_AMBIGUOUS, 0,
		       "several %s match; name one by its URI: %s", what,
		       buf_text(&list));
}

static bool is_valid(const struct certificate *cert, int64_t now_s)
{
	return certificate_not_before_s(cert) <= now_s &&
	       now_s <= certificate_not_after_s(cert);
}

/* Of two certificates of one key: valid now wins, then the later start. */
static bool is_better(const struct certificate *a, const struct certificate *b,
		      int64_t now_s)
{
	bool a_valid = is_valid(a, now_s), b_valid = is_valid(b, now_s);

	if (a_valid != b_valid)
		return a_valid;
	return certificate_not_before_s(a) > certificate_not_before_s(b);
}

static bool is_candidate(const struct found *f, const struct pubkey *of)
{
	return !certificate_is_attestation(f->cert) &&
	       (!of || pubkey_equal(f->pubkey, of));
}

/* Takes f into best when it is the better one; empties the other. */
static enum po_status consider(struct found *best, struct found *f,
			       int64_t now_s)
{
	size_t count = best->cert_count + 1;
	struct found other;

	if (best->cert && !pubkey_equal(best->pubkey, f->pubkey))
		return PO_E_AMBIGUOUS;
	if (!best->cert || is_better(f->cert, best->cert, now_s)) {
		other = *best;
		*best = *f;
		*f = other;
	}
	best->cert_count = count;
	return PO_OK;
}

enum po_status find_certificate(const struct session *session,
				const struct selector *selector,
				const struct pubkey *of,
				struct found *ret_found, struct po_error *err)
{
	struct found best = { 0 };
	struct matches m = { 0 };
	int64_t now_s = clock_now_s(session->clock);
	enum po_status st =
		find_objects(session, CKO_CERTIFICATE, selector, &m, err);

	for (size_t i = 0; st == PO_OK && i < m.count; i++) {
		struct found f = { 0 };
		struct po_error why = { 0 };

		st = read_found(session, CKO_CERTIFICATE, m.handles[i], &f,
				&why);
		if (st == PO_OK && is_candidate(&f, of))
			st = consider(&best, &f, now_s);
		else if (st == PO_E_CRYPTO && m.count > 1)
			st = PO_OK; /* not one of ours; the others may be */
		else if (st != PO_OK && err && err->status == PO_OK)
			*err = why;
		found_clear(&f);
	}
	if (st == PO_E_AMBIGUOUS)
		st = fail_ambiguous(session, CKO_CERTIFICATE, selector,
				    "certificates of different keys", err);
	if (st != PO_OK) {
		found_clear(&best);
		return st;
	}
	*ret_found = best;
	return PO_OK;
}

enum po_status find_key(const struct session *session, CK_OBJECT_CLASS class,
			const struct selector *selector,
			struct found *ret_found, struct po_error *err)
{
	struct found f = { 0 };
	struct matches m = { 0 };
	enum po_status st = find_objects(session, class, selector, &m, err);

	if (st != PO_OK)
		return st;
	if (m.count > 1)
		return fail_ambiguous(session, class, selector, "keys", err);
	if (m.count == 1)
		st = read_found(session, class, m.handles[0], &f, err);
	if (st != PO_OK) {
		found_clear(&f);
		return st;
	}
	*ret_found = f;
	return PO_OK;
}
