#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The bench itself: what each mode of the test servers takes and refuses, by
# curl and hand-made assertions, and for which reason; that a relay and a module
# are as slow as they are told. The program under test has no part in it.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SERVERS=$top_srcdir/tests/servers
TOOLS=$top_srcdir/tests/tools
JWT_TYPE=urn:ietf:params:oauth:client-assertion-type:jwt-bearer

fixture_rsa rsa 2048
fixture_rsa other 2048
fixture_ec ec P-384
sh "$SERVERS/make-pki.sh" "$W/pki"
CA=$W/pki/ca.pem

# client_of_ca NAME SUBJECT: $W/NAME.key and a certificate of the clients' CA.
client_of_ca() {
	openssl req -newkey rsa:2048 -nodes -keyout "$W/$1.key" -subj "$2" -out "$W/$1.csr" 2>/dev/null
	openssl x509 -req -in "$W/$1.csr" -CA "$W/clients.pem" -CAkey "$W/clients.key" \
		-CAcreateserial -days 30 -out "$W/$1.pem" 2>/dev/null
}
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$W/clients.key" -out "$W/clients.pem" -days 30 \
	-subj "/CN=throw-away CA of clients" -addext keyUsage=critical,keyCertSign 2>/dev/null
client_of_ca pki-good /O=Lab/CN=backend
client_of_ca pki-other /O=Lab/CN=other
openssl req -x509 -key "$W/other.key" -subj /O=Lab/CN=backend -days 30 -out "$W/impostor.pem"
cp "$W/other.key" "$W/impostor.key"

x5t_hex() { openssl x509 -in "$W/$1.pem" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g'; }
x5t() { # CERTIFICATE HASH
	openssl x509 -in "$W/$1.pem" -outform DER | openssl dgst "-$2" -binary |
		basenc --base64url | tr -d =
}

# fresh NAME COMMAND...: as start_server, when its predecessor is gone.
fresh() {
	[ ! -e "$W/pids/$1" ] || stop_server "$1"
	start_server "$@"
	reasons=$W/$1.err
}
oidc() {
	start_oidc oidc --tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" --ca "$CA" "$@"
	reasons=$oidc_reasons
}
authlib() {
	fresh authlib /usr/bin/python3 "$SERVERS/authlib-server.py" --tls-cert "$W/pki/good.pem" \
		--tls-key "$W/pki/good.key" --ca "$CA" --resolve identityserver --cert "$W/rsa.pem" "$@"
}
told() { echo "$server_ready" | jq -r ".$1"; } # a member of the ready line
# holds FILE JQ-OPTION... FILTER: true of FILE, which is shown when it is not.
holds() {
	file=$1; shift
	jq -e "$@" "$file" >/dev/null || { cat "$file"; return 1; }
}
get() { curl -s --fail --cacert "$CA" -D "$T/headers" "$@" >"$T/body"; }

# ---- requests ----------------------------------------------------------------

# jwt KEY ALG HEADER CLAIMS: $T/jwt; two jq filters spoil what would be right.
jwt() {
	/usr/bin/python3 "$TOOLS/jwt-sign.py" "$W/$1.key" "$2" \
		"$(jq -nc --arg alg "$2" --arg kid "$(x5t_hex "$1")" "{\$alg, \$kid, typ: \"JWT\"} | $3")" \
		"$(jq -nc --arg aud "$TOKEN_ENDPOINT" --arg jti "$(openssl rand -hex 16)" \
			--argjson iat "$(date +%s)" "{iss: \"backend\", sub: \"backend\", \$aud,
			\$iat, exp: (\$iat + 240), \$jti} | $4")" >"$T/jwt"
}

# post CURL-OPTION...: a token request; $T/status, $T/headers, $T/body.
post() {
	curl -s --cacert "$CA" -D "$T/headers" -o "$T/body" -w '%{http_code}' "$TOKEN_ENDPOINT" \
		-d grant_type=client_credentials --data-urlencode 'scope=system/*.read' "$@" >"$T/status"
}
granted() { # CURL-OPTION...
	post "$@"
	holds "$T/body" '.access_token | length > 10' || { cat "$reasons"; return 1; }
	[ "$(cat "$T/status")" = 200 ]
}
# denied TEXT CURL-OPTION...: refused, and the server says why.
denied() {
	text=$1; shift
	post "$@"
	case $(cat "$T/status") in 400 | 401) ;; *) cat "$T/status" "$T/body"; return 1 ;; esac
	holds "$T/body" '.error and (.access_token | not)'
	tail -n 1 "$reasons" >"$T/reason"
	has "$T/reason" "$text"
}
# good, bad: the same with the assertion of jwt() above.
by_jwt() {
	verdict=$1; shift
	"$verdict" "$@" -d "client_assertion_type=$JWT_TYPE" --data-urlencode "client_assertion@$T/jwt"
}
good() { jwt "$@"; by_jwt granted; }
bad() { # TEXT KEY ALG HEADER CLAIMS
	reason=$1; shift
	jwt "$@"
	by_jwt denied "$reason"
}
by_certificate() { # CERTIFICATE granted, or CERTIFICATE denied TEXT
	certificate=$1; shift
	"$@" -d client_id=backend --cert "$W/$certificate.pem" --key "$W/$certificate.key"
}

