#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The suite on a token of another process; and what happens when it is killed.
TOKEN=p11-kit-client
. "$top_srcdir/tests/tokens/suite.sh"

# The server forks a child for each connection, which has it alone.
kill_server() {
	server=$(pid_of p11-kit)
	children=$(cat "/proc/$server/task/$server/children")
	# shellcheck disable=SC2086 # a list of pids
	[ -z "$children" ] || kill -KILL $children
	stop_server p11-kit KILL
}
restart() { kill_server; p11_kit_server_start; }
killed_between_commands() {
	expect 0 "$P11OAUTH" assertion rsa
	kill_server
	got=0; "$P11OAUTH" assertion rsa >"$T/out" 2>"$T/err" || got=$?
	cat "$T/err"
	[ "$got" -eq 4 ] || [ "$got" -eq 10 ]
	one_line
	p11_kit_server_start
	expect 0 "$P11OAUTH" assertion rsa
}
killed_between_login_and_signature() {
	during C_SignInit restart
	during C_Sign restart
	during C_GetSlotList restart
}

suite_run killed_between_commands killed_between_login_and_signature
