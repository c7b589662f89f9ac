#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An agent over time: waiting, renewal, bad moments of servers and tokens, a new
# configuration, its end, and the end of its own processes.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent.sh"

agent_world

# up [PROFILE-LINE...]: an agent with a profile "lab".
up() {
	own_world
	lab_profile lab "$@"
	agent_start agent
}
# later NAME PATH: asks in the background; its answer is in $T/NAME, its status in
# $T/NAME.status.
later() {
	spawn "$1" curl -s --max-time 60 --unix-socket "$AGENT_SOCKET" -o "$T/$1" -w '%{http_code}\n' \
		"http://localhost$2"
}
later_is() { [ "$(cat "$W/$1.out")" = "$2" ]; }
waiting() { answers 200 /metrics && waiting=$(sed -n 's/^p11oauth_waiting_requests //p' "$T/body"); }
some_wait() { waiting && [ "$waiting" -ge "$1" ]; }
# in ticks of 10 ms
cpu() { sed 's/.*) //' "/proc/$AGENT_PID/stat" | awk '{ print $12 + $13 }'; }
# gives STATUS PATH: the next answer is that.
gives() { ask "$2"; [ "$STATUS" = "$1" ]; }

# ---- waiting --------------------------------------------------------------------------

held_until_the_server_is_back() {
	up
	told 503
	later held '/v1/token/lab?wait=30'
	within 5 some_wait 1
	within 5 test -s "$W/requests"
	refuses later_is held 200
	told 200
	within 10 later_is held 200
	jq -e '.access_token | startswith("told-")' "$T/held"
}
locked_while_it_waits() {
	up 'pin-from = "prompt"'
	told 503
	answers 200 /v1/unlock -d "{\"profile\":\"lab\",\"pin\":\"$SOFTHSM_PIN\"}"
	later held '/v1/token/lab?wait=4'
	within 5 some_wait 1
	kill -KILL "$(agent_process agent-worker)" # its PIN goes with it
	ticks=$(cpu)
	within 15 test -s "$W/held.out"
	ticks=$(($(cpu) - ticks))
	echo "$ticks ticks of processor time"
	[ "$ticks" -lt 50 ]
	jq -e '.error.exit' "$T/held"
}

# ---- renewal -----------------------------------------------------------------------------

renewed_and_nobody_notices() {
	start_server oidc node "$top_srcdir/tests/servers/oidc-provider.mjs" --cert "$W/rsa.pem" \
		--tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" --ca "$W/pki/ca.pem" \
		--access-token-ttl 10 --log "$T/log"
	own_world
	lab_profile lab "token-endpoint = \"$TOKEN_ENDPOINT\"" 'kid = "x5t-hex"'
	agent_start agent
	answers 200 /v1/token/lab
	end=$(($(ms) + 13000)) least=99
	while [ "$(ms)" -lt "$end" ]; do
		answers 200 /v1/token/lab
		left=$(jq .expires_in "$T/body")
		[ "$left" -ge "$least" ] || least=$left
		jq -r .access_token "$T/body" >>"$T/seen"
		sleep 0.3 # a job now and then
	done
	echo "$(sort -u "$T/seen" | wc -l) access tokens, never less than $least s left"
	[ "$(sort -u "$T/seen" | wc -l)" -eq 2 ]
	[ "$least" -ge 1 ]
	[ "$(calls C_Sign)" -eq "$(sort -u "$T/seen" | wc -l)" ]
	# the ones that nobody asked for are on record as such
	ledger '[.[] | select(.event == "sign")] | .[0].peer.uid == '"$(id -u)"' and (.[1:] | all(.peer == null))'
	stop_server oidc
}

# ---- bad moments of a token ------------------------------------------------------------------

nobody_touches_it() {
	P11FAULT_FAIL=C_Sign:1:hang; export P11FAULT_FAIL
	up 'token-timeout = 1'
	errs 503 device 10 "did not answer in time" /v1/token/lab
	# its worker is stuck in there; another one takes over, and sticks as well
	errs 503 device 10 "did not answer in time" '/v1/token/lab?wait=4'
	[ "$(calls 'fault: C_Sign')" -ge 2 ]
	answers 200 /healthz
}
a_stored_pin_is_not_for_the_last_try() {
	P11FAULT_TOKENFLAGS=0x20000; export P11FAULT_TOKENFLAGS
	up
	errs 423 pin-locked 8 "" /v1/token/lab
	[ "$(calls C_Login)" -eq 0 ]
}
a_bad_signature() {
	P11FAULT_SIGN=flip; export P11FAULT_SIGN
	up
	errs 500 crypto 11 "" /v1/token/lab
	[ "$(requests)" -eq 0 ]
}

# ---- another configuration ---------------------------------------------------------------------

