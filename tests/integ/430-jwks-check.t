#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `jwks check`: what is wrong with a published JWK Set, over real TLS.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SERVERS=$top_srcdir/tests/servers
softhsm_new "$W/hsm" lab 739154
softhsm_keygen rsa:2048 01 rsa "$W/rsa.pem"
softhsm_keygen EC:secp384r1 02 p384 "$W/p384.pem"
sh "$SERVERS/make-pki.sh" "$W/pki" >/dev/null
for key in rsa p384; do
	profile "$key" "cacert = \"$W/pki/ca.pem\"" "module = \"$SOFTHSM_MODULE\"" \
		"pin-from = \"file:/nowhere\"" "key = \"pkcs11:token=lab;object=$key\""
	"$P11OAUTH" jwks "$key" >"$W/$key.json"
done
start_server sets /usr/bin/python3 "$SERVERS/jwks-server.py" --jwks "$W/rsa.json" \
	--other "$W/p384.json" --tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key"
SETS=https://localhost:$SERVER_PORT

# finds STATUS CHECK TEXT PATH OPTION...: the first finding that failed.
finds() {
	want_exit=$1 want_check=$2 want_text=$3 path=$4; shift 4
	expect "$want_exit" "$P11OAUTH" jwks check "$SETS/$path" --profile rsa --json "$@"
	jq -r '[.findings[] | select(.severity == "failed")][0] | "\(.check): \(.text)\n\(.remedy)"' \
		"$T/out" >"$T/first"
	has "$T/first" "$want_check: "
	has "$T/first" "$want_text"
	[ "$(wc -l <"$T/first")" -eq 2 ] # a remedy, too
	jq -e '.ok | not' "$T/out" >/dev/null
	[ "$(wc -l <"$T/err")" -eq 1 ]
}
warns() { # CHECK TEXT PATH
	expect 0 "$P11OAUTH" jwks check "$SETS/$3" --profile rsa
	grep "^warning  $1 " "$T/out" >"$T/warned"
	has "$T/warned" "$2"
	refuses grep -q '^failed' "$T/out"
}

good() {
	expect 0 "$P11OAUTH" jwks check "$SETS/good" --profile rsa
	refuses grep -qv '^ok ' "$T/out"
	has "$T/out" "our key is there, as kid"
	expect 0 "$P11OAUTH" jwks check "$SETS/good" --profile rsa --json
	jq -e '.ok and (.keys | length == 1) and .keys[0].type == "RSA-2048"
		and .keys[0].kid == .keys[0].thumbprint' "$T/out" >/dev/null
	expect 0 "$P11OAUTH" jwks check "$SETS/jwk-set-type" --profile rsa
}
by_the_profile() {
	printf 'profile mine {\n\tcacert = "%s"\n\tjwks-url = "%s"\n}\n' "$W/pki/ca.pem" "$SETS/private" >"$T/conf"
	expect 14 "$P11OAUTH" jwks check --config "$T/conf" --profile mine
	expect 2 "$P11OAUTH" jwks check
	has "$T/err" "which URL?"
}
without_a_key() {
	expect 0 "$P11OAUTH" jwks check "$SETS/missing" --cacert "$W/pki/ca.pem"
	hasnt "$T/out" ours
}
private_member() { finds 14 private "has a private member" private; hasnt "$T/out" AQAB; }
symmetric_key() { finds 14 private "symmetric" symmetric; }
missing_kid() { finds 14 kid "has no kid" no-kid; }
kid_twice() { finds 14 kid "more than once" twice; }
kid_of_another_key() { finds 11 ours "names another key" other-key; }
our_kid_missing() { finds 5 ours "neither kid" missing; }
our_key_under_another_kid() { finds 5 ours "as kid 'old-name'" other-kid; }
no_cache_control() { warns cache "no Cache-Control" no-cache-control; }
not_to_be_kept() { warns cache "may not be kept" no-store; }
wrong_content_type() { finds 14 type "text/plain" text; }
html() { finds 14 type "text/html" html; }
not_json() { finds 14 set "no JWK Set" not-json; }
no_array() { finds 14 set 'no array' no-keys; }
no_key() { finds 14 set "no key" empty; }
needs_credentials() { finds 14 access "wants credentials" credentials; }
redirects() { finds 14 access "https://elsewhere.example" redirect; }
absent() { finds 14 access "HTTP 404" absent; }
for_encryption() { finds 14 key "not for signatures" encryption; }
leading_zero() { finds 14 key "zero octet" zero-octet; }
alg_of_another_kind() { finds 14 key "ES384" wrong-alg; }
x5c_that_is_none() { finds 14 x5c "no certificate" bad-x5c; }
other_kinds_may_stay() { warns key "cannot be used" unknown-kind; }
http_is_refused() { expect 2 "$P11OAUTH" jwks check http://localhost:1/jwks.json; has "$T/out" "https"; }
nobody_there() { expect 12 "$P11OAUTH" jwks check https://localhost:1/x --profile rsa; has "$T/out" "access"; }

# The host sends its leaf alone, and the client trusts the root.
incomplete_chain() {
	cat "$W/pki/leaf-only.pem" "$W/pki/intermediate.pem" >full.pem
	for chain in "$W/pki/leaf-only.pem" full.pem; do
		start_server chain /usr/bin/python3 "$SERVERS/jwks-server.py" --jwks "$W/rsa.json" \
			--other "$W/p384.json" --tls-cert "$chain" --tls-key "$W/pki/leaf-only.key"
		SETS=https://localhost:$SERVER_PORT
		if [ "$chain" = full.pem ]; then
			expect 0 "$P11OAUTH" jwks check "$SETS/good" --profile rsa
		else
			finds 12 chain "intermediate" good
		fi
		stop_server chain
	done
}
no_pin_and_no_credentials() {
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/calls
	export P11FAULT_MODULE P11FAULT_LOG
	expect 0 "$P11OAUTH" jwks check "$SETS/good" --profile rsa --module "$top_builddir/tests/fault/fault-module.so"
	refuses grep -q '^C_Login ' "$T/calls"
	empty "$W/sets.err"
}

run_tests good by_the_profile without_a_key private_member symmetric_key missing_kid kid_twice \
	kid_of_another_key our_kid_missing our_key_under_another_kid no_cache_control not_to_be_kept \
	wrong_content_type html not_json no_array no_key needs_credentials redirects absent \
	for_encryption leading_zero alg_of_another_kind x5c_that_is_none other_kinds_may_stay \
	http_is_refused nobody_there incomplete_chain no_pin_and_no_credentials
