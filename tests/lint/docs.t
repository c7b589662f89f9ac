#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Documentation and code say the same: options, exit statuses, settings.
. "$top_srcdir/tests/lib/tap.sh"
MAN=$top_srcdir/doc/man

page_of() { echo "$MAN/p11oauth-$(echo "$1" | tr ' ' -).1"; }

pages_are_sound() {
	command -v mandoc >/dev/null || skip "no mandoc"
	[ "$(find "$MAN" -type f | wc -l)" -ge 16 ]
	mandoc -T lint -W warning "$MAN"/*
}
options_of_each_page() {
	"$P11OAUTH" --dump-options | cut -f1 | sort -u >"$T/commands"
	[ "$(wc -l <"$T/commands")" -ge 13 ]
	while read -r command; do
		page=$(page_of "$command")
		"$P11OAUTH" --dump-options | awk -F '\t' -v c="$command" '$1 == c { print $2 }' | sort -u >"$T/table"
		sed -n 's/^\.It .*Fl \\-\([a-z0-9-]*\).*/--\1/p' "$page" | sort -u >"$T/page"
		diff "$T/table" "$T/page" || { echo "in $page"; return 1; }
	done <"$T/commands"
}
each_command_has_its_files() {
	while read -r command; do
		stem=$(echo "$command" | tr ' ' -)
		[ -e "$top_srcdir/src/cmd/cmd-$stem.c" ]
		[ -e "$(page_of "$command")" ]
		grep -q "^\.It Xr p11oauth-$stem 1$" "$MAN/p11oauth.1"
	done <<-END
	$("$P11OAUTH" --dump-options | cut -f1 | sort -u)
	END
}
settings_are_documented() {
	sed -n 's/.*\.name = "\([a-z0-9-]*\)".*/\1/p' "$top_srcdir/src/conf/settings.c" | sort >"$T/code"
	[ "$(wc -l <"$T/code")" -ge 20 ]
	sed -n 's/^\.It Cm \([a-z0-9-]*\) No =.*/\1/p' "$MAN/p11oauth.conf.5" | sort >"$T/page"
	diff "$T/code" "$T/page"
}
# The statuses never change: code, page and this list agree.
exit_statuses_are_frozen() {
	cat >"$T/frozen" <<-END
	0 ok
	1 internal
	2 usage
	3 config
	4 token
	5 not-found
	6 ambiguous
	7 pin
	8 pin-locked
	9 user
	10 device
	11 crypto
	12 network
	13 refused
	14 server
	15 policy
	16 agent
	END
	sed -n 's/^\.It \([0-9]* [a-z-]*\)$/\1/p' "$MAN/p11oauth-exit-status.7" | diff "$T/frozen" -
	sed -n 's/^	PO_\(OK\|E_[A-Z_]*\) = -*\([0-9]*\),.*/\2 \1/p' "$top_srcdir/src/base/error.h" |
		sed 's/E_//' | tr 'A-Z_' 'a-z-' | diff "$T/frozen" -
}
every_page_is_installed() {
	for page in "$MAN"/*; do
		grep -q "doc/man/$(basename "$page")" "$top_srcdir/doc/local.mk"
	done
}

run_tests pages_are_sound options_of_each_page each_command_has_its_files \
	settings_are_documented exit_statuses_are_frozen every_page_is_installed
