#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two HSMs with a key each. A fails in every way that a machine can; B signs, by
# its own kid, and the reason is said. What a person has to decide is not passed
# over: a wrong PIN, a policy.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

DEADLINE_S=2
fixture_rsa first 2048
fixture_rsa second 2048
softhsm_new "$W/hsm" B 518273
softhsm_import "$W/second.key" "$W/second.pem" 02 second
B_PIN=$SOFTHSM_PIN_FILE
softhsm_new "$W/hsm" A 739154
softhsm_import "$W/first.key" "$W/first.pem" 01 first
A_PIN=$SOFTHSM_PIN_FILE
FAULT=$top_builddir/tests/fault/fault-module.so
P11FAULT_MODULE=$SOFTHSM_MODULE
export P11FAULT_MODULE

start_server as /usr/bin/python3 "$top_srcdir/contrib/sandbox/sandbox.py" --port 0 \
	--state "$W/as" --client "job=$W/first.pem" --client "job=$W/second.pem"
# both NAME A-URI A-PIN-FILE SETTING...: a profile with A's key, then B's.
B_URI="pkcs11:token=B;object=second?module-path=$SOFTHSM_MODULE"
A_URI="pkcs11:token=A;object=first?module-path=$FAULT"
both() {
	name=$1 uri=$2 pin=$3; shift 3
	profile "$name" 'client-id = "job"' "token-endpoint = \"$TOKEN_ENDPOINT\"" \
		"cacert = \"$SERVER_CA\"" 'scope = "system/*.read"' \
		"token-timeout = $DEADLINE_S" "key = { \"$uri\", \"$B_URI\" }" \
		"pin-from = { \"file:$pin\", \"file:$B_PIN\" }" 'kid = "x5t-hex"' "$@"
}
both pair "$A_URI" "$A_PIN"
both no-token "pkcs11:token=gone;object=first?module-path=$FAULT" "$A_PIN"
both no-module "pkcs11:token=A;object=first?module-path=/nonexistent/module.so" "$A_PIN"
both no-key "pkcs11:token=A;object=gone?module-path=$FAULT" "$A_PIN"
both wrong-pin "$A_URI" "$B_PIN"
both policy "$A_URI" "$A_PIN" 'key-policy = { "always-authenticate" }'
both no-pin "$A_URI" "$W/absent"

kid_of() { openssl x509 -in "$W/$1.pem" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g'; }
A_KID=$(kid_of first)
B_KID=$(kid_of second)

used_kid() {
	cut -d. -f1 <"$T/out" | tr '_-' '/+' | base64 -d 2>/dev/null | jq -r .kid
}
fault() { P11FAULT_FAIL=$1; export P11FAULT_FAIL; }
# falls_to_b PROFILE REASON: an access token and an assertion, by B's key.
falls_to_b() {
	expect 0 "$P11OAUTH" token "$1" --json
	jq -e '.access_token | length > 10' "$T/out" >/dev/null
	cat "$T/err"
	[ "$(wc -l <"$T/err")" -eq 1 ]
	has "$T/err" "warning: key 'pkcs11:"
	has "$T/err" "the next one is used"
	has "$T/err" "$2"
	expect 0 "$P11OAUTH" assertion "$1"
	[ "$(used_kid)" = "$B_KID" ]
}

a_is_used_while_it_works() {
	expect 0 "$P11OAUTH" token pair
	empty "$T/err"
	expect 0 "$P11OAUTH" assertion pair
	[ "$(used_kid)" = "$A_KID" ]
	[ "$A_KID" != "$B_KID" ]
}
an_absent_token_is_replaced() { falls_to_b no-token "no token matches"; }
an_absent_module_is_replaced() { falls_to_b no-module "cannot load the module"; }
an_absent_key_is_replaced() { falls_to_b no-key "no private key matches"; }
a_device_error_is_survived() { fault C_Sign:1+:0x30; falls_to_b pair "device error"; }
a_removed_device_is_replaced() { fault C_OpenSession:1+:0x32; falls_to_b pair "removed"; }
hangs_at_login() { fault C_Login:1:hang; falls_to_b pair "did not answer in time"; }
hangs_at_signature() { fault C_Sign:1:hang; falls_to_b pair "did not answer in time"; }
a_crash_is_survived() {
	# a sanitizer's build leaves the signal to the program for once
	ASAN_OPTIONS=handle_segv=0:handle_sigbus=0
	export ASAN_OPTIONS
	fault C_SignInit:1:crash
	falls_to_b pair "crashed"
}
an_abort_is_survived() { fault C_Initialize:1:abort; falls_to_b pair "aborted"; }
who_signs_rubbish_is_replaced() { P11FAULT_SIGN=flip; export P11FAULT_SIGN; falls_to_b pair "does not verify"; }

# A lost session is found again: A is not given up for it.
one_lost_session_is_recovered() {
	for fault in C_Sign:1:0xB3 C_SignInit:1:0x32 C_FindObjects:2:0xB0 C_GetSlotList:1:0x30 \
		C_OpenSession:1:0xE0; do
		fault "$fault"
		expect 0 "$P11OAUTH" assertion pair
		empty "$T/err"
		[ "$(used_kid)" = "$A_KID" ]
	done
}

# stays STATUS PROFILE TEXT: B's PIN is not sent and nothing is signed.
stays() {
	P11FAULT_LOG=$T/log
	export P11FAULT_LOG
	fails "$1" "$3" "$P11OAUTH" token "$2"
	hasnt "$T/err" "the next one"
}
wrong_pin_stays() {
	stays 7 wrong-pin "wrong PIN"
	[ "$(grep -c '^C_Login' "$T/log")" -eq 1 ]
}
locked_pin_stays() { P11FAULT_TOKENFLAGS=0x40000; export P11FAULT_TOKENFLAGS; stays 8 pair "locked"; }
absent_pin_stays() { stays 7 no-pin "absent"; }
policy_is_no_reason_for_another() { stays 15 policy "always-authenticate"; }
refused_on_the_device_stays() { fault C_Sign:1+:0x200; stays 9 pair "refused on the device"; }
both_are_named_when_both_fail() {
	fault C_OpenSession:1+:0x32
	sed -i.orig "s,$SOFTHSM_MODULE,/nonexistent/b.so," "$P11OAUTH_CONFIG"
	got=0; "$P11OAUTH" token pair >"$T/out" 2>"$T/err" || got=$?
	mv "$P11OAUTH_CONFIG.orig" "$P11OAUTH_CONFIG"
	cat "$T/err"
	[ "$got" -eq 4 ]
	empty "$T/out"
	has "$T/err" "removed" # why not A
	has "$T/err" "/nonexistent/b.so" # why not B
}
jwks_has_both() {
	expect 0 "$P11OAUTH" jwks pair
	jq -e --arg a "$A_KID" --arg b "$B_KID" '[.keys[].kid] == [$a, $b]' "$T/out"
}

run_tests a_is_used_while_it_works an_absent_token_is_replaced \
	an_absent_module_is_replaced an_absent_key_is_replaced \
	a_device_error_is_survived a_removed_device_is_replaced hangs_at_login \
	hangs_at_signature a_crash_is_survived an_abort_is_survived \
	who_signs_rubbish_is_replaced one_lost_session_is_recovered wrong_pin_stays \
	locked_pin_stays absent_pin_stays policy_is_no_reason_for_another \
	refused_on_the_device_stays both_are_named_when_both_fail jwks_has_both
