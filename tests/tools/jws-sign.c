/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jws-sign.c - signs given header and payload bytes with a key on a token, by
 * the very code that signs assertions. It drives published vectors, whose
 * claims and member order the program itself would never make.
 *
 * usage: jws-sign URI MODULE PIN_FROM ALG HEADERFILE PAYLOADFILE
 */
#include "base/fs.h"
#include "cryptoki/token_signer.h"
#include "jose/jws.h"

#include <stdio.h>

static enum po_status sign(char **argv, struct secret **ret_jws,
			   struct po_error *err)
{
	const struct pin_request pin = { .from = argv[3] };
	struct kept_pin kept = { 0 };
	const struct token_signer_request req = {
		.clock = &po_clock_system,
		.uri = argv[1],
		.module = argv[2],
		.pin = &pin,
		.kept = &kept,
	};
	po_auto(signer) *signer = NULL;
	po_auto_buf header = { 0 }, payload = { 0 };
	enum alg alg;
	enum po_status st = alg_parse(argv[4], &alg, err);

	buf_init(&header, JWS_TEXT_MAX);
	buf_init(&payload, JWS_TEXT_MAX);
	if (st == PO_OK)
		st = fs_read(argv[5], &header, err);
	if (st == PO_OK)
		st = fs_read(argv[6], &payload, err);
	if (st == PO_OK)
		st = token_signer_open(&req, &signer, err);
	if (st == PO_OK)
		st = jws_sign(signer, alg, buf_text(&header),
			      buf_text(&payload), ret_jws, err);
	kept_pin_clear(&kept);
	return st;
}

int main(int argc, char **argv)
{
	po_auto(secret) *jws = NULL;
	static struct po_error err;

	if (argc != 7) {
		fprintf(stderr, "usage: jws-sign URI MODULE PIN_FROM ALG "
				"HEADERFILE PAYLOADFILE\n");
		return 2;
	}
	if (sign(argv, &jws, &err) != PO_OK) {
		fprintf(stderr, "jws-sign: %s\n", err.text);
		return 1;
	}
	printf("%s\n", secret_reveal(jws));
	return 0;
}
