#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# All 47 kinds of bad answers (tests/servers/wild_answers.py) from a real TLS
# server: exit status, one line, no access token where there must be none, time
# and memory within limits.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
start_server wild /usr/bin/python3 "$top_srcdir/tests/servers/wild-server.py" --log "$W/log" \
	--tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key"
profile rsa 'client-id = "wild"' "cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' \
	"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
	'key = "pkcs11:token=lab;object=rsa"'
cd "$W"
status=0
/usr/bin/python3 "$top_srcdir/tests/tools/wild-client.py" "$P11OAUTH" rsa \
	"https://localhost:$SERVER_PORT" "$W/log" || status=$?
exit "$status"
