#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The published sandbox identity of CareEvolution, to the letter, against
# contrib/sandbox: kid, x5t, the three header forms of the page, both
# algorithms, and what the sandbox refuses.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

softhsm_new "$W/hsm" careevolution 739154
cp "$DATA/sandbox/key.pem" "$W/jwt.key"
cp "$DATA/sandbox/cert.pem" "$W/jwt.pem"
softhsm_import "$W/jwt.key" "$W/jwt.pem" 01 jwt
fixture_rsa stranger 2048
softhsm_import "$W/stranger.key" "$W/stranger.pem" 02 stranger

SANDBOX=$top_srcdir/contrib/sandbox/sandbox.py
start_server strict "$SANDBOX" --state "$W/as" --expired-certificates refuse \
	--client "JWTClientCredentials=$W/jwt.pem"
STRICT_ENDPOINT=$TOKEN_ENDPOINT
start_server as "$SANDBOX" --state "$W/as" --log "$W/as.log" --max-exp 250 \
	--client "JWTClientCredentials=$W/jwt.pem"

profile careevolution 'client-id = "JWTClientCredentials"' \
	"token-endpoint = \"$TOKEN_ENDPOINT\"" "cacert = \"$SERVER_CA\"" \
	'scope = "system/*.read"' 'algorithm = "RS384"' 'kid = "x5t-hex"' \
	"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
	'key = { "pkcs11:token=careevolution;object=jwt" }'

token() { expect 0 "$P11OAUTH" token careevolution "$@"; }
header_of() { "$P11OAUTH" assertion careevolution -q "$@" | "$P11OAUTH" jwt inspect --json | jq -c .header; }

