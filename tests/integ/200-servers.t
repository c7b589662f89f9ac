#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Authorization servers that nobody here wrote issue access tokens, each as
# strict as it can be made; each refuses an assertion that it has seen before.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SERVERS=$top_srcdir/tests/servers
softhsm_new "$W/hsm" lab 739154
softhsm_keygen rsa:3072 01 rsa "$W/rsa.pem"
softhsm_keygen EC:secp384r1 02 p384 "$W/p384.pem"
sh "$SERVERS/make-pki.sh" "$W/pki" >/dev/null

# client NAME KEY ALG KEY=VALUE...: a profile for the server just started.
client() {
	name=$1 key=$2 alg=$3; shift 3
	profile "$name" 'client-id = "backend"' "token-endpoint = \"$TOKEN_ENDPOINT\"" \
		"cacert = \"$SERVER_CA\"" 'scope = "system/*.read"' "algorithm = \"$alg\"" \
		"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
		"key = \"pkcs11:token=lab;object=$key\"" "$@"
}
TOKEN_ENDPOINT=https://localhost/ SERVER_CA=$W/pki/ca.pem
client jwks-rsa rsa RS384
client jwks-ec p384 ES384
"$P11OAUTH" jwks jwks-rsa jwks-ec >"$W/jwks.json"

TLS_FILES="--tls-cert $W/pki/good.pem --tls-key $W/pki/good.key --ca $W/pki/ca.pem"
# shellcheck disable=SC2086 # several words
{
	start_server oidc node "$SERVERS/oidc-provider.mjs" --jwks "$W/jwks.json" $TLS_FILES
	client oidc-rsa rsa RS384
	client oidc-ec p384 ES384
	start_server authlib /usr/bin/python3 "$SERVERS/authlib-server.py" --jwks "$W/jwks.json" $TLS_FILES
	client authlib-rsa rsa RS384
	client authlib-ec p384 ES384
	start_server x5t /usr/bin/python3 "$SERVERS/authlib-server.py" \
		--resolve x5t --cert "$W/rsa.pem" --cert "$W/p384.pem" $TLS_FILES
	client x5t-rsa rsa RS384 'kid = "none"' 'x5t = yes'
	client x5t-ec p384 ES384 'kid = "none"' 'x5t = yes'
	start_server identity /usr/bin/python3 "$SERVERS/authlib-server.py" \
		--resolve identityserver --cert "$W/rsa.pem" --cert "$W/p384.pem" $TLS_FILES
	client identity-rsa rsa RS384 'kid = "x5t-hex"'
	client identity-ec p384 ES384 'kid = "x5t-hex"'
	if ! suite_lacks package glewlwyd; then
		start_server glewlwyd bash "$SERVERS/glewlwyd.sh" "$W/glewlwyd" "$W/jwks.json" \
			"$W/pki/good.pem" "$W/pki/good.key" "$W/pki/ca.pem"
		client glewlwyd-rsa rsa RS384
		client glewlwyd-ec p384 ES384
	fi
}

# issues PROFILE: an access token, and what a program wants to know of it.
issues() {
	expect 0 "$P11OAUTH" token "$1" --json
	jq -e '(.access_token | length > 10) and (.token_type | ascii_downcase == "bearer")
		and .expires_in > 0 and .expires_at > now' "$T/out" >/dev/null
}

# replay PROFILE: the same assertion twice; curl sends what we would send.
replay() {
	endpoint=$("$P11OAUTH" profile check "$1" --json | jq -r '.[0].settings["token-endpoint"]')
	"$P11OAUTH" assertion "$1" | tr -d '\n' >"$T/jwt"
	for attempt in first second; do
		curl -s --cacert "$W/pki/ca.pem" -o "$T/$attempt.body" -w '%{http_code}' "$endpoint" \
			-d grant_type=client_credentials --data-urlencode 'scope=system/*.read' \
			-d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
			--data-urlencode "client_assertion@$T/jwt" >"$T/$attempt"
	done
	[ "$(cat "$T/first")" = 200 ]
	case $(cat "$T/second") in 400 | 401 | 403) ;; *) cat "$T/second.body"; return 1 ;; esac
}
oidc_provider_rs384() { issues oidc-rsa; }
oidc_provider_es384() { issues oidc-ec; }
oidc_provider_refuses_a_replay() { replay oidc-rsa; }
authlib_takes_rs384() { issues authlib-rsa; }
authlib_takes_es384() { issues authlib-ec; }
authlib_refuses_a_replay() { replay authlib-ec; }
authlib_by_x5t_rs384() { issues x5t-rsa; }
authlib_by_x5t_es384() { issues x5t-ec; }
authlib_like_identityserver_rs384() { issues identity-rsa; }
authlib_like_identityserver_es384() { issues identity-ec; }
glewlwyd_takes_rs384() { issues glewlwyd-rsa; }
glewlwyd_takes_es384() { issues glewlwyd-ec; }
glewlwyd_refuses_a_replay() { replay glewlwyd-rsa; }

# They are strict: what SMART forbids is refused, and we say so.
refused() { expect 13 "$P11OAUTH" token "$@"; empty "$T/out"; }
oidc_provider_wants_a_kid() { refused oidc-rsa --kid none; }
oidc_provider_wants_its_audience() { refused oidc-rsa --audience https://elsewhere.example/; }
authlib_wants_a_known_x5t() { refused x5t-rsa --x5t=no; }
glewlwyd_wants_its_key() { refused glewlwyd-rsa --kid literal:unknown; }

run_tests oidc_provider_rs384 oidc_provider_es384 oidc_provider_refuses_a_replay \
	authlib_takes_rs384 authlib_takes_es384 authlib_refuses_a_replay \
	authlib_by_x5t_rs384 authlib_by_x5t_es384 \
	authlib_like_identityserver_rs384 authlib_like_identityserver_es384 \
	glewlwyd_takes_rs384 glewlwyd_takes_es384 glewlwyd_refuses_a_replay \
	oidc_provider_wants_a_kid oidc_provider_wants_its_audience \
	authlib_wants_a_known_x5t glewlwyd_wants_its_key
