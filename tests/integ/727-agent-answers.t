#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What commands make of an agent's answers, and when they do without one. The
# agent is an imitation that says what a test wants.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
start_server as "$top_srcdir/contrib/sandbox/sandbox.py" --state "$W/as" \
	--client "job=$W/rsa.pem"
profile mine 'client-id = "job"' "token-endpoint = \"$TOKEN_ENDPOINT\"" "cacert = \"$SERVER_CA\"" \
	'scope = "system/*.read"' 'algorithm = "RS384"' 'kid = "x5t-hex"' \
	"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
	'key = "pkcs11:token=lab;object=rsa"'

# agent_says JQ: from now on; NAME(value) of the helpers below
agent_says() {
	jq -n --argjson until $(($(date +%s) + 600)) "$HELPERS $1" >"$W/answers.new"
	mv "$W/answers.new" "$W/answers"
	: >"$W/requests"
}
HELPERS='
def token(extra): [200, {access_token: "agents-own-token", token_type: "Bearer",
	expires_in: 600, expires_at: $until} + extra];
def no($http; $exit; $name; $message): [$http, {error: {status: $name, exit: $exit,
	message: $message, native: 0}}];
def profile($name; $serial; $source): {name: $name, allowed: true, locked: true,
	pin_source: $source, token: {label: "lab", serial: $serial, state: "present"},
	certificate: null, access_tokens: []};
def status(list): {"GET /v1/status": [200, {version: "9.9", pid: 42, uptime_s: 7200,
	workers: [], profiles: list, ledger: null}]};
'
agent_says '{}'
start_server agent "$top_srcdir/tests/servers/fake-agent.py" --socket "$W/agent.sock" \
	--answers "$W/answers" --log "$W/requests"
is_agents() { [ "$(cat "$T/out")" = agents-own-token ]; }
is_ours() { [ -s "$T/out" ] && refuses is_agents; }
asked() { [ "$(wc -l <"$W/requests")" -eq "$1" ]; }
request() { jq -rs ".[$1].$2" "$W/requests"; } # NUMBER MEMBER

