#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# exec: a command takes the program's place, with an access token that a
# resource server accepts, and with everything else as the caller has it.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
start_server as "$top_srcdir/contrib/sandbox/sandbox.py" --state "$W/as" \
	--client "job=$W/rsa.pem"
# the module logs its calls and is SoftHSM otherwise
P11FAULT_MODULE=$SOFTHSM_MODULE
export P11FAULT_MODULE
profile lab 'client-id = "job"' "token-endpoint = \"$TOKEN_ENDPOINT\"" "cacert = \"$SERVER_CA\"" \
	'scope = "system/*.read"' 'algorithm = "RS384"' 'kid = "x5t-hex"' \
	"module = \"$top_builddir/tests/fault/fault-module.so\"" \
	"pin-from = \"file:$SOFTHSM_PIN_FILE\"" 'key = "pkcs11:token=lab;object=rsa"'
FHIR=$FHIR_BASE
CA=$SERVER_CA
export FHIR CA

run_lab() { expect "$1" "$P11OAUTH" exec lab -- "$2" "$3" "$4"; }

access_token_is_accepted() {
	# shellcheck disable=SC2016 # for the command's shell
	run_lab 0 sh -c 'curl -sf --cacert "$CA" -H "Authorization: Bearer $ACCESS_TOKEN" "$FHIR/Patient"'
	jq -e .resourceType "$T/out"
	empty "$T/err"
	refuses curl -sf --cacert "$CA" -H 'Authorization: Bearer x' "$FHIR/Patient"
}
end_is_told() {
	now=$(date +%s)
	expect 0 "$P11OAUTH" exec lab -- printenv ACCESS_TOKEN_EXPIRES_AT
	[ "$(cat "$T/out")" -gt "$now" ]
	[ "$(cat "$T/out")" -le $((now + 86400)) ]
}
name_is_ones_own() {
	expect 0 env ACCESS_TOKEN=kept FHIR_EXPIRES_AT=old FHIR_X=kept "$P11OAUTH" exec lab --env FHIR -- env
	[ "$(grep -c '^FHIR=' "$T/out")" -eq 1 ]
	[ "$(grep -c '^FHIR_EXPIRES_AT=[1-9][0-9]*$' "$T/out")" -eq 1 ]
	grep -q '^ACCESS_TOKEN=kept$' "$T/out"
	grep -q '^FHIR_X=kept$' "$T/out"
}
old_value_is_gone() {
	expect 0 env ACCESS_TOKEN=old ACCESS_TOKEN_EXPIRES_AT=1 "$P11OAUTH" exec lab -- env
	[ "$(grep -c '^ACCESS_TOKEN=' "$T/out")" -eq 1 ]
	hasnt "$T/out" ACCESS_TOKEN=old
	[ "$(grep -c '^ACCESS_TOKEN_EXPIRES_AT=' "$T/out")" -eq 1 ]
	refuses grep -x 'ACCESS_TOKEN_EXPIRES_AT=1' "$T/out"
}
name_that_is_none() {
	fails 2 "is no name of an environment variable" "$P11OAUTH" exec lab --env 'A=B' -- true
}

status_is_the_commands() {
	run_lab 0 sh -c 'exit 0'
	run_lab 3 sh -c 'exit 3'
	run_lab 77 sh -c 'exit 77'
	# shellcheck disable=SC2016
	run_lab 143 sh -c 'kill -TERM $$' # as shells count signals
}
no_such_command() { fails 127 "cannot run '/nowhere/at-all': No such file" "$P11OAUTH" exec lab -- /nowhere/at-all; }
name_not_in_path() { fails 127 "no-such-command-here" "$P11OAUTH" exec lab -- no-such-command-here; }
what_is_not_executable_is_said() {
	printf 'x' >"$T/plain"
	fails 126 "cannot run '$T/plain': Permission denied" "$P11OAUTH" exec lab -- "$T/plain"
}
a_folder_is_no_command() { fails 126 "Permission denied" "$P11OAUTH" exec lab -- "$T"; }
nothing_runs_without_an_access_token() {
	fails 3 "no profile 'other'" "$P11OAUTH" exec other -- touch "$T/ran"
	fails 13 invalid_client "$P11OAUTH" exec lab --client-id stranger -- touch "$T/ran"
	[ ! -e "$T/ran" ]
}
no_command_is_usage() {
	fails 2 "it comes after '--'" "$P11OAUTH" exec lab
	fails 2 "it comes after '--'" "$P11OAUTH" exec lab --
	fails 2 "unexpected 'true'" "$P11OAUTH" exec lab true
}

arguments_are_not_looked_at() {
	expect 0 "$P11OAUTH" exec lab -- printf '<%s>' --json -- -h '' 'a  b' --env
	[ "$(cat "$T/out")" = '<--json><--><-h><><a  b><--env>' ]
	refuses grep -q . "$T/err"
}
profile_may_come_from_the_environment() {
	expect 0 env P11OAUTH_PROFILE=lab "$P11OAUTH" exec -- printenv ACCESS_TOKEN
	[ -s "$T/out" ]
}
streams_are_the_commands() {
	seq 1 20000 >"$T/in"
	"$P11OAUTH" exec lab -- cat <"$T/in" >"$T/out" 2>"$T/err"
	cmp "$T/in" "$T/out"
	empty "$T/err"
	"$P11OAUTH" exec lab -- sh -c 'echo out; echo err >&2' >"$T/out" 2>"$T/err"
	[ "$(cat "$T/out" "$T/err" | tr '\n' ' ')" = "out err " ]
}

