# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# usage: sh timed.sh COMMAND...: the command; its last line says how long it took.
start_ms=$(date +%s%3N)
status=0
"$@" || status=$?
awk -v ms="$(($(date +%s%3N) - start_ms))" 'BEGIN { printf "# took %.1f s\n", ms / 1000 }'
exit "$status"