# ---- access tokens ------------------------------------------------------------
agent_is_asked_first() {
	agent_says '{"GET /v1/token/mine": token({})}'
	expect 0 "$P11OAUTH" token mine
	is_agents
	expect 0 "$P11OAUTH" header mine
	[ "$(cat "$T/out")" = "Authorization: Bearer agents-own-token" ]
	expect 0 "$P11OAUTH" exec mine -- printenv ACCESS_TOKEN
	is_agents
	expect 0 "$P11OAUTH" token mine --json
	jq -e '.access_token == "agents-own-token" and .expires_at > now and .expires_in == 600' "$T/out"
	asked 4
}
# no configuration that can be read, no module, no PIN
profile_of_the_agent_alone() {
	agent_says '{"GET /v1/token/theirs": token({})}'
	expect 0 "$P11OAUTH" token theirs
	is_agents
	expect 0 "$P11OAUTH" token theirs --config /nowhere
	is_agents
	expect 0 env -u P11OAUTH_CONFIG "$P11OAUTH" token theirs
	is_agents
}
wishes_are_passed_on() {
	agent_says '{"GET /v1/token/mine": token({})}'
	expect 0 "$P11OAUTH" token mine --min-valid 5m --wait 7 --force-new --scope 'a/*.read b'
	is_agents
	[ "$(request 0 path)" = "/v1/token/mine?min_valid=300&wait=7&scope=a%2F%2A.read%20b&force_new=1" ]
	P11OAUTH_SCOPE=c "$P11OAUTH" token mine >"$T/out"
	has "$W/requests" "scope=c"
}
other_settings_are_for_ourselves() {
	agent_says '{"GET /v1/token/mine": token({})}'
	expect 0 "$P11OAUTH" token mine --lifetime 60
	is_ours
	expect 0 env P11OAUTH_LIFETIME=60 "$P11OAUTH" token mine
	is_ours
	expect 0 "$P11OAUTH" token mine --no-agent
	is_ours
	asked 0
}
unknown_there_and_known_here() {
	agent_says '{}'
	expect 0 "$P11OAUTH" token mine
	is_ours
	fails 3 "there is: theirs" "$P11OAUTH" token mine --agent-only
}
unknown_here_and_there() {
	agent_says '{}'
	fails 3 "the agent: no profile of that name; there is: theirs; the configuration: no profile 'other'; there is: mine" \
		"$P11OAUTH" token other
}
a_refusal_stands_without_another_try() {
	agent_says '{"GET /v1/token/mine": no(403; 15; "policy"; "uid 7 may not")}'
	fails 15 "token: profile 'mine': uid 7 may not" "$P11OAUTH" token mine
	fails 15 "exec: profile 'mine': uid 7 may not" "$P11OAUTH" exec mine -- touch "$T/ran"
	[ ! -e "$T/ran" ]
	agent_says "{\"GET /v1/token/mine\": no(423; 7; \"pin\"; \"profile 'mine': locked\")}"
	fails 7 "token: profile 'mine': locked" "$P11OAUTH" token mine
	agent_says '{"GET /v1/token/mine": no(502; 13; "refused"; "invalid_client")}'
	expect 13 "$P11OAUTH" token mine --json
	jq -e '.error == {status: "refused", exit: 13, native: 0,
		message: "token: profile '"'mine'"': invalid_client"}' "$T/err"
}
nonsense_is_no_access_token() {
	for answer in '[200, ""]' '[200, "<html>"]' '[200, {}]' '[500, "oops"]' '[403, {}]' \
		'token({expires_in: 0})' 'token({expires_at: 1})' 'token({access_token: "a b"})'; do
		agent_says "{\"GET /v1/token/mine\": $answer}"
		fails 16 "answered nonsense" "$P11OAUTH" token mine
	done
}
life_that_is_too_short() {
	agent_says '{"GET /v1/token/mine": token({})}'
	expect 0 "$P11OAUTH" token mine --min-valid 600
	fails 14 "for 600 s, and --min-valid asks for 601" "$P11OAUTH" token mine --min-valid 601
}
nobody_listens_any_more() {
	/usr/bin/python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$T/dead"
	expect 0 "$P11OAUTH" token mine --socket "$T/dead"
	is_ours
	fails 16 "Connection refused" "$P11OAUTH" token mine --socket "$T/dead" --agent-only
}
proxies_are_not_asked() {
	agent_says '{"GET /v1/token/mine": token({})}'
	expect 0 env http_proxy=http://127.0.0.1:1 all_proxy=http://127.0.0.1:1 "$P11OAUTH" token mine
	is_agents
}
socket_of_the_configuration() {
	agent_says '{"GET /v1/token/mine": token({})}'
	cp "$W/p11oauth.conf" "$T/conf"
	printf 'agent {\n\tsocket = "%s"\n}\n' "$W/agent.sock" >>"$T/conf"
	expect 0 env -u P11OAUTH_SOCKET "$P11OAUTH" token mine --config "$T/conf"
	is_agents
	mkdir -p "$T/run/p11oauth"
	ln "$W/agent.sock" "$T/run/p11oauth/agent.sock"
	expect 0 env -u P11OAUTH_SOCKET XDG_RUNTIME_DIR="$T/run" "$P11OAUTH" token mine
	is_agents
}

# ---- unlock, lock, status --------------------------------------------------------
PIN_FILE=$SOFTHSM_PIN_FILE
one_profile_is_unlocked() {
	agent_says 'status([profile("a"; "1"; "prompt")]) + {pins: {a: "739154"}}'
	expect 0 "$P11OAUTH" unlock a --pin-from "file:$PIN_FILE"
	[ "$(cat "$T/out")" = "unlocked: a (token 'lab', serial 1)" ]
	request 1 body | jq -e '. == {profile: "a", pin: "739154"}'
}
a_wrong_pin_is_said() {
	agent_says 'status([profile("a"; "1"; "prompt")]) + {pins: {a: "1"}}'
	fails 7 "unlock: profile 'a': token 'lab': wrong PIN" "$P11OAUTH" unlock --pin-from "file:$PIN_FILE"
	asked 2
}
# ask TYPED COMMAND...: at a terminal, each question answered so
at_terminal() {
	typed=$1; shift
	/usr/bin/python3 "$top_srcdir/tests/tools/pty-run.py" --prompt "PIN of token" \
		--type "$typed" --stdout "$T/out" "$P11OAUTH" "$@" >"$T/seen"
	jq -r .screen "$T/seen" >"$T/screen"
	cat "$T/screen"
}
each_token_is_asked_for_once() {
	agent_says 'status([profile("a"; "1"; "prompt"), profile("b"; "1"; "prompt"),
		profile("c"; "3"; "stored"), profile("d"; "4"; "prompt") * {locked: false},
		profile("e"; "5"; "prompt") * {allowed: false}]) +
		{pins: {a: "739154", b: "739154", c: null}}'
	at_terminal '739154
