/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/key-json.h"

#include "base/text.h"

#define DAY_S 86400

enum po_status thumbprints_of(const struct pubkey *key,
			      const struct certificate *cert,
			      struct thumbprints *ret_prints,
			      struct po_error *err)
{
	uint8_t spki[PUBKEY_SHA256_LEN];
	enum po_status st;

	*ret_prints = (struct thumbprints){ 0 };
	st = jwk_thumbprint(key, ret_prints->jwk, err);
	if (st == PO_OK)
		st = pubkey_spki_sha256(key, spki, err);
	if (st == PO_OK)
		text_hex_upper(ret_prints->spki, spki, sizeof(spki));
	if (st == PO_OK && cert)
		st = x5t_sha1(cert, ret_prints->x5t, err);
	if (st == PO_OK && cert)
		st = x5t_sha256(cert, ret_prints->x5t_s256, err);
	if (st == PO_OK && cert)
		st = x5t_sha1_hex(cert, ret_prints->x5t_hex, err);
	return st;
}

json_t *certificate_json(const struct certificate *cert, int64_t now_s)
{
	char from[32], until[32];

	text_utc(from, certificate_not_before_s(cert));
	text_utc(until, certificate_not_after_s(cert));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "subject",
			 certificate_subject(cert), "issuer",
			 certificate_issuer(cert), "serial",
			 certificate_serial(cert), "not_before", from,
			 "not_after", until, "expired",
			 now_s > certificate_not_after_s(cert));
}

bool certificate_add_validity(const struct certificate *cert, int64_t now_s,
			      struct buf *out)
{
	int64_t from_s = certificate_not_before_s(cert);
	int64_t until_s = certificate_not_after_s(cert);
	char from[32], until[32];

	text_utc(from, from_s);
	text_utc(until, until_s);
	if (!buf_addf(out, "%.10s to %.10s", from, until))
		return false;
	if (now_s < from_s)
		return buf_adds(out, " (not valid yet)");
	if (now_s > until_s)
		return buf_addf(out, " (expired %lld days ago)",
				(long long)((now_s - until_s) / DAY_S));
	return buf_addf(out, " (%lld days left)",
			(long long)((until_s - now_s) / DAY_S));
}
