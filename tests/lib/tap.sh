# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Each test is a shell function, run in a subshell with set -eu in its own
# empty directory $T. Output goes to the log as TAP comments. A test that
# needs something absent calls `skip REASON`; with P11OAUTH_TEST_REQUIRE=1 (CI)
# a skip is a failure, so that a broken set-up cannot look green.
tap_n=0
tap_failed=0
P11OAUTH=${P11OAUTH:-$top_builddir/p11oauth}

skip() { echo "$*" >"$T/.skip"; exit 77; }

# expect STATUS COMMAND...: runs COMMAND, keeps $T/out and $T/err.
expect() {
	want=$1; shift
	got=0; "$@" >"$T/out" 2>"$T/err" || got=$?
	[ "$got" -eq "$want" ] && return 0
	echo "expected exit $want, got $got: $*"; cat "$T/err"; return 1
}

has() { grep -qF -e "$2" "$1" || { echo "no '$2' in:"; cat "$1"; return 1; }; }
hasnt() { ! grep -qF -e "$2" "$1" || { echo "'$2' in:"; cat "$1"; return 1; }; }
empty() { [ ! -s "$1" ] || { echo "not empty:"; cat "$1"; return 1; }; }

# refuses COMMAND...: COMMAND fails. (A plain `! COMMAND` is exempt from -e.)
refuses() {
	if "$@"; then echo "should have failed: $*"; return 1; fi
}

# Under `set -e` a function called in an `if` or `||` loses -e; so run it as
# a separate subshell and look at its status afterwards.
run_test() {
	tap_n=$((tap_n + 1))
	T=$(mktemp -d) || exit 99
	set +e
	# what the program remembers of refused PINs ends with the test
	(trap - EXIT; umask 077; set -eu; XDG_STATE_HOME=$T/.state; export XDG_STATE_HOME
		cd "$T" || exit 99; "$1") >"$T/.log" 2>&1
	rc=$?
	set -e
	awk '{ print "# " $0 }' "$T/.log" # ends its last line, which sed does not
	if [ "$rc" -eq 77 ] && [ -e "$T/.skip" ] && [ -z "${P11OAUTH_TEST_REQUIRE:-}" ]; then
		echo "ok $tap_n - $1 # SKIP $(cat "$T/.skip")"
	elif [ "$rc" -eq 0 ]; then
		echo "ok $tap_n - $1"
	else
		echo "not ok $tap_n - $1"; tap_failed=1
	fi
	rm -rf "$T"
}

run_tests() {
	echo "1..$#"
	for t in "$@"; do run_test "$t"; done
	exit "$tap_failed"
}
