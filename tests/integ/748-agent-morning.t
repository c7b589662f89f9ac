#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# An operator's morning with a PIV card: unlock, jobs, the card is pulled and put
# back, unlock, jobs. The card is sent the PIN twice in all. The tests follow each
# other.
. "$top_srcdir/tests/tokens/namespaces.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent.sh"
. "$top_srcdir/tests/tokens/piv.sh"

token_key_file() { # NAME: as the card's file wants them
	case $1 in
	rsa) fixture_rsa rsa 2048 ;;
	p384) fixture_ec p384 P-384 ;;
	p256) fixture_ec p256 P-256 ;;
	esac
}
agent_world
piv_token_up "$W/piv"
P11FAULT_MODULE=$TOKEN_MODULE
rm -f "$W/p11oauth.conf"
lab_profile card 'key = "pkcs11:id=%01"' 'pin-from = "prompt"' 'allow-scope = { "system/Patient.read" }'
agent_start agent

status_is() { answers 200 /v1/status && is ".profiles[0] | $1"; }
unlock() {
	/usr/bin/python3 "$top_srcdir/tests/tools/pty-run.py" --prompt PIN --type "$TOKEN_PIN
" --stdout "$T/out" "$P11OAUTH" unlock card --socket "$AGENT_SOCKET" >"$T/seen"
	jq -r .screen "$T/seen"
	cat "$T/out"
	[ "$(jq .exit "$T/seen")" -eq 0 ]
	hasnt "$T/seen" "$TOKEN_PIN"
}
job() { "$P11OAUTH" token card --agent-only --socket "$AGENT_SOCKET" "$@"; }
ten_jobs() {
	for i in 1 2 3 4 5 6 7 8 9 10; do spawn "job-$i" job "$@"; done
	for i in 1 2 3 4 5 6 7 8 9 10; do
		wait "$(pid_of "job-$i")"
		grep -q '^told-[0-9]*$' "$W/job-$i.out"
	done
	cat "$W"/job-*.out | sort -u >"$T/tokens"
	echo "$i jobs, $(wc -l <"$T/tokens") access token"
	[ "$(wc -l <"$T/tokens")" -eq 1 ]
}

locked_before_work() {
	within 10 status_is '.locked and .token.state == "present"'
	fails 7 "unlock" job
	[ "$(piv_verifies)" -eq 0 ]
}
one_unlock_is_one_verify() {
	unlock
	[ "$(piv_verifies)" -eq 1 ]
	status_is '(.locked | not) and .token.state == "present" and .certificate.subject == "CN=rsa"'
}
jobs_have_access_tokens() {
	ten_jobs
	ten_jobs --scope system/Patient.read
	[ "$(grep -c '^SIGN' "$PIV_DIR/log")" -eq 2 ]
	[ "$(piv_verifies)" -eq 1 ]
}
card_is_pulled() {
	told 200+expires_in=6
	last=$(job --force-new)
	started=$(ms)
	piv_remove
	within 5 status_is '.token.state == "absent"'
	while :; do
		got=0; job >"$T/out" 2>"$T/err" || got=$?
		took=$(($(ms) - started))
		[ "$got" -eq 0 ] || break
		[ "$(cat "$T/out")" = "$last" ]
		[ "$took" -lt 20000 ]
		sleep 0.2 # polling for its end; bounded above
	done
	echo "it served for $took ms, then: $(cat "$T/err")"
	[ "$took" -ge 4000 ]
	[ "$got" -eq 4 ] || [ "$got" -eq 7 ]
	one_line
	ask /v1/token/card
	[ "$STATUS" = 503 ] || [ "$STATUS" = 423 ]
	is '.error.exit == 4 or .error.exit == 7'
	status_is '.token.state == "absent"'
	[ "$(piv_verifies)" -eq 1 ]
}
card_is_back() {
	told 200
	piv_insert
	within 10 status_is '.token.state == "present" and .locked'
	fails 7 "unlock" job # the kept PIN is not for a card that was away
	[ "$(piv_verifies)" -eq 1 ]
	unlock
	status_is '(.locked | not) and .token.state == "present"'
	ten_jobs
	job --force-new >"$T/out"
	grep -q '^told-' "$T/out"
}
two_verifies_in_all() {
	cat "$PIV_DIR/log"
	[ "$(piv_verifies)" -eq 2 ]
	[ "$(grep -c '^VERIFY ok' "$PIV_DIR/log")" -eq 2 ]
	hasnt "$W/agent.err" "$TOKEN_PIN"
	"$P11OAUTH" audit verify "$W/state/p11oauth/audit.jsonl"
	jq -se '[.[] | select(.event == "unlock") | .status] == ["ok", "ok"]' "$W/state/p11oauth/audit.jsonl"
}

run_tests locked_before_work one_unlock_is_one_verify jobs_have_access_tokens \
	card_is_pulled card_is_back two_verifies_in_all
