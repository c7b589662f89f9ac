#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lints of the sources that need no compiler.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lint/files.sh"

banned_functions() {
	cd "$top_srcdir"
	sources | grep '^src/' >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 80 ]
	xargs grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|atoi|atol|strtol|strtoul|gets|system|popen|alloca|getenv|assert)[[:space:]]*\(' \
		<"$T/files" >"$T/bad" || true
	nothing "$T/bad"
}
# Tests may read the environment, and numbers that they wrote themselves.
banned_functions_in_tests() {
	cd "$top_srcdir"
	sources | grep '^tests/' >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 80 ]
	xargs grep -nE '\b(strcpy|strcat|sprintf|vsprintf|strtok|atol|gets|system|popen|alloca|assert)[[:space:]]*\(' \
		<"$T/files" >"$T/bad" || true
	nothing "$T/bad"
}
# A tab is as wide as eight.
no_line_is_longer_than_80_columns() {
	cd "$top_srcdir"
	[ "$(sources | wc -l)" -gt 200 ]
	sources | while read -r file; do
		expand "$file" | LC_ALL=C.UTF-8 grep -nE '^.{81}' | sed "s,^\\([0-9]*\\):.*,$file:\\1,"
	done >"$T/bad"
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
# Among other arguments; atomic_store() says what it does.
a_bare_true_or_false_has_its_name() {
	cd "$top_srcdir"
	sources | grep '^src/' >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 80 ]
	xargs grep -nE '(,|^)[[:space:]]*(true|false)[,)]|\((true|false),' <"$T/files" |
		grep -vE ':[[:space:]]*(\{|/\*)|atomic_store' >"$T/bad" || true
	nothing "$T/bad"
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
format() {
	cd "$top_srcdir"
	command -v clang-format >/dev/null || skip "no clang-format"
	[ "$(sources | wc -l)" -gt 200 ]
	sources | xargs -P 2 -n 40 clang-format --dry-run -Werror
}

run_tests banned_functions banned_functions_in_tests \
	no_line_is_longer_than_80_columns time_and_chance_are_injected \
	a_bare_true_or_false_has_its_name guards_follow_the_path spdx_heads sizes words lock_file_names_no_host format