' unlock
	[ "$(jq .exit "$T/seen")" -eq 0 ]
	has "$T/screen" "profile 'a': PIN of token 'lab' (serial 1):"
	hasnt "$T/screen" "profile 'b'"
	hasnt "$T/screen" 739154
	[ "$(cut -d' ' -f2 "$T/out" | tr '\n' ' ')" = "a b c " ]
	asked 4
}
refused_pin_is_not_sent_again() {
	agent_says 'status([profile("a"; "1"; "prompt"), profile("b"; "1"; "prompt")]) + {pins: {a: "x", b: "x"}}'
	at_terminal '739154
' unlock
	[ "$(jq .exit "$T/seen")" -eq 7 ]
	has "$T/screen" "wrong PIN"
	has "$T/screen" "not sent again"
	asked 2
}
who_cancels_is_not_asked_for_the_rest() {
	agent_says 'status([profile("a"; "1"; "prompt"), profile("b"; "2"; "prompt")]) + {pins: {}}'
	at_terminal "$(printf '\004')" unlock # the end of what is typed
	[ "$(jq .exit "$T/seen")" -eq 9 ]
	has "$T/screen" "profile 'a': PIN of token"
	hasnt "$T/screen" "profile 'b'"
	asked 1
}
one_source_is_not_for_two() {
	agent_says 'status([profile("a"; "1"; "prompt"), profile("b"; "2"; "prompt")]) + {pins: {}}'
	fails 2 "2 profiles are locked; name one" "$P11OAUTH" unlock --pin-from "file:$PIN_FILE"
	asked 1
}
pinpad_sends_none() {
	agent_says 'status([profile("a"; "1"; "prompt")]) + {pins: {a: null}}'
	expect 0 "$P11OAUTH" unlock a --pin-from pinpad
	[ "$(request 1 body)" = '{"profile":"a"}' ]
}
nothing_to_unlock() {
	agent_says 'status([profile("a"; "1"; "prompt") * {locked: false}])'
	expect 0 "$P11OAUTH" unlock
	has "$T/out" "nothing is locked"
	expect 0 "$P11OAUTH" unlock a
	has "$T/out" "not locked: a"
	fails 3 "the agent has no profile 'x'; there is: a" "$P11OAUTH" unlock x
	[ "$(grep -c POST "$W/requests" || :)" -eq 0 ]
}
lock_says_what() {
	agent_says '{"POST /v1/lock": [200, {locked: ["a", "b"]}]}'
	expect 0 "$P11OAUTH" lock
	[ "$(tr '\n' ' ' <"$T/out")" = "locked: a locked: b " ]
	[ "$(request 0 body)" = '{}' ]
	expect 0 "$P11OAUTH" lock a
	[ "$(request 1 body)" = '{"profile":"a"}' ]
	agent_says '{"POST /v1/lock": [200, {locked: []}]}'
	expect 0 "$P11OAUTH" lock
	has "$T/out" "nothing was unlocked"
}
status_is_a_table() {
	agent_says 'status([profile("a"; "1"; "prompt") + {certificate: {subject: "CN=a",
			not_after: "2027-01-01T00:00:00Z", days_left: 12, warning: 14},
			access_tokens: [{scope: "system/*.read", expires_in: 120, renewal_in: 119,
			failures: 3, last_error: {status: "network", exit: 12, message: "no route\u001b[31m"}}]}])'
	expect 0 "$P11OAUTH" status
	has "$T/out" "agent 9.9, process 42, up 2 h, at $W/agent.sock"
	has "$T/out" "profile a: locked"
	has "$T/out" "'lab', serial 1: present"
	has "$T/out" "CN=a, 12 days left, 2027-01-01T00:00:00Z"
	has "$T/out" "WARNING"
	has "$T/out" "system/*.read: ends in 2 min, renewed in 119 s"
	has "$T/out" "3 failures"
	has "$T/out" "last error: no route\\x1b[31m (network)"
	expect 0 "$P11OAUTH" status --json
	jq -e '.version == "9.9" and .profiles[0].access_tokens[0].failures == 3' "$T/out"
}
no_agent_is_sixteen() {
	for command in status unlock lock; do
		fails 16 "no agent can be reached at '$T/none'" "$P11OAUTH" "$command" --socket "$T/none"
	done
}

run_tests agent_is_asked_first profile_of_the_agent_alone wishes_are_passed_on \
	other_settings_are_for_ourselves unknown_there_and_known_here \
	unknown_here_and_there a_refusal_stands_without_another_try \
	nonsense_is_no_access_token life_that_is_too_short nobody_listens_any_more \
	proxies_are_not_asked socket_of_the_configuration \
	one_profile_is_unlocked a_wrong_pin_is_said each_token_is_asked_for_once \
	refused_pin_is_not_sent_again who_cancels_is_not_asked_for_the_rest \
	one_source_is_not_for_two pinpad_sends_none \
	nothing_to_unlock lock_says_what status_is_a_table no_agent_is_sixteen
