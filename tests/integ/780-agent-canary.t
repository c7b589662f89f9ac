#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Canaries in the agent: PINs, access tokens and assertions are in no output, no
# argument, no name of a file; a PIN is in the memory of the worker alone, and
# after "lock" in none; nobody else comes near socket, sinks or memory.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent-run.sh"

# long: who frees memory without wiping it leaves all but the first bytes, so the
# ends are what memory is searched for
FILE_PIN=canary-pin-5309-that-is-longer-than-what-a-freed-block-loses-1847
TYPED_PIN=canary-pin-7261-that-is-longer-than-what-a-freed-block-loses-2958
WRONG_PIN=canary-pin-0000-that-is-longer-than-what-a-freed-block-loses-3069
TOKEN=answer-server-token-that-is-longer-than-what-a-freed-block-loses-7410
NOBODY=65534
TOOLS=$top_srcdir/tests/tools
fixture_rsa rsa 2048
softhsm_new "$W/hsm" typed "$TYPED_PIN"
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
softhsm_new "$W/hsm" stored "$FILE_PIN"
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
start_server answers /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
	--cert "$W/pki/good.pem" --key "$W/pki/good.key" --log "$W/requests"
ANSWERS=https://localhost:$SERVER_PORT
FAULT=$top_builddir/tests/fault/fault-module.so
P11FAULT_MODULE=$SOFTHSM_MODULE
export P11FAULT_MODULE
mkdir -m 711 "$W/sinks"

# canary_profile NAME PATH LINE...
canary_profile() {
	canary_name=$1 canary_path=$2; shift 2
	profile "$canary_name" 'client-id = "leaks"' "token-endpoint = \"$ANSWERS/$canary_path\"" \
		"cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' 'retry-time = 0' 'timeout = 5' "$@"
}
STORED="module = \"$SOFTHSM_MODULE\"
	pin-from = \"file:$SOFTHSM_PIN_FILE\"
	key = \"pkcs11:token=stored;object=rsa\""
canary_profile stored ok-tail "$STORED" \
	"sink { path = \"$W/sinks/raw\" }" \
	"sink { path = \"$W/sinks/header\" format = \"header\" mode = \"0640\" group = \"$NOBODY\" }" \
	"sink { path = \"$W/sinks/nobody\" mode = \"0400\" owner = \"$NOBODY\" }"
canary_profile typed ok-tail "module = \"$FAULT\"" 'key = "pkcs11:token=typed;object=rsa"'
BAD='dpop token-crlf token-space token-and-error text-200 html-200 invalid-client-400
	error-control redirect-307 empty-503'
for path in $BAD; do canary_profile "bad-$path" "$path" "$STORED"; done

# clean FILE...: no canary, and nothing that looks like an assertion
clean() {
	for file in "$@"; do
		hasnt "$file" canary-pin
		hasnt "$file" answer-server-token
		hasnt "$file" canary-token
		refuses grep -nE 'eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}' "$file"
	done
}
pin_body() { (umask 077; printf '{"profile":"%s","pin":"%s"}' "$1" "$2" >"$T/body"); }
# post PATH HOW: $T/body; the answer is in $T/answer
post() {
	spawn post /usr/bin/python3 "$TOOLS/agent-post.py" "$AGENT_SOCKET" "$1" "$T/body" "$2"
	post_tries=0
	until [ -s "$W/post.out" ]; do
		post_tries=$((post_tries + 1)); [ "$post_tries" -lt 300 ]
		sleep 0.1 # polling for the answer; bounded above
	done
	cp "$W/post.out" "$T/answer"
}
unlock() { pin_body typed "$TYPED_PIN"; post /v1/unlock "${1:-whole}"; grep -q '^200 ' "$T/answer"; }
lock() { echo "{\"profile\":\"$1\"}" >"$T/body"; post /v1/lock whole; grep -q '^200 ' "$T/answer"; }
get_token() { agent_get "/v1/token/$1" >"$T/token"; has "$T/token" "$TOKEN"; }
canary_up() {
	XDG_STATE_HOME=$T/state
	export XDG_STATE_HOME
	agent_start agent "$@"
}

