#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What shellcheck says of the scripts.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lint/files.sh"

UNSEEN=SC2034,SC2154,SC1091
shell_scripts() {
	cd "$top_srcdir"
	command -v shellcheck >/dev/null || skip "no shellcheck"
	scripts | while read -r file; do
		if head -n 1 "$file" | grep -q python3; then continue; fi
		echo "$file"
	done >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 60 ]
	# Each for itself: a file that is sourced is one of them. What a test gets from
	# one, such as variables and set -e, is not seen.
	grep '\.t$' "$T/files" | xargs -P 2 -n 8 shellcheck -S warning -e "$UNSEEN,SC2164"
	grep -v '\.t$' "$T/files" | xargs -P 2 -n 8 shellcheck -S warning -e "$UNSEEN"
}

run_tests shell_scripts
