#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `doctor`: each step, its remedy and exit status; and twelve causes of a bare
# invalid_client, of which the right one must come first.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SERVERS=$top_srcdir/tests/servers
softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
fixture_rsa other 2048
fixture_ec p384 P-384
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
softhsm_import "$W/p384.key" "$W/p384.pem" 02 p384
openssl req -new -key "$W/rsa.key" -subj /CN=expired -out "$W/expired.csr"
mkdir "$W/ca"; : >"$W/ca/index.txt"
cat >"$W/ca/conf" <<-END
	[ca]
	default_ca = this
	[this]
	database = $W/ca/index.txt
	new_certs_dir = $W/ca
	rand_serial = yes
	default_md = sha256
	policy = any
	[any]
	commonName = supplied
END
openssl ca -batch -notext -selfsign -config "$W/ca/conf" -keyfile "$W/rsa.key" -in "$W/expired.csr" \
	-startdate 20200101000000Z -enddate 20250701000000Z -out "$W/expired.pem" 2>/dev/null
softhsm_import "$W/rsa.key" "$W/expired.pem" 03 expired
sh "$SERVERS/make-pki.sh" "$W/pki" >/dev/null
TLS_FILES="--tls-cert $W/pki/good.pem --tls-key $W/pki/good.key"

client() { # NAME KEY SETTING...
	name=$1 key=$2; shift 2
	profile "$name" 'client-id = "backend"' "cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' \
		"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
		"key = \"pkcs11:token=lab;object=$key\"" "$@"
}
client p384 p384
client rsa rsa
"$P11OAUTH" jwks rsa >"$W/rsa.json"
"$P11OAUTH" jwks p384 >"$W/p384.json"
# shellcheck disable=SC2086 # several words
{
	start_server sets /usr/bin/python3 "$SERVERS/jwks-server.py" --jwks "$W/rsa.json" \
		--other "$W/p384.json" $TLS_FILES
	SETS=https://localhost:$SERVER_PORT
	# the uniform answer of a server that registered the key by hand
	start_server oidc node "$SERVERS/oidc-provider.mjs" --jwks "$W/rsa.json" $TLS_FILES \
		--ca "$W/pki/ca.pem" --log "$W/log"
}
OIDC=$ISSUER

# bare ANSWER OPTION...: a server like that one, but another instance of it.
bare() {
	# shellcheck disable=SC2086 # several words
	start_oidc other-oidc $TLS_FILES --ca "$W/pki/ca.pem" "$@"
}
doctor() { # STATUS OPTION...: its report in $T/out
	want_exit=$1; shift
	expect "$want_exit" "$P11OAUTH" doctor rsa --json "$@"
}
# first CAUSE OPTION...: the server refuses, and this cause is the likeliest.
first() {
	want_cause=$1; shift
	got=0; "$P11OAUTH" doctor rsa --json "$@" >"$T/out" 2>"$T/err" || got=$?
	[ "$got" -ne 0 ]
	jq -e '.findings[] | select(.check == "exchange" and .severity == "failed")
		| .text | contains("invalid_client")' "$T/out" >/dev/null || { cat "$T/out" "$T/err"; return 1; }
	jq -r '.causes[] | "\(.weight) \(.cause): \(.text)"' "$T/out"
	[ "$(jq -r '.causes[0].cause' "$T/out")" = "$want_cause" ]
	jq -e '.causes[0].remedy | length > 5' "$T/out" >/dev/null
}