# ---- what is said

nothing_is_said() {
	for level in none all; do
		if [ "$level" = all ]; then canary_up env P11OAUTH_DEBUG=all; else canary_up; fi
		agent_get /v1/token/typed >"$T/error.locked"
		has "$T/error.locked" unlock
		pin_body typed "$WRONG_PIN"; post /v1/unlock whole; grep -q '^423 ' "$T/answer"
		cp "$T/answer" "$T/error.wrong-pin"
		unlock
		get_token typed
		get_token stored
		for path in $BAD; do agent_get "/v1/token/bad-$path" >"$T/error.$path"; done
		for bad in '{"profile":"typed","pin":"canary-pin-1111' '{"profile":"typed","pin":"canary-pin-1111"]' \
			'{"profile":"typed","canary-pin-1111":"x"}' '{"profile":"typed","pin":["canary-pin-1111"]}' \
			'{"profile":"none","pin":"canary-pin-1111"}' '"canary-pin-1111"' 'pin=canary-pin-1111' \
			'{"pin":"canary-pin-1111"}' "{\"profile\":\"typed\",\"pin\":\"canary-pin-1111$(printf '%3000s' x)\"}"; do
			echo "$bad" >"$T/body"
			post /v1/unlock whole
			refuses grep -q '^200 ' "$T/answer"
			cat "$T/answer" >>"$T/error.bodies"
			# the name of a member is no PIN: it is told, to whom sent it
			sed -i "s/member 'canary-pin-1111'//" "$T/error.bodies"
		done
		post /v1/unlok whole
		cat "$T/answer" >>"$T/error.bodies"
		for path in status profiles jwks/stored jwks/typed; do agent_get "/v1/$path" >"$T/$(echo "$path" | tr / .)"; done
		agent_get /metrics >"$T/metrics"
		has "$T/metrics" p11oauth_requests_total
		jq -e '.profiles | length == 12' "$T/status"
		stop_server agent
		[ -s "$W/agent.err" ]
		cp "$W/agent.err" "$T/stderr.$level"
		clean "$T"/error.* "$T/status" "$T/profiles" "$T"/jwks.* "$T/metrics" \
			"$T/stderr.$level" "$XDG_STATE_HOME/p11oauth/audit.jsonl"
		hasnt "$XDG_STATE_HOME/p11oauth/audit.jsonl" "$SOFTHSM_PIN_FILE"
		find "$XDG_STATE_HOME" "$W/sinks" >"$T/names"
		clean "$T/names"
	done
	[ "$(wc -l <"$T/stderr.all")" -gt 20 ]
}
arguments_and_environments() {
	canary_up
	unlock
	get_token typed
	get_token stored
	n=0
	for pid in $(agent_tree "$AGENT_PID"); do
		tr '\0' '\n' <"/proc/$pid/cmdline" >"$T/cmdline.$pid"
		tr '\0' '\n' <"/proc/$pid/environ" >"$T/environ.$pid"
		[ -s "$T/environ.$pid" ]
		clean "$T/cmdline.$pid" "$T/environ.$pid"
		grep -q '^Max core file size *0 ' "/proc/$pid/limits"
		n=$((n + 1))
	done
	stop_server agent
	[ "$n" -eq 4 ] # agent, helper, two workers
}

# ---- what is in memory

