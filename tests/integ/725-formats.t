#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# token --format: each read by somebody else (jq, a shell, python, curl), and
# what is read is an access token that a resource server accepts.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
unset -f jq # the one that people have

softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
start_server as "$top_srcdir/contrib/sandbox/sandbox.py" --state "$W/as" \
	--client "job=$W/rsa.pem"
profile lab 'client-id = "job"' "token-endpoint = \"$TOKEN_ENDPOINT\"" "cacert = \"$SERVER_CA\"" \
	'scope = "system/*.read"' 'algorithm = "RS384"' 'kid = "x5t-hex"' \
	"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
	'key = "pkcs11:token=lab;object=rsa"'
FHIR=$FHIR_BASE
CA=$SERVER_CA

accepted() { # ACCESS-TOKEN
	[ -n "$1" ]
	curl -sf --cacert "$CA" -H "Authorization: Bearer $1" "$FHIR/Patient" | jq -e .resourceType
}
in_the_future() { [ "$1" -gt "$(date +%s)" ] && [ "$1" -le $(($(date +%s) + 86400)) ]; }
format() { expect 0 "$P11OAUTH" token lab --format "$@"; empty "$T/err"; }
one_line_out() { [ "$(wc -l <"$T/out")" -eq 1 ]; }

raw_is_the_default() {
	format raw
	one_line_out
	accepted "$(cat "$T/out")"
	expect 0 "$P11OAUTH" token lab
	one_line_out
	accepted "$(cat "$T/out")"
}
json_by_jq() {
	for way in --json '--format json' '--json --format json'; do
		# shellcheck disable=SC2086 # two words
		expect 0 "$P11OAUTH" token lab $way
		one_line_out
		accepted "$(jq -er .access_token "$T/out")"
		in_the_future "$(jq -e .expires_at "$T/out")"
		jq -e '.token_type == "Bearer" and (.expires_in | type) == "number"' "$T/out"
	done
}
header_by_curl() {
	format header
	one_line_out
	curl -sf --cacert "$CA" -H "@$T/out" "$FHIR/Patient" | jq -e .resourceType
	"$P11OAUTH" header lab | curl -sf --cacert "$CA" -H @- "$FHIR/Patient" | jq -e .resourceType
}
env_by_a_shell() {
	format env
	[ "$(wc -l <"$T/out")" -eq 2 ]
	(
		eval "$(cat "$T/out")"
		accepted "$ACCESS_TOKEN"
		in_the_future "$ACCESS_TOKEN_EXPIRES_AT"
	)
}
kube_by_python() {
	format kube-exec-credential
	/usr/bin/python3 - "$T/out" >"$T/token" <<-'END'
	import datetime, json, sys
	c = json.load(open(sys.argv[1]))
	assert c["apiVersion"] == "client.authentication.k8s.io/v1", c
	assert c["kind"] == "ExecCredential"
	assert set(c["status"]) == {"token", "expirationTimestamp"}
	end = datetime.datetime.strptime(c["status"]["expirationTimestamp"], "%Y-%m-%dT%H:%M:%SZ")
	assert end > datetime.datetime.utcnow()
	print(c["status"]["token"])
	END
	accepted "$(cat "$T/token")"
}
executable_by_python() {
	format executable
	/usr/bin/python3 - "$T/out" >"$T/token" <<-'END'
	import json, sys, time
	r = json.load(open(sys.argv[1]))
	assert r["version"] == 1 and r["success"] is True, r
	assert r["token_type"] == "urn:ietf:params:oauth:token-type:jwt"
	assert time.time() < r["expiration_time"] < time.time() + 86400
	print(r["id_token"])
	END
	accepted "$(cat "$T/token")"
}
executable_tells_failures() {
	expect 13 "$P11OAUTH" token lab --format executable --client-id stranger
	one_line_out
	jq -e '.version == 1 and .success == false and .code == "13" and (.message | test("invalid_client"))' "$T/out"
	[ "$(wc -l <"$T/err")" -eq 1 ]
	has "$T/err" "p11oauth: token: profile 'lab': "
	expect 3 "$P11OAUTH" token other --format executable
	jq -e '.success == false and (.message | test("no profile"))' "$T/out"
	# the others leave standard output empty
	fails 13 invalid_client "$P11OAUTH" token lab --format env --client-id stranger
}
unknown_format_lists_them() {
	fails 2 "'jso' is none of raw, json, header, env, kube-exec-credential, executable" \
		"$P11OAUTH" token lab --format jso
}
json_and_another_format() {
	expect 2 "$P11OAUTH" token lab --json --format env
	jq -e '.error.exit == 2' "$T/err"
	empty "$T/out"
}
into_a_file() {
	expect 0 "$P11OAUTH" token lab --format env --output "$T/env"
	empty "$T/out"
	[ "$(stat -c %a "$T/env")" = 600 ]
	[ "$(wc -l <"$T/env")" -eq 2 ]
}