# ---- twelve causes ----------------------------------------------------------------
a_fast_clock_is_found() {
	bare --jwks "$W/rsa.json" --skew=-420
	first clock-fast --issuer "$ISSUER"
	expect 0 "$P11OAUTH" token rsa --issuer "$ISSUER" --clock-offset -420 # the remedy works
	stop_server other-oidc
}
a_slow_clock_is_found() {
	bare --jwks "$W/rsa.json" --skew=600
	first clock-slow --issuer "$ISSUER"
	expect 0 "$P11OAUTH" token rsa --issuer "$ISSUER" --clock-offset 600
	stop_server other-oidc
}
kid_not_in_the_set() { first kid-not-in-set --issuer "$OIDC" --jwks-url "$SETS/good" --kid literal:new; }
# the server's copy is of another key; the set was published this minute
a_stale_set_is_found() {
	bare --jwks "$W/p384.json"
	first stale-set --issuer "$ISSUER" --jwks-url "$SETS/just-changed"
	stop_server other-oidc
}
wrong_aud_form() { first audience --issuer "$OIDC" --audience "$OIDC/token/"; }
lifetime_above_the_cap() {
	bare --jwks "$W/rsa.json" --max-exp 250
	first lifetime --issuer "$ISSUER" --lifetime 300
	expect 0 "$P11OAUTH" token rsa --issuer "$ISSUER" --lifetime 240
	stop_server other-oidc
}
algorithm_not_offered() {
	bare --jwks "$W/rsa.json" --algs RS256,ES384
	first algorithm-not-offered --issuer "$ISSUER" --algorithm RS384
	stop_server other-oidc
}
another_jku_is_found() {
	bare --jwks "$W/rsa.json" --jku "$SETS/good"
	first jku-mismatch --issuer "$ISSUER" --jwks-url "$SETS/good" --jku "$SETS/jwk-set-type"
	stop_server other-oidc
}
wrong_client_id() { first client-id --issuer "$OIDC" --jwks-url "$SETS/good" --client-id backend2; }
an_expired_certificate_is_found() {
	bare --cert "$W/expired.pem" --refuse-expired
	first certificate-expired --issuer "$ISSUER" --key 'pkcs11:token=lab;object=expired' --kid x5t-hex
	stop_server other-oidc
}
certificate_of_another_key() {
	bare --cert "$W/other.pem"
	first other-certificate-registered --issuer "$ISSUER" --kid x5t-hex
	stop_server other-oidc
}
set_with_an_incomplete_chain() {
	start_server broken /usr/bin/python3 "$SERVERS/jwks-server.py" --jwks "$W/rsa.json" \
		--other "$W/p384.json" --tls-cert "$W/pki/leaf-only.pem" --tls-key "$W/pki/leaf-only.key"
	broken=https://localhost:$SERVER_PORT
	# the server cannot read the set either
	NODE_EXTRA_CA_CERTS=$W/pki/ca.pem bare --jwks-uri "$broken/good"
	first jwks-chain --issuer "$ISSUER" --jwks-url "$broken/good"
	stop_server other-oidc
	stop_server broken
}

