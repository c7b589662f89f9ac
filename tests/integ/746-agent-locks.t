#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# PINs that a person types for an agent, and what becomes of them; certificates
# that end, and their successors.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent.sh"

agent_world
SPY=$(find /usr/lib -name pkcs11-spy.so | head -n 1)

up() { # [PROFILE-LINE...]
	own_world
	case "$*" in *pin-from*) ;; *) set -- "$@" 'pin-from = "prompt"' ;; esac
	lab_profile lab "$@"
	agent_start agent
	within 10 is_locked true
}
is_locked() { answers 200 /v1/status && is ".profiles[0].locked == $1"; }
unlock() { answers 200 /v1/unlock -d "{\"profile\":\"lab\",\"pin\":\"$SOFTHSM_PIN\"}"; }
# typed TEXT COMMAND...: on a terminal; what happened is in $T/seen.
typed() {
	text=$1; shift
	/usr/bin/python3 "$top_srcdir/tests/tools/pty-run.py" --prompt PIN --type "$text
" --stdout "$T/out" "$P11OAUTH" "$@" >"$T/seen"
	jq -r .screen "$T/seen"
}
exited() { [ "$(jq .exit "$T/seen")" -eq "$1" ]; }

# ---- locked and unlocked -----------------------------------------------------------------

locked_at_first() {
	PKCS11SPY=$SOFTHSM_MODULE PKCS11SPY_OUTPUT=$T/spy
	export PKCS11SPY PKCS11SPY_OUTPUT
	up "module = \"$SPY\""
	# what can be seen without a PIN is
	is '.profiles[0] | .token.state == "present" and .token.label == "lab" and .certificate.subject == "CN=rsa"'
	for path in /v1/token/lab '/v1/token/lab?wait=3' '/v1/token/lab?force_new=1'; do
		errs 423 pin 7 "p11oauth unlock lab" "$path"
	done
	answers 200 /metrics
	grep -q '^p11oauth_locked{profile="lab"} 1$' "$T/body"
	grep -q C_GetTokenInfo "$T/spy" # the witness was there
	refuses grep -q C_Login "$T/spy"
	[ "$(requests)" -eq 0 ]
	unlock
	answers 200 /v1/token/lab
	[ "$(grep -c C_Login "$T/spy")" -eq 1 ]
	hasnt "$(LEDGER)" "$SOFTHSM_PIN"
}
by_command_on_a_terminal() {
	up
	typed "$SOFTHSM_PIN" unlock lab --socket "$AGENT_SOCKET"
	exited 0
	jq -e '.echo_at_prompt == false and .echo_after' "$T/seen"
	answers 200 /v1/token/lab
	expect 0 "$P11OAUTH" lock lab --socket "$AGENT_SOCKET"
	errs 423 pin 7 "unlock" /v1/token/lab
	typed 918273 unlock lab --socket "$AGENT_SOCKET"
	exited 7
	errs 423 pin 7 "unlock" /v1/token/lab
	[ "$(calls C_Login)" -eq 2 ]
}
# A login is there, and the right PIN is known: the wrong one is not sent.
a_wrong_pin_for_nothing() {
	up
	unlock
	errs 423 pin 7 "another PIN" /v1/unlock -d '{"profile":"lab","pin":"918273"}'
	[ "$(calls C_Login)" -eq 1 ]
	is_locked false
	answers 200 /v1/token/lab
	unlock # the right one again: nothing to do
	[ "$(calls C_Login)" -eq 1 ]
	ledger '[.[] | select(.event == "unlock") | .status] == ["ok", "pin", "ok"]'
}
a_wrong_pin() {
	up
	for times in 1 2; do
		errs 423 pin 7 "wrong PIN" /v1/unlock -d '{"profile":"lab","pin":"918273"}'
		[ "$(calls C_Login)" -eq "$times" ]
		is_locked true
		errs 423 pin 7 "unlock" /v1/token/lab
		[ "$(calls C_Login)" -eq "$times" ]
	done
	ledger '[.[] | select(.event == "unlock") | .status] == ["pin", "pin"]'
	ledger '[.[] | select(.event == "pin")] | length == 2 and all(.sent and .status == "pin" and .source == "prompt"
		and .token.label == "lab")'
	unlock
	answers 200 /v1/token/lab
	hasnt "$W/agent.err" 918273
	hasnt "$(LEDGER)" 918273
}
one_pin_for_all_of_a_token() {
	own_world
	lab_profile lab 'pin-from = "prompt"'
	lab_profile more 'pin-from = "prompt"' 'client-id = "more"'
	agent_start agent
	within 10 is_locked true
	unlock
	answers 200 /v1/token/more
	[ "$(calls C_Login)" -eq 1 ]
}
on_the_readers_keys() {
	P11FAULT_PINPAD=$SOFTHSM_PIN; export P11FAULT_PINPAD
	up 'pin-from = "pinpad"'
	is_locked true
	errs 423 pin 7 "unlock" /v1/token/lab
	[ "$(calls C_Login)" -eq 0 ] # a reader does not beep for a job
	answers 200 /v1/unlock -d '{"profile":"lab"}'
	[ "$(calls C_Login)" -eq 1 ]
	answers 200 /v1/token/lab
	answers 200 '/v1/token/lab?force_new=1'
	[ "$(calls C_Login)" -eq 1 ]
}

