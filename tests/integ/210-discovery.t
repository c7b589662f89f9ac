#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Access tokens from nothing but the FHIR base or the issuer, the client id and
# the key: real servers, each in its strict modes; and documents that disagree
# with what the profile pins.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SERVERS=$top_srcdir/tests/servers
softhsm_new "$W/hsm" lab 739154
softhsm_keygen rsa:2048 01 rsa "$W/rsa.pem"
softhsm_keygen EC:secp384r1 02 p384 "$W/p384.pem"
softhsm_keygen EC:prime256v1 03 p256 "$W/p256.pem"
sh "$SERVERS/make-pki.sh" "$W/pki" >/dev/null
for key in rsa p384 p256; do
	profile "$key" 'client-id = "backend"' "cacert = \"$W/pki/ca.pem\"" \
		'scope = "system/*.read"' "module = \"$SOFTHSM_MODULE\"" \
		"pin-from = \"file:$SOFTHSM_PIN_FILE\"" "key = \"pkcs11:token=lab;object=$key\""
done
# no alg: a set that names one would take no other
"$P11OAUTH" jwks rsa p384 p256 | jq '{keys: [.keys[] | del(.alg)]}' >"$W/jwks.json"

TLS_FILES="--tls-cert $W/pki/good.pem --tls-key $W/pki/good.key --ca $W/pki/ca.pem"
# oidc OPTION...: the server in one of its modes; its requests are in $T/log.
oidc() {
	# shellcheck disable=SC2086 # several words
	start_oidc oidc --jwks "$W/jwks.json" --log "$T/log" $TLS_FILES "$@"
}
authlib() {
	# shellcheck disable=SC2086 # several words
	start_server authlib /usr/bin/python3 "$SERVERS/authlib-server.py" --jwks "$W/jwks.json" --log "$T/log" $TLS_FILES "$@"
}
# issues PROFILE OPTION...: an access token.
issues() {
	who=$1; shift
	expect 0 "$P11OAUTH" token "$who" --json "$@"
	jq -e '(.access_token | length > 10) and (.token_type | ascii_downcase == "bearer")' "$T/out" >/dev/null
}
alg_sent() { jq -r 'select(.path == "/token") | .header.alg' "$T/log" | tail -n 1; }

aud_token_by_fhir_base() { oidc --aud token; issues rsa --fhir-base "$FHIR_BASE"; stop_server oidc; }
aud_token_by_issuer() { oidc --aud token; issues p384 --issuer "$ISSUER"; stop_server oidc; }
aud_may_be_the_issuer() {
	oidc --aud issuer --typ client-authentication+jwt
	issues rsa --issuer "$ISSUER" --server rfc10070
	expect 13 "$P11OAUTH" token rsa --issuer "$ISSUER"
	stop_server oidc
}
aud_issuer_with_fhir_base() {
	oidc --aud issuer --typ client-authentication+jwt
	issues rsa --fhir-base "$FHIR_BASE" --issuer "$ISSUER" --server rfc10070
	# whose audience it is, is not the document's to say
	fails 3 "'issuer' is not set" "$P11OAUTH" token rsa --fhir-base "$FHIR_BASE" --server rfc10070
	stop_server oidc
}
x5t_is_sent_where_required() {
	oidc --x5t require --cert "$W/rsa.pem"
	issues rsa --issuer "$ISSUER" --x5t
	expect 13 "$P11OAUTH" token rsa --issuer "$ISSUER"
	stop_server oidc
}
ps256_is_chosen_where_alone() {
	oidc --algs PS256
	issues rsa --fhir-base "$FHIR_BASE"
	[ "$(alg_sent)" = PS256 ]
	expect 13 "$P11OAUTH" token rsa --fhir-base "$FHIR_BASE" --algorithm RS384
	has "$T/err" "does not list algorithm" || has "$T/err" "does not list RS384"
	stop_server oidc
}
es384_is_chosen_where_alone() {
	oidc --algs ES384
	issues p384 --fhir-base "$FHIR_BASE"
	[ "$(alg_sent)" = ES384 ]
	# no key for it: said, and left to the server
	expect 13 "$P11OAUTH" token rsa --fhir-base "$FHIR_BASE"
	has "$T/err" "the algorithm"
	stop_server oidc
}
the_curve_decides() {
	oidc
	issues p256 --issuer "$ISSUER"
	[ "$(alg_sent)" = ES256 ]
	stop_server oidc
}
authlib_by_issuer() { authlib; issues rsa --issuer "$ISSUER"; stop_server authlib; }
authlib_by_fhir_base() { authlib; issues p384 --fhir-base "$FHIR_BASE/"; stop_server authlib; }
authlib_aud_issuer() {
	authlib --aud issuer
	printf 'server mine { audience = "issuer" }\n' >>"$W/p11oauth.conf"
	issues rsa --issuer "$ISSUER" --server mine
	stop_server authlib
}
# its metadata lists neither the grant nor the scopes: a warning, no refusal
glewlwyd_by_issuer() {
	start_server glewlwyd bash "$SERVERS/glewlwyd.sh" "$T/glewlwyd" "$W/jwks.json" \
		"$W/pki/good.pem" "$W/pki/good.key" "$W/pki/ca.pem"
	issues rsa --issuer "$ISSUER"
	has "$T/err" "does not list client_credentials"
	stop_server glewlwyd
}

