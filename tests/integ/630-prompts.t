#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A person is asked: on a terminal, by pinentry, on the reader's keys; and told
# what a device waits for. Nobody there: exit 7, and no waiting.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

PIN=7390%154 # a percent sign is special to pinentry
softhsm_new "$W/hsm" lab "$PIN"
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
FAULT=$top_builddir/tests/fault/fault-module.so
profile rsa 'client-id = "night-job"' 'token-endpoint = "https://as.example/token"' \
	'audience = "https://as.example/"' "module = \"$FAULT\"" \
	'key = "pkcs11:token=lab;object=rsa"'
P11FAULT_MODULE=$SOFTHSM_MODULE
export P11FAULT_MODULE
SERIAL=$("$P11OAUTH" keys --module "$SOFTHSM_MODULE" --json |
	jq -r '.tokens[] | select(.label == "lab") | .serial')

# at_terminal PROMPT TYPED COMMAND...: what happened is in $T/seen.
at_terminal() {
	prompt=$1 typed=$2; shift 2
	: >"$T/fault"
	P11FAULT_LOG=$T/fault /usr/bin/python3 "$top_srcdir/tests/tools/pty-run.py" \
		${prompt:+--prompt "$prompt"} ${typed:+--type "$typed"} \
		--stdout "$T/out" "$P11OAUTH" "$@" >"$T/seen"
	jq -r .screen "$T/seen" >"$T/screen"
	cat "$T/screen"
}
exited() { [ "$(jq .exit "$T/seen")" -eq "$1" ]; }
logins() { grep -c '^C_Login' "$T/fault" || true; }
is_assertion() { [ "$(tr -cd . <"$T/out")" = .. ]; }
PROMPT="PIN of token 'lab'"
ENTER='
'

the_question_says_what_for() {
	at_terminal "$PROMPT" "$PIN$ENTER" assertion rsa
	exited 0
	is_assertion
	for said in "profile 'rsa'" "night-job" "https://as.example/ as" "token 'lab'" "serial $SERIAL"; do
		has "$T/screen" "$said"
	done
	hasnt "$T/screen" "tr"ies
	hasnt "$T/screen" "$PIN"
	jq -e '.echo_at_prompt == false and .echo_after' "$T/seen"
	[ "$(logins)" -eq 1 ]
}
a_wrong_pin_is_not_asked_again() {
	at_terminal "$PROMPT" "000000$ENTER" assertion rsa
	exited 7
	[ "$(logins)" -eq 1 ]
	jq -e .echo_after "$T/seen"
	# what a person typed is not remembered: the next one may be right
	at_terminal "$PROMPT" "000000$ENTER" assertion rsa
	exited 7
	[ "$(logins)" -eq 1 ]
}
an_interrupt_ends_it() {
	at_terminal "$PROMPT" "$(printf '73\003')" assertion rsa
	exited 130
	[ "$(logins)" -eq 0 ]
	grep -q '^C_Finalize 0x0$' "$T/fault"
	jq -e '.echo_at_prompt == false and .echo_after' "$T/seen"
}
end_of_input() {
	at_terminal "$PROMPT" "$(printf '\004')" assertion rsa
	exited 9
	[ "$(logins)" -eq 0 ]
	jq -e .echo_after "$T/seen"
}
nothing_typed_is_no_pin() {
	at_terminal "$PROMPT" "$ENTER" assertion rsa
	exited 7
	has "$T/screen" "the PIN is empty"
	[ "$(logins)" -eq 0 ]
}
few_tries_are_said() {
	P11FAULT_TOKENFLAGS=0x10000; export P11FAULT_TOKENFLAGS # COUNT_LOW
	at_terminal "$PROMPT" "$PIN$ENTER" assertion rsa
	exited 0
	has "$T/screen" "few tries are left"
}
the_last_try_is_a_persons() {
	P11FAULT_TOKENFLAGS=0x20000; export P11FAULT_TOKENFLAGS # FINAL_TRY
	at_terminal "$PROMPT" "$PIN$ENTER" assertion rsa
	exited 0
	has "$T/screen" "LAST TRY"
	P11FAULT_LOG=$T/fault; export P11FAULT_LOG
	: >"$T/fault"
	fails 8 "one try is left" "$P11OAUTH" assertion rsa --pin-from "file:$SOFTHSM_PIN_FILE"
	fails 8 "one try is left" "$P11OAUTH" assertion rsa --pin-from "file:$SOFTHSM_PIN_FILE" --retry-pin
	[ "$(logins)" -eq 0 ]
}
locked_is_not_asked() {
	P11FAULT_TOKENFLAGS=0x40000; export P11FAULT_TOKENFLAGS # LOCKED
	at_terminal "" "" assertion rsa
	exited 8
	[ "$(logins)" -eq 0 ]
}

