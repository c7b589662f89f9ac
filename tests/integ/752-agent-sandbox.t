#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What agent and workers can still touch: Landlock, where the kernel has it.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent-run.sh"

softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
mkdir "$W/pin" # apart from the token's files
mv "$SOFTHSM_PIN_FILE" "$W/pin/lab.pin"
SOFTHSM_PIN_FILE=$W/pin/lab.pin
start_server answers /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
	--cert "$W/pki/good.pem" --key "$W/pki/good.key" --log "$W/requests"

# lab KEY=VALUE...: the one profile of this test, and its agent.
lab() {
	rm -f "$W/p11oauth.conf"
	profile lab 'client-id = "lab"' 'scope = "system/*.read"' "token-endpoint = \"https://localhost:$SERVER_PORT/ok\"" \
		"cacert = \"$W/pki/ca.pem\"" "module = \"$SOFTHSM_MODULE\"" 'retry-time = 0' \
		"pin-from = \"file:$SOFTHSM_PIN_FILE\"" 'key = "pkcs11:token=lab;object=rsa"' "$@"
	agent_start agent
}
needs_landlock() {
	agent_get /v1/status >"$T/status"
	[ "$(jq .landlock "$T/status")" -gt 0 ] || skip "this kernel has no Landlock"
}

parent_has_no_privileges_to_gain() {
	lab
	needs_landlock
	grep -q '^NoNewPrivs:[[:space:]]*1$' "/proc/$AGENT_PID/status"
}
# A sink in a folder that no configuration named at the start is out of reach,
# and in the same folder as another one it is not. ($T is not below $W, where the
# agent has its socket.)
parent_writes_where_it_may() {
	mkdir "$W/known" "$T/unknown"
	lab "sink { path = \"$W/known/a\" }"
	needs_landlock
	rm -f "$W/p11oauth.conf"
	profile lab 'client-id = "lab"' 'scope = "system/*.read"' "token-endpoint = \"https://localhost:$SERVER_PORT/ok\"" \
		"cacert = \"$W/pki/ca.pem\"" "module = \"$SOFTHSM_MODULE\"" \
		"pin-from = \"file:$SOFTHSM_PIN_FILE\"" 'key = "pkcs11:token=lab;object=rsa"' \
		"sink { path = \"$W/known/b\" }" "sink { path = \"$T/unknown/c\" }"
	kill -HUP "$AGENT_PID"
	tries=0
	until [ -s "$W/known/b" ] && grep -q "$T/unknown" "$W/agent.err"; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ]
		sleep 0.1 # polling for the sinks; bounded above
	done
	has "$W/agent.err" "Permission denied"
	[ ! -e "$T/unknown/c" ]
	[ ! -e "$W/known/a" ] # nobody would renew it any more
}
# The worker: with all that the module needs it works, without its tokens it
# does not; what is named nowhere is out of its reach.
worker_works_with_its_paths() {
	lab "module-paths = { \"$W/hsm\" }"
	needs_landlock
	agent_get /v1/token/lab >"$T/out"
	jq -e .access_token "$T/out"
	grep -q '^NoNewPrivs:[[:space:]]*1$' "/proc/$(agent_process agent-worker)/status"
}
worker_without_its_paths() {
	mkdir -p "$W/elsewhere"
	lab "module-paths = { \"$W/elsewhere\" }"
	needs_landlock
	agent_get /v1/token/lab >"$T/out"
	jq -e '.error.exit == 4 or .error.exit == 10' "$T/out"
}
worker_is_free_without_paths() {
	lab
	agent_get /v1/token/lab >"$T/out"
	jq -e .access_token "$T/out"
	grep -q '^NoNewPrivs:[[:space:]]*0$' "/proc/$(agent_process agent-worker)/status"
}
replaced_pin_file_is_read() {
	lab "module-paths = { \"$W/hsm\" }"
	needs_landlock
	agent_get /v1/token/lab >"$T/out"
	(umask 077; cp "$SOFTHSM_PIN_FILE" "$W/pin/new.pin")
	mv "$W/pin/new.pin" "$SOFTHSM_PIN_FILE"
	kill -9 "$(agent_process agent-worker)"
	agent_get '/v1/token/lab?force_new=1' >"$T/out"
	jq -e .access_token "$T/out"
}
# p11oauth profile check: a relative one is refused
paths_are_absolute() {
	rm -f "$W/p11oauth.conf"
	profile lab 'client-id = "lab"' 'key = "pkcs11:object=rsa"' 'module-paths = { "hsm" }'
	fails 3 "module-paths" "$P11OAUTH" profile check lab
}

run_tests parent_has_no_privileges_to_gain parent_writes_where_it_may \
	worker_works_with_its_paths worker_without_its_paths worker_is_free_without_paths \
	replaced_pin_file_is_read paths_are_absolute
