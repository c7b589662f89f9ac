#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Stored PINs, and what each error of a device is called.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

PIN=739154
softhsm_new "$W/hsm" lab "$PIN"
fixture_rsa rsa 2048
fixture_ec p384 P-384
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
softhsm_import "$W/p384.key" "$W/p384.pem" 02 p384
for key in rsa p384; do
	profile "$key" 'client-id = "pin-tests"' 'token-endpoint = "https://as.example/token"' \
		"module = \"$SOFTHSM_MODULE\"" "key = \"pkcs11:token=lab;object=$key\""
done

signs() { expect 0 "$P11OAUTH" assertion "$@"; [ "$(tr -cd . <"$T/out")" = .. ]; }
a_file_gives_the_pin() { signs rsa --pin-from "file:$SOFTHSM_PIN_FILE"; }
the_environment_gives_the_pin() { LAB_PIN=$PIN; export LAB_PIN; signs rsa --pin-from env:LAB_PIN; }
from_file_descriptor() { signs rsa --pin-from fd:7 7<"$SOFTHSM_PIN_FILE"; }
a_credential_gives_the_pin() {
	CREDENTIALS_DIRECTORY=$T
	export CREDENTIALS_DIRECTORY
	cp "$SOFTHSM_PIN_FILE" "$T/lab-pin"; chmod 400 "$T/lab-pin"
	signs rsa --pin-from cred:lab-pin
}

FAULT=$top_builddir/tests/fault/fault-module.so
faulty() {
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/fault.log
	export P11FAULT_MODULE P11FAULT_LOG
}
spoilt() { # STATUS TEXT PROFILE
	fails "$1" "$2" "$P11OAUTH" assertion "$3" --module "$FAULT" \
		--pin-from "file:$SOFTHSM_PIN_FILE"
	grep -q '^C_Finalize 0x0$' "$T/fault.log"
}
fault() { faulty; P11FAULT_FAIL=$1; export P11FAULT_FAIL; }
device_error_when_signing() { fault C_Sign:1+:0x30; spoilt 10 "device error" rsa; }
device_removed_when_searching() { fault C_FindObjects:1+:0x32; spoilt 10 "removed" rsa; }
no_session_left() { fault C_OpenSession:1:0xB1; spoilt 10 "no session left" rsa; }
refused_on_the_device() { fault C_Sign:1:0x200; spoilt 9 "refused on the device" rsa; }
a_forbidden_mechanism_is_named() { fault C_SignInit:1:0x70; spoilt 11 "does not allow" rsa; }
an_expired_pin_is_named() { fault C_Login:1:0xA3; spoilt 7 "expired" rsa; }
logged_in_already() {
	# somebody else's login in this process counts as ours
	fault C_Login:1:0x100
	fails 5 "no private key" "$P11OAUTH" assertion rsa --module "$FAULT" \
		--pin-from "file:$SOFTHSM_PIN_FILE"
}
a_failed_initialize_is_named() {
	fault C_Initialize:1+:0x5
	fails 10 "C_Initialize" "$P11OAUTH" assertion rsa --module "$FAULT"
	refuses grep -q '^C_Finalize' "$T/fault.log"
}
sigterm_ends_with_c_finalize() {
	faulty
	mkfifo "$T/pin"; chmod 600 "$T/pin"
	"$P11OAUTH" assertion rsa --module "$FAULT" --pin-from fd:7 7<>"$T/pin" >"$T/out" 2>"$T/err" &
	pid=$!
	tries=0
	until grep -q C_FindObjectsFinal "$T/fault.log" 2>/dev/null; do
		tries=$((tries + 1)); [ "$tries" -lt 200 ]
		sleep 0.05 # polling for the moment before the PIN is read
	done
	kill "$pid"
	got=0; wait "$pid" || got=$?
	[ "$got" -eq 143 ]
	grep -q '^C_Finalize 0x0$' "$T/fault.log"
	empty "$T/out"
}

run_tests a_file_gives_the_pin the_environment_gives_the_pin from_file_descriptor \
	a_credential_gives_the_pin device_error_when_signing \
	device_removed_when_searching no_session_left refused_on_the_device \
	a_forbidden_mechanism_is_named an_expired_pin_is_named logged_in_already \
	a_failed_initialize_is_named sigterm_ends_with_c_finalize
