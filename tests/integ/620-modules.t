#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Modules that hang, die, chatter and lie: the command ends within its deadline,
# with its exit status, and a signature that is wrong is never sent.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

PIN=739154
DEADLINE_S=2
LATEST_MS=6000 # the deadline, a try of C_Finalize, and a slow machine
softhsm_new "$W/hsm" lab "$PIN"
fixture_rsa rsa 2048
fixture_ec p384 P-384
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
softhsm_import "$W/p384.key" "$W/p384.pem" 02 p384

sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
start_server answers /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
	--cert "$W/pki/good.pem" --key "$W/pki/good.key" --log "$W/requests"
FAULT=$top_builddir/tests/fault/fault-module.so
for key in rsa p384; do
	profile "$key" 'client-id = "modules"' "cacert = \"$W/pki/ca.pem\"" \
		"token-endpoint = \"https://localhost:$SERVER_PORT/ok\"" "module = \"$FAULT\"" \
		'scope = "system/*.read"' "pin-from = \"file:$SOFTHSM_PIN_FILE\"" "token-timeout = $DEADLINE_S" \
		"key = \"pkcs11:token=lab;object=$key\""
done
P11FAULT_MODULE=$SOFTHSM_MODULE
export P11FAULT_MODULE

now_ms() { date +%s%3N; }
# within COMMAND...: it ends in time.
within() {
	start_ms=$(now_ms)
	"$@"
	took_ms=$(($(now_ms) - start_ms))
	echo "$took_ms ms"
	[ "$took_ms" -lt "$LATEST_MS" ]
}
is_assertion() { [ "$(wc -l <"$T/out")" -eq 1 ] && [ "$(tr -cd . <"$T/out")" = .. ]; }
# at WHAT STATUS TEXT FUNCTION...: each FUNCTION does WHAT at its first call.
at() {
	what=$1 status=$2 text=$3; shift 3
	for function in "$@"; do
		echo "$function: $what"
		P11FAULT_FAIL=$function:1:$what P11FAULT_LOG=$T/log
		export P11FAULT_FAIL P11FAULT_LOG
		within fails "$status" "$text" "$P11OAUTH" assertion p384
		has "$T/err" "$function"
		has "$T/log" "fault: $function $what" # or nothing happened
	done
}
CALLS="C_GetFunctionList C_Initialize C_GetSlotList C_GetTokenInfo C_OpenSession
	C_FindObjectsInit C_FindObjects C_FindObjectsFinal C_GetAttributeValue
	C_Login C_SignInit C_Sign"
# shellcheck disable=SC2086 # a list of words
a_module_that_hangs_is_named() { at hang 10 "did not answer in time" $CALLS; }
# shellcheck disable=SC2086
a_module_that_aborts_is_named() { at abort 10 "the module aborted" $CALLS; }
# shellcheck disable=SC2086
a_module_that_crashes_is_named() {
	# a sanitizer's build leaves the signal to the program for once
	ASAN_OPTIONS=handle_segv=0:handle_sigbus=0
	export ASAN_OPTIONS
	at crash 10 "the module crashed" $CALLS
}
# shellcheck disable=SC2086
ends_the_program() { at exit 10 "the module tried to end the program" $CALLS; }

# At C_Finalize the result is there already.
the_last_call_harms_nothing() {
	for what in hang abort exit 0x5; do
		echo "$what"
		P11FAULT_FAIL=C_Finalize:1:$what P11FAULT_LOG=$T/log
		export P11FAULT_FAIL P11FAULT_LOG
		within expect 0 "$P11OAUTH" assertion p384
		has "$T/log" "fault: C_Finalize $what"
		is_assertion
		empty "$T/err"
	done
}
in_keys_and_jwks() {
	for what in hang abort exit; do
		P11FAULT_FAIL=C_FindObjects:1:$what
		export P11FAULT_FAIL
		within fails 10 C_FindObjects "$P11OAUTH" keys --profile p384
		within fails 10 C_FindObjects "$P11OAUTH" jwks p384
	done
}
signal_during_a_hang() {
	for function in C_Login C_Sign; do
		P11FAULT_FAIL=$function:1:hang P11FAULT_LOG=$T/log
		export P11FAULT_FAIL P11FAULT_LOG
		: >"$T/log"
		"$P11OAUTH" assertion p384 --token-timeout 60 >"$T/out" 2>"$T/err" &
		pid=$!
		tries=0
		until grep -q "fault: $function" "$T/log"; do
			tries=$((tries + 1)); [ "$tries" -lt 200 ]
			sleep 0.05 # polling for the moment it hangs
		done
		start_ms=$(now_ms)
		kill "$pid"
		got=0; wait "$pid" || got=$?
		[ "$got" -eq 143 ]
		[ $(($(now_ms) - start_ms)) -lt 30000 ]
		empty "$T/out"
	done
}
slow_is_not_lost() {
	P11FAULT_FAIL=C_Sign:1:slow P11FAULT_MS=1200
	export P11FAULT_FAIL P11FAULT_MS
	expect 0 "$P11OAUTH" assertion p384
	is_assertion
	empty "$T/err" # no terminal, no notice
}
# Many slow calls are one long wait: the deadline is for all of them.
slow_calls_add_up() {
	P11FAULT_FAIL=C_GetAttributeValue:1+:slow P11FAULT_MS=900
	export P11FAULT_FAIL P11FAULT_MS
	within fails 10 "did not answer in time" "$P11OAUTH" assertion p384
}

