# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The files that lints look at, and what they say. Source after tap.sh; the functions want
# to be in $top_srcdir.
sources() { find src tests \( -name '*.c' -o -name '*.h' \) | sort; }
scripts() {
	find tests contrib autogen.sh .ci -type f -exec env LC_ALL=C awk '
		FILENAME ~ /\.sh$/ || /^#!.*(sh|python3)$/ { print FILENAME }
		{ nextfile }' {} + 2>/dev/null | sort -u
}
# nothing FILE: the file is empty, or its lines are what is wrong
nothing() { [ ! -s "$1" ] || { cat "$1"; return 1; }; }