hup() { kill -HUP "$AGENT_PID"; }
added_changed_removed() {
	own_world
	lab_profile same
	lab_profile other
	lab_profile leaver
	agent_start agent
	same=$(gets /v1/token/same) other=$(gets /v1/token/other)
	answers 200 /v1/token/leaver
	rm "$W/p11oauth.conf"
	lab_profile new
	lab_profile other 'client-id = "another"'
	lab_profile same
	hup
	within 5 gives 200 /v1/token/new
	[ "$(gets /v1/token/same)" = "$same" ]
	[ "$(gets /v1/token/other)" != "$other" ]
	errs 404 config 3 "new, other, same" /v1/token/leaver
	answers 200 /v1/profiles
	is '.profiles | map(.name) == ["new", "other", "same"] and .[1].client_id == "another"'
	hasnt "$W/agent.err" "not taken"
}
refusals() { [ "$(grep -c "not taken" "$W/agent.err")" -eq "$1" ]; }
a_broken_one() {
	up
	good=$(gets /v1/token/lab)
	said=$(wc -l <"$W/agent.err")
	echo 'profile broken {' >>"$W/p11oauth.conf"
	hup
	within 5 refusals 1
	[ "$(gets /v1/token/lab)" = "$good" ]
	errs 404 config 3 "lab" /v1/token/broken
	rm "$W/p11oauth.conf" # not there at all
	hup
	within 5 refusals 2
	[ "$(gets /v1/token/lab)" = "$good" ]
	# its workers go on as well
	new=$(gets '/v1/token/lab?force_new=1')
	[ "$new" != "$good" ]
	[ "$(wc -l <"$W/agent.err")" -eq $((said + 2)) ]
	lab_profile lab 'client-id = "mended"'
	# a worker that is replaced meanwhile knows what the agent knows
	echo 'profile spoilt {' >"$W/p11oauth.conf"
	kill -KILL "$(agent_process agent-worker)"
	answers 200 '/v1/token/lab?force_new=1'
	rm "$W/p11oauth.conf"
	lab_profile lab 'client-id = "mended"'
	hup
	is_mended() { answers 200 /v1/profiles && is '.profiles[0].client_id == "mended"'; }
	within 5 is_mended
	[ "$(gets /v1/token/lab)" != "$new" ]
}
a_profile_that_is_not_usable() {
	own_world
	lab_profile good
	profile bad 'client-id = "x"'
	agent_start agent
	logged "profile 'bad' is not served"
	answers 200 /v1/token/good
	errs 404 config 3 "good" /v1/token/bad
}

# ---- its end -------------------------------------------------------------------------------------

