#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the agent puts on record: each signature with who caused it, each access
# token with who got it; and no signature where nothing can be recorded.
. "$top_srcdir/tests/tokens/namespaces.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent.sh"

agent_world

# job PATH: a process of its own asks; sets JOB_PID and STATUS.
job() {
	job_path=$1
	# shellcheck disable=SC2016 # the inner shell's own
	sh -c 'echo $$; exec curl -s --max-time 30 -o "$1" -w "%{http_code}\n" --unix-socket "$2" "$3"' sh \
		"$T/body" "$AGENT_SOCKET" "http://localhost$job_path" >"$T/job"
	JOB_PID=$(head -n 1 "$T/job")
	STATUS=$(tail -n 1 "$T/job")
}
# each_jti_once FILE...: of all that the server saw.
each_jti_once() {
	jq -r .jti "$W/requests" >"$T/jtis"
	[ -s "$T/jtis" ]
	while read -r jti; do
		[ "$(cat "$@" | grep -c "$jti")" -eq 1 ] || { echo "not once: $jti"; return 1; }
		cat "$@" | jq -se --arg jti "$jti" '[.[] | select(.jti == $jti)] |
			length == 1 and .[0].event == "sign"' >/dev/null
	done <"$T/jtis"
	# and none that the server did not see
	cat "$@" | jq -r 'select(.event == "sign") | .jti' | sort >"$T/signed"
	sort "$T/jtis" | diff - "$T/signed"
	for file in "$@"; do "$P11OAUTH" audit verify "$file"; done
}

