#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What shellcheck says of the scripts.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lint/files.sh"

shell_scripts() {
	cd "$top_srcdir"
	command -v shellcheck >/dev/null || skip "no shellcheck"
	scripts | while read -r file; do
		if head -n 1 "$file" | grep -q python3; then continue; fi
		echo "$file"
	done >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 15 ]
	xargs -P 2 -n 12 shellcheck -x -S warning -e SC2034,SC2154,SC1091 <"$T/files"
}

run_tests shell_scripts
