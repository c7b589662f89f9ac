#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A refused stored PIN is remembered over runs and not sent again, until its
# source changes, a person says so, or another token is in the reader.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

PIN=739154
softhsm_new "$W/hsm" other "$PIN"
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
softhsm_new "$W/hsm" lab "$PIN"
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
FAULT=$top_builddir/tests/fault/fault-module.so
for token in lab other; do
	profile "$token" 'client-id = "memory"' 'token-endpoint = "https://as.example/token"' \
		"module = \"$FAULT\"" "key = \"pkcs11:token=$token;object=rsa\""
done

# Each test has its own state folder, $XDG_STATE_HOME.
prepare() {
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/log
	export P11FAULT_MODULE P11FAULT_LOG
	: >"$T/log"
	write 918273
}
write() { (umask 077; echo "$1" >"$T/pin"); }
logins() { grep -c '^C_Login' "$T/log" || true; }
sign() { name=$1; shift; "$P11OAUTH" assertion "$name" --pin-from "file:$T/pin" "$@"; }
# refused LOGINS [OPTION...]: exit 7, and so many logins in all.
refused() { so_many=$1; shift; fails 7 "" sign lab "$@"; [ "$(logins)" -eq "$so_many" ]; }

a_changed_source_is_tried() {
	prepare
	refused 1
	refused 1
	has "$T/err" "--retry-pin"
	write 827364
	refused 2
	refused 2
	write "$PIN"
	expect 0 sign lab
}
a_persons_wish() { prepare; refused 1; refused 2 --retry-pin; refused 2; }
a_good_login_forgets() {
	prepare
	refused 1
	write "$PIN"
	expect 0 sign lab
	write 918273 # it may have become right in between: one try again
	fails 7 "wrong PIN" sign lab
}
another_token_is_another_matter() {
	prepare
	refused 1
	fails 7 "wrong PIN" sign other
	[ "$(logins)" -eq 2 ]
	fails 7 "--retry-pin" sign other
	[ "$(logins)" -eq 2 ]
}
another_source_is_another_matter() {
	prepare
	refused 1
	cp "$T/pin" "$T/copy"
	fails 7 "wrong PIN" "$P11OAUTH" assertion lab --pin-from "file:$T/copy"
	fails 7 "--retry-pin" "$P11OAUTH" assertion lab --pin-from "file:$T/copy"
	[ "$(logins)" -eq 2 ]
}
nothing_secret_is_kept() {
	prepare
	refused 1
	find "$XDG_STATE_HOME" -type f >"$T/files"
	[ "$(wc -l <"$T/files")" -ge 1 ]
	while read -r file; do
		[ "$(stat -c %a "$file")" = 600 ]
		hasnt "$file" 918273
		hasnt "$file" "$(printf 918273 | sha256sum | cut -d ' ' -f 1)"
	done <"$T/files"
	find "$XDG_STATE_HOME" -type d -name 'refused*' | while read -r folder; do
		[ "$(stat -c %a "$folder")" = 700 ]
	done
}
# As many runs at once as a bad night has: one is sent.
many_at_once() {
	prepare
	i=0
	pids=
	while [ "$i" -lt 12 ]; do
		sign lab >/dev/null 2>&1 &
		pids="$pids $!"
		i=$((i + 1))
	done
	for pid in $pids; do
		got=0; wait "$pid" || got=$?
		[ "$got" -ne 0 ]
	done
	echo "$i runs at once, $(logins) login"
	[ "$(logins)" -eq 1 ]
}
# Without a memory a wrong PIN would be sent again and again: it is not sent.
no_place_to_remember() {
	prepare
	echo "not a folder" >"$T/file"
	XDG_STATE_HOME=$T/file
	P11OAUTH_AUDIT=off # which would warn of the same
	export P11OAUTH_AUDIT
	refused 0
	has "$T/err" "--retry-pin"
	write "$PIN"
	expect 0 sign lab --retry-pin
}
a_spoilt_memory() {
	prepare
	refused 1
	find "$XDG_STATE_HOME/p11oauth/refused-pins" -type f >"$T/files"
	[ "$(wc -l <"$T/files")" -eq 1 ]
	while read -r file; do echo rubbish >"$file"; done <"$T/files"
	got=0; sign lab >"$T/out" 2>"$T/err" || got=$?
	cat "$T/err"
	[ "$got" -eq 7 ]
	one_line
	[ "$(logins)" -le 2 ]
}
the_service_managers_folder() {
	prepare
	STATE_DIRECTORY=$T/service
	export STATE_DIRECTORY
	mkdir -m 700 "$T/service"
	refused 1
	[ -n "$(find "$T/service" -type f)" ]
	[ ! -e "$XDG_STATE_HOME/p11oauth" ]
}
a_right_pin_leaves_no_trace_to_fill() {
	prepare
	write "$PIN"
	for attempt in 1 2 3; do expect 0 sign lab; done
	find "$XDG_STATE_HOME" -type f -size +0 ! -name audit.jsonl >"$T/files"
	echo "$attempt runs, $(wc -l <"$T/files") files with something in them"
	empty "$T/files"
}

run_tests a_changed_source_is_tried a_persons_wish a_good_login_forgets \
	another_token_is_another_matter another_source_is_another_matter \
	nothing_secret_is_kept many_at_once no_place_to_remember a_spoilt_memory \
	the_service_managers_folder a_right_pin_leaves_no_trace_to_fill
