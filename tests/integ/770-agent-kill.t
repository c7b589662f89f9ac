#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An agent that is killed, at any moment, leaves nothing half done: sinks are
# whole, the ledger verifies, the next start works, no process stays behind.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent-run.sh"

RUNS=${P11OAUTH_TEST_RUNS:-60}
softhsm_new "$W/hsm" lab 739154
fixture_ec ec P-384
softhsm_import "$W/ec.key" "$W/ec.pem" 01 ec
sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
mkdir -m 700 "$W/sinks"
FORMATS='raw json header env kube-exec-credential executable'

# kill_profile NAME CLIENT: with a sink of each format, of several modes
kill_profile() {
	kill_name=$1
	profile "$1" "client-id = \"$2\"" 'token-endpoint = "https://localhost:$PORT/token"' \
		'audience = "$AUDIENCE"' "cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' \
		"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
		'key = "pkcs11:token=lab;object=ec"' 'timeout = 5' 'retry-time = 0' "$(kill_sinks)"
}
kill_sinks() {
	kill_mode=0600
	for format in $FORMATS; do
		echo "sink { path = \"$W/sinks/$kill_name.$format\" format = \"$format\" mode = \"$kill_mode\" }"
		if [ "$kill_mode" = 0600 ]; then kill_mode=0640; else kill_mode=0600; fi
	done
}
kill_profile a backend
kill_profile b second
mv "$W/p11oauth.conf" "$W/conf.in"
sed 's,\$PORT,1,; s,\$AUDIENCE,https://localhost/,' "$W/conf.in" >"$W/p11oauth.conf"
"$P11OAUTH" jwks a | jq 'del(.keys[].alg)' >"$W/jwks.json"
start_server oidc node "$top_srcdir/tests/servers/oidc-provider.mjs" \
	--jwks "$W/jwks.json" --tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" \
	--ca "$W/pki/ca.pem" --access-token-ttl 2 --more-client second
LEDGER=$W/state/p11oauth/audit.jsonl

killed_at_random() {
	XDG_STATE_HOME=$W/state
	for profile in a b; do
		for format in $FORMATS; do
			echo "--sink $W/sinks/$profile.$format=$format"
		done
	done >"$T/sinks"
	got=0
	# shellcheck disable=SC2046 # a list of words
	/usr/bin/python3 "$top_srcdir/tests/tools/agent-kill.py" --runs "$RUNS" \
		--program "$P11OAUTH" --socket "$W/agent.sock" --ledger "$LEDGER" \
		--agent "sed \"s,[$]PORT,\$PORT,; s,[$]AUDIENCE,$TOKEN_ENDPOINT,\" $W/conf.in >$W/p11oauth.conf.\$\$ &&
			mv $W/p11oauth.conf.\$\$ $W/p11oauth.conf && exec $P11OAUTH agent --socket $W/agent.sock" \
		--upstream "$TOKEN_ENDPOINT" --cert "$W/pki/good.pem" --key "$W/pki/good.key" \
		--ca "$W/pki/ca.pem" $(cat "$T/sinks") ${KILL_SEED:+--seed "$KILL_SEED"} 2>"$T/err" || got=$?
	sed -E 's/[0-9]+/N/g' "$T/err" | sort | uniq -c | sort -rn | head -n 20
	no_sanitizer_spoke "$T/err"
	[ "$got" -eq 0 ]
}
modes_are_as_asked() {
	for profile in a b; do
		mode=600
		for format in $FORMATS; do
			[ ! -e "$W/sinks/$profile.$format" ] || [ "$(stat -c %a "$W/sinks/$profile.$format")" = "$mode" ]
			if [ "$mode" = 600 ]; then mode=640; else mode=600; fi
		done
	done
	[ "$(find "$W/sinks" -type f ! -name '.*' | wc -l)" -gt 0 ]
}
# A line that was cut in two by a power cut: named, and cut off at the next start.
an_unfinished_line() {
	XDG_STATE_HOME=$W/state
	export XDG_STATE_HOME
	printf '{"seq":99999,"time":"2026' >>"$LEDGER"
	expect 0 "$P11OAUTH" audit verify
	has "$T/err" unfinished
	agent_start again
	stop_server again
	expect 0 "$P11OAUTH" audit verify
	empty "$T/err"
	[ "$(jq -r .event "$LEDGER" | grep -c '^torn$')" -eq 1 ]
}
# A clean end, with jobs under way and without: status 0; no socket, no lock.
a_clean_end() {
	# what the agent may not see any more, a search for leaks wants to
	ASAN_OPTIONS=detect_leaks=0
	export ASAN_OPTIONS
	for pause in 0 0.01 0.02 0.03 0.05 0.08 0.1 0.2 0 0.01 0.02 0.03; do
		agent_start clean
		rm "$W/pids/clean" # ended here
		sleep "$pause" # the moment is the test
		kill "$AGENT_PID"
		got=0; wait "$AGENT_PID" || got=$?
		[ "$got" -eq 0 ] || { echo "exit $got after $pause s"; cat "$W/clean.err"; return 1; }
		[ ! -e "$AGENT_SOCKET" ]
		[ ! -e "$AGENT_SOCKET.lock" ]
	done
}
# Told to end while many wait, for a module that takes its time: all are answered.
an_end_with_callers() {
	ASAN_OPTIONS=detect_leaks=0
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_FAIL=C_Sign:1+:slow P11FAULT_MS=1200
	export ASAN_OPTIONS P11FAULT_MODULE P11FAULT_FAIL P11FAULT_MS
	rm -f "$W/p11oauth.conf"
	profile slow 'client-id = "backend"' "token-endpoint = \"$TOKEN_ENDPOINT\"" \
		"cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' \
		"module = \"$top_builddir/tests/fault/fault-module.so\"" \
		"pin-from = \"file:$SOFTHSM_PIN_FILE\"" 'key = "pkcs11:token=lab;object=ec"'
	for pause in 0 0.1 0.4; do
		agent_start waited
		rm "$W/pids/waited" # ended here
		i=0 pids=
		while [ "$i" -lt 24 ]; do
			case $((i % 6)) in
			0) set -- /v1/status ;;
			1) set -- /v1/jwks/slow ;;
			2) set -- /v1/unlock -d '{"profile":"slow"}' ;;
			3) set -- '/v1/token/slow?wait=30&force_new=1' ;;
			*) set -- /v1/token/slow ;;
			esac
			agent_get "$@" -o "$T/$i.body" -w '%{http_code} ' >"$T/$i.status" 2>"$T/$i.err" &
			pids="$pids $!"
			i=$((i + 1))
		done
		tries=0
		until [ "$(agent_get /metrics | sed -n 's/^p11oauth_requests_total //p')" -gt $((24 + tries)) ]; do
			tries=$((tries + 1)); [ "$tries" -lt 500 ]
			sleep 0.01 # polling until all have come; bounded above
		done
		sleep "$pause" # the moment is the test
		kill "$AGENT_PID"
		got=0; wait "$AGENT_PID" || got=$?
		[ "$got" -eq 0 ] || { echo "exit $got after $pause s"; cat "$W/waited.err"; return 1; }
		for pid in $pids; do wait "$pid" || { cat "$T"/*.err; return 1; }; done
		cat "$T"/*.status; echo
		[ "$(cat "$T"/*.status | wc -w)" -eq 24 ]
		refuses grep -qE '^0' "$T"/*.status
		[ ! -e "$AGENT_SOCKET" ]
	done
}

run_tests killed_at_random modes_are_as_asked an_unfinished_line a_clean_end \
	an_end_with_callers