# ---- assertions --------------------------------------------------------------

aud_is_the_token_endpoint() {
	oidc --cert "$W/rsa.pem" --aud token
	good rsa RS384 . .
	bad 'aud is not the token endpoint' rsa RS384 . ".aud = \"$ISSUER\""
	bad 'aud is not the token endpoint' rsa RS384 . '.aud = [.aud]'
	bad audience rsa RS384 . '.aud = "https://elsewhere.example/token"'
}
aud_is_the_issuer() {
	oidc --cert "$W/rsa.pem" --aud issuer
	good rsa RS384 . ".aud = \"$ISSUER\""
	bad 'aud is not the issuer' rsa RS384 . .
	bad 'aud is not the issuer' rsa RS384 . ".aud = [\"$ISSUER\"]"
	bad audience rsa RS384 . ".aud = \"$ISSUER/\""
}
typ_is_exact() {
	oidc --cert "$W/rsa.pem"
	good rsa RS384 . .
	bad 'typ is not JWT' rsa RS384 '.typ = "client-authentication+jwt"' .
	bad 'typ is not JWT' rsa RS384 '.typ = "jwt"' .
	bad 'typ is not JWT' rsa RS384 'del(.typ)' .
	oidc --cert "$W/rsa.pem" --typ client-authentication+jwt
	good rsa RS384 '.typ = "client-authentication+jwt"' .
	bad 'typ is not client-authentication+jwt' rsa RS384 . .
	bad 'typ is not client-authentication+jwt' rsa RS384 '.typ = "application/client-authentication+jwt"' .
}
kid_is_wanted_or_not() {
	oidc --cert "$W/rsa.pem"
	bad 'no kid' rsa RS384 'del(.kid)' .
	oidc --cert "$W/rsa.pem" --no-kid
	good rsa RS384 'del(.kid)' .
	bad 'no applicable key' rsa RS384 '.kid = "unknown"' .
}
x5t_is_that_of_the_key() {
	oidc --cert "$W/rsa.pem" --cert "$W/other.pem" --x5t require --no-kid
	good rsa RS384 ".x5t = \"$(x5t rsa sha1)\"" .
	good rsa RS384 "{alg, typ, x5t: \"$(x5t rsa sha1)\"}" .
	bad 'x5t is of no registered certificate' rsa RS384 . .
	bad 'x5t is of no registered certificate' rsa RS384 ".x5t = \"$(x5t ec sha1)\"" .
	bad 'x5t is of no registered certificate' rsa RS384 ".x5t = \"$(x5t rsa sha256)\"" .
	bad 'whose key did not sign' rsa RS384 ".x5t = \"$(x5t other sha1)\"" .
}
algorithms_are_those_advertised() {
	oidc --cert "$W/rsa.pem" --cert "$W/ec.pem" --algs ES384,PS384
	good ec ES384 . .
	good rsa PS384 . .
	bad 'alg mismatch' rsa RS384 . .
	for document in /.well-known/openid-configuration /.well-known/oauth-authorization-server \
		/fhir/.well-known/smart-configuration; do
		get "$ISSUER$document"
		holds "$T/body" '.token_endpoint_auth_signing_alg_values_supported == ["ES384", "PS384"]'
	done
}
keys_by_jwks_uri() {
	mkdir "$W/www"
	node -e 'const key = require("crypto").createPublicKey(require("fs").readFileSync(process.argv[1]));
		console.log(JSON.stringify({ keys: [{ ...key.export({ format: "jwk" }), kid: process.argv[2] }] }));' \
		"$W/rsa.pem" "$(x5t_hex rsa)" >"$W/www/jwks.json"
	fresh files /usr/bin/python3 "$SERVERS/file-server.py" --dir "$W/www" \
		--tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" --log "$T/files.log"
	oidc --jwks-uri "$(told base)/jwks.json"
	good rsa RS384 . .
	bad 'no applicable key' other RS384 . .
	holds "$T/files.log" -s '. == [{method: "GET", path: "/jwks.json", status: 200}]'
	oidc --jwks-uri "https://localhost:$(jq -r .port "$W/files.out")/absent.json"
	bad invalid_client_metadata rsa RS384 . .
}