kid_and_x5t_are_the_published_ones() {
	expect 0 "$P11OAUTH" cert careevolution
	has "$T/out" "91DFD4A1BD6E7A807289415941A892F2D3DDB68E"
	has "$T/out" "kd_Uob1ueoByiUFZQaiS8tPdto4"
	openssl x509 -in "$T/out" -outform DER | cmp - "$W/jwt.pem.der"
	expect 0 "$P11OAUTH" cert careevolution --json
	jq -e '.kid == "91DFD4A1BD6E7A807289415941A892F2D3DDB68E"
		and .x5t == "kd_Uob1ueoByiUFZQaiS8tPdto4" and .certificate.expired' "$T/out"
}
# form HEADER OPTION...: the header is exactly this, and the server takes it.
form() {
	want_header=$1; shift
	[ "$(header_of "$@")" = "$want_header" ]
	token "$@"
	[ "$(wc -c <"$T/out")" -gt 20 ]
}
header_without_kid() { form '{"alg":"RS384","typ":"JWT"}' --kid none; }
header_with_kid() {
	form '{"alg":"RS384","kid":"91DFD4A1BD6E7A807289415941A892F2D3DDB68E","typ":"JWT"}'
}
header_with_x5t() {
	form '{"alg":"RS384","typ":"JWT","x5t":"kd_Uob1ueoByiUFZQaiS8tPdto4"}' --kid none --x5t
}
rs256_without_kid() { form '{"alg":"RS256","typ":"JWT"}' --kid none --algorithm RS256; }
rs256_with_kid() {
	form '{"alg":"RS256","kid":"91DFD4A1BD6E7A807289415941A892F2D3DDB68E","typ":"JWT"}' --algorithm RS256
}
rs256_with_x5t() {
	form '{"alg":"RS256","typ":"JWT","x5t":"kd_Uob1ueoByiUFZQaiS8tPdto4"}' --kid none --x5t --algorithm RS256
}
both_scopes_are_granted() { token --scope 'system/*.*'; token --scope 'system/*.read system/*.*'; }
expired_certificate_is_one_warning() {
	token
	[ "$(wc -l <"$T/err")" -eq 1 ]
	has "$T/err" "expired on 2025-07-01"
	has "$T/err" invalid_client
	token --quiet
	empty "$T/err"
}
expired_certificate_as_an_error() {
	fails 11 "expired on 2025-07-01" "$P11OAUTH" token careevolution --certificate-expiry error
}
a_server_that_refuses_expired_certificates() {
	fails 13 invalid_client "$P11OAUTH" token careevolution -q --token-endpoint "$STRICT_ENDPOINT"
}
json_has_the_answer_and_expires_at() {
	token --json
	jq -e '.access_token and .token_type == "Bearer" and .expires_in == 300
		and .scope == "system/*.read" and (.expires_at - now | . > 290 and . <= 300)' "$T/out"
}
output_is_private_and_whole() {
	echo old >"$T/token"; chmod 644 "$T/token"
	token --output "$T/token"
	empty "$T/out"
	[ "$(stat -c %a "$T/token")" = 600 ]
	[ "$(wc -l <"$T/token")" -eq 1 ]
	[ "$(find "$T" -name 'token*' | wc -l)" -eq 1 ]
}
public_output_file_is_warned_of() {
	for mode in 640 604; do
		: >"$T/public"; chmod "$mode" "$T/public"
		"$P11OAUTH" token careevolution >"$T/public" 2>"$T/err"
		has "$T/err" "others can read"
	done
	chmod 600 "$T/public"
	"$P11OAUTH" token careevolution >"$T/public" 2>"$T/err"
	hasnt "$T/err" "others can read"
}
header_opens_the_resource() {
	"$P11OAUTH" header careevolution -q |
		curl -sS --fail -H @- --cacert "$SERVER_CA" "$FHIR_BASE/Patient" | jq -e '.total == 1'
}
resource_wants_the_header() {
	[ "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$SERVER_CA" "$FHIR_BASE/Patient")" = 401 ]
}
each_run_has_its_own_jti() {
	token; token
	jq -r 'select(.outcome == "issued") | .jti' "$W/as.log" >"$T/jtis"
	[ "$(wc -l <"$T/jtis")" -ge 2 ]
	[ "$(sort "$T/jtis" | uniq -d | wc -l)" -eq 0 ]
}
# refused REASON OPTION...: bare invalid_client to us, the reason in its log.
refused() {
	reason=$1; shift
	fails 13 "the server refused" "$P11OAUTH" token careevolution -q "$@"
	tail -n 1 "$W/as.log" | jq -e --arg r "$reason" '.outcome == "refused" and (.reason | contains($r))'
}
server_refuses_another_key() { refused "signature" --key 'pkcs11:token=careevolution;object=stranger'; }
server_refuses_another_audience() { refused "aud" --audience https://elsewhere.example/; }
server_refuses_another_client() { refused "no client" --client-id nobody; }
server_refuses_rs512() { refused "RS512" --algorithm RS512; }
server_refuses_a_long_life() { refused "exp" --lifetime 300; }
server_refuses_an_unknown_scope() { refused "scope" --scope system/Patient.write; }
server_refuses_another_issuer() { refused "no client" --assertion-issuer somebody; }
server_refuses_a_replay() {
	"$P11OAUTH" assertion careevolution -q | tr -d '\n' >"$T/jwt"
	for want in 200 400; do
		got=$(curl -s --cacert "$SERVER_CA" -o /dev/null -w '%{http_code}' "$TOKEN_ENDPOINT" \
			-d grant_type=client_credentials --data-urlencode 'scope=system/*.read' \
			-d client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer \
			--data-urlencode "client_assertion@$T/jwt")
		[ "$got" = "$want" ]
	done
	tail -n 1 "$W/as.log" | jq -e '.reason | contains("used before")'
}
server_log_has_no_credential() {
	token
	hasnt "$W/as.log" "$(cat "$T/out")"
	refuses grep -E 'eyJ[A-Za-z0-9_-]+\.eyJ' "$W/as.log"
}
narrower_scope_is_one_warning() {
	start_server narrow /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
		--cert "$W/as/server.pem" --key "$W/as/server.key"
	token -v --token-endpoint "https://localhost:$SERVER_PORT/ok-narrow-scope"
	has "$T/err" "asked for scope 'system/*.read', the server granted 'system/Patient.read'"
	stop_server narrow
}
the_request_is_exact() {
	start_server exact /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
		--cert "$W/as/server.pem" --key "$W/as/server.key" --log "$T/requests"
	token --token-endpoint "https://localhost:$SERVER_PORT/ok?tenant=1" --param udap=1 \
		--scope 'system/Observation.rs?category=http://x|y'
	stop_server exact
	[ "$(wc -l <"$T/requests")" -eq 1 ]
	jq -e '.method == "POST" and .path == "/ok?tenant=1"
		and ([.headers[] | select(.[0] | ascii_downcase == "content-type") | .[1]] == ["application/x-www-form-urlencoded"])
		and ([.headers[] | select(.[0] | ascii_downcase == "accept") | .[1]] == ["application/json"])
		and ([.headers[] | select(.[0] | ascii_downcase | test("^(authorization|cookie|accept-encoding|expect)$"))] == [])' "$T/requests"
	jq -r .body "$T/requests" | /usr/bin/python3 -c '
import sys, urllib.parse
pairs = urllib.parse.parse_qsl(sys.stdin.read().strip(), strict_parsing=True)
assert [n for n, _ in pairs] == ["grant_type", "scope", "client_assertion_type", "client_assertion", "udap"], pairs
form = dict(pairs)
assert form["grant_type"] == "client_credentials"
assert form["scope"] == "system/Observation.rs?category=http://x|y"
assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
assert form["client_assertion"].count(".") == 2'
}

run_tests kid_and_x5t_are_the_published_ones header_without_kid \
	header_with_kid header_with_x5t rs256_without_kid rs256_with_kid \
	rs256_with_x5t both_scopes_are_granted expired_certificate_is_one_warning \
	expired_certificate_as_an_error \
	a_server_that_refuses_expired_certificates \
	json_has_the_answer_and_expires_at output_is_private_and_whole \
	public_output_file_is_warned_of header_opens_the_resource \
	resource_wants_the_header each_run_has_its_own_jti \
	server_refuses_another_key server_refuses_another_audience \
	server_refuses_another_client server_refuses_rs512 \
	server_refuses_a_long_life server_refuses_an_unknown_scope \
	server_refuses_another_issuer server_refuses_a_replay \
	server_log_has_no_credential narrower_scope_is_one_warning \
	the_request_is_exact
