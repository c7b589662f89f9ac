#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each header of src compiles alone.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lint/files.sh"

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

run_tests headers_compile_alone
