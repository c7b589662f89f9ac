/* SPDX-License-Identifier: Apache-2.0 */
#include "jose/jws.h"

#include "base/base64url.h"
#include "base/text.h"

#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

/* base64url in place, at the end of a secret. */
static bool append_encoded(struct secret *s, const void *data, size_t len)
{
	char *tail = secret_tail(s, BASE64URL_LEN(len));

	if (!tail)
		return false;
	base64url_encode(tail, data, len);
	secret_grow(s, BASE64URL_LEN(len));
	return true;
}

enum po_status jws_sign(struct signer *signer, enum alg alg, const char *header,
			const char *payload, struct secret **ret_jws,
			struct po_error *err)
{
	size_t header_len = strlen(header), payload_len = strlen(payload);
	po_auto(secret) *jws = NULL;
	struct signature sig;
	enum po_status st;

	if (header_len > JWS_TEXT_MAX / 4 || payload_len > JWS_TEXT_MAX / 4)
		return po_fail(err, PO_E_USAGE, 0,
			       "header and claims are too long for one JWS");
	jws = secret_new(BASE64URL_LEN(header_len) +
			 BASE64URL_LEN(payload_len) +
			 BASE64URL_LEN(SIGNATURE_MAX) + 2);
	if (!jws)
		return po_no_memory(err);
	if (!append_encoded(jws, header, header_len) ||
	    secret_append(jws, ".", 1, err) != PO_OK ||
	    !append_encoded(jws, payload, payload_len))
		return po_no_memory(err);

	st = signer_sign(signer, alg, secret_reveal(jws), secret_len(jws), &sig,
			 err);
	if (st != PO_OK)
		return st;
	if (secret_append(jws, ".", 1, err) != PO_OK ||
	    !append_encoded(jws, sig.bytes, sig.len))
		return po_no_memory(err);
	*ret_jws = po_steal(jws);
	return PO_OK;
}

size_t jws_length(size_t header_len, size_t payload_len, size_t sig_len)
{
	return BASE64URL_LEN(header_len) + BASE64URL_LEN(payload_len) +
	       BASE64URL_LEN(sig_len) + 2;
}

static enum po_status fail_form(struct po_error *err, const char *why)
{
	return po_fail(err, PO_E_CRYPTO, 0, "this is no compact JWS: %s", why);
}

static enum po_status parse_header(const char *text, size_t len,
				   json_t **ret_header, struct po_error *err)
{
	size_t cap = BASE64URL_BYTES(len), json_len = 0;
	uint8_t *bytes = malloc(cap);
	enum po_status st;

	if (!bytes)
		return po_no_memory(err);
	if (!base64url_decode(bytes, cap, text, len, &json_len))
		st = fail_form(err, "the header is not base64url");
	else if (json_parse_object((const char *)bytes, json_len, ret_header,
				   NULL) != PO_OK)
		st = fail_form(err, "the header is not one JSON object "
				    "without repeated members");
	else
		st = PO_OK;
	free(bytes);
	return st;
}

static enum po_status parse_payload(const char *text, size_t len,
				    struct secret **ret_payload,
				    struct po_error *err)
{
	size_t cap = BASE64URL_BYTES(len), payload_len = 0;
	po_auto(secret) *payload = secret_new(cap);
	char *room = payload ? secret_tail(payload, cap) : NULL;

	if (!room)
		return po_no_memory(err);
	if (!base64url_decode((uint8_t *)room, cap, text, len, &payload_len))
		return fail_form(err, "the payload is not base64url");
	secret_grow(payload, payload_len);
	*ret_payload = po_steal(payload);
	return PO_OK;
}

static enum po_status parse_parts(struct jws *jws, const char *text, size_t len,
				  struct po_error *err)
{
	const char *end = text + len;
	const char *first = memchr(text, '.', len);
	const char *second =
		first ? memchr(first + 1, '.', (size_t)(end - first - 1))
		      : NULL;
	enum po_status st;

	if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
		return fail_form(err, "it has not exactly three parts");
	if (!base64url_decode(jws->signature.bytes,
			      sizeof(jws->signature.bytes), second + 1,
			      (size_t)(end - second - 1), &jws->signature.len))
		return fail_form(err, "the signature is not base64url");
	st = parse_header(text, (size_t)(first - text), &jws->header, err);
	if (st == PO_OK)
		st = parse_payload(first + 1, (size_t)(second - first - 1),
				   &jws->payload, err);
	if (st != PO_OK)
		return st;
	jws->signing_input = strndup(text, (size_t)(second - text));
	return jws->signing_input ? PO_OK : po_no_memory(err);
}

enum po_status jws_parse(const char *text, size_t len, struct jws **ret_jws,
			 struct po_error *err)
{
	po_auto(jws) *jws = NULL;
	enum po_status st;

	while (len > 0 && text[len - 1] && strchr(" \t\r\n", text[len - 1]))
		len--;
	if (len == 0)
		return fail_form(err, "it is empty");
	if (len > JWS_TEXT_MAX)
		return fail_form(err, "it is too long");
	jws = calloc(1, sizeof(*jws));
	if (!jws)
		return po_no_memory(err);
	st = parse_parts(jws, text, len, err);
	if (st == PO_OK)
		*ret_jws = po_steal(jws);
	return st;
}

void jws_free(struct jws *jws)
{
	if (!jws)
		return;
	json_decref(jws->header);
	secret_free(jws->payload);
	if (jws->signing_input)
		OPENSSL_cleanse(jws->signing_input, strlen(jws->signing_input));
	free(jws->signing_input);
	free(jws);
}

enum po_status jws_verify(const struct jws *jws, const struct pubkey *key,
			  struct po_error *err)
{
	const char *name = json_text(jws->header, "alg");
	int i = name ? text_word_index(name, alg_names) : -1;
	po_auto_buf shown = { 0 };

	buf_init(&shown, 256);
	if (i < 0) {
		if (name &&
		    !text_add_printable(&shown, name, strnlen(name, 32)))
			return po_no_memory(err);
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the header's alg '%s' is none that a client "
			       "assertion may have",
			       buf_text(&shown));
	}
	if (json_object_get(jws->header, "crit"))
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the header demands extensions (crit) that are "
			       "not known here");
	return signature_verify(key, (enum alg)i, jws->signing_input,
				strlen(jws->signing_input), &jws->signature,
				err);
}