who_caused_it() {
	own_world
	lab_profile lab 'allow-scope = { "system/Patient.read" }'
	agent_start agent
	for path in /v1/token/lab '/v1/token/lab?force_new=1' '/v1/token/lab?scope=system/Patient.read'; do
		job "$path"
		[ "$STATUS" = 200 ]
		ledger "[.[] | select(.event == \"sign\")][-1].peer | .pid == $JOB_PID and .uid == $(id -u) and
			.gid == $(id -g) and (.executable | endswith(\"/curl\"))"
	done
	ledger '[.[] | select(.event == "sign")] | length == 3 and (.[2].scope == "system/Patient.read")
		and all(.profile == "lab" and .client_id == "backend" and .use == "assertion" and .alg == "RS384"
		and .token.label == "lab" and (.spki | test("^[0-9a-f]{64}$")) and .exp > 0)'
	jq -r .spki "$(LEDGER)" | grep -qx "$(openssl pkey -in "$W/rsa.key" -pubout -outform DER | sha256sum | cut -d ' ' -f 1)"
	each_jti_once "$(LEDGER)"
}
renewals_have_nobody() {
	own_world
	lab_profile lab
	told 200+expires_in=3
	agent_start agent
	job /v1/token/lab
	within 10 test_signs 2
	ledger "[.[] | select(.event == \"sign\")] | .[0].peer.pid == $JOB_PID and (.[1:] | all(has(\"peer\") and .peer == null))"
	told hold
	stop_server agent
	told 200
	"$P11OAUTH" audit verify "$(LEDGER)"
}
test_signs() { [ "$(calls C_Sign)" -ge "$1" ]; }
each_hand_out() {
	own_world
	lab_profile lab
	agent_start agent
	pids=
	for times in 1 2 3 4 5; do
		job /v1/token/lab
		[ "$STATUS" = 200 ]
		pids="$pids,$JOB_PID"
	done
	ledger "[.[] | select(.event == \"issue\")] | length == $times and ([.[].peer.pid] == [${pids#,}])"
	ledger '([.[] | select(.event == "sign")] | length == 1 and .[0].seq) as $seq |
		[.[] | select(.event == "issue")] | all(.of == 2 and .profile == "lab" and .scope == "system/*.read" and .expires_at > 0)'
	value=$(jq -r .access_token "$T/body")
	ledger "[.[] | select(.event == \"answer\")] | length == 1 and .[0].of == 2 and .[0].status == \"ok\" and
		.[0].http_status == 200 and .[0].access_token == \"sha256:$(printf %s "$value" | sha256sum | cut -c 1-16)\""
	hasnt "$(LEDGER)" "$value"
	# a client that was refused, and one that got an error, are no hand-outs
	job '/v1/token/lab?scope=x'
	told 503
	job '/v1/token/lab?force_new=1'
	[ "$STATUS" = 503 ]
	ledger '[.[] | select(.event == "issue")] | length == 5'
	ledger '[.[] | select(.event == "answer")][-1] | .status == "server" and .http_status == 503 and (has("access_token") | not)'
	each_jti_once "$(LEDGER)"
}
start_and_stop() {
	own_world
	lab_profile lab
	agent_start agent
	answers 200 /v1/token/lab
	first=$AGENT_PID
	stop_server agent
	agent_start agent
	answers 200 /v1/status
	is "([.ledger.path, .ledger.seq] | . == [\"$(LEDGER)\", $(wc -l <"$(LEDGER)")]) and
		.ledger.hash == \"$(tail -n 1 "$(LEDGER)" | jq -r .hash)\""
	stop_server agent
	ledger "[.[] | select(.event == \"start\") | .pid] == [$first, $AGENT_PID]"
	ledger '[.[] | select(.event == "stop") | .status] == ["ok", "ok"]'
	ledger '[.[].seq] == [range(1; length + 1)]'
	"$P11OAUTH" audit verify "$(LEDGER)"
}
beside_other_commands() {
	own_world
	lab_profile lab
	agent_start agent
	for i in 1 2 3 4 5 6; do
		spawn "one-shot-$i" "$P11OAUTH" token lab --no-agent
		spawn "asks-$i" curl -sS --unix-socket "$AGENT_SOCKET" 'http://localhost/v1/token/lab?force_new=1'
	done
	for i in 1 2 3 4 5 6; do
		for name in "one-shot-$i" "asks-$i"; do
			wait "$(pid_of "$name")" || { echo "$name: exit $?"; cat "$W/$name.err"; return 1; }
		done
	done
	each_jti_once "$(LEDGER)"
}

# ---- nowhere to write -----------------------------------------------------------------

# a folder of 64 KiB, and nothing free in it
small_folder() {
	mkdir "$T/small"
	mount -t tmpfs -o size=64k tmpfs "$T/small"
}
fill() { dd if=/dev/zero of="$T/small/filler" bs=4096 2>/dev/null || true; }
required_on_a_full_disk() {
	own_world
	small_folder
	lab_profile lab 'audit = "required"' "audit-file = \"$T/small/audit.jsonl\""
	agent_start agent
	fill
	job /v1/token/lab
	cat "$T/body"
	[ "$STATUS" = 500 ]
	is '.error | .exit == 3 and .status == "config"'
	[ "$(calls C_Sign)" -eq 0 ]
	[ "$(requests)" -eq 0 ]
	# once more, with patience: still none
	job '/v1/token/lab?wait=2'
	[ "$STATUS" = 500 ]
	[ "$(calls C_Sign)" -eq 0 ]
	answers 200 /healthz
	rm "$T/small/filler"
	within 10 gets /v1/token/lab
	[ "$(calls C_Sign)" -eq 1 ]
	# one that is kept is not handed out unrecorded either
	fill
	handed=0 refused=0
	for times in $(seq 60); do # what is left of the file's last page
		job /v1/token/lab
		if [ "$STATUS" = 200 ]; then handed=$((handed + 1)); else refused=$((refused + 1)); fi
	done
	echo "$times requests: $handed had it, $refused did not"
	[ "$refused" -ge 1 ]
	[ "$(grep -c '"event":"issue"' "$T/small/audit.jsonl")" -eq $((handed + 1)) ]
	rm "$T/small/filler"
	within 10 gets /v1/token/lab
	"$P11OAUTH" audit verify "$T/small/audit.jsonl"
	stop_server agent
	umount "$T/small"
}
wished_on_a_full_disk() {
	own_world
	small_folder
	lab_profile lab "audit-file = \"$T/small/audit.jsonl\""
	agent_start agent
	fill
	job /v1/token/lab
	[ "$STATUS" = 200 ]
	logged "warning"
	stop_server agent
	umount "$T/small"
}
required_and_no_folder() {
	own_world
	lab_profile lab 'audit = "required"' "audit-file = \"/proc/nowhere/audit.jsonl\""
	agent_start agent
	errs 500 config 3 "" /v1/token/lab
	[ "$(calls C_Sign)" -eq 0 ]
	[ "$(requests)" -eq 0 ]
}
audit_off_records_nothing() {
	own_world
	lab_profile quiet 'audit = "off"'
	agent_start agent
	answers 200 /v1/token/quiet
	ledger '[.[].event] == ["start"]'
}
each_its_own() {
	own_world
	lab_profile one "audit-file = \"$T/one.jsonl\""
	lab_profile two "audit-file = \"$T/two.jsonl\"" 'audit = "required"'
	lab_profile rest
	agent_start agent
	for name in one two rest two; do answers 200 "/v1/token/$name?force_new=1"; done
	answers 403 '/v1/token/two?scope=x'
	for name in one two; do
		ledger "[.[].profile | values] | unique == [\"$name\"]" "$T/$name.jsonl"
		ledger '.[0].seq == 1 and ([.[].event] | index("start") == null)' "$T/$name.jsonl"
		[ "$(stat -c %a "$T/$name.jsonl")" = 600 ]
	done
	ledger '[.[].event] == ["sign", "answer", "issue", "sign", "answer", "issue", "refuse"]' "$T/two.jsonl"
	ledger '[.[].profile | values] | unique == ["rest"]'
	each_jti_once "$T/one.jsonl" "$T/two.jsonl" "$(LEDGER)"
}

run_tests who_caused_it renewals_have_nobody each_hand_out start_and_stop \
	beside_other_commands required_on_a_full_disk wished_on_a_full_disk \
	required_and_no_folder audit_off_records_nothing each_its_own