# ended: it exits so; sets $got.
ended() {
	within "$1" refuses is_running "$AGENT_PID"
	got=0; wait "$AGENT_PID" || got=$?
	rm -f "$W/pids/agent"
	echo "exit $got"
	[ ! -e "$AGENT_SOCKET" ]
	[ ! -e "$AGENT_SOCKET.lock" ]
}
while_requests_wait() {
	up
	told 503
	for i in 1 2 3; do later "held-$i" '/v1/token/lab?wait=60'; done
	within 5 some_wait 3
	# shellcheck disable=SC2046 # one word each
	set -- $(agent_process agent-helper) $(agent_process agent-worker)
	[ $# -ge 2 ]
	kill -TERM "$AGENT_PID"
	ended 20
	[ "$got" -eq 0 ]
	for i in 1 2 3; do
		within 2 later_is "held-$i" 503
		jq -e '.error | .exit == 16 and .status == "agent"' "$T/held-$i"
	done
	gone 5 "$@"
	ledger '.[-1].event == "stop"'
	"$P11OAUTH" audit verify "$(LEDGER)"
}
while_the_server_is_silent() {
	up
	told hold
	later held /v1/token/lab
	within 5 some_wait 1
	within 5 test -s "$W/requests"
	kill -INT "$AGENT_PID"
	ended 25
	[ "$got" -eq 0 ]
	within 2 later_is held 503
	jq -e '.error.exit == 16' "$T/held"
	told 200
}

# ---- the socket ------------------------------------------------------------------------------------

a_second_agent() {
	up
	fails 16 "another agent" "$P11OAUTH" agent --socket "$AGENT_SOCKET"
	answers 200 /v1/token/lab
	[ -S "$AGENT_SOCKET" ]
}
a_stale_socket() {
	up
	# shellcheck disable=SC2046 # one word each
	set -- $(agent_process agent-helper) $(agent_process agent-worker)
	stop_server agent KILL
	gone 10 "$@" # they do not outlive it
	[ -S "$AGENT_SOCKET" ]
	spawn agent "$P11OAUTH" agent --socket "$AGENT_SOCKET"
	AGENT_PID=$(pid_of agent)
	agent_wait
	answers 200 /v1/token/lab
}
no_place_for_it() {
	own_world
	lab_profile lab
	for path in relative.sock "$T/$(head -c 200 /dev/zero | tr '\0' a)" "$W/p11oauth.conf/agent.sock" \
		/proc/agent.sock; do
		fails 3 "" "$P11OAUTH" agent --socket "$path"
	done
	mkdir -p "$T/socket/agent.sock"
	fails 3 "" "$P11OAUTH" agent --socket "$T/socket/agent.sock"
	printf 'agent {\n\tsocket-group = "no-such-group"\n}\n' >>"$W/p11oauth.conf"
	fails 3 "no-such-group" "$P11OAUTH" agent --socket "$T/agent.sock"
	mkdir -m 755 "$T/open"
	cp "$W/p11oauth.conf" "$T/open/conf"
	chmod 755 "$T" "$T/open"
	chmod 644 "$T/open/conf"
	expect 3 setpriv --reuid=65534 --regid=65534 --clear-groups \
		env -u HOME "$(program_for_others)" --config "$T/open/conf" agent
	has "$T/err" "no place for the socket"
}
where_it_is() {
	own_world
	lab_profile lab
	printf 'agent {\n\tsocket = "%s/conf/agent.sock"\n}\n' "$T" >>"$W/p11oauth.conf"
	spawn agent env XDG_RUNTIME_DIR="$T/xdg" "$P11OAUTH" agent
	within 5 test -S "$T/conf/agent.sock"
	[ "$(stat -c %a "$T/conf/agent.sock")" = 600 ]
	[ "$(stat -c %a "$T/conf")" = 700 ]
	stop_server agent
	[ ! -e "$T/conf/agent.sock" ]
	spawn agent env P11OAUTH_SOCKET="$T/env.sock" "$P11OAUTH" agent
	within 5 test -S "$T/env.sock"
	rm "$W/p11oauth.conf"
	lab_profile lab
	mkdir "$T/run" "$T/xdg"
	spawn agent env RUNTIME_DIRECTORY="$T/run:$T/xdg" XDG_RUNTIME_DIR="$T/xdg" "$P11OAUTH" agent
	within 5 test -S "$T/run/agent.sock"
	spawn agent env XDG_RUNTIME_DIR="$T/xdg" "$P11OAUTH" agent
	within 5 test -S "$T/xdg/p11oauth/agent.sock"
}

# ---- its processes -----------------------------------------------------------------------------------

a_worker_dies() {
	up
	first=$(gets /v1/token/lab)
	worker=$(agent_process agent-worker)
	kill -TERM "$worker"
	answers 200 '/v1/token/lab?force_new=1' # it goes on: the agent says when to end
	kill -KILL "$worker"
	[ "$(gets /v1/token/lab)" != "$first" ] # from the cache, the last one
	answers 200 '/v1/token/lab?force_new=1'
	logged "killed by signal 9"
	answers 200 /v1/status
	is '.workers[0].restarts == 1'
	[ "$(agent_process agent-worker)" != "$worker" ]
}
a_worker_dies_at_work() {
	up
	told hold
	later held /v1/token/lab
	within 5 test -s "$W/requests"
	kill -KILL "$(agent_process agent-worker)"
	told 200
	within 15 later_is held 200
	# each signature is on record, also the one that came to nothing
	ledger '[.[] | select(.event == "sign")] | length == 2 and (map(.jti) | unique | length == 2)'
}
a_module_that_crashes() {
	P11FAULT_FAIL=C_Sign:1:crash; export P11FAULT_FAIL
	up
	errs 503 device 10 "crashed" /v1/token/lab
	alive=$(ms)
	answers 200 /healthz
	[ $(($(ms) - alive)) -lt 1000 ]
	ledger '[.[] | select(.event == "sign")] | length == 1'
}
the_helper_dies() {
	up
	answers 200 /v1/token/lab
	set -- "$(agent_process agent-worker)"
	[ -n "$1" ]
	kill -KILL "$(agent_process agent-helper)"
	ended 20
	[ "$got" -ne 0 ]
	logged "helper process is gone"
	tail -n 1 "$W/agent.err" | grep -q "^p11oauth: agent: the agent's helper process is gone$"
	gone 10 "$@"
}

run_tests held_until_the_server_is_back locked_while_it_waits \
	renewed_and_nobody_notices nobody_touches_it \
	a_stored_pin_is_not_for_the_last_try a_bad_signature added_changed_removed \
	a_broken_one a_profile_that_is_not_usable while_requests_wait \
	while_the_server_is_silent a_second_agent a_stale_socket root:no_place_for_it \
	where_it_is a_worker_dies a_worker_dies_at_work a_module_that_crashes \
	the_helper_dies
