#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the agent answers over HTTP: each route, each error, and clients that do
# not behave.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent.sh"

agent_world
start_server answers /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
	--cert "$W/pki/good.pem" --key "$W/pki/good.key"
ANSWERS=https://localhost:$SERVER_PORT
lab_profile lab 'allow-scope = { "system/Patient.read", "odd/%.x" }'
lab_profile person 'pin-from = "prompt"' 'client-id = "by-hand"'
lab_profile dot.ted-name_1
for path in invalid-client-401 empty-503 html-200 empty-500; do
	lab_profile "$path" "token-endpoint = \"$ANSWERS/$path\""
done
# nobody listens there, and nobody will: it is bound, and closed to all
lab_profile nobody "token-endpoint = \"https://localhost:1/\""
lab_profile no-key 'key = "pkcs11:token=lab;object=none"'
lab_profile no-token 'key = "pkcs11:token=none;object=rsa"'
lab_profile bad-tls 'cacert = "/etc/hostname"'
(umask 077; echo 918273 >"$W/wrong.pin")
softhsm_new "$W/hsm" sole 739154
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
lab_profile wrong-pin "pin-from = \"file:$W/wrong.pin\"" 'key = "pkcs11:token=sole;object=rsa"'
agent_start agent
client() { mode=$1; shift; /usr/bin/python3 "$top_srcdir/tests/tools/unix-http.py" "$AGENT_SOCKET" "$mode" "$@"; }
alive() { is_running "$AGENT_PID" && answers 200 /healthz; }

# ---- good answers ------------------------------------------------------------------