# ---- the steps -----------------------------------------------------------------------
all_is_well() {
	: >"$W/log"
	doctor 0 --issuer "$OIDC" --jwks-url "$SETS/good"
	jq -e '.ok and (.causes | length == 0) and ([.findings[].severity] | unique == ["ok"])' "$T/out" >/dev/null
	for step in configuration discovery module token pin key certificate algorithm connection clock \
		jwks-url signature exchange scope; do
		jq -e --arg step "$step" '[.findings[].check] | index($step)' "$T/out" >/dev/null ||
			{ echo "no step $step"; return 1; }
	done
	has "$T/err" "asked for one signature"
	[ "$(grep -c '"POST"' "$W/log")" -eq 1 ]
	hasnt "$T/out" access_token
}
no_sign_signs_nothing() {
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/calls
	export P11FAULT_MODULE P11FAULT_LOG
	doctor 0 --issuer "$OIDC" --no-sign --module "$top_builddir/tests/fault/fault-module.so"
	refuses grep -q '^C_Sign ' "$T/calls"
	jq -e '[.findings[].check] | (index("signature") or index("exchange")) | not' "$T/out" >/dev/null
	doctor 0 --issuer "$OIDC" --module "$top_builddir/tests/fault/fault-module.so"
	[ "$(grep -c '^C_Sign ' "$T/calls")" -eq 1 ]
}
# step STATUS CHECK TEXT OPTION...: this is the first that fails.
step() {
	want_check=$2 want_text=$3 want_exit=$1; shift 3
	doctor "$want_exit" "$@"
	jq -r '[.findings[] | select(.severity == "failed")][0] | "\(.check): \(.text)"' "$T/out" >"$T/failed"
	has "$T/failed" "$want_check: "
	has "$T/failed" "$want_text"
}
a_missing_endpoint_is_found() { step 3 configuration "'token-endpoint' is not set"; }
a_missing_token_is_found() { step 4 token "no token matches" --issuer "$OIDC" --key 'pkcs11:token=absent'; }
a_missing_module_is_found() { step 4 module "cannot read" --issuer "$OIDC" --module /nowhere.so; }
a_missing_key_is_found() { step 5 key "absent" --issuer "$OIDC" --key 'pkcs11:token=lab;object=absent'; }
a_wrong_pin_is_found() {
	(umask 077; echo 000000 >pin)
	step 7 pin "wrong PIN" --issuer "$OIDC" --pin-from "file:$T/pin"
	# the server was looked at all the same
	jq -e '.findings[] | select(.check == "connection") | .severity == "ok"' "$T/out" >/dev/null
}
a_locked_pin_is_found() {
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_TOKENFLAGS=0x40000
	export P11FAULT_MODULE P11FAULT_TOKENFLAGS
	step 8 pin "locked" --issuer "$OIDC" --module "$top_builddir/tests/fault/fault-module.so"
}
that_nobody_answers_is_found() { step 12 connection "refused" --token-endpoint https://localhost:1/token --retry-time 0; }
an_unknown_ca_is_found() { step 12 discovery "certificate" --issuer "$OIDC" --cacert "$W/rsa.pem"; }
missing_metadata_is_found() { step 14 discovery "token-endpoint in the profile" --fhir-base "$OIDC/none"; }
an_expiring_certificate_is_found() {
	doctor 0 --issuer "$OIDC" --key 'pkcs11:token=lab;object=expired'
	jq -e '.findings[] | select(.check == "certificate") | .severity == "warning" and (.text | contains("expired"))' \
		"$T/out" >/dev/null
}
a_narrow_scope() {
	doctor 0 --issuer "$OIDC" --scope 'system/*.read system/Unknown.read'
	jq -e '.findings[] | select(.check == "scope") | .severity == "warning"' "$T/out" >/dev/null
}
a_scope_of_users() {
	"$P11OAUTH" doctor rsa --json --issuer "$OIDC" --scope 'patient/*.read' >"$T/out" 2>"$T/err" || true
	jq -e '.findings[0] | .check == "configuration" and .severity == "warning" and (.text | contains("patient/"))' \
		"$T/out" >/dev/null
}
people_can_read_it() {
	expect 0 "$P11OAUTH" doctor rsa --issuer "$OIDC" -q
	empty "$T/err"
	grep -q '^ok  *clock ' "$T/out"
	expect 13 "$P11OAUTH" doctor rsa --issuer "$OIDC" --client-id nobody
	has "$T/out" "likely causes"
	has "$T/out" "   -> "
	has "$T/err" "doctor: profile 'rsa': exchange: the server refused"
}
token_points_to_it() {
	expect 13 "$P11OAUTH" token rsa --issuer "$OIDC" --audience https://elsewhere.example
	has "$T/err" "likely: the claim aud is 'https://elsewhere.example'"
	has "$T/err" "'p11oauth doctor rsa' looks closer"
	[ "$(wc -l <"$T/err")" -eq 1 ]
}

run_tests a_fast_clock_is_found a_slow_clock_is_found kid_not_in_the_set \
	a_stale_set_is_found wrong_aud_form lifetime_above_the_cap \
	algorithm_not_offered another_jku_is_found wrong_client_id \
	an_expired_certificate_is_found certificate_of_another_key \
	set_with_an_incomplete_chain all_is_well no_sign_signs_nothing \
	a_missing_endpoint_is_found a_missing_token_is_found a_missing_module_is_found \
	a_missing_key_is_found a_wrong_pin_is_found a_locked_pin_is_found \
	that_nobody_answers_is_found an_unknown_ca_is_found missing_metadata_is_found \
	an_expiring_certificate_is_found a_narrow_scope a_scope_of_users \
	people_can_read_it token_points_to_it
