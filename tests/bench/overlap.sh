#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How much of the network's time hides behind the token's: `p11oauth token` with
# a signature that takes MS milliseconds, with a server whose TCP and TLS
# handshake takes MS milliseconds more, with both, and with both one after the
# other. The server is Authlib's; every access token is a real one.
#
# usage: make bench [BENCH_MS=300] [BENCH_RUNS=10]; needs hyperfine
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

MS=${BENCH_MS:-300}
RUNS=${BENCH_RUNS:-10}
LIMIT_S=120 # of the runs of one kind
command -v hyperfine >/dev/null || { echo "bench: hyperfine is not installed" >&2; exit 1; }

softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki"
start_server authlib /usr/bin/python3 "$top_srcdir/tests/servers/authlib-server.py" \
	--resolve identityserver --cert "$W/rsa.pem" --tls-cert "$W/pki/good.pem" \
	--tls-key "$W/pki/good.key" --ca "$W/pki/ca.pem"
audience=$TOKEN_ENDPOINT near=$SERVER_PORT
start_server far /usr/bin/python3 "$top_srcdir/tests/tools/slow-proxy.py" \
	--to "$near" --handshake-ms "$MS"
far=$SERVER_PORT

for place in near far; do
	eval "port=\$$place"
	profile "$place" 'client-id = "backend"' "token-endpoint = \"https://localhost:$port/token\"" \
		"audience = \"$audience\"" 'scope = "system/*.read"' 'kid = "x5t-hex"' \
		"cacert = \"$W/pki/ca.pem\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
		"module = \"$top_builddir/tests/fault/fault-module.so\"" \
		'key = "pkcs11:token=lab;object=rsa"'
done
P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_MS=$MS
export P11FAULT_MODULE P11FAULT_MS
unset P11OAUTH_NO_OVERLAP
SLOW_TOKEN=P11FAULT_FAIL=C_Sign:1+:slow

# median NAME PROFILE VARIABLE=VALUE...: of so many runs, in ms.
median() {
	name=$1 place=$2; shift 2
	env "$@" timeout "$LIMIT_S" hyperfine --style none --shell none --warmup 1 --runs "$RUNS" \
		--export-json "$W/$name.json" "$P11OAUTH token $place" >"$W/hyperfine.log" 2>&1 ||
		{ cat "$W/hyperfine.log" >&2; env "$@" "$P11OAUTH" token "$place" >/dev/null; exit 1; }
	jq '.results[0].median * 1000 | round' "$W/$name.json"
}
row() { printf '    %-4s%-14s%-16s%5s\n' "$@"; }
echo "medians of $RUNS runs, in ms"
row '' token network ''
row '' fast fast "$(median fast near P11FAULT_FAIL=)"
a=$(median a near "$SLOW_TOKEN")
row a "+$MS ms" fast "$a"
b=$(median b far P11FAULT_FAIL=)
row b fast "+$MS ms" "$b"
c=$(median c far "$SLOW_TOKEN")
row c "+$MS ms" "+$MS ms" "$c"
d=$(median d far "$SLOW_TOKEN" P11OAUTH_NO_OVERLAP=1)
row d "+$MS ms" "+$MS ms" "$d  one after the other"
for time in "$a" "$b" "$c"; do
	[ "$time" -ge "$MS" ] || { echo "bench: what should be slow is not" >&2; exit 1; }
done
awk -v a="$a" -v b="$b" -v c="$c" -v d="$d" 'BEGIN {
	max = a > b ? a : b
	printf "c / max(a, b) = %.2f; d / max(a, b) = %.2f\n", c / max, d / max
}'