nobody_there_is_said() {
	best=100000
	for attempt in 1 2 3; do
		start_ms=$(date +%s%3N)
		fails 7 "no terminal" setsid "$P11OAUTH" assertion rsa </dev/null
		took_ms=$(($(date +%s%3N) - start_ms))
		[ "$took_ms" -ge "$best" ] || best=$took_ms
	done
	echo "$attempt attempts, the best in $best ms"
	[ "$best" -lt 1000 ] # at once, and not after a wait
}
stdin_is_never_read() {
	echo "$PIN" >"$T/stdin"
	{ got=0; setsid "$P11OAUTH" assertion rsa 2>/dev/null || got=$?; cat >"$T/rest"; } <"$T/stdin"
	[ "$got" -eq 7 ]
	cmp "$T/stdin" "$T/rest"
}

# by_pinentry DOES STATUS TEXT
PINENTRY=$top_srcdir/tests/tools/pinentry.py
by_pinentry() {
	PINENTRY_DOES=$1 PINENTRY_PIN=$PIN PINENTRY_LOG=$T/log P11FAULT_LOG=$T/fault
	export PINENTRY_DOES PINENTRY_PIN PINENTRY_LOG P11FAULT_LOG
	: >"$T/fault"
	got=0; setsid "$P11OAUTH" assertion rsa --pinentry "$PINENTRY" \
		</dev/null >"$T/out" 2>"$T/err" || got=$?
	cat "$T/err"
	[ "$got" -eq "$2" ]
	if [ "$got" -ne 0 ]; then
		one_line
		has "$T/err" "$3"
		[ "$(logins)" -eq 0 ]
	fi
}
the_pinentry_asks_for_it() {
	by_pinentry answer 0 ""
	is_assertion
	[ "$(logins)" -eq 1 ]
	has "$T/log" "SETDESC profile 'rsa'"
	has "$T/log" "SETPROMPT PIN"
	has "$T/log" "serial $SERIAL"
	hasnt "$T/log" "$PIN"
}
pinentry_is_cancelled() { by_pinentry cancel 9 "cancelled"; }
a_pinentry_that_fails_is_said() { by_pinentry fail 7 "Invalid IPC response"; }
a_pinentry_that_leaves_is_said() { by_pinentry leave 7 "ended without an answer"; }
pinentry_is_absent() {
	fails 7 "pinentry" setsid "$P11OAUTH" assertion rsa --pinentry /nonexistent/pinentry </dev/null
}
# child_of PID: the first one, in $child.
child_of() { child=$(cat "/proc/$1"/task/*/children | cut -d ' ' -f 1) && [ -n "$child" ]; }
pinentry_and_a_signal() {
	PINENTRY_DOES=mute PINENTRY_LOG=$T/log P11FAULT_LOG=$T/fault
	export PINENTRY_DOES PINENTRY_LOG P11FAULT_LOG
	setsid "$P11OAUTH" assertion rsa --pinentry "$PINENTRY" </dev/null >"$T/out" 2>"$T/err" &
	pid=$!
	tries=0
	until child_of "$pid"; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ]
		sleep 0.05 # polling for pinentry to run
	done
	kill "$pid"
	got=0; wait "$pid" || got=$?
	[ "$got" -eq 143 ]
	grep -q '^C_Finalize 0x0$' "$T/fault"
	refuses is_running "$child"
}
a_terminal_comes_first() {
	PINENTRY_DOES=answer PINENTRY_PIN=$PIN PINENTRY_LOG=$T/log
	export PINENTRY_DOES PINENTRY_PIN PINENTRY_LOG
	at_terminal "$PROMPT" "$PIN$ENTER" assertion rsa --pinentry "$PINENTRY"
	exited 0
	[ ! -e "$T/log" ]
}

on_the_readers_keys() {
	P11FAULT_PINPAD=$PIN; export P11FAULT_PINPAD
	for source in prompt pinpad "file:$SOFTHSM_PIN_FILE"; do
		expect 0 setsid "$P11OAUTH" assertion rsa --pin-from "$source" </dev/null
		is_assertion
		has "$T/err" "enter the PIN on the reader"
	done
	P11FAULT_PINPAD=wrong
	expect 7 setsid "$P11OAUTH" assertion rsa --pin-from pinpad </dev/null
	has "$T/err" "wrong PIN"
}
no_keys_on_the_reader() { fails 7 "none" "$P11OAUTH" assertion rsa --pin-from pinpad; }

from_a_command() {
	expect 0 "$P11OAUTH" assertion rsa --pin-from "cmd:cat $SOFTHSM_PIN_FILE"
	is_assertion
	fails 7 "exit status 1" "$P11OAUTH" assertion rsa --pin-from "cmd:false"
	fails 7 "nonexistent" "$P11OAUTH" assertion rsa --pin-from "cmd:/nonexistent/program"
	fails 7 "empty" "$P11OAUTH" assertion rsa --pin-from "cmd:true"
	# no shell: the words are the program's, as they are
	expect 7 "$P11OAUTH" assertion rsa --pin-from "cmd:cat $SOFTHSM_PIN_FILE; touch $T/shell"
	[ ! -e "$T/shell" ]
}

slow_signature() { # MS
	P11FAULT_FAIL=C_Sign:1:slow P11FAULT_MS=$1
	export P11FAULT_FAIL P11FAULT_MS
	at_terminal "" "" assertion rsa --pin-from "file:$SOFTHSM_PIN_FILE"
}
a_touch_is_asked_for_once() {
	slow_signature 1500
	exited 0
	is_assertion
	[ "$(jq -r .screen "$T/seen" | grep -o 'touch it' | wc -l)" -eq 1 ]
	jq -e '.screen | endswith("\r\u001b[K")' "$T/seen" # and it is gone
}
a_quick_device_says_nothing() {
	slow_signature 50
	exited 0
	empty "$T/screen" || [ "$(tr -d '\n' <"$T/screen" | wc -c)" -eq 0 ]
}
nobody_touched_it() {
	P11FAULT_FAIL=C_Sign:1:hang
	export P11FAULT_FAIL
	at_terminal "" "" assertion rsa --pin-from "file:$SOFTHSM_PIN_FILE" --token-timeout 2
	exited 9
	has "$T/screen" "nobody touched"
	empty "$T/out"
}

run_tests the_question_says_what_for a_wrong_pin_is_not_asked_again \
	an_interrupt_ends_it end_of_input nothing_typed_is_no_pin few_tries_are_said \
	the_last_try_is_a_persons locked_is_not_asked nobody_there_is_said \
	stdin_is_never_read the_pinentry_asks_for_it pinentry_is_cancelled \
	a_pinentry_that_fails_is_said a_pinentry_that_leaves_is_said \
	pinentry_is_absent pinentry_and_a_signal a_terminal_comes_first \
	on_the_readers_keys no_keys_on_the_reader from_a_command \
	a_touch_is_asked_for_once a_quick_device_says_nothing nobody_touched_it
