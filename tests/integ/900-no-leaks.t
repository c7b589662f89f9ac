#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Canaries: PIN, access token and assertion are in no output but their own, at
# any log level, in success and failure; nor in arguments or environments.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

PIN=canary-pin-5309
TOKEN=answer-server-token
softhsm_new "$W/hsm" lab "$PIN"
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
start_server answers /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
	--cert "$W/pki/good.pem" --key "$W/pki/good.key" --log "$W/requests"
ANSWERS=https://localhost:$SERVER_PORT
profile lab 'client-id = "leaks"' "token-endpoint = \"$ANSWERS/ok\"" \
	"cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' 'retry-time = 0' \
	"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
	'key = "pkcs11:token=lab;object=rsa"'

# clean FILE...: no canary, and nothing that looks like an assertion
clean() {
	for file in "$@"; do
		hasnt "$file" "$PIN"
		hasnt "$file" "$TOKEN"
		hasnt "$file" canary-token
		refuses grep -nE 'eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}' "$file"
	done
}
# run COMMAND...: at every log level; $T/err of each is clean
run() {
	for level in --quiet --verbose areas; do
		option=$level
		[ "$level" != areas ] || { option=-q; P11OAUTH_DEBUG=all; export P11OAUTH_DEBUG; }
		"$P11OAUTH" "$@" "$option" >"$T/out" 2>"$T/err" || true
		clean "$T/err"
		unset P11OAUTH_DEBUG
	done
	[ "$level" = areas ]
}
verbose_says_something() {
	"$P11OAUTH" token lab -v >"$T/out" 2>"$T/err"
	has "$T/err" "POST $ANSWERS/ok: status 200"
	has "$T/err" "jti"
	has "$T/out" "$TOKEN" # the canary works
}
token_leaks_nothing() { run token lab; has "$T/out" "$TOKEN"; }
header_leaks_nothing() { run header lab; has "$T/out" "$TOKEN"; }
json_leaks_nothing() { run token lab --json; has "$T/out" "$TOKEN"; }
assertion_leaks_nothing() { run assertion lab; grep -qE '^eyJ' "$T/out"; hasnt "$T/out" "$PIN"; }
the_other_commands_leak_nothing() {
	for command in keys "cert lab" "jwks lab" "profile check" "profile list" version; do
		# shellcheck disable=SC2086 # several words
		run $command --module "$SOFTHSM_MODULE"
		clean "$T/out"
	done
	run keys --module "$SOFTHSM_MODULE" --login --pin-from "file:$SOFTHSM_PIN_FILE"
	clean "$T/out"
	"$P11OAUTH" assertion lab >"$T/jwt"
	run jwt inspect "$T/jwt"; clean "$T/out"
	run jwt verify --profile lab "$T/jwt"; clean "$T/out"
}
# failures of every kind leave both streams clean
failing() { run "$@"; clean "$T/out"; empty "$T/out"; [ -s "$T/err" ]; }
bad_answers_leak_nothing() {
	n=0
	for path in dpop token-crlf token-space token-and-error token-twice text-200 \
		html-200 empty-200 invalid-client-400 error-control redirect-307 huge empty-503; do
		failing token lab --token-endpoint "$ANSWERS/$path"
		failing token lab --json --token-endpoint "$ANSWERS/$path"
		n=$((n + 1))
	done
	[ "$n" -eq 13 ]
}
a_second_try_leaks_nothing() { failing token lab --token-endpoint "$ANSWERS/empty-503" --retry-time 2; }
reports_leak_nothing() {
	run doctor lab; clean "$T/out"
	grep -q '^ok  *exchange ' "$T/out"
	run doctor lab --json; clean "$T/out"
	run doctor lab --token-endpoint "$ANSWERS/invalid-client-400"; clean "$T/out"
	grep -q '^failed  *exchange ' "$T/out"
	run jwks check "$ANSWERS/ok" --profile lab; clean "$T/out"
	run server show google; clean "$T/out"
}
no_server_leaks_nothing() { failing token lab --token-endpoint https://127.0.0.1:1/; }
an_unknown_ca_leaks_nothing() { failing token lab --cacert "$W/rsa.pem"; }
a_wrong_pin_leaks_nothing() {
	printf 'canary-pin-0000\n' >"$T/pin"
	failing token lab --pin-from "file:$T/pin"
	hasnt "$T/err" canary-pin
}
pin_as_a_source() { failing token lab --pin-from "$PIN"; }
pin_in_a_uri() { failing token lab --key "pkcs11:token=lab?pin-value=$PIN"; }
a_spoilt_signature_leaks_nothing() {
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_SIGN=flip
	export P11FAULT_MODULE P11FAULT_SIGN
	failing assertion lab --module "$top_builddir/tests/fault/fault-module.so"
}
# While the answer is waited for, everything is in memory: look from outside.
arguments_and_environment() {
	"$P11OAUTH" token lab --token-endpoint "$ANSWERS/slow" --timeout 3 -q >"$T/out" 2>"$T/err" &
	pid=$!
	tries=0
	until grep -q '"/slow"' "$W/requests" 2>/dev/null; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ]
		sleep 0.05 # polling for the request to arrive
	done
	tr '\0' '\n' <"/proc/$pid/cmdline" >"$T/cmdline"
	tr '\0' '\n' <"/proc/$pid/environ" >"$T/environ" || : # not dumpable: root alone
	[ -z "$(ls "/proc/$pid/task/$pid/children" 2>/dev/null)" ] || cat "/proc/$pid/task/$pid/children" >"$T/children"
	[ ! -s "$T/children" ]
	clean "$T/cmdline" "$T/environ"
	grep -q '^Max core file size *0 ' "/proc/$pid/limits"
	wait "$pid" || true
	clean "$T/err"
}
no_file_is_left() {
	mkdir "$T/home"
	HOME=$T/home TMPDIR=$T/home "$P11OAUTH" token lab >"$T/out"
	[ -z "$(find "$T/home" -type f)" ]
	# but for the ledger, and the lock under which a stored PIN is sent
	find "$XDG_STATE_HOME" -type f ! -name audit.jsonl >"$T/files"
	[ "$(wc -l <"$T/files")" -eq 1 ]
	[ ! -s "$(cat "$T/files")" ]
	[ "$(find "$XDG_STATE_HOME" -type f -name 'audit*')" = "$XDG_STATE_HOME/p11oauth/audit.jsonl" ]
	clean "$XDG_STATE_HOME/p11oauth/audit.jsonl"
}
# What the ledger of this test's failures and successes holds: no PIN, its source
# only by kind, no access token but its hash, no signature.
nothing_in_the_ledger() {
	ledger=$XDG_STATE_HOME/p11oauth/audit.jsonl
	"$P11OAUTH" token lab >"$T/out"
	"$P11OAUTH" assertion lab >"$T/jwt"
	refuses "$P11OAUTH" token lab --token-endpoint "$ANSWERS/invalid-client-400" 2>"$T/err"
	refuses "$P11OAUTH" token lab --token-endpoint "$ANSWERS/token-crlf" 2>"$T/err"
	printf 'canary-pin-0000\n' >"$T/pin"
	refuses "$P11OAUTH" token lab --pin-from "file:$T/pin" 2>"$T/err"
	clean "$ledger"
	hasnt "$ledger" canary-pin
	hasnt "$ledger" "$T/pin"
	hasnt "$ledger" "$(cut -d. -f3 <"$T/jwt")"
	jq -se '[.[].event] == ["sign", "answer", "issue", "sign", "sign", "answer", "sign", "answer", "pin"]' "$ledger"
	jq -se '.[8] | .source == "file" and .sent and .status == "pin"' "$ledger"
	jq -se --arg hash "sha256:$(printf %s "$TOKEN" | sha256sum | cut -c 1-16)" \
		'.[1].access_token == $hash and .[2].access_token == $hash' "$ledger"
	jq -se '[.[5, 7] | has("access_token")] == [false, false]' "$ledger"
}

run_tests verbose_says_something token_leaks_nothing header_leaks_nothing \
	json_leaks_nothing assertion_leaks_nothing the_other_commands_leak_nothing \
	bad_answers_leak_nothing a_second_try_leaks_nothing reports_leak_nothing \
	no_server_leaks_nothing an_unknown_ca_leaks_nothing a_wrong_pin_leaks_nothing \
	pin_as_a_source pin_in_a_uri a_spoilt_signature_leaks_nothing \
	arguments_and_environment no_file_is_left nothing_in_the_ledger