# ---- how long it lives -------------------------------------------------------
life_that_is_enough() {
	expect 0 "$P11OAUTH" token lab --json
	life=$(jq .expires_in "$T/out")
	for command in token header; do
		expect 0 "$P11OAUTH" "$command" lab --min-valid "$life"
		fails 14 "access token for $life s, and --min-valid asks for $((life + 1))" \
			"$P11OAUTH" "$command" lab --min-valid $((life + 1))
	done
	fails 14 --min-valid "$P11OAUTH" exec lab --min-valid $((life + 1)) -- touch "$T/ran"
	[ ! -e "$T/ran" ]
}
# --wait is the retry-time when there is no agent
server_that_is_away() {
	started=$(date +%s)
	expect 12 "$P11OAUTH" token lab --wait 2 --token-endpoint https://127.0.0.1:1/token
	[ $(($(date +%s) - started)) -le 30 ]
	has "$T/err" "trying again"
	fails 12 "refused" "$P11OAUTH" token lab --wait 60 --retry-time 0 --token-endpoint https://127.0.0.1:1/token
}

# ---- who is asked ----------------------------------------------------------
no_agent_runs() {
	expect 0 "$P11OAUTH" token lab --no-agent
	expect 0 "$P11OAUTH" token lab --socket "$T/none"
	fails 16 "no agent can be reached at '$T/none': No such file" \
		"$P11OAUTH" token lab --agent-only --socket "$T/none"
	has "$T/err" "p11oauth agent"
	fails 16 "$T/none" "$P11OAUTH" header lab --agent-only --socket "$T/none"
	fails 16 "$T/none" "$P11OAUTH" exec lab --agent-only --socket "$T/none" -- true
}
what_an_agent_cannot_be_told() {
	fails 2 "--client-id: the agent takes no such setting" "$P11OAUTH" token lab --agent-only --client-id x
	P11OAUTH_LIFETIME=60
	export P11OAUTH_LIFETIME
	fails 2 "P11OAUTH_LIFETIME: the agent takes no such setting" "$P11OAUTH" token lab --agent-only
	expect 0 "$P11OAUTH" token lab
}
options_that_exclude_each_other() {
	fails 2 "--no-agent and --agent-only" "$P11OAUTH" token lab --no-agent --agent-only
	fails 2 "--no-agent and --socket" "$P11OAUTH" token lab --no-agent --socket "$T/x"
	fails 2 "no profile is named" "$P11OAUTH" token --agent-only
}
both_are_named_when_neither_is_there() {
	fails 3 "no profile 'other'; there is: lab; and no agent runs at '$W/agent.sock'" "$P11OAUTH" token other
}

run_tests raw_is_the_default json_by_jq header_by_curl env_by_a_shell \
	kube_by_python executable_by_python executable_tells_failures \
	unknown_format_lists_them json_and_another_format into_a_file \
	life_that_is_enough server_that_is_away no_agent_runs \
	what_an_agent_cannot_be_told options_that_exclude_each_other \
	both_are_named_when_neither_is_there
