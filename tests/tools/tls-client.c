/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls-client.c - one GET, with the client's certificate and key on a token,
 * through the very code of the program.
 *
 * usage: tls-client CA URL [URI MODULE PIN_FROM TIMEOUT_S INIT_ARGS [CHAIN]]
 *
 * INIT_ARGS may be empty; CHAIN is a PEM file of what certifies the leaf.
 * The body goes to stdout. A failure is one line on stderr, and the negated
 * status is the exit status; a line "verify: ERROR DEPTH SUBJECT, by ISSUER"
 * says what the HTTP client noted of the server's certificate.
 */
#include "base/fs.h"
#include "base/interrupt.h"
#include "base/log.h"
#include "base/text.h"
#include "cryptoki/token_signer.h"
#include "http/curl.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct fetch {
	struct http_client *client;
	struct http_request request;
	struct http_response response;
	struct certificate_list chain; /* above the leaf */
};

static enum po_status fetch(void *arg, struct po_error *err)
{
	struct fetch *f = arg;

	return f->client->perform(f->client, &f->request, &f->response, err);
}

static enum po_status read_chain(const char *path,
				 struct certificate_list *ret_chain,
				 struct po_error *err)
{
	po_auto_buf pem = { 0 };
	enum po_status st;

	if (!path)
		return PO_OK;
	buf_init(&pem, CERTIFICATE_PEM_MAX);
	st = fs_read(path, &pem, err);
	return st == PO_OK ? certificate_list_parse(buf_text(&pem), pem.len,
						    ret_chain, err)
			   : st;
}

static struct http_der der_of(const struct certificate *cert)
{
	struct http_der der = { 0 };

	der.data = certificate_der(cert, &der.len);
	return der;
}

static enum po_status fetch_with_key(struct fetch *f,
				     const struct token_signer_request *req,
				     struct po_error *err)
{
	po_auto(signer) *signer = NULL;
	struct http_der chain[1 + CERTIFICATE_CHAIN_MAX];
	struct http_identity identity = { .chain = chain, .chain_len = 1 };
	enum po_status st = token_signer_open(req, &signer, err);

	if (st == PO_OK)
		st = signer_unlock(signer, err);
	if (st == PO_OK && !signer->cert)
		st = po_fail(err, PO_E_NOT_FOUND, 0, "no certificate");
	if (st == PO_OK)
		st = token_signer_evp(signer, &identity.key, err);
	if (st != PO_OK)
		return st;
	chain[0] = der_of(signer->cert);
	for (size_t i = 0; i < f->chain.count; i++)
		chain[identity.chain_len++] = der_of(f->chain.items[i]);
	f->request.identity = &identity;
	return token_signer_run(signer, fetch, f, err);
}

static enum po_status run(int argc, char **argv, struct fetch *f,
			  struct po_error *err)
{
	struct pin_request pin = { 0 };
	struct kept_pin kept = { 0 };
	struct token_signer_request req = { .clock = &po_clock_system,
					    .pin = &pin,
					    .kept = &kept };
	enum po_status st;
	uint64_t timeout_s = 0;

	f->request.ca_file = argv[1];
	f->request.url = argv[2];
	if (argc < 8)
		return fetch(f, err);
	req.uri = argv[3];
	req.module = argv[4];
	pin.from = argv[5];
	if (!text_to_uint(argv[6], DEVICE_TIMEOUT_MAX_S, &timeout_s))
		return po_fail(err, PO_E_USAGE, 0, "no time-out");
	req.timeout_s = (int64_t)timeout_s;
	req.init_args = argv[7][0] ? argv[7] : NULL;
	f->request.timeout_ms = (req.timeout_s + 30) * 1000;
	st = read_chain(argv[8], &f->chain, err);
	if (st == PO_OK)
		st = fetch_with_key(f, &req, err);
	certificate_list_clear(&f->chain);
	kept_pin_clear(&kept);
	return st;
}

static void report(const struct fetch *f, const struct po_error *err)
{
	const struct http_verify *v = &f->response.verify;

	(void)fprintf(stderr, "tls-client: %s\n", err->text);
	(void)fprintf(stderr, "verify: %ld %d %s, by %s\n", v->error, v->depth,
		      v->subject, v->issuer);
}

int main(int argc, char **argv)
{
	static struct po_error err;
	struct fetch f = { .request.method = HTTP_GET };
	enum po_status st;

	if (argc != 3 && argc != 8 && argc != 9) {
		(void)fprintf(stderr,
			      "usage: tls-client CA URL [URI MODULE PIN_FROM "
			      "TIMEOUT_S INIT_ARGS [CHAIN]]\n");
		return 2;
	}
	interrupt_install();
	if (getenv("P11OAUTH_DEBUG"))
		(void)log_enable(getenv("P11OAUTH_DEBUG"));
	http_response_init(&f.response);
	st = curl_client_new(&po_clock_system, &f.client, &err);
	if (st == PO_OK)
		st = run(argc, argv, &f, &err);
	if (st != PO_OK)
		report(&f, &err);
	else
		(void)printf("%s\n", buf_text(&f.response.body));
	http_response_clear(&f.response);
	f.client->free(f.client);
	(void)fflush(stdout);
	if (device_was_lost())
		_exit(-st); /* as the program does */
	return -st;
}
