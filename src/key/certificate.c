/* SPDX-License-Identifier: Apache-2.0 */
#include "key/certificate.h"

#include "base/text.h"

#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

PO_DEFINE_AUTO_T(BIO, BIO_free_all);
PO_DEFINE_AUTO_T(BIGNUM, BN_free);
PO_DEFINE_AUTO_T(ASN1_OBJECT, ASN1_OBJECT_free);

struct certificate {
	X509 *x509;
	uint8_t *der;
	size_t der_len;
	struct pubkey *pubkey;
	char *subject;
	char *issuer;
	char *serial;
	int64_t not_before_s;
	int64_t not_after_s;
};

/* One line as RFC 4514 writes it; free() it. */
static char *name_line(const X509_NAME *name)
{
	po_auto_t(BIO) *bio = BIO_new(BIO_s_mem());
	po_auto_buf line = { 0 };
	char *text;
	long len;

	/* bytes beyond ASCII stay UTF-8; text_add_printable() judges them */
	if (!bio ||
	    X509_NAME_print_ex(bio, name, 0,
			       XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB) < 0)
		return NULL;
	len = BIO_get_mem_data(bio, &text);
	buf_init(&line, 4096);
	if (len < 0 || !text_add_printable(&line, text, (size_t)len))
		return text_dup("(a name that is too long)");
	return text_dup(buf_text(&line));
}

static char *serial_hex(X509 *x509)
{
	po_auto_t(BIGNUM) *bn =
		ASN1_INTEGER_to_BN(X509_get_serialNumber(x509), NULL);
	char *hex = bn ? BN_bn2hex(bn) : NULL;
	char *copy = hex ? text_dup(hex) : NULL;

	OPENSSL_free(hex);
	return copy;
}

static bool time_of(const ASN1_TIME *asn1, int64_t *ret_s)
{
	struct tm tm = { 0 };

	if (!ASN1_TIME_to_tm(asn1, &tm))
		return false;
	*ret_s = timegm(&tm);
	return true;
}

static enum po_status read_fields(struct certificate *c, struct po_error *err)
{
	EVP_PKEY *evp = X509_get0_pubkey(c->x509);

	c->subject = name_line(X509_get_subject_name(c->x509));
	c->issuer = name_line(X509_get_issuer_name(c->x509));
	c->serial = serial_hex(c->x509);
	if (!c->subject || !c->issuer || !c->serial)
		return po_no_memory(err);
	if (!time_of(X509_get0_notBefore(c->x509), &c->not_before_s) ||
	    !time_of(X509_get0_notAfter(c->x509), &c->not_after_s))
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the certificate's dates cannot be read");
	if (!evp)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "the certificate's public key cannot be read");
	return pubkey_from_evp(evp, &c->pubkey, err);
}

enum po_status certificate_from_der(const uint8_t *der, size_t len,
				    struct certificate **ret_cert,
				    struct po_error *err)
{
	po_auto(certificate) *c = NULL;
	const uint8_t *end = der;
	enum po_status st;

	if (len > CERTIFICATE_DER_MAX)
		return po_fail(err, PO_E_CRYPTO, 0,
			       "a certificate of more than %d bytes",
			       CERTIFICATE_DER_MAX);
	c = calloc(1, sizeof(*c));
	if (!c)
		return po_no_memory(err);
	c->x509 = d2i_X509(NULL, &end, (long)len);
	if (!c->x509 || end != der + len) {
		ERR_clear_error();
		return po_fail(err, PO_E_CRYPTO, 0,
			       "this is no X.509 certificate");
	}
	c->der = OPENSSL_memdup(der, len);
	if (!c->der)
		return po_no_memory(err);
	c->der_len = len;
	st = read_fields(c, err);
	if (st != PO_OK)
		return st;
	*ret_cert = po_steal(c);
	return PO_OK;
}

void certificate_free(struct certificate *cert)
{
	if (!cert)
		return;
	X509_free(cert->x509);
	OPENSSL_free(cert->der);
	pubkey_free(cert->pubkey);
	free(cert->subject);
	free(cert->issuer);
	free(cert->serial);
	free(cert);
}

const uint8_t *certificate_der(const struct certificate *cert, size_t *ret_len)
{
	*ret_len = cert->der_len;
	return cert->der;
}

bool certificate_has_der(const struct certificate *cert, const uint8_t *der,
			 size_t len)
{
	return cert->der_len == len && memcmp(cert->der, der, len) == 0;
}

const struct pubkey *certificate_pubkey(const struct certificate *cert)
{
	return cert->pubkey;
}

const char *certificate_subject(const struct certificate *cert)
{
	return cert->subject;
}

const char *certificate_issuer(const struct certificate *cert)
{
	return cert->issuer;
}

