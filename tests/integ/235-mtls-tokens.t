#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Access tokens that oidc-provider binds to the certificate of a key in SoftHSM
# and in a TPM (RFC 8705): with the assertion and without, TLS 1.2 and 1.3.
. "$top_srcdir/tests/tokens/namespaces.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/tokens/tpm2.sh"

SERVERS=$top_srcdir/tests/servers
CA=$W/pki/ca.pem
sh "$SERVERS/make-pki.sh" "$W/pki" >/dev/null
client() { # NAME MODULE SETTING...
	name=$1 module=$2; shift 2
	profile "$name" 'client-id = "backend"' "cacert = \"$CA\"" 'scope = "system/*.read"' \
		"module = \"$module\"" "pin-from = \"file:$W/pin\"" "key = \"pkcs11:token=lab;object=${name#*-}\"" "$@"
}
(umask 077; echo 739154 >"$W/pin")
mkdir "$W/tpm"; cd "$W"
token_up "$W/tpm"
for key in rsa p384; do
	for file in pem pem.ca.pem; do mv "$W/$key.$file" "$W/tpm2-$key.$file"; done
	client "tpm2-$key" "$TOKEN_MODULE"
done
softhsm_new "$W/hsm" lab 739154
softhsm_keygen rsa:2048 01 rsa "$W/softhsm-rsa.pem"
softhsm_keygen EC:secp384r1 02 p384 "$W/softhsm-p384.pem"
for key in rsa p384; do client "softhsm-$key" "$SOFTHSM_MODULE"; done
printf 'server mtls { need-scope = no }\n' >>"$W/p11oauth.conf"

told() { echo "$server_ready" | jq -r ".$1"; }
# oidc WHO OPTION...: a server that has registered this key's certificate.
oidc() {
	who=$1; shift
	start_oidc oidc --cert "$W/$who.pem" --log "$T/log" \
		--tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" --ca "$CA" "$@"
}
# bound WHO OPTION...: an access token; its cnf is what `cert` says.
bound() {
	who=$1; shift
	: >"$T/log"
	expect 0 "$P11OAUTH" token "$who" --issuer "$ISSUER" "$@"
	want=$("$P11OAUTH" cert "$who" --json | jq -r '."x5t#S256"')
	curl -s --fail --cacert "$CA" "$(told introspection_endpoint)" -u "$(told introspection_user)" \
		--data-urlencode "token=$(cat "$T/out")" >"$T/introspection" ||
		{ cat "$T/out" "$T/introspection"; return 1; }
	jq -e --arg want "$want" '.active and .cnf["x5t#S256"] == $want and ($want | length == 43)' \
		"$T/introspection" >/dev/null || { cat "$T/introspection"; return 1; }
}
request() { jq -se "map(select(.path == \"/token\")) | last | $1" "$T/log" >/dev/null || { cat "$T/log"; return 1; }; }

# all_ways WHO VERSION: each method, by this version of TLS.
all_ways() {
	oidc "$1" --mtls bound --tls-min "$2" --tls-max "$2"
	bound "$1" --tls-certificate --kid x5t-hex
	request '.claims.sub == "backend" and (.form.client_id | not)'
	stop_server oidc
	oidc "$1" --mtls self_signed_tls_client_auth --tls-min "$2" --tls-max "$2"
	bound "$1" --client-auth self_signed_tls_client_auth
	request '.form.client_id == "backend" and (.claims | not)'
	stop_server oidc
	oidc "$1" --mtls tls_client_auth --client-ca "$W/$1.pem.ca.pem" --subject-dn "CN=${1#*-}" \
		--tls-min "$2" --tls-max "$2"
	bound "$1" --client-auth tls_client_auth
	request '.claims | not'
	stop_server oidc
}
softhsm_rsa_1_2() { all_ways softhsm-rsa TLSv1.2; }
softhsm_rsa_1_3() { all_ways softhsm-rsa TLSv1.3; }
softhsm_p384_1_2() { all_ways softhsm-p384 TLSv1.2; }
softhsm_p384_1_3() { all_ways softhsm-p384 TLSv1.3; }
tpm2_rsa_1_2() { all_ways tpm2-rsa TLSv1.2; }
tpm2_rsa_1_3() { all_ways tpm2-rsa TLSv1.3; }
tpm2_p384_1_2() { all_ways tpm2-p384 TLSv1.2; }
tpm2_p384_1_3() { all_ways tpm2-p384 TLSv1.3; }

