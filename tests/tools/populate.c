/* SPDX-License-Identifier: Apache-2.0 */
/*
 * populate.c - fills a token with key pairs and certificates, fast.
 *
 * usage: populate MODULE TOKEN-LABEL PIN N
 *
 * A handful of keys is generated here and imported again and again under
 * other ids and labels: for a search each is an object of its own.
 */
#include <dlfcn.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <p11-kit/pkcs11.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static CK_BBOOL yes = CK_TRUE, no = CK_FALSE;

struct material { /* one P-256 key, as PKCS #11 wants it */
	unsigned char d[32];
	unsigned char point[67]; /* DER OCTET STRING of the point */
	unsigned char cert[1024];
	CK_ULONG cert_len;
	unsigned char subject[256];
	CK_ULONG subject_len;
};

static unsigned char p256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48,
				0xce, 0x3d, 0x03, 0x01, 0x07 };

static void die(const char *what, unsigned long code)
{
	fprintf(stderr, "populate: %s failed (0x%lx)\n", what, code);
	exit(1);
}

static void check(bool ok, const char *what)
{
	if (!ok)
		die(what, 0);
}

static void certify(EVP_PKEY *key, struct material *m)
{
	X509 *x = X509_new();
	unsigned char *out = m->cert;
	X509_NAME *name = X509_get_subject_name(x);
	unsigned char *subject = m->subject;

	check(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
					 (const unsigned char *)"filler", -1,
					 -1, 0) &&
		      X509_set_issuer_name(x, name) &&
		      X509_set_version(x, X509_VERSION_3) &&
		      ASN1_INTEGER_set(X509_get_serialNumber(x), 1) &&
		      X509_gmtime_adj(X509_getm_notBefore(x), 0) &&
		      X509_gmtime_adj(X509_getm_notAfter(x), 90L * 86400) &&
		      X509_set_pubkey(x, key) &&
		      X509_sign(x, key, EVP_sha256()),
	      "making a certificate");
	check(i2d_X509(x, NULL) <= (int)sizeof(m->cert), "certificate");
	m->cert_len = (CK_ULONG)i2d_X509(x, &out);
	m->subject_len = (CK_ULONG)i2d_X509_NAME(name, &subject);
	X509_free(x);
}

static void make(struct material *m)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	BIGNUM *d = NULL;
	size_t len = 0;

	check(key && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &d) &&
		      BN_bn2binpad(d, m->d, sizeof(m->d)) > 0,
	      "making a key");
	m->point[0] = 0x04;
	m->point[1] = 65;
	check(EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY,
					      m->point + 2, 65, &len) &&
		      len == 65,
	      "reading the point");
	certify(key, m);
	BN_free(d);
	EVP_PKEY_free(key);
}

static CK_FUNCTION_LIST *load(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);
	void *symbol = library ? dlsym(library, "C_GetFunctionList") : NULL;
	CK_C_GetFunctionList get;
	CK_FUNCTION_LIST *fn = NULL;

	check(symbol != NULL, "loading the module");
	memcpy(&get, &symbol, sizeof(get));
	check(get(&fn) == CKR_OK && fn->C_Initialize(NULL) == CKR_OK,
	      "C_Initialize");
	return fn;
}

static CK_SLOT_ID find_slot(CK_FUNCTION_LIST *fn, const char *label)
{
	CK_SLOT_ID slots[32];
	CK_ULONG n = 32;
	CK_TOKEN_INFO info;

	check(fn->C_GetSlotList(CK_TRUE, slots, &n) == CKR_OK, "C_GetSlotList");
	for (CK_ULONG i = 0; i < n; i++)
		if (fn->C_GetTokenInfo(slots[i], &info) == CKR_OK &&
		    strncmp((char *)info.label, label, strlen(label)) == 0)
			return slots[i];
	die("finding the token", 0);
	return 0;
}

static void create(CK_FUNCTION_LIST *fn, CK_SESSION_HANDLE s,
		   CK_ATTRIBUTE *template, CK_ULONG n)
{
	CK_OBJECT_HANDLE handle;
	CK_RV rv = fn->C_CreateObject(s, template, n, &handle);

	if (rv != CKR_OK)
		die("C_CreateObject", rv);
}