# ---- mutual TLS --------------------------------------------------------------

introspect() { # CURL-OPTION...
	curl -s --cacert "$CA" "$(told introspection_endpoint)" "$@" \
		--data-urlencode "token=$(jq -r .access_token "$T/body")" >"$T/introspection"
}
bound_to() { # CERTIFICATE
	introspect -u "$(told introspection_user)"
	holds "$T/introspection" --arg x5t "$(x5t "$1" sha256)" \
		'.active and .client_id == "backend" and .cnf == {"x5t#S256": $x5t}'
}
advertises() { # JQ-FILTER: holds for the metadata
	get "$ISSUER/.well-known/oauth-authorization-server"
	holds "$T/body" "$1"
}
mtls_by_pki() {
	oidc --mtls tls_client_auth --client-ca "$W/clients.pem" --subject-dn CN=backend,O=Lab --cert "$W/rsa.pem"
	by_certificate pki-good granted
	bound_to pki-good
	by_certificate pki-other denied 'certificate subject value does not match'
	by_certificate impostor denied 'certificate was not verified'
	denied 'certificate was not provided' -d client_id=backend
	bad 'no client authentication mechanism' rsa RS384 . .
	advertises '.token_endpoint_auth_methods_supported | index("tls_client_auth")'
}
mtls_by_a_registered_certificate() {
	oidc --mtls self_signed_tls_client_auth --cert "$W/rsa.pem" --cert "$W/ec.pem"
	by_certificate rsa granted
	bound_to rsa
	by_certificate ec granted
	bound_to ec
	by_certificate other denied 'unregistered client certificate'
	denied 'certificate was not provided' -d client_id=backend
	advertises '.token_endpoint_auth_methods_supported | index("self_signed_tls_client_auth")'
}
mtls_binds_the_access_token() {
	oidc --mtls bound --cert "$W/rsa.pem"
	jwt rsa RS384 . .
	by_jwt granted --cert "$W/other.pem" --key "$W/other.key"
	bound_to other
	introspect -u introspector:wrong
	holds "$T/introspection" '.error == "invalid_client" and (.active | not)'
	bad 'certificate not provided' rsa RS384 . .
	by_certificate rsa denied 'does not match the registered client authentication method'
	advertises '.tls_client_certificate_bound_access_tokens and (.mtls_endpoint_aliases | not)'
	# and what no certificate binds
	oidc --cert "$W/rsa.pem"
	good rsa RS384 . .
	introspect -u "$(told introspection_user)"
	holds "$T/introspection" '.active and (.cnf | not)'
	advertises '.tls_client_certificate_bound_access_tokens | not'
}
mtls_on_a_port_of_its_own() {
	oidc --mtls bound --mtls-alias --cert "$W/rsa.pem"
	alias=$(told mtls_token_endpoint)
	advertises ".mtls_endpoint_aliases == {token_endpoint: \"$alias\"} and .token_endpoint == \"$TOKEN_ENDPOINT\""
	[ "$alias" != "$TOKEN_ENDPOINT" ]
	jwt rsa RS384 . .
	by_jwt denied 'certificate not provided' --cert "$W/other.pem" --key "$W/other.key"
	jwt rsa RS384 . . # its aud is the token endpoint here, too
	TOKEN_ENDPOINT=$alias
	by_jwt granted --cert "$W/other.pem" --key "$W/other.key"
	bound_to other
}
tls_versions_are_kept() {
	oidc --cert "$W/rsa.pem" --tls-max TLSv1.2
	expect 0 curl -sv --cacert "$CA" "$ISSUER/jwks"
	has "$T/err" 'SSL connection using TLSv1.2'
	expect 35 curl -s --tlsv1.3 --cacert "$CA" "$ISSUER/jwks"
	oidc --cert "$W/rsa.pem" --tls-min TLSv1.3
	expect 0 curl -sv --cacert "$CA" "$ISSUER/jwks"
	has "$T/err" 'SSL connection using TLSv1.3'
	expect 35 curl -s --tls-max 1.2 --cacert "$CA" "$ISSUER/jwks"
}

# ---- clocks, logs, metadata --------------------------------------------------

