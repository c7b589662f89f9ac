#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The suite on a TPM, which locks after three wrong PINs and never says how many
# are left; and what happens when it is restarted.
TOKEN=tpm2
. "$top_srcdir/tests/tokens/suite.sh"

lockout_counter() { tpm2_getcap properties-variable | sed -n 's/^TPM2_PT_LOCKOUT_COUNTER: *//p'; }

not_locked_after_all_runs() {
	before=$(($(lockout_counter)))
	wrong_pin_runs
	after=$(($(lockout_counter)))
	echo "the TPM counted $((after - before)) failure"
	[ "$after" -eq $((before + 1)) ]
	cp "$W/pin" "$T/wrong" # corrected
	expect 0 "$P11OAUTH" assertion rsa --pin-from "file:$T/wrong"
	tpm2_dictionarylockout --clear-lockout
}
# To a TPM a power cut is a failed try.
restart() { tpm2_stop; tpm2_start; tpm2_dictionarylockout --clear-lockout; }
restarted_between_commands() {
	expect 0 "$P11OAUTH" assertion rsa
	restart
	expect 0 "$P11OAUTH" assertion rsa
	tpm2_stop
	got=0; "$P11OAUTH" assertion rsa >"$T/out" 2>"$T/err" || got=$?
	cat "$T/err"
	[ "$got" -eq 4 ] || [ "$got" -eq 10 ]
	one_line
	tpm2_start
	expect 0 "$P11OAUTH" assertion rsa
}
restarted_between_login_and_signature() {
	during C_SignInit restart
	during C_Sign restart
}

suite_run not_locked_after_all_runs restarted_between_commands \
	restarted_between_login_and_signature
