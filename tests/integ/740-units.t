#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The units of contrib/systemd, as installed: sound, with each drop-in and all of
# them, and as closed as they were.
. "$top_srcdir/tests/lib/tap.sh"
W=$(mktemp -d) || exit 99
trap 'rm -rf "$W"' EXIT
MAX_EXPOSURE=1.6 # lower it when a line is added
DROPINS=$top_srcdir/contrib/systemd/p11oauth-agent.service.d

# where the Makefile puts a folder
installed_in() {
	printf 'print-it:\n\t@echo "$(%s)"\n' "$1" |
		MAKEFLAGS="" make -s --no-print-directory -C "$top_builddir" -f Makefile -f - print-it
}
# unit_files DIR [user]: the units as they would be installed, in DIR, for a program
# that is here: `systemd-analyze verify` looks for it.
unit_files() {
	mkdir -p "$1"
	for unit in "$top_builddir/contrib/systemd/${2-}"/p11oauth-agent.* \
		"$top_srcdir/contrib/systemd/${2-}"/p11oauth-agent.socket; do
		case $unit in *.in | *.d) continue ;; esac
		[ -e "$unit" ] || continue
		sed "s,^ExecStart=.*/p11oauth ,ExecStart=$(cd "$(dirname "$P11OAUTH")" && pwd)/p11oauth ," \
			"$unit" >"$1/${unit##*/}"
	done
	[ "$(find "$1" -name 'p11oauth-agent.*' -type f | wc -l)" -eq 2 ]
}
# verify DIR [--user]: clean, without a word
verify() {
	dir=$1; shift
	SYSTEMD_UNIT_PATH=$dir: systemd-analyze verify "$@" --man=no --recursive-errors=no \
		p11oauth-agent.service p11oauth-agent.socket >"$T/said" 2>&1 ||
		{ cat "$T/said"; return 1; }
	grep p11oauth "$T/said" >"$T/ours" || true
	empty "$T/ours"
}
exposure() {
	systemd-analyze security --offline=true "$1" | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p'
}
has_systemd() { command -v systemd-analyze >/dev/null || skip "no systemd-analyze"; }

program_and_configuration_are_where_they_are_installed() {
	bin=$(installed_in bindir) etc=$(installed_in sysconfdir)
	[ -n "$bin" ] && [ -n "$etc" ]
	for unit in "$top_builddir"/contrib/systemd/p11oauth-agent.service \
		"$top_builddir"/contrib/systemd/user/p11oauth-agent.service; do
		grep -qxF "ExecStart=$bin/p11oauth agent" "$unit"
	done
	for unit in service socket; do
		grep -qxF "ConditionPathExists=$etc/p11oauth/p11oauth.conf" \
			"$top_builddir/contrib/systemd/p11oauth-agent.$unit"
	done
	refuses grep -rn '@[a-z]*@' "$top_builddir/contrib/systemd" --include='p11oauth*'
}
system_units_are_sound() {
	has_systemd
	unit_files "$T/units"
	verify "$T/units"
	# the test can see a fault
	sed -i 's/^KillMode=.*/KillMode=sometimes/' "$T/units/p11oauth-agent.service"
	refuses verify "$T/units"
}
user_units_are_sound() {
	has_systemd
	unit_files "$T/units" user
	XDG_RUNTIME_DIR=$T verify "$T/units" --user
}
drop_ins_are_sound() {
	has_systemd
	unit_files "$T/units"
	mkdir "$T/units/p11oauth-agent.service.d"
	n=0
	for dropin in "$DROPINS"/*.conf; do
		cp "$dropin" "$T/units/p11oauth-agent.service.d"
		verify "$T/units" || { echo "with $dropin"; return 1; }
		grep -q "contrib/systemd/p11oauth-agent.service.d/${dropin##*/}" "$top_srcdir/contrib/local.mk"
		n=$((n + 1))
	done
	[ "$n" -ge 8 ]
	echo '[Service]
	Watchdog=1' >"$T/units/p11oauth-agent.service.d/zz.conf"
	refuses verify "$T/units"
}
the_service_is_closed() {
	has_systemd
	unit_files "$T/units"
	now=$(exposure "$T/units/p11oauth-agent.service")
	echo "exposure of the service: $now"
	awk -v now="$now" -v max="$MAX_EXPOSURE" 'BEGIN { exit !(now != "" && now + 0 <= max) }'
}
# The agent's Landlock rules are system calls that @system-service of systemd 252
# does not have; refused, they would be taken for an old kernel.
landlock_is_let_through() {
	for unit in contrib/systemd/p11oauth-agent.service.in contrib/systemd/user/p11oauth-agent.service.in; do
		for call in landlock_create_ruleset landlock_add_rule landlock_restrict_self; do
			grep -q "^SystemCallFilter=[^~].*$call" "$top_srcdir/$unit"
		done
	done
}
sysusers_makes_the_user_of_the_unit() {
	command -v systemd-sysusers >/dev/null || skip "no systemd-sysusers"
	mkdir -p "$T/sys/etc"
	systemd-sysusers --root="$T/sys" "$top_builddir/contrib/systemd/p11oauth.conf"
	user=$(sed -n 's/^User=//p' "$top_builddir/contrib/systemd/p11oauth-agent.service")
	group=$(sed -n 's/^SocketGroup=//p' "$top_builddir/contrib/systemd/p11oauth-agent.socket")
	grep -q "^$user:.*:/var/lib/p11oauth:/usr/sbin/nologin$" "$T/sys/etc/passwd"
	grep -q "^$group:" "$T/sys/etc/group"
}

run_tests program_and_configuration_are_where_they_are_installed \
	system_units_are_sound user_units_are_sound drop_ins_are_sound \
	the_service_is_closed landlock_is_let_through sysusers_makes_the_user_of_the_unit