date_is_off_by() { # SECONDS: the Date field of the last answer
	said=$(date -d "$(sed -n 's/^date: *//Ip' "$T/headers" | tr -d '\r')" +%s)
	off=$((said - $(date +%s) - $1))
	[ "$off" -ge -20 ] && [ "$off" -le 20 ]
}
skewed() { # SERVER EXPIRED-TEXT
	"$1" --cert "$W/rsa.pem" --skew=600
	bad "$2" rsa RS384 . .
	date_is_off_by 600
	good rsa RS384 . '.iat += 600 | .exp += 600'
	date_is_off_by 600
	"$1" --cert "$W/rsa.pem" --skew=-600
	bad 'in the future' rsa RS384 . .
	date_is_off_by -600
	bad 'exp is too far ahead' rsa RS384 . '.iat -= 600'
	good rsa RS384 . '.iat -= 600 | .exp -= 600'
	"$1" --cert "$W/rsa.pem"
	good rsa RS384 . .
	date_is_off_by 0
}
oidc_clock_is_off() { skewed oidc 'jwt expired'; }
authlib_clock_is_off() { skewed authlib expired_token; }

# logged JQ-FILTER: holds for the last line of $T/log, which has no signature.
logged() {
	holds "$T/log" -s ".[-1] | $1"
	hasnt "$T/log" "$(cut -d. -f3 "$T/jwt")"
}
TOKEN_LINE='.method == "POST" and .path == "/token" and .header.alg == "RS384"
	and .claims.sub == "backend" and .form.grant_type == "client_credentials"
	and .form.scope == "system/*.read" and (.form.client_assertion | endswith(".…"))
	and (.form | length == 4)'
oidc_logs_requests() {
	oidc --mtls bound --cert "$W/rsa.pem" --log "$T/log"
	bad 'certificate not provided' rsa RS384 . .
	logged "$TOKEN_LINE and .n == 1 and .status == 400 and (has(\"x5t#S256\") | not)"
	jwt rsa RS384 . .
	by_jwt granted --cert "$W/other.pem" --key "$W/other.key"
	logged "$TOKEN_LINE and .n == 2 and .status == 200 and .[\"x5t#S256\"] == \"$(x5t other sha256)\"
		and .port == $SERVER_PORT"
	bound_to other
	logged '.n == 3 and .path == "/token/introspection"'
	hasnt "$T/log" "$(jq -r .access_token "$T/body")"
	get "$FHIR_BASE/.well-known/smart-configuration"
	logged '.n == 4 and .method == "GET" and .path == "/fhir/.well-known/smart-configuration"'
	[ "$(wc -l <"$T/log")" -eq 4 ]
}
authlib_logs_requests() {
	authlib --log "$T/log"
	good rsa RS384 . .
	logged "$TOKEN_LINE and .n == 1 and .status == 200"
	bad bad_signature other RS384 ".kid = \"$(x5t_hex rsa)\"" .
	logged "$TOKEN_LINE and .n == 2 and .status == 400"
}
authlib_wants_its_aud() {
	authlib --aud issuer
	good rsa RS384 . ".aud = \"$ISSUER\""
	bad invalid_claim rsa RS384 . .
	bad 'aud is not one string' rsa RS384 . ".aud = [\"$ISSUER\"]"
	authlib --aud token
	good rsa RS384 . .
	bad invalid_claim rsa RS384 . ".aud = \"$ISSUER\""
}
MEMBERS='.issuer == $issuer and .token_endpoint == $token
	and (.token_endpoint_auth_methods_supported | index("private_key_jwt"))
	and (.token_endpoint_auth_signing_alg_values_supported | index("RS384"))
	and (.scopes_supported | index("system/*.read"))
	and (.grant_types_supported | index("client_credentials"))'
