#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The commands and a real agent: when it is asked, and when it is not.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent.sh"

agent_world
lab_profile lab
lab_profile wide 'allow-scope = { "system/Patient.read" }'
lab_profile other 'allow-uid = { "nobody" }'
lab_profile typed 'pin-from = "prompt"'
agent_start agent
P11OAUTH_SOCKET=$AGENT_SOCKET
export P11OAUTH_SOCKET

signatures() { grep -c '^C_Sign ' "$W/calls" || :; }
# costs N COMMAND...: succeeds, with N more signatures.
costs() {
	costs_n=$(($(signatures) + $1)); shift
	expect 0 "$@"
	[ "$(signatures)" -eq "$costs_n" ] || { echo "$(signatures) signatures instead of $costs_n: $*"; return 1; }
}

many_commands_one_signature() {
	costs 1 "$P11OAUTH" token lab
	cp "$T/out" "$T/first"
	costs 0 "$P11OAUTH" token lab
	cmp "$T/first" "$T/out"
	costs 0 "$P11OAUTH" header lab
	grep -qxF "Authorization: Bearer $(cat "$T/first")" "$T/out"
	costs 0 "$P11OAUTH" exec lab -- printenv ACCESS_TOKEN
	cmp "$T/first" "$T/out"
	costs 0 "$P11OAUTH" token lab --json --agent-only
	jq -e --arg t "$(cat "$T/first")" '.access_token == $t and .expires_in > 0' "$T/out"
}
no_agent_does_its_own() {
	costs 1 "$P11OAUTH" token lab --no-agent
	costs 1 "$P11OAUTH" token lab --force-new
}
a_setting_does_its_own() {
	costs 1 "$P11OAUTH" token lab --lifetime 60
	fails 2 "--lifetime" "$P11OAUTH" token lab --lifetime 60 --agent-only
	P11OAUTH_LIFETIME=60 costs 1 "$P11OAUTH" token lab
}
a_scope_is_the_agents() {
	costs 1 "$P11OAUTH" token wide --scope system/Patient.read
	costs 0 "$P11OAUTH" token wide --scope system/Patient.read
	fails 15 "allow-scope" "$P11OAUTH" token lab --scope system/Patient.read
}
# what policy refuses, nobody gets by asking the token himself
a_refusal_stands() {
	before=$(signatures)
	fails 15 "allow-uid" "$P11OAUTH" token other
	[ "$(signatures)" -eq "$before" ]
}
no_configuration_is_needed() {
	P11OAUTH_CONFIG=/nonexistent
	export P11OAUTH_CONFIG
	costs 0 "$P11OAUTH" token lab
	fails 3 "cannot open" "$P11OAUTH" token lab --no-agent
}
unknown_to_both() {
	fails 3 "the agent" "$P11OAUTH" token nowhere
	has "$T/err" "the configuration: no profile 'nowhere'"
}
locked_is_said_so() {
	fails 7 "p11oauth unlock typed" "$P11OAUTH" token typed
	(umask 077; echo 739154 >"$T/pin")
	expect 0 "$P11OAUTH" unlock typed --pin-from "file:$T/pin"
	has "$T/out" "unlocked: typed (token 'lab'"
	expect 0 "$P11OAUTH" token typed
	expect 0 "$P11OAUTH" lock typed
	has "$T/out" "typed"
	fails 7 "p11oauth unlock typed" "$P11OAUTH" token typed
}
a_wrong_pin_is_sent_once() {
	(umask 077; echo 999999 >"$T/pin")
	logins=$(grep -c '^C_Login ' "$W/calls" || :)
	fails 7 "wrong PIN" "$P11OAUTH" unlock typed --pin-from "file:$T/pin"
	[ "$(grep -c '^C_Login ' "$W/calls")" -eq $((logins + 1)) ]
}
status_tells_about_the_agent() {
	expect 0 "$P11OAUTH" status
	has "$T/out" "profile lab: unlocked"
	has "$T/out" "token         'lab'"
	has "$T/out" "access token  system/*.read: ends in"
	has "$T/out" "ledger $W/state"
	expect 0 "$P11OAUTH" status --json
	jq -e '.profiles | map(.name) == ["lab", "wide", "other", "typed"]' "$T/out"
}
a_scope_that_is_too_long_lived() {
	fails 2 "min_valid" "$P11OAUTH" token lab --min-valid 1h
}
server_errors_keep_their_status() {
	told 400+error=invalid_client
	fails 13 "invalid_client" "$P11OAUTH" token lab --force-new
	told 200
}
no_agent_any_more() {
	stop_server agent
	costs 1 "$P11OAUTH" token lab
	fails 16 "$AGENT_SOCKET" "$P11OAUTH" token lab --agent-only
	fails 16 "$AGENT_SOCKET" "$P11OAUTH" status
}
the_ledger_holds() {
	expect 0 "$P11OAUTH" audit verify "$W/state/p11oauth/audit.jsonl"
	grep -q '"event":"refuse"' "$W/state/p11oauth/audit.jsonl"
}

run_tests many_commands_one_signature no_agent_does_its_own a_setting_does_its_own \
	a_scope_is_the_agents a_refusal_stands no_configuration_is_needed \
	unknown_to_both locked_is_said_so a_wrong_pin_is_sent_once \
	status_tells_about_the_agent a_scope_that_is_too_long_lived \
	server_errors_keep_their_status no_agent_any_more the_ledger_holds
