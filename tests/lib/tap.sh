# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Each test is a shell function, run in a subshell with set -eu in its own
# empty directory $T. Output goes to the log as TAP comments. A test that
# needs something absent calls `skip REASON`; with P11OAUTH_TEST_REQUIRE=1 (CI)
# a skip is a failure, so that a broken set-up cannot look green.
tap_n=0
tap_failed=0
tap_shell=${BASH:-sh}
tap_environment=$(export -p) # in this shell's words
PATH=$PATH:/usr/sbin:/sbin # of daemons; not everybody's has them
P11OAUTH=${P11OAUTH:-$top_builddir/p11oauth}

# Begins in less than half of jq's time, and knows the same language; it sorts
# the members of what it prints.
jq() { gojq "$@"; }

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

# call_row ROW: what runs a row. A script whose rows are not functions has its own.
call_row() { "$1"; }

# Under `set -e` a function called in an `if` or `||` loses -e; so run it as
# a separate subshell and look at its status afterwards.
run_test() {
	tap_n=$((tap_n + 1))
	T=$(mktemp -d) || exit 99
	set +e
	# what the program remembers of refused PINs ends with the test
	(trap - EXIT; umask 077; set -eu; XDG_STATE_HOME=$T/.state; export XDG_STATE_HOME
		cd "$T" || exit 99; call_row "$1") >"$T/.log" 2>&1
	rc=$?
	set -e
	[ ! -s "$T/.log" ] || awk '{ print "# " $0 }' "$T/.log" # ends its last line, which sed does not
	if [ "$rc" -eq 77 ] && [ -e "$T/.skip" ] && [ -z "${P11OAUTH_TEST_REQUIRE:-}" ]; then
		echo "ok $tap_n - $1 # SKIP $(cat "$T/.skip")"
	elif [ "$rc" -eq 0 ]; then
		echo "ok $tap_n - $1"
	else
		echo "not ok $tap_n - $1"; tap_failed=1
	fi
	# what a row left running may still be writing
	rm -rf "$T" 2>/dev/null || { sleep 1; rm -rf "$T"; } || true
}

# ---- rows that want to be root ---------------------------------------------------
#
# In the list for run_tests, ns:ROW wants what root of a user namespace may, and
# root:ROW more than that, such as other users. Who is neither has these rows run by
# a second run of the script, in such a namespace or, when P11OAUTH_TEST_SUDO=1
# (contrib/check sets it), by sudo. Where neither is there they are not in the plan
# and a line counts them; with P11OAUTH_TEST_REQUIRE=1 they fail.

# rank: what we are, "root", "ns" or "own".
rank() {
	if [ "$(id -u)" -ne 0 ]; then
		echo own
	elif grep -q ' 1$' /proc/self/uid_map; then # there is no other user
		echo ns
	else
		echo root
	fi
}
# rows_of KIND ROW...: the rows of that kind ("own": of none), a line each.
rows_of() {
	rows_kind=$1; shift
	for row in "$@"; do
		case $row in
		root:* | ns:*) [ "${row%%:*}" != "$rows_kind" ] || echo "${row#*:}" ;;
		*) [ "$rows_kind" != own ] || echo "$row" ;;
		esac
	done
}
# way_to KIND: the words before a command by which it may do what such rows want.
way_to() {
	if [ "$1" = ns ] && unshare --user --map-root-user true 2>/dev/null; then
		echo unshare --user --map-root-user
	elif [ "${P11OAUTH_TEST_SUDO-}" = 1 ] && sudo -n true 2>/dev/null; then
		echo sudo -n
	fi
}
# again WAY FIRST ROW...: the script once more, for these rows alone.
again() {
	again_way=$1 again_first=$2; shift 2
	# shellcheck disable=SC2086 # words of a command
	$again_way "$tap_shell" -c "$tap_environment
		P11OAUTH_TEST_FIRST=$again_first P11OAUTH_TEST_ROWS='$*' exec $tap_shell \"\$0\"" "$0"
}
# elsewhere KIND WAY ROW...
elsewhere() {
	elsewhere_kind=$1 elsewhere_way=$2; shift 2
	if [ $# -eq 0 ]; then
		return
	elif [ -n "$elsewhere_way" ] && [ -n "${P11OAUTH_TEST_LEFT-}" ]; then
		echo "$tap_n $*" >"$P11OAUTH_TEST_LEFT" # for namespaces.sh, which is outside
		tap_n=$((tap_n + $#))
	elif [ -n "$elsewhere_way" ]; then
		again "$elsewhere_way" "$tap_n" "$@" || tap_failed=1
		tap_n=$((tap_n + $#))
	elif [ -n "${P11OAUTH_TEST_REQUIRE:-}" ]; then
		for row in "$@"; do
			tap_n=$((tap_n + 1)) tap_failed=1
			echo "not ok $tap_n - $row: it wants root; $elsewhere_kind rows need $(
				[ "$elsewhere_kind" = root ] || echo "user namespaces or ")sudo with P11OAUTH_TEST_SUDO=1"
		done
	else
		echo "# rows that want root: $#"
	fi
}

# What this Debian does without is in tests/suites/, and in the summary.
suite_list=$top_srcdir/tests/suites/$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
[ -f "$suite_list" ] || suite_list=/dev/null
# suite_lacks SCRIPT ROW, or suite_lacks package NAME
suite_lacks() { grep -q "^$1 $2 " "$suite_list"; }
# in_suite ROW...: without those.
in_suite() {
	printf '%s\n' "$@" | awk -v script="tests/${0##*/tests/}" '
		FILENAME != "-" { lacks[$1, $2] = 1; next }
		{ row = $0; sub(/.*:/, "", row) }
		!((script, row) in lacks)' "$suite_list" -
}

# run_tests ROW...
run_tests() {
	# shellcheck disable=SC2046 # a list of words
	set -- $(in_suite "$@")
	if [ -n "${P11OAUTH_TEST_ROWS-}" ]; then # the second run; the first has the plan
		tap_n=$P11OAUTH_TEST_FIRST
		for t in $P11OAUTH_TEST_ROWS; do run_test "$t"; done
		exit "$tap_failed"
	fi
	way_ns='' way_root=''
	case $(rank) in
	root)
		tap_here=$(for row in "$@"; do echo "${row#*:}"; done) tap_ns='' tap_root='' ;;
	ns)
		tap_here=$(for row in "$@"; do rows_of own "$row"; rows_of ns "$row"; done)
		tap_ns='' tap_root=$(rows_of root "$@") way_root=${P11OAUTH_TEST_LEFT_WAY-} ;;
	own)
		tap_here=$(rows_of own "$@") tap_ns=$(rows_of ns "$@") tap_root=$(rows_of root "$@")
		way_ns=$(way_to ns) way_root=$(way_to root) ;;
	esac
	# shellcheck disable=SC2086 # lists of words
	{
		set -- $tap_here
		[ -z "$way_ns${P11OAUTH_TEST_REQUIRE-}" ] || set -- "$@" $tap_ns
		[ -z "$way_root${P11OAUTH_TEST_REQUIRE-}" ] || set -- "$@" $tap_root
		echo "1..$#"
		for t in $tap_here; do run_test "$t"; done
		elsewhere ns "$way_ns" $tap_ns
		elsewhere root "$way_root" $tap_root
	}
	exit "$tap_failed"
}