# ---- what becomes of a PIN -----------------------------------------------------------------

a_worker_is_killed() {
	up
	unlock
	good=$(gets /v1/token/lab)
	kill -KILL "$(agent_process agent-worker)"
	within 10 is_locked true
	logged "killed by signal 9"
	[ "$(gets /v1/token/lab)" = "$good" ] # until its end
	errs 423 pin 7 "p11oauth unlock lab" '/v1/token/lab?force_new=1'
	[ "$(calls C_Login)" -eq 1 ]
	unlock
	[ "$(gets '/v1/token/lab?force_new=1')" != "$good" ]
}
a_session_is_lost() {
	P11FAULT_FAIL=C_Sign:1:0xB3; export P11FAULT_FAIL # CKR_SESSION_HANDLE_INVALID
	up
	unlock
	ask /v1/token/lab
	[ "$STATUS" = 200 ] || within 10 gets /v1/token/lab
	[ "$(calls C_Login)" -eq 2 ] # with the kept PIN; nobody is asked
}
the_last_try_is_a_persons() {
	P11FAULT_FAIL=C_Sign:1:0xB3; export P11FAULT_FAIL
	P11FAULT_TOKENFLAGS=0x20000; export P11FAULT_TOKENFLAGS # FINAL_TRY
	up
	unlock
	[ "$(calls C_Login)" -eq 1 ]
	errs 423 pin-locked 8 "one try" /v1/token/lab
	ask /v1/token/lab
	[ "$STATUS" = 423 ]
	[ "$(calls C_Login)" -eq 1 ]
}
sighup_forgets_the_pin() {
	up
	unlock
	answers 200 /v1/token/lab
	kill -HUP "$AGENT_PID"
	within 10 is_locked true
	[ "$(calls C_Login)" -eq 1 ]
	unlock
	answers 200 '/v1/token/lab?force_new=1'
}
the_pin_is_nowhere() {
	up
	unlock
	answers 200 /v1/token/lab
	for pid in "$AGENT_PID" $(agent_process agent-helper); do
		tr '\0' '\n' <"/proc/$pid/environ" >"$T/environ"
		tr '\0' '\n' <"/proc/$pid/cmdline" >>"$T/environ"
		hasnt "$T/environ" "$SOFTHSM_PIN"
		grep -q '^Max core file size *0 ' "/proc/$pid/limits"
	done
}

# ---- certificates -----------------------------------------------------------------------------

certificate() { /usr/bin/python3 "$top_srcdir/tests/tools/certificate.py" "$W/rsa.key" "$@"; }
is_warned_of() { grep -q "certificate 'CN=second'" "$W/agent.err"; }
the_next_certificate_is_used() {
	own_world
	softhsm_new "$T/hsm" lab 739154
	certificate first 432000 "$T/first.pem"
	certificate second 864000 "$T/second.pem"
	softhsm_import "$W/rsa.key" "$T/first.pem" 01 rsa
	lab_profile lab 'kid = "x5t-hex"'
	agent_start agent
	answers 200 /v1/token/lab
	softhsm_certificate "$T/second.pem" 01 rsa
	softhsm_tool --delete-object --type cert --id 01 --label rsa || true
	# whichever is left of the two; then the second alone
	while softhsm_tool --delete-object --type cert --id 01; do :; done
	softhsm_certificate "$T/second.pem" 01 rsa
	answers 200 '/v1/token/lab?force_new=1'
	for name in first second; do
		openssl x509 -in "$T/$name.pem" -noout -fingerprint -sha1 | sed 's/.*=//' | tr -d :
	done >"$T/want"
	jq -r .header.kid "$W/requests" | cmp - "$T/want"
	within 5 is_warned_of # of the new one, too: it ends in 10 days
	answers 200 /v1/status
	is '.profiles[0].certificate | .subject == "CN=second" and .warning == 14'
	ledger '[.[] | select(.event == "sign") | .kid] | length == 2 and .[0] != .[1]'
	[ "$(answers 200 /v1/jwks/lab && jq -r '.keys[0].kid' "$T/body")" = "$(tail -n 1 "$T/want")" ]
}

run_tests locked_at_first by_command_on_a_terminal a_wrong_pin_for_nothing a_wrong_pin \
	one_pin_for_all_of_a_token on_the_readers_keys a_worker_is_killed \
	a_session_is_lost the_last_try_is_a_persons sighup_forgets_the_pin \
	ns:the_pin_is_nowhere the_next_certificate_is_used
