#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every example of the manual pages is run, as it stands there.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent-run.sh"

softhsm_new "$W/hsm" careevolution 739154
cp "$DATA/sandbox/key.pem" "$W/jwt.key"
cp "$DATA/sandbox/cert.pem" "$W/jwt.pem"
softhsm_import "$W/jwt.key" "$W/jwt.pem" 01 jwt
start_server as "$top_srcdir/contrib/sandbox/sandbox.py" --state "$W/as" \
	--client "JWTClientCredentials=$W/jwt.pem"
CLINIC=$FHIR_BASE
profile careevolution 'client-id = "JWTClientCredentials"' \
	"token-endpoint = \"$TOKEN_ENDPOINT\"" "cacert = \"$SERVER_CA\"" \
	'scope = "system/*.read"' 'algorithm = "RS384"' 'kid = "x5t-hex"' \
	"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
	'key = { "pkcs11:token=careevolution;object=jwt" }'
fixture_ec next P-384
softhsm_import "$W/next.key" "$W/next.pem" 02 next
profile careevolution-next "cacert = \"$SERVER_CA\"" "module = \"$SOFTHSM_MODULE\"" \
	'key = "pkcs11:token=careevolution;object=next"'
# the agent's own pages say where its socket is
XDG_RUNTIME_DIR=$W/run
export XDG_RUNTIME_DIR
mkdir -m 700 "$XDG_RUNTIME_DIR"
unset P11OAUTH_SOCKET
spawn agent "$P11OAUTH" agent -q
AGENT_PID=$(pid_of agent) AGENT_SOCKET=$XDG_RUNTIME_DIR/p11oauth/agent.sock agent_name=agent
agent_wait
mkdir "$W/www"
"$P11OAUTH" jwks careevolution careevolution-next -q >"$W/www/jwks.json"
start_server files /usr/bin/python3 "$top_srcdir/tests/servers/file-server.py" --dir "$W/www" \
	--tls-cert "$W/as/server.pem" --tls-key "$W/as/server.key"
SETS=https://localhost:$SERVER_PORT
mkdir "$W/bin" "$W/build" "$W/build/sandbox"
ln -s "$(cd "$(dirname "$P11OAUTH")" && pwd)/p11oauth" "$W/bin/p11oauth"
PATH=$W/bin:$PATH
ln -s "$W/as" "$W/build/sandbox/as"
ln -s "$top_srcdir/tests" "$W/tests"

# examples PAGE: its commands, as a person would copy them
examples() {
	sed -n 's/^\.Dl \$ //p' "$top_srcdir/doc/man/$1" |
		sed "s,https://localhost/fhir,$CLINIC,; s,https://client.example,$SETS,"
}
run_examples() {
	cd "$W"
	XDG_STATE_HOME=$W/state # the agent's, with its ledger
	examples "$1" >"$T/examples"
	[ -s "$T/examples" ]
	case $1 in # what a page before has locked
	p11oauth-unlock.1) "$P11OAUTH" lock >"$T/out" ;;
	*) "$P11OAUTH" unlock careevolution >"$T/out" ;;
	esac
	while read -r command; do
		echo "\$ $command"
		bash -e -o pipefail -c "$command" </dev/null >"$T/out" || { cat "$T/out"; return 1; }
		[ -s "$T/out" ] || case $command in *--output*) ;; *) echo "no output"; return 1 ;; esac
	done <"$T/examples"
}
n=0
for page in "$top_srcdir"/doc/man/*.[15]; do
	name=$(basename "$page")
	function=examples_work_in_$(echo "$name" | tr '.-' '__')
	eval "$function() { run_examples $name; }"
	pages="${pages-} $function"
	n=$((n + 1))
done
[ "$n" -ge 15 ] || exit 99
# shellcheck disable=SC2086 # a list of words
run_tests $pages
