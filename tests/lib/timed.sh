# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# usage: sh timed.sh COMMAND...: the command; its last line says how long it took, and
# how long its processes had a processor (but for those that nobody waited for).
start_ms=$(date +%s%3N)
status=0
"$@" || status=$?
took_ms=$(($(date +%s%3N) - start_ms))
read -r stat </proc/$$/stat
# shellcheck disable=SC2086 # proc(5): cutime and cstime are the 16th and 17th word
set -- $stat
awk -v ms="$took_ms" -v ticks="$((${16} + ${17}))" \
	'BEGIN { printf "# took %.1f s, %.1f s of a processor\n", ms / 1000, ticks / 100 }'
exit "$status"