signals_reach_the_command() {
	# shellcheck disable=SC2016
	"$P11OAUTH" exec lab -- sh -c 'trap "echo trapped >$1/trapped; exit 9" TERM; echo $$ >$1/pid.new
		mv $1/pid.new $1/pid; while :; do sleep 0.1; done' sh "$T" &
	pid=$!
	tries=0
	until [ -e "$T/pid" ]; do
		tries=$((tries + 1)); [ "$tries" -lt 200 ]
		sleep 0.1 # polling for the command; bounded
	done
	[ "$(cat "$T/pid")" -eq "$pid" ] # the same process: no child
	kill -TERM "$pid"
	got=0; wait "$pid" || got=$?
	[ "$got" -eq 9 ]
	[ -e "$T/trapped" ]
}

# mask, signals (1 to 28; the C library has some for itself) and limits as a
# program sees them that was started directly
PROBE='umask; sed -nE "s/^(Sig...:).*(.{7})$/\1\2/p" /proc/self/status; cat /proc/self/limits'
same_as_without() {
	"$@" sh -c "$PROBE" >"$T/direct"
	"$@" "$P11OAUTH" exec lab -- sh -c "$PROBE" >"$T/by-exec"
	grep -q '^SigIgn' "$T/direct"
	diff "$T/direct" "$T/by-exec"
}
process_is_as_it_was() {
	# AddressSanitizer has a limit of its own
	ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}disable_coredump=0
	export ASAN_OPTIONS
	same_as_without env
	umask 027
	same_as_without env
	(trap '' HUP PIPE; same_as_without env)
	same_as_without /usr/bin/python3 -c 'import os, resource, sys
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (4096 if hard < 0 or hard > 4096 else hard, hard))
os.execvp(sys.argv[1], sys.argv[1:])'
}
# the listing's own descriptor is in both
LIST='import os; print(sorted(os.listdir("/proc/self/fd")))'
no_descriptor_leaks() {
	# closes what the harness left open
	expect 0 /usr/bin/python3 -c 'import subprocess, sys; sys.exit(subprocess.call(sys.argv[1:]))' \
		"$P11OAUTH" exec lab -- /usr/bin/python3 -c "$LIST"
	[ "$(cat "$T/out")" = "['0', '1', '2', '3']" ]
}
descriptors_of_the_caller_stay() {
	echo canary >"$T/seven"
	"$P11OAUTH" exec lab -- sh -c 'cat <&7' 7<"$T/seven" >"$T/out"
	[ "$(cat "$T/out")" = canary ]
}
token_is_closed_before() {
	P11FAULT_LOG=$T/calls "$P11OAUTH" exec lab -- sh -c 'cat "$1"' sh "$T/calls" >"$T/out"
	grep -q '^C_Sign' "$T/out"
	[ "$(tail -n 1 "$T/out" | cut -d' ' -f1)" = C_Finalize ]
}
secrets_stay_out_of_argv() {
	# shellcheck disable=SC2016
	"$P11OAUTH" exec lab -- sh -c 'printenv ACCESS_TOKEN >"$1"; tr "\0" "\n" </proc/$$/cmdline' sh "$T/token" >"$T/out"
	[ "$(wc -c <"$T/token")" -gt 20 ]
	hasnt "$T/out" "$(cat "$T/token")"
}
pin_stays_behind() {
	LAB_PIN=739154
	export LAB_PIN
	expect 0 "$P11OAUTH" exec lab --pin-from env:LAB_PIN -- env
	has "$T/out" ACCESS_TOKEN=
	hasnt "$T/out" LAB_PIN
	hasnt "$T/out" 739154
	# those of all keys
	SPARE_PIN=739154
	export SPARE_PIN
	expect 0 "$P11OAUTH" exec lab --key 'pkcs11:token=lab;object=rsa' --key 'pkcs11:token=spare' \
		--pin-from env:LAB_PIN --pin-from env:SPARE_PIN -- env
	hasnt "$T/out" _PIN
	hasnt "$T/out" 739154
}

run_tests access_token_is_accepted end_is_told name_is_ones_own \
	old_value_is_gone name_that_is_none status_is_the_commands \
	no_such_command name_not_in_path what_is_not_executable_is_said \
	a_folder_is_no_command nothing_runs_without_an_access_token \
	no_command_is_usage arguments_are_not_looked_at \
	profile_may_come_from_the_environment streams_are_the_commands \
	signals_reach_the_command process_is_as_it_was no_descriptor_leaks \
	descriptors_of_the_caller_stay token_is_closed_before \
	secrets_stay_out_of_argv pin_stays_behind
