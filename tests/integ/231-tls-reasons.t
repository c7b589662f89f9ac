#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Why a server's certificate is not accepted, in words that name it. The verdict
# itself is libcurl's: what was refused without the words is refused with them.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/tls-server.sh"
CLIENT=$top_builddir/tests/tools/tls-client

P=$W/pki
sh "$top_srcdir/tests/servers/make-pki.sh" "$P" >/dev/null
# issue NAME SUBJECT CA EXTENSION DATE-OPTION...: $P/NAME.pem and its key, by
# $P/CA.pem; dates as `openssl ca` takes them.
issue() {
	name=$1 subject=$2 ca=$3 extension=$4; shift 4
	openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$P/$name.key" -subj "$subject" -out "$P/$name.csr" 2>/dev/null
	printf '%s\n' "$extension" >"$P/$name.ext"
	(cd "$P" && sed "s/ca\.pem/$ca.pem/; s/ca\.key/$ca.key/" ca.conf >"$name.conf" &&
		openssl ca -batch -notext -config "$name.conf" -extfile "$name.ext" \
			-in "$name.csr" -out "$name.pem" "$@" 2>/dev/null)
}
CA_EXTENSION='basicConstraints=critical,CA:TRUE
keyUsage=critical,keyCertSign'
LOCALHOST='subjectAltName=DNS:localhost,IP:127.0.0.1'
issue middle "/CN=the middle" ca "$CA_EXTENSION"
issue below "/CN=below the middle" middle "$LOCALHOST"
issue old-middle "/CN=the old middle" ca "$CA_EXTENSION" -startdate 20200101000000Z -enddate 20200201000000Z
issue below-old "/CN=below the old middle" old-middle "$LOCALHOST"
issue tomorrow "/CN=tomorrow" ca "$LOCALHOST" -startdate "$(date -u -d '+2 days' +%Y%m%d%H%M%SZ)" \
	-enddate "$(date -u -d '+9 days' +%Y%m%d%H%M%SZ)"
issue for-client "/CN=not a server" ca "$LOCALHOST
extendedKeyUsage=clientAuth"
issue several "/CN=several" ca \
	"subjectAltName=DNS:a.example,email:nobody@a.example,DNS:*.b.example,IP:192.0.2.7,IP:2001:db8::7"
issue nameless "/CN=nameless" ca "keyUsage=digitalSignature"

# serves NAME OPTION...: a server with this certificate.
serves() { serve_name=$1; shift; tls_server tls -cert "$P/$serve_name.pem" -key "$P/$serve_name.key" "$@"; }
# says TEXT NOTED [CA]: the message has TEXT; ERROR, DEPTH and names are NOTED.
says() {
	expect 12 "$CLIENT" "$P/${3:-ca}.pem" "$TLS_URL"
	cat "$T/err"
	empty "$T/out"
	has "$T/err" "$TLS_URL: $1"
	has "$T/err" "verify: $2"
}
the_good_one_is_accepted() {
	serves below -cert_chain "$P/middle.pem"
	expect 0 "$CLIENT" "$P/ca.pem" "$TLS_URL"
}
expired_is_said() {
	serves expired
	says "the certificate of 'CN=expired' has expired (SSL certificate problem: certificate has expired)" \
		"10 0 CN=expired, by CN=throw-away test CA"
}
expired_above_is_said() {
	serves below-old -cert_chain "$P/old-middle.pem"
	says "the certificate of 'CN=the old middle' has expired" "10 1 CN=the old middle, by CN=throw-away test CA"
}
not_yet_valid_is_said() {
	serves tomorrow
	says "the certificate of 'CN=tomorrow' is not valid yet; is this machine's clock right?" "9 0 CN=tomorrow, by"
}
self_signed_is_said() {
	serves self-signed
	says "the certificate of 'CN=localhost' is self-signed and not trusted here" "18 0 CN=localhost, by CN=localhost"
}
another_ca_is_said() {
	serves good -cert_chain "$P/ca.pem"
	says "the server's certificate leads to 'CN=throw-away test CA', which is none of the CAs trusted here" \
		"19 1 CN=throw-away test CA, by CN=throw-away test CA" self-signed
}
a_missing_intermediate_is_said() {
	serves below
	says "a certificate is missing: 'CN=below the middle' is issued by 'CN=the middle', which the server did not send and which is none of the CAs trusted here (SSL certificate problem: unable to get local issuer certificate)" \
		"20 0 CN=below the middle, by CN=the middle"
}
the_wrong_host_is_said() {
	serves wrong-host
	says "the server's certificate is for another host: 'CN=wrong-host' is for elsewhere.example (SSL: no alternative certificate subject name matches target host" \
		"0 0 CN=wrong-host, by CN=throw-away test CA"
}
a_missing_host_is_said() {
	serves nameless
	says "the server's certificate is for another host: 'CN=nameless' names none" "0 0 CN=nameless, by"
}
several_hosts_are_said() {
	serves several
	says "the server's certificate is for another host: 'CN=several' is for a.example, *.b.example, 192.0.2.7, 2001:db8::7 (SSL: no alternative" \
		"0 0 CN=several, by"
}
not_for_servers() {
	serves for-client
	says "the certificate of 'CN=not a server' is not accepted (SSL certificate problem: unsuitable certificate purpose)" \
		"26 0 CN=not a server, by"
}
# What is no certificate's fault keeps libcurl's words.
no_server_is_said() {
	TLS_URL=https://127.0.0.1:1/
	says "Failed to connect" "0 0 , by"
}
# The program itself, without and with --json.
the_program_says_so() {
	softhsm_new "$T/hsm" lab 739154
	fixture_ec key P-256
	softhsm_import "$W/key.key" "$W/key.pem" 01 key
	serves expired
	profile job 'client-id = "job"' 'scope = "system/*.read"' "token-endpoint = \"$TLS_URL\"" "cacert = \"$P/ca.pem\"" \
		"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" 'key = "pkcs11:token=lab;object=key"'
	fails 12 "the certificate of 'CN=expired' has expired" "$P11OAUTH" token job
	expect 12 "$P11OAUTH" token job --json
	jq -e '.error.message | contains("CN=expired")' "$T/err"
}

run_tests the_good_one_is_accepted expired_is_said expired_above_is_said \
	not_yet_valid_is_said self_signed_is_said another_ca_is_said \
	a_missing_intermediate_is_said the_wrong_host_is_said a_missing_host_is_said \
	several_hosts_are_said not_for_servers no_server_is_said the_program_says_so
