#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Published vectors through the real PKCS #11 path: the published private keys
# are imported into SoftHSM. RS* signatures come out byte for byte, ES* and PS*
# verify. tests/data/README.md names the origin of each file.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

softhsm_new "$W/hsm" vectors 739154
SIGN=$top_builddir/tests/tools/jws-sign
VECTORS=$DATA/vectors

# private_jwk FILE: the published private key.
private_jwk() {
	jq 'if .jwk then .jwk else (.jwks_private.keys | map(select(.d)) | .[0]) end
	    | del(.key_ops, .ext, .use)' "$1"
}

# import FILE ID LABEL: the key of a vector, with a certificate made for it.
import() {
	private_jwk "$VECTORS/$1" >"$W/$3.jwk"
	/usr/bin/python3 "$top_srcdir/tests/tools/jwk-to-pem.py" "$W/$3.jwk" >"$W/$3.key"
	openssl req -new -x509 -key "$W/$3.key" -subj "/CN=$3" -days 90 -out "$W/$3.pem"
	softhsm_import "$W/$3.key" "$W/$3.pem" "$2" "$3"
}

decode() { /usr/bin/python3 -c 'import base64, sys
t = sys.argv[1]
sys.stdout.buffer.write(base64.urlsafe_b64decode(t + "=" * (-len(t) % 4)))' "$1"; }

# resign FILE ID LABEL ALG: signs the published bytes into $T/out.
resign() {
	jws=$(jq -r .jws "$VECTORS/$1")
	import "$1" "$2" "$3"
	decode "$(echo "$jws" | cut -d. -f1)" >"$T/header"
	decode "$(echo "$jws" | cut -d. -f2)" >"$T/payload"
	expect 0 "$SIGN" "pkcs11:token=vectors;object=$3" "$SOFTHSM_MODULE" \
		"file:$SOFTHSM_PIN_FILE" "$4" "$T/header" "$T/payload"
}
same_bytes() {
	resign "$@"
	[ "$(cat "$T/out")" = "$jws" ]
}
# verifies FILE ID LABEL ALG: both JWSs hold for the key on the token.
verifies() {
	resign "$@"
	echo "$jws" >"$T/published"
	for file in "$T/out" "$T/published"; do
		jose_verify "$file" "$W/$3.jwk"
	done
	[ "$(cut -d. -f1,2 "$T/out")" = "$(cut -d. -f1,2 "$T/published")" ]
}

rfc7515_a2_rs256() { same_bytes rfc7515_A.2.json 01 a2 RS256; }
rfc7520_4_1_rs256() { same_bytes rfc7520_4.1.json 02 bilbo RS256; }
smart_rs384_is_as_published() {
	same_bytes smart_RS384.json 03 smart-rsa RS384
	[ "$(tr -d '\n' <"$T/out" | sha256sum | cut -c1-64)" = \
		5bb4c07ab1f68e457662d0ef39e9a2439ff52f7353f7a1f2cfaabc04cff82cdb ]
}
rfc7515_a3_es256() { verifies rfc7515_A.3.json 04 a3 ES256; }
rfc7515_a4_es512() { verifies rfc7515_A.4.json 05 a4 ES512; }
rfc7520_4_2_ps384() { verifies rfc7520_4.2.json 06 bilbo-pss PS384; }
rfc7520_4_3_es512() { verifies rfc7520_4.3.json 07 bilbo-ec ES512; }
smart_es384_is_as_published() { verifies smart_ES384.json 08 smart-ec ES384; }

# thumbprint FILE ID LABEL ALG WANT: RFC 7638, as `jwks` and `jose` have it.
thumbprint() {
	import "$1" "$2" "$3"
	expect 0 "$P11OAUTH" jwks --module "$SOFTHSM_MODULE" \
		--key "pkcs11:token=vectors;object=$3" --pin-from "file:$SOFTHSM_PIN_FILE"
	[ "$(jq -r '.keys[0].kid' "$T/out")" = "$4" ]
	[ "$(jose jwk thp -i "$W/$3.jwk" -a S256)" = "$4" ]
}
thumbprint_smart_rs384() {
	thumbprint smart_RS384.json 11 thp-rsa I99tVmIhN2uhvx12lO4Zrjk9OhGDH6LvIyYALIZivws
}
thumbprint_smart_es384() {
	thumbprint smart_ES384.json 12 thp-ec gpusNZnFRvG96B1APEttC6NcJetjhM0q2LJagnlW6Tc
}
thumbprint_rfc7520_ec() {
	thumbprint rfc7520_4.3.json 13 thp-521 dHri3SADZkrush5HU_50AoRhcKFryN-PI6jPBtPL55M
}

run_tests rfc7515_a2_rs256 rfc7520_4_1_rs256 smart_rs384_is_as_published rfc7515_a3_es256 \
	rfc7515_a4_es512 rfc7520_4_2_ps384 rfc7520_4_3_es512 smart_es384_is_as_published \
	thumbprint_smart_rs384 thumbprint_smart_es384 thumbprint_rfc7520_ec
