# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The files that lints look at, and what they say. Source after tap.sh; the functions want
# to be in $top_srcdir.
sources() { find src tests \( -name '*.c' -o -name '*.h' \) | sort; }
scripts() {
	find tests contrib autogen.sh .ci -type f 2>/dev/null |
		while read -r file; do
			if head -n 1 "$file" | grep -qE '^#!.*(sh|python3)$' || [ "${file%.sh}" != "$file" ]; then
				echo "$file"
			fi
		done | sort -u
}
# nothing FILE: the file is empty, or its lines are what is wrong
nothing() { [ ! -s "$1" ] || { cat "$1"; return 1; }; }

