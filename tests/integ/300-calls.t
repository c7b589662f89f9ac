#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the module is asked, witnessed by pkcs11-spy: nothing private, one
# login, one signature, and as few calls with 1,000 keys as with one.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

CALLS_MAX=24
SPY=$(find /usr/lib -name pkcs11-spy.so | head -n 1)

softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
fixture_ec p384 P-384
softhsm_import "$W/rsa.key" "$W/rsa.pem" f001 rsa
softhsm_import "$W/p384.key" "$W/p384.pem" f003 p384

sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
start_server as /usr/bin/python3 "$top_srcdir/contrib/sandbox/sandbox.py" --port 0 \
	--state "$W/as" --client "calls=$W/rsa.pem" --client "ec=$W/p384.pem" \
	--alg RS384 --alg ES384

for key in rsa p384; do
	client=calls; [ "$key" = p384 ] && client=ec
	profile "$key" "client-id = \"$client\"" "token-endpoint = \"$TOKEN_ENDPOINT\"" \
		"cacert = \"$SERVER_CA\"" 'scope = "system/*.read"' \
		"module = \"$SPY\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
		"key = \"pkcs11:token=lab;object=$key\"" 'kid = "x5t-hex"'
done
PKCS11SPY=$SOFTHSM_MODULE
export PKCS11SPY

# spied KEY: runs `token`, leaves the counts in $T/KEY.json.
spied() {
	PKCS11SPY_OUTPUT=$T/$1.log
	export PKCS11SPY_OUTPUT
	expect 0 "$P11OAUTH" token "$1"
	/usr/bin/python3 "$top_srcdir/tests/tools/pkcs11-calls.py" "$T/$1.log" >"$T/$1.json"
	cat "$T/$1.json"
}
count() { jq -r --arg f "$2" '.calls[$f] // 0' "$T/$1.json"; }
total() { jq -r .total "$T/$1.json"; }

check_counts() {
	spied "$1"
	[ "$(count "$1" C_Login)" -eq 1 ]
	[ "$(count "$1" C_SignInit)" -eq 1 ]
	[ "$(count "$1" C_Sign)" -eq 1 ]
	[ "$(count "$1" C_Initialize)" -eq 1 ]
	[ "$(count "$1" C_Finalize)" -eq 1 ]
	[ "$(total "$1")" -le "$CALLS_MAX" ]
	[ "$(total "$1")" -ge 10 ] # or the witness was not asked
	echo "$1: $(total "$1") calls"
}
rsa_with_two_keys() { check_counts rsa; cp "$T/rsa.json" "$W/few-rsa.json"; }
ec_with_two_keys() { check_counts p384; cp "$T/p384.json" "$W/few-p384.json"; }

with_1000_more_keys() {
	"$top_builddir/tests/tools/populate" "$SOFTHSM_MODULE" lab 739154 1000
	for key in rsa p384; do
		check_counts "$key"
		cmp "$T/$key.json" "$W/few-$key.json"
	done
}

the_witness_bites() {
	cat >"$T/log" <<-'END'
	1: C_FindObjectsInit
	[in] hSession = 0x1
	[in] pTemplate[1]: 
	    CKA_CLASS             CKO_PRIVATE_KEY      
	Returned:  0 CKR_OK

	2: C_FindObjects
	[in] hSession = 0x1
	[in] ulMaxObjectCount = 0x20
	[out] ulObjectCount = 0x1
	Object 0x2 matches
	Returned:  0 CKR_OK

	3: C_GetAttributeValue
	[in] hSession = 0x1
	[in] hObject = 0x2
	[in] pTemplate[1]: 
	    CKA_PRIVATE_EXPONENT  00007ffcce108510 / 512
	Returned:  17 CKR_ATTRIBUTE_SENSITIVE
	END
	expect 1 /usr/bin/python3 "$top_srcdir/tests/tools/pkcs11-calls.py" "$T/log"
}

run_tests rsa_with_two_keys ec_with_two_keys with_1000_more_keys the_witness_bites
