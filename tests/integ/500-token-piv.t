#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The suite on a PIV card, whose PIN locks after three wrong tries; and what
# happens when it is pulled.
TOKEN=piv
. "$top_srcdir/tests/tokens/suite.sh"

no_pin_where_none_is_needed() {
	before=$(piv_verifies)
	sed '/pin-from/d' "$P11OAUTH_CONFIG" >"$T/conf"
	expect 0 setsid "$P11OAUTH" assertion p256 --config "$T/conf" </dev/null
	[ "$(piv_verifies)" -eq "$before" ]
}
one_verify_in_all_runs() {
	before=$(piv_verifies)
	wrong_pin_runs
	echo "the card saw $(($(piv_verifies) - before)) VERIFY"
	[ "$(piv_verifies)" -eq $((before + 1)) ]
	[ "$(tail -n 1 "$PIV_DIR/log")" != "VERIFY locked" ]
	[ "$(cat "$PIV_DIR/tries")" -eq 2 ]
	cp "$W/pin" "$T/wrong" # corrected
	expect 0 "$P11OAUTH" assertion rsa --pin-from "file:$T/wrong"
	[ "$(cat "$PIV_DIR/tries")" -eq 3 ]
}
retry_is_a_persons_wish() {
	(umask 077; echo 918273 >"$T/wrong")
	before=$(piv_verifies)
	fails 7 "wrong PIN" "$P11OAUTH" assertion rsa --pin-from "file:$T/wrong"
	fails 7 "wrong PIN" "$P11OAUTH" assertion rsa --pin-from "file:$T/wrong" --retry-pin
	[ "$(piv_verifies)" -eq $((before + 2)) ]
	# one is left: not for a stored PIN, not even a right one, nor with --retry-pin
	fails 8 "one try is left" "$P11OAUTH" assertion rsa
	fails 8 "one try is left" "$P11OAUTH" assertion rsa --retry-pin
	[ "$(piv_verifies)" -eq $((before + 2)) ]
	[ "$(cat "$PIV_DIR/tries")" -eq 1 ]
	echo 3 >"$PIV_DIR/tries" # as the token's own tool would
	expect 0 "$P11OAUTH" assertion rsa
}
a_locked_pin_is_named() {
	piv_remove # or it would still be logged in
	echo 0 >"$PIV_DIR/tries"
	piv_insert
	before=$(piv_verifies)
	fails 8 "locked" "$P11OAUTH" assertion rsa
	[ "$(piv_verifies)" -eq "$before" ]
	echo 3 >"$PIV_DIR/tries"
}
pull_and_insert() { piv_remove; piv_insert; }
pull() { piv_remove; }
pulled_between_login_and_signature() {
	during C_SignInit pull_and_insert
	during C_Sign pull_and_insert
	during C_FindObjectsInit pull_and_insert
}
pulled_and_absent() {
	P11FAULT_MODULE=$TOKEN_MODULE P11FAULT_LOG=$T/log P11FAULT_MS=2500 P11FAULT_FAIL=C_SignInit:1:slow
	export P11FAULT_MODULE P11FAULT_LOG P11FAULT_MS P11FAULT_FAIL
	: >"$T/log"
	"$P11OAUTH" assertion rsa --module "$FAULT" --token-timeout "$DEADLINE_S" >"$T/out" 2>"$T/err" &
	pid=$!
	tries=0
	until grep -q "fault: C_SignInit slow" "$T/log"; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ]
		sleep 0.05 # polling for the moment; bounded above
	done
	piv_remove
	got=0; wait "$pid" || got=$?
	cat "$T/err"
	[ "$got" -eq 4 ] || [ "$got" -eq 10 ]
	one_line
	fails 4 "no token" "$P11OAUTH" assertion rsa
	piv_insert
	expect 0 "$P11OAUTH" assertion rsa
}
polkit_refuses_this_user() { piv_refused 4; }

suite_run no_pin_where_none_is_needed one_verify_in_all_runs retry_is_a_persons_wish \
	a_locked_pin_is_named pulled_between_login_and_signature pulled_and_absent \
	polkit_refuses_this_user
