#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lints of the sources that need nothing but a shell and a compiler.
. "$top_srcdir/tests/lib/tap.sh"
cd "$top_srcdir" || exit 99

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

banned_functions() {
	cd "$top_srcdir"
	sources | grep '^src/' >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 80 ]
	xargs grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|strtol|strtoul|gets|system|popen|alloca|getenv|assert)[[:space:]]*\(' \
		<"$T/files" >"$T/bad" || true
	nothing "$T/bad"
}
# Above base, time and chance come from a struct po_clock that was handed down, and
# one file names the machine's: it makes the env.
time_and_chance_are_injected() {
	cd "$top_srcdir"
	sources | grep '^src/' | grep -v -e '^src/base/' -e '^src/flow/env\.c$' >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 80 ]
	xargs grep -nE '\b(clock_gettime|gettimeofday|time|(clock_)?nanosleep|u?sleep|getrandom|getentropy|RAND(_priv)?_bytes|s?rand|s?random)\(|\bpo_clock_system\b' \
		<"$T/files" >"$T/bad" || true
	nothing "$T/bad"
}
headers_compile_alone() {
	cd "$top_srcdir"
	n=0
	for header in $(find src -name '*.h' | sort); do
		echo "#include \"${header#src/}\"" |
			${CC:-cc} -std=gnu17 -D_GNU_SOURCE -Isrc -I"$top_builddir" ${LINT_CFLAGS-} \
				-Wall -Wextra -Werror -x c -fsyntax-only -
		n=$((n + 1))
	done
	[ "$n" -gt 40 ]
}
guards_follow_the_path() {
	cd "$top_srcdir/src"
	for header in $(find . -name '*.h' | sed 's,^\./,,'); do
		guard=PO_$(echo "${header%.h}" | tr 'a-z/-' 'A-Z__')_H
		grep -q "^#ifndef $guard$" "$header" || echo "$header: $guard"
	done >"$T/bad"
	nothing "$T/bad"
}
spdx_heads() {
	cd "$top_srcdir"
	{ sources; scripts; find tests -name '*.mjs'; } | sort -u >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 120 ]
	while read -r file; do
		head -n 2 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$file"
	done <"$T/files" >"$T/bad"
	nothing "$T/bad"
}
sizes() {
	cd "$top_srcdir"
	sources | xargs wc -l | awk '$1 > 600 && $2 != "total" { print $2 ": " $1 " lines" }' >"$T/bad"
	nothing "$T/bad"
}
words() {
	cd "$top_srcdir"
	{ sources; scripts; echo README.md; find doc -type f; } | sort -u | grep -v tests/lint/source.t >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 120 ]
	xargs grep -nE '\b(TODO|FIXME|XXX|HACK)\b|/root/|/home/[a-z]|registry\.npmjs|deb\.debian\.org|pypi\.org' \
		<"$T/files" >"$T/bad" || true
	nothing "$T/bad"
}
lock_file_names_no_host() {
	refuses grep -n '"resolved"' "$top_srcdir/tests/servers/package-lock.json"
}
shell_scripts() {
	cd "$top_srcdir"
	command -v shellcheck >/dev/null || skip "no shellcheck"
	scripts | while read -r file; do
		if head -n 1 "$file" | grep -q python3; then continue; fi
		echo "$file"
	done >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 15 ]
	xargs shellcheck -x -S warning -e SC2034,SC2154,SC1091 <"$T/files"
}
format() {
	cd "$top_srcdir"
	command -v clang-format >/dev/null || skip "no clang-format"
	sources | xargs clang-format --dry-run -Werror
}

run_tests banned_functions time_and_chance_are_injected \
	headers_compile_alone guards_follow_the_path \
	spdx_heads sizes words lock_file_names_no_host shell_scripts format