patterns() {
	printf '%s\n' "file-pin block-loses-1847" "typed-pin block-loses-2958" \
		"wrong-pin block-loses-3069" "access-token block-loses-7410" \
		'assertion \.eyJ[A-Za-z0-9_-]{40}' >"$T/patterns"
}
look_at() { /usr/bin/python3 "$TOOLS/memory-scan.py" "$T/patterns" "$@" >"$T/found"; }
# found NAME PID: how often
found() { sed -n "s/^$2 $1 //p" "$T/found"; }
pins_are_in_the_worker_alone() {
	if is_sanitized; then return; fi
	patterns
	for how in whole parts bytes chunked; do
		canary_up
		pin_body typed "$WRONG_PIN"; post /v1/unlock "$how"; grep -q '^423 ' "$T/answer"
		unlock "$how"
		get_token typed
		get_token stored
		helper=$(agent_process agent-helper)
		workers=$(agent_process agent-worker)
		# shellcheck disable=SC2086 # a list
		look_at "$AGENT_PID" "$helper" $workers
		cat "$T/found"
		for pid in "$AGENT_PID" "$helper"; do
			for name in file-pin typed-pin wrong-pin assertion; do
				[ "$(found "$name" "$pid")" -eq 0 ] || { echo "$how: $name in process $pid"; return 1; }
			done
		done
		[ "$(found access-token "$helper")" -eq 0 ]
		[ "$(found access-token "$AGENT_PID")" -ge 1 ] # the cache; and the scan works
		total=0
		for pid in $workers; do
			total=$((total + $(found typed-pin "$pid")))
			[ "$(found wrong-pin "$pid")" -eq 0 ]
		done
		[ "$total" -ge 1 ] # where it is kept; and the scan works
		lock typed
		lock stored
		# the workers leave
		# shellcheck disable=SC2086 # a list
		gone 10 $workers
		# shellcheck disable=SC2046 # a list
		look_at $(agent_tree "$AGENT_PID")
		cat "$T/found"
		refuses grep -v ' 0$' "$T/found"
		stop_server agent
	done
}
# While the worker logs in, the job that has the PIN waits for it, should it die:
# that one copy, and none in what the connection keeps.
one_copy_while_it_is_under_way() {
	if is_sanitized; then return; fi
	patterns
	for how in whole parts chunked; do
		: >"$T/log"
		canary_up env P11FAULT_LOG="$T/log" P11FAULT_FAIL=C_Login:1:slow P11FAULT_MS=3000 \
			P11FAULT_COUNTS="$T/counts.$how"
		pin_body typed "$TYPED_PIN"
		spawn post /usr/bin/python3 "$TOOLS/agent-post.py" "$AGENT_SOCKET" /v1/unlock "$T/body" "$how"
		tries=0
		until grep -q 'fault: C_Login slow' "$T/log"; do
			tries=$((tries + 1)); [ "$tries" -lt 100 ]
			sleep 0.05 # polling for the login; bounded above
		done
		look_at "$AGENT_PID" "$(agent_process agent-helper)"
		[ ! -s "$W/post.out" ] || { echo "too late for a look"; return 1; }
		cat "$T/found"
		[ "$(found typed-pin "$AGENT_PID")" -le 1 ]
		[ "$(found typed-pin "$(agent_process agent-helper)")" -eq 0 ]
		stop_server agent
	done
}
# A body that never ends is in the server's memory, and goes with its connection.
an_unfinished_body() {
	if is_sanitized; then return; fi
	patterns
	canary_up
	pin_body typed "$TYPED_PIN"
	post /v1/unlock unfinished
	stop_server post
	agent_get /healthz >"$T/health"
	look_at "$AGENT_PID"
	cat "$T/found"
	[ "$(found typed-pin "$AGENT_PID")" -eq 0 ]
	stop_server agent
}
many_callers_leave_nothing() {
	if is_sanitized; then return; fi
	patterns
	canary_up
	unlock
	/usr/bin/python3 "$TOOLS/agent-load.py" burst --socket "$AGENT_SOCKET" --path /v1/token/typed \
		--callers 50 >"$T/figures"
	jq -e '.statuses == {"200": 50}' "$T/figures"
	look_at "$AGENT_PID"
	[ "$(found access-token "$AGENT_PID")" -ge 1 ]
	lock typed
	lock stored
	look_at "$AGENT_PID"
	cat "$T/found"
	refuses grep -v ' 0$' "$T/found"
	stop_server agent
}

# ---- who else comes near

