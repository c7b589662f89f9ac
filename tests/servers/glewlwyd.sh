#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Debian's glewlwyd as an authorization server on loopback: its OpenID Connect
# plugin with one client "backend" that authenticates with private_key_jwt.
# Set up through its own administration interface, in a folder of its own.
#
# Its discovery document is at ISSUER/.well-known/openid-configuration alone;
# RFC 8414's place, /.well-known/… before the issuer's path, is 404. It lists
# neither the grant nor the scopes that a client of this kind gets.
#
# usage: glewlwyd.sh DIR JWKS TLS-CERT TLS-KEY CA
set -euo pipefail
dir=$1 jwks=$2 tls_cert=$3 tls_key=$4 ca=$5
mkdir -p "$dir"
cd "$dir"

# a port that is free now; glewlwyd does not take 0
port=$(/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
base=https://localhost:$port
schema=/usr/share/dbconfig-common/data/glewlwyd/install/sqlite3
sqlite3 glewlwyd.db <"$schema"
cat >glewlwyd.conf <<END
port=$port
bind_address="127.0.0.1"
external_url="$base"
login_url="login.html"
api_prefix="api"
static_files_path="/usr/share/glewlwyd/webapp"
log_mode="file"
log_level="INFO"
log_file="$PWD/glewlwyd.log"
cookie_secure=0
session_expiration=3600
session_key="GLEWLWYD2_SESSION_ID"
admin_session_authentication="cookie"
profile_session_authentication="cookie"
admin_scope="g_admin"
profile_scope="g_profile"
user_module_path="/usr/lib/glewlwyd/user"
client_module_path="/usr/lib/glewlwyd/client"
user_auth_scheme_module_path="/usr/lib/glewlwyd/scheme"
plugin_module_path="/usr/lib/glewlwyd/plugin"
hash_algorithm="SHA512"
use_secure_connection=true
secure_connection_key_file="$tls_key"
secure_connection_pem_file="$tls_cert"
database = { type = "sqlite3"; path = "$PWD/glewlwyd.db"; };
END
glewlwyd -c "$PWD/glewlwyd.conf" >glewlwyd.out 2>&1 &
server=$!
trap 'kill $server 2>/dev/null; wait $server 2>/dev/null; exit 0' TERM INT

api() { # PATH [JSON]: a call of the administration interface that must succeed
	curl -sS --fail --cacert "$ca" -b cookies -c cookies -o answer \
		-H 'Content-Type: application/json' ${2+-d "$2"} "$base/$1"
}
tries=0
until api config 2>/dev/null; do
	tries=$((tries + 1))
	[ "$tries" -lt 100 ] && kill -0 "$server" || { cat glewlwyd.out >&2; exit 1; }
	sleep 0.1 # polling for the port; bounded above
done

api api/auth '{"username": "admin", "password": "password"}'
for scope in 'system/*.read' system/Patient.read; do
	api api/scope "$(jq -n --arg name "$scope" \
		'{$name, display_name: $name, password_required: false, scheme: {}}')"
done
openssl ecparam -name prime256v1 -genkey -noout -out as.key
openssl ec -in as.key -pubout -out as.pub 2>/dev/null
api api/mod/plugin/ "$(jq -n --arg iss "$base/api/oidc" --rawfile key as.key --rawfile cert as.pub '{
	module: "oidc", name: "oidc", display_name: "oidc", enabled: true,
	parameters: {
		$iss, $key, $cert,
		"jwt-type": "ecdsa", "jwt-key-size": "256",
		"code-duration": 600, "refresh-token-duration": 1209600, "access-token-duration": 300,
		"allow-non-oidc": true, "auth-type-client-enabled": true,
		"auth-type-code-enabled": false, "auth-type-token-enabled": false,
		"auth-type-implicit-enabled": false, "auth-type-password-enabled": false,
		"auth-type-refresh-enabled": false,
		"request-parameter-allow": true, "request-maximum-exp": 300,
		"client-pubkey-parameter": "pubkey", "client-jwks-parameter": "jwks",
		"client-jwks_uri-parameter": "jwks_uri", "resource-allowed": false,
		"introspection-revocation-allowed": false, "jwks-show": true
	}
}')"
api api/client/ "$(jq -n --slurpfile jwks "$jwks" '{
	client_id: "backend", name: "backend", confidential: true, enabled: true,
	redirect_uri: ["https://localhost/none"], authorization_type: ["client_credentials"],
	scope: ["system/*.read", "system/Patient.read"],
	token_endpoint_auth_method: ["private_key_jwt"], jwks: $jwks[0]
}')"
jq -nc --arg base "$base" --argjson port "$port" --arg ca "$ca" \
	'($base + "/api/oidc") as $issuer |
	{ready: true, $port, $issuer, token_endpoint: ($issuer + "/token"), $ca}'
wait "$server"
