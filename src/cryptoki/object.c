/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/object.h"

#include "base/log.h"
#include "cryptoki/ckr.h"
#include "cryptoki/device.h"
#include "cryptoki/uri.h"

#include <stdlib.h>
#include <string.h>

#define VALUE_AT_ONCE 8192 /* bytes; most certificates fit at the first call */

static bool is_there(const CK_ATTRIBUTE *a)
{
	return a->ulValueLen != CK_UNAVAILABLE_INFORMATION;
}

static size_t len_of(const CK_ATTRIBUTE *a)
{
	return is_there(a) ? a->ulValueLen : 0;
}

/*
 * Reads what there is of the template. A module says that something is missing
 * by the return value and by the length; only the length is of use.
 */
static enum po_status get(const struct session *s, CK_OBJECT_HANDLE handle,
			  CK_ATTRIBUTE *template, size_t count,
			  struct po_error *err)
{
	CK_RV rv = MODULE_CALL(s->module, C_GetAttributeValue, s->handle,
			       handle, template, count);

	if (rv == CKR_OK || rv == CKR_ATTRIBUTE_TYPE_INVALID ||
	    rv == CKR_ATTRIBUTE_SENSITIVE || rv == CKR_BUFFER_TOO_SMALL)
		return PO_OK;
	return ckr_fail(err, rv, "C_GetAttributeValue");
}

/* A module that claims to have written more than it was given lies. */
static void distrust(CK_ATTRIBUTE *template, const CK_ATTRIBUTE *given,
		     size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (len_of(&template[i]) > given[i].ulValueLen)
			template[i].ulValueLen = CK_UNAVAILABLE_INFORMATION;
}

static void set_name(struct object_name *name, CK_OBJECT_CLASS class,
		     const CK_ATTRIBUTE *id, const CK_ATTRIBUTE *label)
{
	name->class = class;
	name->id_len = len_of(id);
	name->label[len_of(label)] = '\0';
}

/* The certificate did not fit into the usual buffer: ask how long it is. */
static enum po_status get_long_value(const struct session *s,
				     CK_OBJECT_HANDLE handle, uint8_t **ret_der,
				     size_t *ret_len, struct po_error *err)
{
	CK_ATTRIBUTE a = { CKA_VALUE, NULL, 0 };
	enum po_status st = get(s, handle, &a, 1, err);
	CK_ATTRIBUTE given;

	if (st != PO_OK)
		return st;
	if (len_of(&a) == 0 || len_of(&a) > CERTIFICATE_DER_MAX)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the certificate has no value, or one of more "
			       "than %d bytes",
			       CERTIFICATE_DER_MAX);
	a.pValue = malloc(a.ulValueLen);
	if (!a.pValue)
		return po_no_memory(err);
	given = a;
	st = get(s, handle, &a, 1, err);
	distrust(&a, &given, 1);
	*ret_der = a.pValue;
	*ret_len = len_of(&a);
	return st;
}

enum po_status object_read_certificate(const struct session *session,
				       CK_OBJECT_HANDLE handle,
				       struct object_name *ret_name,
				       struct certificate **ret_cert,
				       struct po_error *err)
{
	uint8_t value[VALUE_AT_ONCE], *long_value = NULL;
	CK_ATTRIBUTE a[] = {
		{ CKA_VALUE, value, sizeof(value) },
		{ CKA_ID, ret_name->id, sizeof(ret_name->id) },
		{ CKA_LABEL, ret_name->label, OBJECT_LABEL_MAX },
	};
	CK_ATTRIBUTE given[PO_ARRAY_SIZE(a)];
	const uint8_t *der = value;
	enum po_status st;
	size_t len;

	memcpy(given, a, sizeof(a));
	st = get(session, handle, a, PO_ARRAY_SIZE(a), err);
	if (st != PO_OK)
		return st;
	distrust(a, given, PO_ARRAY_SIZE(a));
	set_name(ret_name, CKO_CERTIFICATE, &a[1], &a[2]);
	len = len_of(&a[0]);
	if (len == 0) {
		st = get_long_value(session, handle, &long_value, &len, err);
		der = long_value;
	}
	if (st == PO_OK)
		st = certificate_from_der(der, len, ret_cert, err);
	free(long_value);
	return po_context(err, st, "certificate '%s'", ret_name->label);
}

struct key_parts {
	CK_KEY_TYPE type;
	uint8_t modulus[PUBKEY_RSA_BITS_MAX / 8 + 1];
	uint8_t exponent[64];
	uint8_t params[256];
	uint8_t point[2 * PUBKEY_FIELD_MAX + 8];
	uint8_t spki[PUBKEY_RSA_BITS_MAX / 8 + 128];
};

/* The claims come last, for private keys only. */
enum { ID, LABEL, TYPE, MODULUS, EXPONENT, PARAMS, POINT, SPKI, CLAIMS };

#define ATTRIBUTES (CLAIMS + OBJECT_CLAIMS)

static const CK_ATTRIBUTE_TYPE claim_types[OBJECT_CLAIMS] = {
	[OBJECT_SIGN] = CKA_SIGN,
	[OBJECT_SENSITIVE] = CKA_SENSITIVE,
	[OBJECT_EXTRACTABLE] = CKA_EXTRACTABLE,
	[OBJECT_ALWAYS_SENSITIVE] = CKA_ALWAYS_SENSITIVE,
	[OBJECT_NEVER_EXTRACTABLE] = CKA_NEVER_EXTRACTABLE,
	[OBJECT_LOCAL] = CKA_LOCAL,
	[OBJECT_ALWAYS_AUTHENTICATE] = CKA_ALWAYS_AUTHENTICATE,
};