const char *certificate_serial(const struct certificate *cert)
{
	return cert->serial;
}

int64_t certificate_not_before_s(const struct certificate *cert)
{
	return cert->not_before_s;
}

int64_t certificate_not_after_s(const struct certificate *cert)
{
	return cert->not_after_s;
}

bool certificate_may_sign(const struct certificate *cert)
{
	/* all bits are set when there is no keyUsage */
	return (X509_get_key_usage(cert->x509) & KU_DIGITAL_SIGNATURE) != 0;
}

bool certificate_is_attestation(const struct certificate *cert)
{
	/* Yubico's "firmware version", in every attestation of theirs */
	po_auto_t(ASN1_OBJECT) *oid = OBJ_txt2obj("1.3.6.1.4.1.41482.3.3", 1);

	return oid && X509_get_ext_by_OBJ(cert->x509, oid, -1) >= 0;
}

bool certificate_is_issued_by(const struct certificate *cert,
			      const struct certificate *issuer)
{
	return X509_NAME_cmp(X509_get_issuer_name(cert->x509),
			     X509_get_subject_name(issuer->x509)) == 0 &&
	       X509_verify(cert->x509, pubkey_evp(issuer->pubkey)) == 1;
}

enum po_status certificate_add_pem(const struct certificate *cert,
				   struct buf *out, struct po_error *err)
{
	po_auto_t(BIO) *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	/* the DER as it came, not an encoding of what was parsed */
	if (!bio || !PEM_write_bio(bio, PEM_STRING_X509, "", cert->der,
				   (long)cert->der_len))
		return po_no_memory(err);
	len = BIO_get_mem_data(bio, &text);
	if (len < 0 || !buf_add(out, text, (size_t)len))
		return po_no_memory(err);
	return PO_OK;
}

/* ---- lists --------------------------------------------------------------- */

static enum po_status list_add(struct certificate_list *list,
			       const uint8_t *der, size_t len,
			       struct po_error *err)
{
	enum po_status st;

	if (list->count == CERTIFICATE_CHAIN_MAX)
		return po_fail(err, PO_E_CONFIG, 0, "more than %d certificates",
			       CERTIFICATE_CHAIN_MAX);
	st = certificate_from_der(der, len, &list->items[list->count], err);
	if (st == PO_OK)
		list->count++;
	return st;
}

static enum po_status add_blocks(BIO *bio, struct certificate_list *list,
				 struct po_error *err)
{
	enum po_status st = PO_OK;
	char *name = NULL, *header = NULL;
	unsigned char *der = NULL;
	long len = 0;

	while (st == PO_OK &&
	       PEM_read_bio(bio, &name, &header, &der, &len) == 1) {
		if (strcmp(name, PEM_STRING_X509) == 0 ||
		    strcmp(name, PEM_STRING_X509_OLD) == 0)
			st = list_add(list, der, (size_t)len, err);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(der, (size_t)len); /* may be a key */
	}
	/* the end of the text is "no start line"; anything else is damage */
	if (st == PO_OK &&
	    ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		st = po_fail(err, PO_E_CONFIG, 0, "the PEM text is damaged");
	ERR_clear_error();
	return st;
}

enum po_status certificate_list_parse(const char *text, size_t len,
				      struct certificate_list *list,
				      struct po_error *err)
{
	po_auto_t(BIO) *bio = NULL;
	enum po_status st;

	*list = (struct certificate_list){ 0 };
	if (len > CERTIFICATE_PEM_MAX)
		return po_fail(err, PO_E_CONFIG, 0, "more than %d bytes",
			       CERTIFICATE_PEM_MAX);
	/* a long DER SEQUENCE; 0x30 alone is also the digit 0 */
	if (len > 2 && text[0] == 0x30 && (text[1] & 0x80)) {
		st = list_add(list, (const uint8_t *)text, len, err);
	} else {
		bio = BIO_new_mem_buf(text, (int)len);
		if (!bio)
			return po_no_memory(err);
		st = add_blocks(bio, list, err);
	}
	if (st == PO_OK && list->count == 0)
		st = po_fail(err, PO_E_CONFIG, 0, "no certificate in it");
	if (st == PO_OK)
		return st;
	certificate_list_clear(list);
	if (err && st == PO_E_CRYPTO)
		err->status = PO_E_CONFIG; /* the file is what is wrong */
	return st == PO_E_CRYPTO ? PO_E_CONFIG : st;
}

void certificate_list_clear(struct certificate_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		certificate_free(list->items[i]);
	*list = (struct certificate_list){ 0 };
}

int certificate_list_find(const struct certificate_list *list,
			  const struct pubkey *key)
{
	for (size_t i = 0; i < list->count; i++)
		if (pubkey_equal(list->items[i]->pubkey, key))
			return (int)i;
	return -1;
}