on_a_port_of_its_own() {
	oidc softhsm-rsa --mtls bound --mtls-alias
	bound softhsm-rsa --tls-certificate --kid x5t-hex
	request ".port == ($(told mtls_token_endpoint | sed 's/.*:\([0-9]*\).*/\1/')) and .claims.aud == \"$TOKEN_ENDPOINT\""
	stop_server oidc
}
another_certificate_is_refused() {
	oidc softhsm-p384 --mtls self_signed_tls_client_auth
	expect 13 "$P11OAUTH" token softhsm-rsa --issuer "$ISSUER" --client-auth self_signed_tls_client_auth
	empty "$T/out"
	stop_server oidc
}
nothing_is_shown_unasked() {
	oidc softhsm-rsa --mtls bound
	expect 13 "$P11OAUTH" token softhsm-rsa --issuer "$ISSUER" --kid x5t-hex
	request '."x5t#S256" | not'
	stop_server oidc
}
a_certificate_is_needed() {
	fails 5 "needs a certificate" "$P11OAUTH" token softhsm-bare --issuer https://localhost:1 \
		--token-endpoint https://localhost:1/token --client-auth tls_client_auth --retry-time 0
}
client softhsm-bare "$SOFTHSM_MODULE"
softhsm_tool --keypairgen --key-type rsa:2048 --id 09 --label bare
one_login_is_enough() {
	oidc softhsm-rsa --mtls bound
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/calls
	export P11FAULT_MODULE P11FAULT_LOG
	expect 0 "$P11OAUTH" token softhsm-rsa --issuer "$ISSUER" --tls-certificate --kid x5t-hex \
		--module "$top_builddir/tests/fault/fault-module.so"
	[ "$(grep -c '^C_Login ' "$T/calls")" -eq 1 ]
	[ "$(grep -c '^C_Sign ' "$T/calls")" -eq 2 ] # the assertion and the handshake
	[ "$(grep -c '^C_Finalize ' "$T/calls")" -eq 1 ]
	stop_server oidc
}
a_module_that_hangs_in_the_handshake() {
	oidc softhsm-rsa --mtls self_signed_tls_client_auth
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_FAIL=C_Sign:1+:hang
	export P11FAULT_MODULE P11FAULT_FAIL
	before=$(date +%s)
	fails 10 "TLS handshake" "$P11OAUTH" token softhsm-rsa --issuer "$ISSUER" --token-timeout 2 \
		--client-auth self_signed_tls_client_auth --module "$top_builddir/tests/fault/fault-module.so"
	[ $(($(date +%s) - before)) -le 20 ]
	stop_server oidc
}
doctor_sees_it() {
	oidc softhsm-rsa --mtls self_signed_tls_client_auth
	expect 0 "$P11OAUTH" doctor softhsm-rsa --issuer "$ISSUER" --client-auth self_signed_tls_client_auth
	grep -q '^ok  *exchange ' "$T/out"
	stop_server oidc
}

run_tests softhsm_rsa_1_2 softhsm_rsa_1_3 softhsm_p384_1_2 softhsm_p384_1_3 \
	tpm2_rsa_1_2 tpm2_rsa_1_3 tpm2_p384_1_2 tpm2_p384_1_3 on_a_port_of_its_own \
	another_certificate_is_refused nothing_is_shown_unasked \
	a_certificate_is_needed one_login_is_enough \
	a_module_that_hangs_in_the_handshake doctor_sees_it