static enum po_status key_of(const struct key_parts *parts,
			     const CK_ATTRIBUTE *a, struct pubkey **ret_key,
			     struct po_error *err)
{
	if (!is_there(&a[TYPE]))
		return po_fail(err, PO_E_CRYPTO, 0, "the key has no type");
	if (parts->type != CKK_RSA && parts->type != CKK_EC)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "key type 0x%lx cannot sign an assertion",
			       parts->type);
	if (parts->type == CKK_RSA && len_of(&a[MODULUS]) &&
	    len_of(&a[EXPONENT]))
		return pubkey_from_rsa(parts->modulus, len_of(&a[MODULUS]),
				       parts->exponent, len_of(&a[EXPONENT]),
				       ret_key, err);
	if (parts->type == CKK_EC && len_of(&a[PARAMS]) && len_of(&a[POINT]))
		return pubkey_from_ec(parts->params, len_of(&a[PARAMS]),
				      parts->point, len_of(&a[POINT]), ret_key,
				      err);
	if (len_of(&a[SPKI]))
		return pubkey_from_spki(parts->spki, len_of(&a[SPKI]), ret_key,
					err);
	*ret_key = NULL;
	return PO_OK;
}

enum po_status object_read_key(const struct session *session,
			       CK_OBJECT_CLASS class, CK_OBJECT_HANDLE handle,
			       struct object_name *ret_name,
			       struct pubkey **ret_key, struct po_error *err)
{
	size_t count = class == CKO_PRIVATE_KEY ? ATTRIBUTES : CLAIMS;
	CK_BBOOL claims[OBJECT_CLAIMS] = { 0 };
	struct key_parts parts = { 0 };
	CK_ATTRIBUTE a[ATTRIBUTES] = {
		[ID] = { CKA_ID, ret_name->id, sizeof(ret_name->id) },
		[LABEL] = { CKA_LABEL, ret_name->label, OBJECT_LABEL_MAX },
		[TYPE] = { CKA_KEY_TYPE, &parts.type, sizeof(parts.type) },
		[MODULUS] = { CKA_MODULUS, parts.modulus,
			      sizeof(parts.modulus) },
		[EXPONENT] = { CKA_PUBLIC_EXPONENT, parts.exponent,
			       sizeof(parts.exponent) },
		[PARAMS] = { CKA_EC_PARAMS, parts.params,
			     sizeof(parts.params) },
		[POINT] = { CKA_EC_POINT, parts.point, sizeof(parts.point) },
		[SPKI] = { CKA_PUBLIC_KEY_INFO, parts.spki,
			   sizeof(parts.spki) },
	};
	CK_ATTRIBUTE given[ATTRIBUTES];
	enum po_status st;

	for (size_t i = 0; i < OBJECT_CLAIMS; i++)
		a[CLAIMS + i] = (CK_ATTRIBUTE){ claim_types[i], &claims[i],
						sizeof(claims[i]) };
	memcpy(given, a, sizeof(a));
	st = get(session, handle, a, count, err);
	if (st != PO_OK)
		return st;
	distrust(a, given, count);
	set_name(ret_name, class, &a[ID], &a[LABEL]);
	for (size_t i = 0; i < OBJECT_CLAIMS && count == ATTRIBUTES; i++)
		ret_name->claims[i] = len_of(&a[CLAIMS + i]) == sizeof(CK_BBOOL)
					      ? claims[i] != CK_FALSE
					      : -1;
	return po_context(err, key_of(&parts, a, ret_key, err), "key '%s'",
			  ret_name->label);
}

bool object_uri(const struct session *session, const struct object_name *name,
		char out[static SIGNER_URI_MAX])
{
	po_auto_t(P11KitUri) *uri = p11_kit_uri_new();
	CK_OBJECT_CLASS class = name->class;
	CK_ATTRIBUTE class_attr = { CKA_CLASS, &class, sizeof(class) };
	/* set_attribute copies; its parameter merely lacks a const */
	uint8_t id[SIGNER_ID_MAX];
	char label[OBJECT_LABEL_MAX + 1];
	CK_ATTRIBUTE id_attr = { CKA_ID, id, name->id_len };
	CK_ATTRIBUTE label_attr = { CKA_LABEL, label, strlen(name->label) };
	char *text = NULL;
	bool ok;

	if (!uri)
		return false;
	memcpy(id, name->id, name->id_len);
	memcpy(label, name->label, sizeof(label));
	*p11_kit_uri_get_token_info(uri) = session->token.info;
	ok = p11_kit_uri_set_attribute(uri, &class_attr) == P11_KIT_URI_OK &&
	     (!name->id_len ||
	      p11_kit_uri_set_attribute(uri, &id_attr) == P11_KIT_URI_OK) &&
	     (!label_attr.ulValueLen ||
	      p11_kit_uri_set_attribute(uri, &label_attr) == P11_KIT_URI_OK) &&
	     p11_kit_uri_format(uri, P11_KIT_URI_FOR_OBJECT_ON_TOKEN, &text) ==
		     P11_KIT_URI_OK;
	if (ok && strlen(text) < SIGNER_URI_MAX)
		memcpy(out, text, strlen(text) + 1);
	else
		ok = false;
	free(text);
	return ok;
}