document() { # PATH FURTHER-FILTER: a metadata document that says what is so
	get "$ISSUER$1"
	has "$T/headers" 'application/json'
	holds "$T/body" --arg issuer "$ISSUER" --arg token "$TOKEN_ENDPOINT" "$MEMBERS and ($2)"
}
oidc_metadata_is_found() {
	oidc --cert "$W/rsa.pem"
	document /.well-known/openid-configuration ".introspection_endpoint == \"$(told introspection_endpoint)\""
	cp "$T/body" "$T/openid"
	document /.well-known/oauth-authorization-server true
	cmp "$T/body" "$T/openid"
	[ "$FHIR_BASE" = "$ISSUER/fhir" ]
	document /fhir/.well-known/smart-configuration '.capabilities | index("client-confidential-asymmetric")'
	expect 22 get "$ISSUER/fhir/.well-known/openid-configuration"
}
authlib_metadata_is_found() {
	authlib
	document /.well-known/oauth-authorization-server '.response_types_supported'
	[ "$FHIR_BASE" = "$ISSUER/fhir" ]
	document /fhir/.well-known/smart-configuration '.capabilities | index("client-confidential-asymmetric")'
	expect 22 get "$ISSUER/.well-known/openid-configuration"
}
# Who has nothing but this issuer must append the OpenID form to it.
glewlwyd_metadata_is_found() {
	echo '{"keys": []}' >"$T/jwks"
	fresh glewlwyd bash "$SERVERS/glewlwyd.sh" "$T/glewlwyd" "$T/jwks" \
		"$W/pki/good.pem" "$W/pki/good.key" "$CA"
	[ "$ISSUER" = "https://localhost:$SERVER_PORT/api/oidc" ]
	get "$ISSUER/.well-known/openid-configuration"
	holds "$T/body" --arg issuer "$ISSUER" --arg token "$TOKEN_ENDPOINT" \
		'.issuer == $issuer and .token_endpoint == $token'
	for form in oauth-authorization-server openid-configuration; do
		expect 22 get "https://localhost:$SERVER_PORT/.well-known/$form/api/oidc"
	done
	expect 22 get "$ISSUER/.well-known/oauth-authorization-server"
	stop_server glewlwyd
}

# ---- slowness ----------------------------------------------------------------

ms_since() { echo $((($(date +%s%N) - $1) / 1000000)); }
at_least() { [ "$1" -ge "$2" ] || { echo "only $1 ms, not $2"; return 1; }; }

# far FLIGHTS MS CURL-OPTION...: a server that much further away; when TLS stood
# and when all was over, in ms, in $T/tls and $T/all.
far() {
	oidc --cert "$W/rsa.pem" --tls-max TLSv1.2
	real=$SERVER_PORT
	fresh far /usr/bin/python3 "$TOOLS/slow-proxy.py" --to "$real" --handshake-ms "$2" --flights "$1"
	curl -s --fail --cacert "$CA" --connect-to "localhost:$real:localhost:$SERVER_PORT" -o "$T/body" \
		-w '%{time_appconnect} %{time_total}\n' "https://localhost:$real/jwks" >"$T/times"
	holds "$T/body" .keys
	awk '{ print int($1 * 1000) >"tls"; print int($2 * 1000) >"all" }' "$T/times"
}
relay_holds_back_one_flight() {
	far 1 1500
	at_least "$(cat "$T/tls")" 1500
	[ $(($(cat "$T/all") - $(cat "$T/tls"))) -lt 1500 ] # and not the request
}
relay_holds_back_each_flight() { # TLS 1.2: two before TLS stands, then the request
	far 3 1500
	at_least "$(cat "$T/tls")" 1000
	at_least "$(cat "$T/all")" 1500
	at_least $(($(cat "$T/all") - $(cat "$T/tls"))) 500
}
token_is_slow_where_it_is_told() {
	softhsm_new "$W/hsm" lab 739154
	softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_MS=700
	export P11FAULT_MODULE P11FAULT_MS
	for function in C_Sign C_Login; do
		start=$(date +%s%N)
		expect 0 env P11FAULT_FAIL="$function:1:slow" P11FAULT_LOG="$T/$function" \
			"$P11OAUTH" assertion --client-id backend --token-endpoint https://as.example/token \
			--module "$top_builddir/tests/fault/fault-module.so" \
			--pin-from "file:$SOFTHSM_PIN_FILE" --key 'pkcs11:token=lab;object=rsa'
		at_least "$(ms_since "$start")" 700
		[ "$(grep -c '^fault:' "$T/$function")" -eq 1 ]
		has "$T/$function" "fault: $function slow"
	done
}

run_tests aud_is_the_token_endpoint aud_is_the_issuer typ_is_exact \
	kid_is_wanted_or_not x5t_is_that_of_the_key algorithms_are_those_advertised \
	keys_by_jwks_uri mtls_by_pki mtls_by_a_registered_certificate \
	mtls_binds_the_access_token mtls_on_a_port_of_its_own tls_versions_are_kept \
	oidc_clock_is_off authlib_clock_is_off oidc_logs_requests \
	authlib_logs_requests authlib_wants_its_aud oidc_metadata_is_found \
	authlib_metadata_is_found glewlwyd_metadata_is_found \
	relay_holds_back_one_flight relay_holds_back_each_flight \
	token_is_slow_where_it_is_told