#define BYTES(type, p, len)            \
	{                              \
		type, (void *)(p), len \
	}
#define VALUE(type, v)                        \
	{                                     \
		type, (void *)&(v), sizeof(v) \
	}
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void import(CK_FUNCTION_LIST *fn, CK_SESSION_HANDLE s,
		   struct material *m, unsigned int number)
{
	CK_OBJECT_CLASS private_key = CKO_PRIVATE_KEY;
	CK_OBJECT_CLASS public_key = CKO_PUBLIC_KEY;
	CK_OBJECT_CLASS certificate = CKO_CERTIFICATE;
	CK_CERTIFICATE_TYPE x509 = CKC_X_509;
	CK_KEY_TYPE ec = CKK_EC;
	unsigned char id[4] = { 0x0f, (unsigned char)(number >> 16),
				(unsigned char)(number >> 8),
				(unsigned char)number };
	char label[32];
	int label_len = snprintf(label, sizeof(label), "filler-%u", number);
	CK_ATTRIBUTE id_attr = BYTES(CKA_ID, id, sizeof(id));
	CK_ATTRIBUTE label_attr = BYTES(CKA_LABEL, label, (CK_ULONG)label_len);
	CK_ATTRIBUTE key[] = {
		VALUE(CKA_CLASS, private_key),
		VALUE(CKA_KEY_TYPE, ec),
		VALUE(CKA_TOKEN, yes),
		VALUE(CKA_PRIVATE, yes),
		VALUE(CKA_SENSITIVE, yes),
		VALUE(CKA_EXTRACTABLE, no),
		VALUE(CKA_SIGN, yes),
		id_attr,
		label_attr,
		BYTES(CKA_EC_PARAMS, p256, sizeof(p256)),
		BYTES(CKA_VALUE, m->d, sizeof(m->d)),
	};
	CK_ATTRIBUTE public[] = {
		VALUE(CKA_CLASS, public_key),
		VALUE(CKA_KEY_TYPE, ec),
		VALUE(CKA_TOKEN, yes),
		VALUE(CKA_PRIVATE, no),
		VALUE(CKA_VERIFY, yes),
		id_attr,
		label_attr,
		BYTES(CKA_EC_PARAMS, p256, sizeof(p256)),
		BYTES(CKA_EC_POINT, m->point, sizeof(m->point)),
	};
	CK_ATTRIBUTE cert[] = {
		VALUE(CKA_CLASS, certificate),
		VALUE(CKA_CERTIFICATE_TYPE, x509),
		VALUE(CKA_TOKEN, yes),
		VALUE(CKA_PRIVATE, no),
		id_attr,
		label_attr,
		BYTES(CKA_SUBJECT, m->subject, m->subject_len),
		BYTES(CKA_VALUE, m->cert, m->cert_len),
	};

	create(fn, s, key, COUNT(key));
	create(fn, s, public, COUNT(public));
	create(fn, s, cert, COUNT(cert));
}

int main(int argc, char **argv)
{
	static struct material keys[4];
	CK_FUNCTION_LIST *fn;
	CK_SESSION_HANDLE s;
	CK_RV rv;

	if (argc != 5) {
		fprintf(stderr, "usage: populate MODULE TOKEN-LABEL PIN N\n");
		return 2;
	}
	for (size_t i = 0; i < COUNT(keys); i++)
		make(&keys[i]);
	fn = load(argv[1]);
	rv = fn->C_OpenSession(find_slot(fn, argv[2]),
			       CKF_SERIAL_SESSION | CKF_RW_SESSION, NULL, NULL,
			       &s);
	if (rv == CKR_OK)
		rv = fn->C_Login(s, CKU_USER, (CK_UTF8CHAR *)argv[3],
				 strlen(argv[3]));
	if (rv != CKR_OK)
		die("C_Login", rv);
	for (unsigned int i = 0; i < strtoul(argv[4], NULL, 10); i++)
		import(fn, s, &keys[i % COUNT(keys)], i);
	return fn->C_Finalize(NULL) == CKR_OK ? 0 : 1;
}
