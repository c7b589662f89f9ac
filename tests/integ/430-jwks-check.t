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

a_good_set_passes() {
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
a_private_member_is_found() {
	for path in private private-deep private-beside private-pem; do
		finds 14 private "private" "$path"
		hasnt "$T/out" AQAB
		hasnt "$T/err" AQAB
	done
	finds 14 private "has a private member, 'qi'" private-deep
	jq -e --slurpfile set "$W/rsa.json" '.findings[] | select(.check == "private").kid == $set[0].keys[0].kid' "$T/out"
}
a_symmetric_key_is_found() { finds 14 private "symmetric" symmetric; }
a_missing_kid_is_found() { finds 14 kid "has no kid" no-kid; }
a_kid_twice_is_found() { finds 14 kid "more than once" twice; }
kid_of_another_key() { finds 11 ours "names another key" other-key; }
our_kid_missing() { finds 5 ours "neither kid" missing; }
our_key_under_another_kid() { finds 5 ours "as kid 'old-name'" other-kid; }
no_cache_control() { warns cache "no Cache-Control" no-cache-control; }
not_to_be_kept() { warns cache "may not be kept" no-store; }
wrong_content_type() { warns type "text/plain" text; }
html_is_no_set() { finds 14 type "text/html" html; }
odd_bytes_stay_readable() {
	warns type 'text/\x1b[2J\xe4' odd-type
	expect 0 "$P11OAUTH" jwks check "$SETS/odd-type" --profile rsa --json
	jq -e '.findings[] | select(.check == "type").text | contains("\\x1b[2J")' "$T/out"
}
not_json_is_no_set() { finds 14 set "no JWK Set" not-json; }
a_missing_array_is_found() { finds 14 set 'no array' no-keys; }
a_missing_key_is_found() { finds 14 set "no key" empty; }
a_set_behind_credentials_is_found() { finds 14 access "wants credentials" credentials; }
a_redirect_is_found() { finds 14 access "https://elsewhere.example" redirect; }
an_absent_set_is_said() { finds 14 access "HTTP 404" absent; }
a_key_for_encryption_is_found() {
	finds 14 set "no key in it can verify" encryption
	grep -q 'our key, .* is there, but not for signatures' "$T/out"
}
both_uses_are_warned_of() { warns key "both use and key_ops" both-uses; }
broken_keys_are_found() {
	finds 14 key "make no P-384 key" off-curve
	has "$T/out" "our key is there" # the others are still read
	finds 14 key "not 48 bytes wide" short-coordinate
	finds 14 key "'e' is not base64url" padded
}
a_leading_zero_is_found() { finds 14 key "zero octet" zero-octet; }
alg_of_another_kind() { finds 14 key "ES384" wrong-alg; }
x5c_that_is_none() { finds 14 x5c "no certificate" bad-x5c; }
other_kinds_may_stay() { warns key "need not know: OKP Ed25519" unknown-kind; }
http_is_refused() { expect 2 "$P11OAUTH" jwks check http://localhost:1/jwks.json; has "$T/out" "https"; }
nobody_there_is_said() { expect 12 "$P11OAUTH" jwks check https://localhost:1/x --profile rsa; has "$T/out" "access"; }

# serve FILE: a server with this set, as $SETS.
serve() {
	start_server "$(basename "$1")" /usr/bin/python3 "$SERVERS/jwks-server.py" --jwks "$1" \
		--other "$W/p384.json" --tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key"
	SETS=https://localhost:$SERVER_PORT
}
# From the old key to the new one, as p11oauth-jwks(1) has it.
rotation_is_seen() {
	check() { "$P11OAUTH" jwks check "$SETS/good" --profile "$1" >"$T/$1.out" 2>&1; }
	check rsa
	refuses check p384 # not yet
	has "$T/p384.out" "neither kid"
	"$P11OAUTH" jwks rsa p384 >"$T/both.json"
	serve "$T/both.json"
	check rsa
	check p384
	"$P11OAUTH" jwks p384 >"$T/new.json"
	serve "$T/new.json"
	check p384
	refuses check rsa
}
# Any of them may sign when the others are away.
each_key_of_a_profile() {
	printf 'profile pair {\n\tcacert = "%s"\n\tmodule = "%s"\n\tkey = { "pkcs11:token=lab;object=rsa", "pkcs11:token=lab;object=p384" }\n}\n' \
		"$W/pki/ca.pem" "$SOFTHSM_MODULE" >"$T/conf"
	expect 5 "$P11OAUTH" jwks check --config "$T/conf" --profile pair "$SETS/good"
	[ "$(grep -c '^ok  *ours ' "$T/out")" -eq 1 ]
	[ "$(grep -c '^failed  *ours ' "$T/out")" -eq 1 ]
	"$P11OAUTH" jwks --config "$T/conf" pair >"$T/pair.json"
	serve "$T/pair.json"
	expect 0 "$P11OAUTH" jwks check --config "$T/conf" --profile pair "$SETS/good"
	[ "$(grep -c '^ok  *ours ' "$T/out")" -eq 2 ]
}
signed_with_another_algorithm() {
	expect 14 "$P11OAUTH" jwks check "$SETS/good" --profile rsa --algorithm PS256
	has "$T/out" "is there for RS384, and assertions are signed with PS256"
}
a_profile_named_check() {
	printf 'profile check {\n\tmodule = "%s"\n\tkey = "pkcs11:token=lab;object=rsa"\n}\n' "$SOFTHSM_MODULE" >"$T/conf"
	expect 0 "$P11OAUTH" jwks --config "$T/conf" -- check
	cmp "$T/out" "$W/rsa.json"
}
other_certificates_are_found() {
	for name in wrong-host expired self-signed; do
		start_server "$name" /usr/bin/python3 "$SERVERS/jwks-server.py" --jwks "$W/rsa.json" \
			--other "$W/p384.json" --tls-cert "$W/pki/$name.pem" --tls-key "$W/pki/$name.key"
		SETS=https://localhost:$SERVER_PORT
		finds 12 tls "SSL" good
	done
}

# The host sends its leaf alone, and the client trusts the root.
an_incomplete_chain_is_found() {
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

run_tests a_good_set_passes by_the_profile without_a_key a_private_member_is_found \
	a_symmetric_key_is_found a_missing_kid_is_found a_kid_twice_is_found \
	kid_of_another_key our_kid_missing our_key_under_another_kid no_cache_control \
	not_to_be_kept wrong_content_type html_is_no_set odd_bytes_stay_readable \
	not_json_is_no_set a_missing_array_is_found a_missing_key_is_found \
	a_set_behind_credentials_is_found a_redirect_is_found an_absent_set_is_said \
	a_key_for_encryption_is_found both_uses_are_warned_of broken_keys_are_found \
	a_leading_zero_is_found alg_of_another_kind x5c_that_is_none \
	other_kinds_may_stay http_is_refused nobody_there_is_said rotation_is_seen \
	each_key_of_a_profile signed_with_another_algorithm a_profile_named_check \
	other_certificates_are_found an_incomplete_chain_is_found \
	no_pin_and_no_credentials