# ---- pins ----------------------------------------------------------------------
document() { # BODY [FIELD...]: at FHIR_BASE of a server of files
	mkdir -p "$T/www/fhir/.well-known"
	printf '%s' "$1" >"$T/www/fhir/.well-known/smart-configuration"
	shift
	start_server files /usr/bin/python3 "$SERVERS/file-server.py" --dir "$T/www" \
		--log "$T/files" --tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" "$@"
}
a_contradicted_endpoint() {
	document '{"token_endpoint":"https://evil.example/token"}'
	fails 14 "but the profile pins 'https://localhost:1/token'" "$P11OAUTH" token rsa \
		--fhir-base "$FHIR_BASE" --token-endpoint https://localhost:1/token
	has "$T/err" "https://evil.example/token"
}
a_contradicted_issuer() {
	document '{"token_endpoint":"https://localhost:1/token","issuer":"https://evil.example"}'
	fails 14 "its issuer is 'https://evil.example', but the profile pins" "$P11OAUTH" token rsa \
		--fhir-base "$FHIR_BASE" --issuer https://localhost:1
}
an_endpoint_in_the_clear() {
	document '{"token_endpoint":"http://evil.example/token"}'
	fails 14 "token-endpoint: " "$P11OAUTH" token rsa --fhir-base "$FHIR_BASE"
	has "$T/err" "http://"
	has "$T/err" "/.well-known/smart-configuration"
}
no_document_but_a_pin() {
	oidc
	issues rsa --fhir-base "https://localhost:$SERVER_PORT/nothing" --token-endpoint "$TOKEN_ENDPOINT"
	has "$T/err" "the token-endpoint of the profile is used"
	stop_server oidc
}
another_issuer_is_refused() {
	oidc
	fails 14 "the document is of issuer '$ISSUER'" "$P11OAUTH" token rsa --issuer "$ISSUER/"
	stop_server oidc
}
nothing_is_signed_before_it_is_known_for_whom() {
	document '{"grant_types_supported":[]}'
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/calls
	export P11FAULT_MODULE P11FAULT_LOG
	fails 14 "no token_endpoint" "$P11OAUTH" token rsa --fhir-base "$FHIR_BASE" \
		--module "$top_builddir/tests/fault/fault-module.so"
	[ ! -e "$T/calls" ]
}

# ---- kept documents --------------------------------------------------------------
kept() { # OPTION...: asks twice; prints how often the document was fetched
	XDG_CACHE_HOME=$T/cache; export XDG_CACHE_HOME
	document '{"token_endpoint":"https://localhost:1/token"}' "$@"
	for time in first second; do
		"$P11OAUTH" assertion rsa --fhir-base "$FHIR_BASE" >"$T/$time"
	done
	fetched=$(grep -c smart-configuration "$T/files")
	[ "$("$P11OAUTH" jwt inspect --json <"$T/second" | jq -r .claims.aud)" = https://localhost:1/token ]
}
kept_as_long_as_it_may_be() {
	kept --field 'Cache-Control: max-age=60'
	[ "$fetched" -eq 1 ]
	[ "$(stat -c %a "$T"/cache/p11oauth/metadata/*.json)" = 600 ]
	# what is not ours is not believed
	printf '{}' >"$(echo "$T"/cache/p11oauth/metadata/*.json)"
	"$P11OAUTH" assertion rsa --fhir-base "$FHIR_BASE" >/dev/null
	[ "$(grep -c smart-configuration "$T/files")" -eq 2 ]
}
not_kept_without_a_word() { kept; [ "$fetched" -eq 2 ]; [ ! -e "$T/cache" ]; }
no_store_is_not_kept() { kept --field 'Cache-Control: no-store, max-age=60'; [ "$fetched" -eq 2 ]; [ ! -e "$T/cache" ]; }
no_store_on_a_line_of_its_own() {
	kept --field 'Cache-Control: no-store' --field 'Cache-Control: max-age=60'
	[ "$fetched" -eq 2 ]
}
one_connection_for_both() {
	oidc
	expect 0 "$P11OAUTH" token rsa --issuer "$ISSUER" -v
	[ "$(jq -s 'map(.connection) | unique | length' "$T/log")" -eq 1 ]
	stop_server oidc
}

run_tests aud_token_by_fhir_base aud_token_by_issuer aud_may_be_the_issuer \
	aud_issuer_with_fhir_base x5t_is_sent_where_required \
	ps256_is_chosen_where_alone es384_is_chosen_where_alone the_curve_decides \
	authlib_by_issuer authlib_by_fhir_base authlib_aud_issuer glewlwyd_by_issuer \
	a_contradicted_endpoint a_contradicted_issuer an_endpoint_in_the_clear \
	no_document_but_a_pin another_issuer_is_refused \
	nothing_is_signed_before_it_is_known_for_whom kept_as_long_as_it_may_be \
	not_kept_without_a_word no_store_is_not_kept no_store_on_a_line_of_its_own \
	one_connection_for_both
