#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every PKCS #11 call of `assertion` fails in every way: see the script.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

softhsm_new "$W/hsm" lab 739154
fixture_ec p384 P-384
softhsm_import "$W/p384.key" "$W/p384.pem" 02 p384
openssl pkey -in "$W/p384.key" -pubout -out "$W/p384.pub"
softhsm_tool --keypairgen --key-type EC:secp384r1 --id 03 --label always --always-auth
"$P11OAUTH" jwks --module "$SOFTHSM_MODULE" --key "pkcs11:token=lab;object=always" |
	jq '.keys[0]' >"$W/always.jwk"
/usr/bin/python3 "$top_srcdir/tests/tools/jwk-to-pem.py" "$W/always.jwk" >"$W/always.pub"
for key in p384 always; do
	profile "$key" 'client-id = "sweep"' 'token-endpoint = "https://as.example/token"' \
		"pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
		"key = \"pkcs11:token=lab;object=$key\""
done

P11FAULT_MODULE=$SOFTHSM_MODULE
export P11FAULT_MODULE
status=0
/usr/bin/python3 "$top_srcdir/tests/tools/fault-sweep.py" "$P11OAUTH" \
	"$top_builddir/tests/fault/fault-module.so" "$SOFTHSM_PIN" \
	p384 "$W/p384.pub" always "$W/always.pub" || status=$?
exit "$status"
