#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Many callers, one signature; many requests, little memory. Times are printed
# and not judged: the machine may be busy.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent-run.sh"

CALLERS=200
REQUESTS=10000
PEAK_MAX_KIB=16384
LOAD=$top_srcdir/tests/tools/agent-load.py
softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
profile lab 'client-id = "backend"' 'token-endpoint = "https://localhost/"' \
	"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
	'key = "pkcs11:token=lab;object=rsa"'
"$P11OAUTH" jwks lab >"$W/jwks.json"
start_server oidc node "$top_srcdir/tests/servers/oidc-provider.mjs" --log "$W/requests" \
	--jwks "$W/jwks.json" --tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" \
	--ca "$W/pki/ca.pem"
rm "$W/p11oauth.conf"
profile lab 'client-id = "backend"' "token-endpoint = \"$TOKEN_ENDPOINT\"" \
	"cacert = \"$SERVER_CA\"" 'scope = "system/*.read"' \
	"module = \"$top_builddir/tests/fault/fault-module.so\"" \
	"pin-from = \"file:$SOFTHSM_PIN_FILE\"" 'key = "pkcs11:token=lab;object=rsa"'
P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$W/calls
export P11FAULT_MODULE P11FAULT_LOG

# cold: an agent that has asked nothing yet
cold() {
	[ ! -e "$W/pids/agent" ] || stop_server agent
	agent_start agent
	: >"$W/requests"
	: >"$W/calls"
}
# once: one signature, one login, one request to the server
once() {
	[ "$(grep -c '^C_Sign ' "$W/calls")" -eq 1 ]
	[ "$(grep -c '^C_Login ' "$W/calls")" -eq 1 ]
	[ "$(jq -s '[.[] | select(.method == "POST" and .path == "/token")] | length' "$W/requests")" -eq 1 ]
}
many_callers_one_signature() {
	cold
	/usr/bin/python3 "$LOAD" burst --socket "$AGENT_SOCKET" --path /v1/token/lab \
		--callers "$CALLERS" >"$T/figures"
	cat "$T/figures"
	jq -e --argjson n "$CALLERS" '.statuses == {"200": $n} and .access_tokens == 1' "$T/figures"
	once
}
many_curls_one_signature() {
	cold
	i=0 pids=
	while [ "$i" -lt "$CALLERS" ]; do
		agent_get /v1/token/lab -o "$T/answer.$i" -w '%{http_code}\n' >"$T/status.$i" &
		pids="$pids $!"
		i=$((i + 1))
	done
	for pid in $pids; do wait "$pid"; done
	[ "$(sort -u "$T"/status.*)" = 200 ]
	[ "$(jq -r .access_token "$T"/answer.* | wc -l)" -eq "$CALLERS" ]
	[ "$(jq -r .access_token "$T"/answer.* | sort -u | wc -l)" -eq 1 ]
	once
}
# As many with no access token to be had: one try, one reason for all.
many_callers_one_failure() {
	stop_server oidc
	cold
	/usr/bin/python3 "$LOAD" burst --socket "$AGENT_SOCKET" --path /v1/token/lab \
		--callers "$CALLERS" >"$T/figures" 2>"$T/answers"
	cat "$T/figures"
	jq -e --argjson n "$CALLERS" '.statuses == {"502": $n}' "$T/figures"
	[ "$(sort -u "$T/answers" | grep -c '"network"')" -ge 1 ]
	hasnt "$T/answers" '"message":""'
}
many_requests_little_memory() {
	cold
	agent_get /v1/token/lab >"$T/first"
	/usr/bin/python3 "$LOAD" stream --socket "$AGENT_SOCKET" --path /v1/token/lab \
		--requests "$REQUESTS" --clients 8 --pid "$AGENT_PID" >"$T/figures"
	cat "$T/figures"
	jq -e --argjson n "$REQUESTS" '.requests == $n and .errors == 0' "$T/figures"
	once
	expect 0 "$P11OAUTH" audit verify
	cat "$T/out"
	is_sanitized || [ "$(jq .peak_kib "$T/figures")" -lt "$PEAK_MAX_KIB" ]
}

run_tests many_callers_one_signature many_curls_one_signature \
	many_requests_little_memory many_callers_one_failure