sinks_hold_what_they_should() {
	canary_up
	get_token stored
	[ "$(cat "$W/sinks/raw")" = "$TOKEN" ]
	[ "$(cat "$W/sinks/header")" = "Authorization: Bearer $TOKEN" ]
	[ "$(cat "$W/sinks/nobody")" = "$TOKEN" ]
	[ "$(stat -c '%a %u %g' "$W/sinks/raw")" = "600 0 $(id -g)" ]
	[ "$(stat -c '%a %u %g' "$W/sinks/header")" = "640 0 $NOBODY" ]
	[ "$(stat -c '%a %u' "$W/sinks/nobody")" = "400 $NOBODY" ]
	[ "$(find "$W/sinks" -type f | wc -l)" -eq 3 ]
	lock stored
	[ "$(find "$W/sinks" -type f | wc -l)" -eq 0 ]
	stop_server agent
}
as_nobody() { setpriv --reuid "$NOBODY" --regid "$NOBODY" --clear-groups "$@"; }
nobody_else_is_served() {
	canary_up
	get_token stored
	[ "$(stat -c '%a %u' "$AGENT_SOCKET")" = "600 0" ]
	chmod 711 "$W" # so that it is the socket's mode that keeps them out
	refuses as_nobody curl -sS --unix-socket "$AGENT_SOCKET" http://localhost/healthz
	refuses as_nobody cat "$W/sinks/raw"
	as_nobody cat "$W/sinks/nobody" >"$T/out"
	has "$T/out" "$TOKEN"
	chmod 666 "$AGENT_SOCKET"
	as_nobody curl -sS --unix-socket "$AGENT_SOCKET" http://localhost/healthz >"$T/out"
	has "$T/out" ok # or the refusal above was for another reason
	chmod 700 "$W"
	stop_server agent
}
# Of a process that may be dumped, the files in /proc are its user's.
nobody_may_look_into_it() {
	chmod 711 "$W"
	mkdir "$T/run"
	chmod 711 "$T"
	chown "$NOBODY" "$T/run"
	sed '/sink {/d; /cacert/d' "$P11OAUTH_CONFIG" >"$T/conf"
	chmod 644 "$T/conf"
	spawn other setpriv --reuid "$NOBODY" --regid "$NOBODY" --clear-groups env \
		HOME="$T/run" XDG_CONFIG_HOME="$T/run" P11OAUTH_CONFIG="$T/conf" \
		XDG_STATE_HOME="$T/run" "$(program_for_others)" agent --socket "$T/run/agent.sock"
	AGENT_PID=$(pid_of other) AGENT_SOCKET=$T/run/agent.sock agent_name=other
	agent_wait
	agent_get /v1/token/stored >"$T/out" # for a worker's sake
	n=0
	for pid in $(agent_tree "$AGENT_PID"); do
		[ "$(stat -c %u "/proc/$pid/environ")" = 0 ]
		grep -q "^Uid:[[:space:]]*$NOBODY" "/proc/$pid/status"
		n=$((n + 1))
	done
	[ "$n" -ge 3 ]
	as_nobody sh -c 'stat -c %u /proc/self/environ; sleep 0' >"$T/out" # ours, for comparison
	stop_server other
	chmod 700 "$W"
}
no_core_is_written() {
	mkdir "$T/cores"
	cd "$T/cores"
	prlimit --core=unlimited true || skip "no core files are allowed here"
	prlimit --core=unlimited sh -c 'kill -ABRT $$' 2>/dev/null || :
	[ -n "$(find . -name 'core*')" ] || skip "a core goes elsewhere here"
	rm -f core*
	for what in worker helper agent; do
		canary_up prlimit --core=unlimited
		get_token stored
		case $what in
		agent) victim=$AGENT_PID ;;
		*) victim=$(agent_process "agent-$what" | head -n 1) ;;
		esac
		kill -ABRT "$victim"
		gone 10 "$victim"
		if [ "$what" = worker ]; then
			agent_get /v1/token/bad-dpop >"$T/out" # takes another worker
			get_token stored
			stop_server agent
		else
			gone 20 "$AGENT_PID"
			rm "$W/pids/agent"
		fi
	done
	[ -z "$(find . "$W" -maxdepth 1 -name 'core*')" ]
}

run_tests nothing_is_said ns:arguments_and_environments \
	ns:pins_are_in_the_worker_alone ns:one_copy_while_it_is_under_way \
	ns:an_unfinished_body ns:many_callers_leave_nothing \
	root:sinks_hold_what_they_should root:nobody_else_is_served \
	root:nobody_may_look_into_it no_core_is_written