chatter_does_not_reach_stdout() {
	P11FAULT_STDOUT=1
	export P11FAULT_STDOUT
	expect 0 "$P11OAUTH" assertion rsa
	is_assertion
	hasnt "$T/out" fault-module
	expect 0 "$P11OAUTH" token rsa
	[ "$(cat "$T/out")" = answer-server-token ]
	expect 0 "$P11OAUTH" keys --profile rsa --json
	jq -e . "$T/out" >/dev/null
}

# false_signature HOW KEY TEXT: refused, and the server has heard of nothing.
false_signature() {
	P11FAULT_SIGN=$1 P11FAULT_LOG=$T/log
	export P11FAULT_SIGN P11FAULT_LOG
	: >"$W/requests"
	fails 11 "$3" "$P11OAUTH" token "$2"
	has "$T/log" "C_Sign 0x0"
	empty "$W/requests"
	fails 11 "$3" "$P11OAUTH" assertion "$2"
}
false_signatures_are_not_sent() {
	false_signature flip rsa "does not verify"
	false_signature flip p384 "does not verify"
	false_signature der p384 "bytes instead of 96"
	false_signature short rsa "255 bytes instead of 256"
	false_signature short p384 "95 bytes instead of 96"
	false_signature long rsa "257 bytes instead of 256"
	false_signature huge rsa "signature of"
	unset P11FAULT_SIGN
	expect 0 "$P11OAUTH" token rsa # the witness: a good one arrives
	grep -q '"/ok"' "$W/requests"
}

# lie HOW STATUS...: one of the statuses, one line, no crash.
lie() {
	P11FAULT_LIE=$1; shift
	export P11FAULT_LIE
	for key in rsa p384; do
		got=0; "$P11OAUTH" assertion "$key" >"$T/out" 2>"$T/err" || got=$?
		echo "$P11FAULT_LIE, $key: $got $(cat "$T/err")"
		case " $* " in *" $got "*) ;; *) return 1 ;; esac
		if [ "$got" -eq 0 ]; then is_assertion; else one_line; fi
	done
}
lies_about_slots() { lie slot-count 0 4; }
lies_about_objects() { lie find-count 6 10; }
lies_about_lengths() { lie attribute-length 5 11; }
nothing_is_available() { lie attribute-unavailable 5 11; }
# Of two tokens one is broken: the other one is listed all the same.
keys_passes_a_broken_token() {
	softhsm_new "$W/hsm" second "$PIN"
	P11FAULT_FAIL=C_OpenSession:1:0x30
	export P11FAULT_FAIL
	expect 0 "$P11OAUTH" keys --profile p384 --json
	jq -e '[.tokens[] | select(.initialized) | has("fault")] == [true, false]' "$T/out"
	expect 0 "$P11OAUTH" keys --profile p384
	has "$T/out" "NOT READABLE: device error"
	P11FAULT_FAIL=C_OpenSession:1:0x30
	fails 10 "device error" "$P11OAUTH" keys --profile p384 "pkcs11:token=lab"
}
no_session_left_is_said() {
	P11FAULT_SESSIONS=0
	export P11FAULT_SESSIONS
	fails 10 "no session left" "$P11OAUTH" assertion rsa
}
one_session_is_enough() {
	P11FAULT_SESSIONS=1
	export P11FAULT_SESSIONS
	expect 0 "$P11OAUTH" assertion rsa
	is_assertion
}

run_tests a_module_that_hangs_is_named a_module_that_aborts_is_named \
	a_module_that_crashes_is_named ends_the_program the_last_call_harms_nothing \
	in_keys_and_jwks signal_during_a_hang slow_is_not_lost slow_calls_add_up \
	chatter_does_not_reach_stdout false_signatures_are_not_sent lies_about_slots \
	lies_about_objects lies_about_lengths nothing_is_available \
	keys_passes_a_broken_token no_session_left_is_said one_session_is_enough
