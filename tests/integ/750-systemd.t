#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The agent as a service of systemd: what it says, what it takes over, how it ends.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

softhsm_new "$W/hsm" lab 481516
fixture_rsa key 2048
softhsm_import "$W/key.key" "$W/key.pem" 01 key
start_server as /usr/bin/python3 "$top_srcdir/contrib/sandbox/sandbox.py" --state "$W/as" \
	--client "my-job=$W/key.pem"
profile lab 'client-id = "my-job"' "token-endpoint = \"$TOKEN_ENDPOINT\"" \
	"cacert = \"$SERVER_CA\"" 'scope = "system/*.read"' "module = \"$SOFTHSM_MODULE\"" \
	'pin-from = "cred:lab.pin"' 'key = { "pkcs11:token=lab;object=key" }'
unset P11OAUTH_SOCKET XDG_RUNTIME_DIR

# agent OPTION...: under the harness until it is ready, its socket in $SOCKET
# unless an option says otherwise; in the folder of the test.
agent() {
	SOCKET=${SOCKET-$T/service/run/agent.sock}
	start_server agent /usr/bin/python3 "$top_srcdir/tests/tools/systemd-harness.py" \
		--probe "$SOCKET" --credential "lab.pin=$SOFTHSM_PIN_FILE" "$@" \
		"$T/service" -- "$P11OAUTH" agent
	AGENT_PID=$(events | jq -r 'select(.event == "start").pid')
}
# a copy that the test may change
own_configuration() {
	P11OAUTH_CONFIG=$T/p11oauth.conf
	cp "$W/p11oauth.conf" "$P11OAUTH_CONFIG"
}
events() { cat "$W/agent.out"; }
# heard JQ-CONDITION: an event as it says, within 10 s
heard() {
	tries=0
	until events | jq -es "any(.[]; $1)" >/dev/null; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || { echo "not heard: $1"; events; cat "$W/agent.err"; return 1; }
		sleep 0.1 # polling for the event; bounded above
	done
}
not_heard() { ! events | jq -es "any(.[]; $1)" >/dev/null || { echo "heard: $1"; events; return 1; }; }
get() { curl -sS --max-time 20 --unix-socket "$SOCKET" "http://localhost$1"; }
has_token() { get /v1/token/lab | jq -e '.access_token | length > 20' >/dev/null; }
# ends: by SIGTERM, with status 0, and told so
ends() {
	kill -TERM "$AGENT_PID"
	heard '.event == "exit"'
	heard '.event == "exit" and .status == 0'
	events | jq -es '[.[] | select(.STOPPING == "1" or .event == "exit")] |
		length == 2 and .[0].STOPPING == "1"' >/dev/null || { events; return 1; }
}

ready_when_it_serves() {
	agent
	events | jq -es '[.[] | select(.READY)][0].probe == 200' || { events; return 1; }
	[ -S "$T/service/run/agent.sock" ]
	ends
	[ ! -e "$T/service/run/agent.sock" ]
}
ready_has_a_status() {
	agent
	heard '.READY == "1" and (.STATUS | length > 0)'
	hasnt "$W/agent.out" "$SOFTHSM_PIN"
	ends
	hasnt "$W/agent.err" "$SOFTHSM_PIN"
}
notifies_an_abstract_address() {
	agent --abstract
	kill -HUP "$AGENT_PID"
	heard '.RELOADING == "1"'
	ends
}
reload_reads_the_configuration() {
	own_configuration
	agent
	get /v1/profiles | jq -e '[.profiles[].name] == ["lab"]'
	sed 's/^profile lab/profile second/' "$W/p11oauth.conf" >>"$P11OAUTH_CONFIG"
	kill -HUP "$AGENT_PID"
	heard '.RELOADING == "1"'
	tries=0
	until events | jq -es '[.[] | select(.READY == "1")] | length == 2' >/dev/null; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ]; sleep 0.1 # polling; bounded
	done
	events | jq -es '[.[] | select(.READY or .RELOADING) | if .READY then "ready" else "reloading" end] ==
		["ready", "reloading", "ready"]'
	get /v1/profiles | jq -e '[.profiles[].name] | sort == ["lab", "second"]'
	has_token
	ends
}
reload_of_a_broken_configuration_keeps_the_old_one() {
	own_configuration
	agent
	echo 'profile {' >>"$P11OAUTH_CONFIG"
	kill -HUP "$AGENT_PID"
	heard '.RELOADING == "1"'
	tries=0
	until events | jq -es '[.[] | select(.READY == "1")] | length == 2' >/dev/null; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ]; sleep 0.1 # polling; bounded
	done
	cp "$W/p11oauth.conf" "$P11OAUTH_CONFIG" # a worker may read it anew
	has_token
	ends
}
watchdog_is_fed() {
	agent --watchdog-usec 1000000
	heard '.WATCHDOG == "1" and .ms > 3500'
	ends
	# every half second, and never close to the whole one
	events | jq -es '[.[] | select(.READY == "1" or .WATCHDOG == "1").ms] |
		length >= 6 and ([range(1; length) as $i | .[$i] - .[$i - 1]] | max < 900)' ||
		{ events; return 1; }
}
watchdog_of_another_is_not_fed() {
	agent --watchdog-usec 200000 --watchdog-pid 1
	sleep 0.5 # longer than the interval that is not its own
	not_heard '.WATCHDOG == "1"'
	ends
}
no_watchdog_no_food() {
	agent
	sleep 0.5 # longer than any interval of these tests
	not_heard '.WATCHDOG'
	ends
}
takes_the_socket_that_is_handed_over() {
	SOCKET=$T/given.sock
	agent --socket "$SOCKET"
	heard '.READY == "1" and .probe == 200'
	has_token
	[ ! -e "$T/service/run/agent.sock" ]
	inode=$(stat -c %i "$SOCKET")
	ends
	# it is systemd's: not removed, not made anew
	[ -S "$SOCKET" ]
	[ "$(stat -c %i "$SOCKET")" = "$inode" ]
}
socket_of_another_process_is_left_alone() {
	SOCKET=$T/service/run/agent.sock
	agent --socket "$T/given.sock" --listen-pid 1
	heard '.READY == "1" and .probe == 200'
	ends
	[ -S "$T/given.sock" ]
}
two_sockets_are_a_configuration_fault() {
	got=0
	/usr/bin/python3 "$top_srcdir/tests/tools/systemd-harness.py" --socket "$T/one" --socket "$T/two" \
		--seconds 20 "$T/service" -- "$P11OAUTH" agent >"$T/events" 2>"$T/err" || got=$?
	[ "$got" -eq 3 ]
	has "$T/err" "2 sockets"
	hasnt "$T/events" '"READY"'
}
credential_is_the_pin() {
	agent
	has_token
	ends
}
no_credential_is_said() {
	SOCKET=$T/service/run/agent.sock
	start_server agent /usr/bin/python3 "$top_srcdir/tests/tools/systemd-harness.py" \
		"$T/service" -- "$P11OAUTH" agent
	AGENT_PID=$(events | jq -r 'select(.event == "start").pid')
	get /v1/token/lab | jq -e '.error.message | test("lab.pin")'
	ends
}

run_tests ready_when_it_serves ready_has_a_status notifies_an_abstract_address \
	reload_reads_the_configuration reload_of_a_broken_configuration_keeps_the_old_one \
	watchdog_is_fed watchdog_of_another_is_not_fed no_watchdog_no_food \
	takes_the_socket_that_is_handed_over socket_of_another_process_is_left_alone \
	two_sockets_are_a_configuration_fault credential_is_the_pin no_credential_is_said
