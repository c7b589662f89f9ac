#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The layout of the C sources, as .clang-format has it.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lint/files.sh"

format() {
	cd "$top_srcdir"
	command -v clang-format >/dev/null || skip "no clang-format"
	[ "$(sources | wc -l)" -gt 200 ]
	sources | xargs clang-format --dry-run -Werror
}

run_tests format
