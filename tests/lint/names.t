#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Names: of files in comments and lists, and of tests.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lint/files.sh"

# A file that a comment names is one of the tree: below the top, src or the folder of
# the comment, or, without a folder, anywhere.
files_named_in_comments_exist() {
	cd "$top_srcdir"
	{ sources; scripts; } >"$T/files"
	[ "$(wc -l <"$T/files")" -gt 300 ]
	git ls-files 2>/dev/null | sed 's,.*/,,' | sort -u >"$T/names"
	[ -s "$T/names" ] || find . -type f | sed 's,.*/,,' | sort -u >"$T/names"
	xargs awk '
	FNR == 1 { shell = FILENAME !~ /\.[ch]$/ }
	shell ? /^[ \t]*#/ : /^[ \t]*\/?\*|\/\* / {
		line = shell ? $0 : substr($0, index($0, "*"))
		gsub(/[^A-Za-z0-9_.<\/-]+/, " ", line)
		for (n = split(line, words, " "); n > 0; n--) {
			sub(/\.$/, "", words[n])
			if (words[n] ~ /^[a-z][A-Za-z0-9_\/-]*\.(c|h|t|sh|py|mjs|mk)$/)
				print FILENAME, FNR, words[n]
		}
	}' <"$T/files" >"$T/named"
	[ "$(wc -l <"$T/named")" -gt 200 ]
	awk 'FILENAME == ARGV[1] { known[$0] = 1; next }
		!($3 in known)' "$T/names" "$T/named" | while read -r file line name; do
		case $name in
		*/*) [ -e "$name" ] || [ -e "src/$name" ] || [ -e "${file%/*}/$name" ] || echo "$file:$line: $name" ;;
		*) echo "$file:$line: $name" ;;
		esac
	done >"$T/bad"
	nothing "$T/bad"
}
# What is in no list is not run, and nobody misses it.
every_test_is_in_its_list() {
	cd "$top_srcdir/tests"
	cat unit/local.mk integ/local.mk lint/local.mk | tr -s ' \t' '\n' | sort -u >"$T/listed"
	printf 'tests/%s\n' unit/*-test.c integ/*.t lint/*.t | sed 's/\.c$//' | sort |
		comm -23 - "$T/listed" >"$T/bad"
	[ -e unit/unit.h ]
	nothing "$T/bad"
}
# Integration tests say what is so: fewer than three words are no sentence.
integration_tests_are_sentences() {
	cd "$top_srcdir/tests"
	awk '
	FNR == 1 { listed = 0 }
	/^(run_tests|suite_run|\tset -- keys_lists_them) / { listed = 1 }
	listed {
		more = /\\$/
		gsub(/(root|ns):|\\$|"?\$[A-Za-z@]+"?/, "")
		for (n = split($0, words, " "); n > 0; n--)
			if (words[n] !~ /^(run_tests|suite_run|set|--)$/) print FILENAME, words[n]
		listed = more
	}' integ/*.t tokens/suite.sh >"$T/rows"
	[ "$(wc -l <"$T/rows")" -gt 500 ]
	grep -v ' [a-z0-9]*_[a-z0-9]*_[a-z0-9_]*$' "$T/rows" >"$T/bad" || true
	nothing "$T/bad"
}

run_tests files_named_in_comments_exist every_test_is_in_its_list \
	integration_tests_are_sentences
