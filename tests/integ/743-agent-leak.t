#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A module that leaks: its worker is replaced, and nobody notices.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent.sh"

agent_world
lab_profile lab

# force N: as many access tokens, each by a signature of its own.
force() {
	i=0
	while [ "$i" -lt "$1" ]; do
		answers 200 '/v1/token/lab?force_new=1'
		i=$((i + 1))
	done
}
leaks_open_files() {
	agent_start leaky env P11FAULT_LEAK=8
	force 1
	first=$(agent_process agent-worker)
	force 20
	has "$W/leaky.err" "leaks open files; it is replaced"
	[ "$(agent_process agent-worker)" != "$first" ]
	gone 10 "$first"
	expect 0 "$P11OAUTH" status --socket "$AGENT_SOCKET" --json
	jq -e '.workers[0].restarts >= 1' "$T/out"
}
does_not_leak() {
	agent_start tight
	force 1
	first=$(agent_process agent-worker)
	force 40
	hasnt "$W/tight.err" "leaks"
	[ "$(agent_process agent-worker)" = "$first" ]
}

run_tests leaks_open_files does_not_leak