is_known() { answers 200 /v1/status && is '.profiles[0].token.state == "present" and .profiles[1].locked'; }
the_agent_gives_an_access_token() {
	within 30 is_known # a look passes over a key that is in use
	told 200
	before=$(date +%s)
	answers 200 /v1/token/lab
	is 'keys == ["access_token", "expires_at", "expires_in", "token_type"]'
	is '.token_type == "Bearer" and (.access_token | startswith("told-"))'
	is '.expires_in > 200 and .expires_in <= 300'
	is ".expires_at >= $before + .expires_in"
	is ".expires_at <= $(date +%s) + .expires_in"
	cp "$T/body" "$T/first"
	# from the cache
	n=$(requests)
	answers 200 /v1/token/lab
	[ "$(requests)" -eq "$n" ]
	[ "$(jq .access_token "$T/body")" = "$(jq .access_token "$T/first")" ]
	[ "$(($(jq .expires_at "$T/body") - $(jq .expires_at "$T/first")))" -le 1 ]
}
status_lists_the_profiles() {
	answers 200 /v1/token/lab
	is_known
	is '.pid == '"$AGENT_PID"' and .uptime_s >= 0 and (.version | length > 2)'
	is '.workers | length >= 1 and (.[0] | has("module") and has("pid") and has("state") and has("restarts"))'
	is '[.workers[].state] - ["idle", "busy", "starting", "backing-off", "stopped", "leaving"] == []'
	is '.profiles[0].token | .label == "lab" and (.serial | length == 16)'
	is '.profiles[0].certificate | .subject == "CN=rsa" and .days_left == 89 and .warning == null'
	is ".profiles[0].certificate.not_after == $(date -d "$(openssl x509 -in "$W/rsa.pem" -noout -enddate | cut -d= -f2)" +%s)"
	is '.profiles[0].access_tokens | map(select(.scope == "system/*.read")) | length == 1'
	is '.profiles[0].access_tokens[0] | .expires_in > 0 and .failures == 0 and .last_error == null'
	is '.ledger | (.path | endswith("audit.jsonl")) and .seq > 0 and (.hash | length == 64)'
	hasnt "$T/body" "told-"
	hasnt "$T/body" "$SOFTHSM_PIN"
}
jwks_has_the_public_keys() {
	answers 200 /v1/jwks/lab
	grep -qi '^content-type: application/jwk-set+json' "$T/head"
	jq . "$T/body" >"$T/by-agent"
	"$P11OAUTH" jwks lab | jq . | cmp - "$T/by-agent"
	answers 200 /v1/jwks/person # public: no PIN
	n=$(calls C_Login)
	answers 200 /v1/jwks/person
	[ "$(calls C_Login)" -eq "$n" ]
}
metrics_count_what_happened() {
	answers 200 /v1/token/lab
	answers 200 /metrics
	grep -qi '^content-type: text/plain; version=0.0.4' "$T/head"
	# name, labels, number; each with its TYPE before it
	awk '/^# TYPE/ { type[$3] = 1; next } /^#/ { next }
		{ name = $1; sub(/\{.*/, "", name) }
		!(name in type) || NF != 2 || $2 !~ /^[0-9.e+-]+$/ { print; bad = 1 }
		END { exit bad }' "$T/body"
	grep -q '^p11oauth_access_tokens [1-9]' "$T/body"
	grep -q '^p11oauth_certificate_not_after_seconds{profile="lab"} [0-9]' "$T/body"
	grep -q '^p11oauth_locked{profile="lab"} 0$' "$T/body"
	requests_before=$(sed -n 's/^p11oauth_requests_total //p' "$T/body")
	answers 200 /metrics
	[ "$(sed -n 's/^p11oauth_requests_total //p' "$T/body")" -eq $((requests_before + 1)) ]
	hasnt "$T/body" "told-"
}

# ---- what is asked for ---------------------------------------------------------------

percent_encoding_is_decoded() {
	own=$(gets /v1/token/lab)
	[ "$(gets /v1/token/%6cab)" = "$own" ]
	[ "$(gets /v1/token/l%61%62)" = "$own" ]
	answers 200 /v1/token/dot.ted-name_1
	answers 200 /v1/token/dot%2Eted%2Dname%5F1
	answers 200 '/v1/token/lab?scope=odd/%25.x'
	errs 403 policy 15 "odd/%25.x" '/v1/token/lab?scope=odd/%2525.x'
	errs 404 config 3 "100%" /v1/token/100%
	errs 404 config 3 "lab%00x" /v1/token/lab%00x # cuts nothing off
	errs 404 config 3 "" /v1/token/%C3%A4
}

# ---- errors ----------------------------------------------------------------------------

head_has_no_body() {
	ask /v1/token/lab -I
	[ "$STATUS" = 405 ]
	grep -qi '^allow: GET.$' "$T/head"
	[ "$(client pipeline 1 /healthz)" = 200 ]
	alive
}
body_is_too_long() {
	printf '{"profile":"person","pin":"' >"$T/body-max"
	head -c $((16384 - 29)) /dev/zero | tr '\0' 1 >>"$T/body-max"
	printf '"}' >>"$T/body-max"
	[ "$(wc -c <"$T/body-max")" -eq 16384 ]
	errs 400 usage 2 "255" /v1/unlock --data-binary "@$T/body-max"
	echo >>"$T/body-max"
	for more in "" "Transfer-Encoding: chunked"; do
		errs 413 usage 2 "too long" /v1/unlock --data-binary "@$T/body-max" ${more:+-H "$more"}
	done
	alive
}
a_wrong_stored_pin() {
	: >"$W/calls"
	errs 423 pin 7 "" /v1/token/wrong-pin
	errs 423 pin 7 "" /v1/token/wrong-pin
	errs 423 pin 7 "" '/v1/token/wrong-pin?force_new=1'
	[ "$(calls C_Login)" -eq 1 ]
}
says_when() {
	grep -qi '^retry-after: [1-9]' "$T/head"
	seconds=$(sed -n 's/^[Rr]etry-[Aa]fter: \([0-9]*\).*/\1/p' "$T/head")
	is ".error.retry_after == $seconds"
}
what_servers_do() {
	errs 502 refused 13 "invalid_client" /v1/token/invalid-client-401
	is '.error.native == 401'
	says_when
	errs 503 server 14 "" /v1/token/empty-503
	says_when
	errs 503 server 14 "" /v1/token/html-200
	errs 503 server 14 "" /v1/token/empty-500
	errs 502 network 12 "" /v1/token/nobody
	says_when
}
what_tokens_do() {
	errs 500 not-found 5 "none" /v1/token/no-key
	errs 503 token 4 "none" /v1/token/no-token
	ask /v1/token/bad-tls
	[ "$STATUS" -ge 500 ]
	alive
}

# ---- clients that do not behave ------------------------------------------------------------

a_very_long_uri() {
	for length in 4000 15000 17000 100000 2000000; do
		{ printf /v1/token/; head -c "$length" /dev/zero | tr '\0' a; } >"$T/long"
		code=$(client pipeline 1 "@$T/long")
		echo "$length bytes: $code"
		case $length in
		4000) [ "$code" = 404 ] ;;
		*) [ "$code" = 404 ] || [ "$code" = 414 ] || [ "$code" = 431 ] || [ "$code" = closed ] ;;
		esac
		[ "$length" -lt 17000 ] || [ "$code" != 404 ]
	done
	head -c 8000 /dev/zero | tr '\0' a >"$T/long"
	errs 403 policy 15 "aaaa" "/v1/token/lab?scope=$(cat "$T/long")"
	alive
}
pipelined_requests_are_answered() {
	client pipeline 50 /v1/token/lab >"$T/out"
	[ "$(grep -c '^200$' "$T/out")" -eq 50 ]
	client pipeline 20 /v1/jwks/lab >"$T/out" # each waits for the worker
	[ "$(grep -c '^200$' "$T/out")" -eq 20 ]
}
byte_by_byte() { [ "$(client drip /v1/token/lab)" = 200 ]; }
waiting() { answers 200 /metrics && waiting=$(sed -n 's/^p11oauth_waiting_requests //p' "$T/body"); }
some_wait() { waiting && [ "$waiting" -ge "$1" ]; }
nobody_waits() { waiting && [ "$waiting" -eq 0 ]; }
a_client_that_hangs_up() {
	told hold
	for round in 1 2 3; do
		spawn "left-$round" curl -s --unix-socket "$AGENT_SOCKET" 'http://localhost/v1/token/lab?force_new=1'
		client leave '/v1/token/lab?force_new=1'
	done
	within 5 some_wait 3
	for round in 1 2 3; do stop_server "left-$round" KILL; done
	client leave /v1/jwks/lab
	client leave /v1/status
	alive
	told 200
	within 10 nobody_waits
	answers 200 /v1/token/lab
}
a_thousand_idle() {
	[ "$(client idle 1000 /v1/token/lab)" = 200 ]
	alive
}
a_burst_is_answered() {
	client burst 300 /v1/token/lab >"$T/out"
	[ "$(cat "$T/out")" = "200 300" ]
	worker=$(agent_process agent-worker)
	client burst 800 /v1/jwks/lab >"$T/out"
	cat "$T/out"
	# a worker that cannot listen as fast is no dead one
	[ "$(cat "$T/out")" = "200 800" ] || { tail -n 30 "$W/agent.err"; return 1; }
	[ "$(agent_process agent-worker)" = "$worker" ]
	alive
}
garbage_harms_nobody() {
	client garbage >"$T/out"
	[ "$(wc -l <"$T/out")" -ge 60 ]
	refuses grep -qE '^2' "$T/out"
	sort "$T/out" | uniq -c
	alive
}
nothing_was_lost() {
	is_running "$AGENT_PID"
	hasnt "$W/agent.err" "ended (killed"
	hasnt "$W/agent.err" "$SOFTHSM_PIN"
	hasnt "$W/agent.err" "told-"
	"$P11OAUTH" audit verify "$W/state/p11oauth/audit.jsonl"
}

run_tests the_agent_gives_an_access_token status_lists_the_profiles \
	jwks_has_the_public_keys metrics_count_what_happened \
	percent_encoding_is_decoded head_has_no_body body_is_too_long \
	a_wrong_stored_pin what_servers_do what_tokens_do a_very_long_uri \
	pipelined_requests_are_answered byte_by_byte a_client_that_hangs_up \
	a_thousand_idle a_burst_is_answered garbage_harms_nobody nothing_was_lost
