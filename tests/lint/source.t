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
	sources | LC_ALL=C xargs awk '
	{
		line = $0
		gsub(/[\200-\277]/, "", line) # of a character, its first byte is left
		while (i = index(line, "\t"))
			line = substr(line, 1, i - 1) sprintf("%*s", 8 - (i - 1) % 8, "") substr(line, i + 1)
		if (length(line) > 80)
			print FILENAME ":" FNR
	}' >"$T/bad"
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
	find . -name '*.h' | sed 's,^\./,,' | xargs awk '
	FNR == 1 {
		guard = FILENAME
		sub(/\.h$/, "", guard)
		gsub(/[\/-]/, "_", guard)
		headers[FILENAME] = guard = "PO_" toupper(guard) "_H"
	}
	$0 == "#ifndef " guard { delete headers[FILENAME] }
	END { for (header in headers) print header ": " headers[header] }' >"$T/bad"
	nothing "$T/bad"
}
spdx_heads() {
	cd "$top_srcdir"
	{ sources; scripts; find tests -name '*.mjs'; } | sort -u >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 120 ]
	xargs awk '
	FNR == 1 { bare[FILENAME] = 1 }
	FNR <= 2 && /SPDX-License-Identifier: Apache-2.0/ { delete bare[FILENAME] }
	END { for (file in bare) print file }' <"$T/files" >"$T/bad"
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
