#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the tool sends to each kind of server, judged by validators that were
# written from the vendors' rules alone (tests/servers/vendor_rules.py). Where
# two kinds contradict each other, the request for one is refused by the other,
# for the reason expected.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

KINDS="smart careevolution epic oracle-health athenahealth meditech nextgen eclinicalworks
	medplum aidbox smile-cdr cms-dpc okta auth0 keycloak duende rfc10070 entra fapi2 google udap"
KEY_ID=6a1f1a2e-93a0-4c8b-9d6e-2f5f0c7b8d11 # what CMS or Google call the RSA key
MACAROON=$(head -c 300 /dev/zero | base64 -w 0)
ACCOUNT=backend@project.iam.gserviceaccount.com

softhsm_new "$W/hsm" lab 739154
softhsm_keygen rsa:2048 01 rsa "$W/rsa.pem"
softhsm_keygen EC:prime256v1 02 p256 "$W/p256.pem"
softhsm_keygen EC:secp384r1 03 p384 "$W/p384.pem"
sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
start_server vendors /usr/bin/python3 -B "$top_srcdir/tests/servers/vendor-server.py" \
	--cert "$W/rsa.pem" --cert "$W/p256.pem" --cert "$W/p384.pem" --kid "$KEY_ID=$W/rsa.pem" \
	--client-id "cms-dpc=$MACAROON" --client-id "google=$ACCOUNT" --log "$W/vendors.log" \
	--tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" --ca "$W/pki/ca.pem"
BASE=https://localhost:$SERVER_PORT

issuer_of() {
	case $1 in auth0) echo "$BASE/auth0/" ;; *) echo "$BASE/$1" ;; esac
}
# client NAME KIND SCOPE KEY=VALUE...: a profile that does not say where.
client() {
	name=$1 kind=$2 scope=$3; shift 3
	case $kind in
	cms-dpc) id=$MACAROON ;;
	google) id=$ACCOUNT ;;
	*) id=backend ;;
	esac
	profile "$name" "server = \"$kind\"" "client-id = \"$id\"" "scope = \"$scope\"" \
		'key = "pkcs11:token=lab;object=rsa"' "module = \"$SOFTHSM_MODULE\"" \
		"pin-from = \"file:$SOFTHSM_PIN_FILE\"" "cacert = \"$SERVER_CA\"" "$@"
}
# kind KIND SCOPE KEY=VALUE...: the profile of that name, for that kind's endpoint.
kind() {
	kind=$1 scope=$2; shift 2
	client "$kind" "$kind" "$scope" "issuer = \"$(issuer_of "$kind")\"" \
		"token-endpoint = \"$BASE/$kind/token\"" "$@"
}
kind smart 'system/*.read'
kind careevolution 'system/*.read'
kind epic 'system/Patient.read'
kind oracle-health 'system/Patient.read system/Condition.rs'
kind athenahealth 'athena/service/Athenanet.MDP.* system/Patient.read'
kind meditech 'system/Patient.rs system/Observation.rs?category=laboratory'
kind nextgen 'system/Patient.rs'
kind eclinicalworks 'system/Group.read'
kind medplum openid
kind aidbox 'system/*.read'
kind smile-cdr 'system/*.rs'
kind cms-dpc 'system/*.*' "kid = \"literal:$KEY_ID\""
kind okta okta.users.read
kind auth0 read:patients 'param = "audience=https://api.example"'
kind keycloak 'system/*.read'
kind duende 'system/*.read'
kind rfc10070 'system/*.read'
kind entra 'https://workspace-fhir.example/.default' 'algorithm = "PS256"'
kind fapi2 'system/*.read' 'algorithm = "PS256"'
kind google 'https://www.googleapis.com/auth/cloud-platform' 'algorithm = "RS256"' \
	"kid = \"literal:$KEY_ID\""
kind udap 'system/*.read' 'algorithm = "RS256"' \
	'hl7-b2b = { "organization_id=https://example.org/org", "purpose_of_use=urn:oid:2.16.840.1.113883.5.8#TREAT" }'
client by-fhir-base smart 'system/*.read' "fhir-base = \"$BASE/smart/fhir\""
client by-fhir-base-of-epic epic 'system/*.read' "fhir-base = \"$BASE/epic/fhir\""
client by-issuer rfc10070 'system/*.read' "issuer = \"$BASE/rfc10070\""
client by-issuer-of-auth0 auth0 'read:patients' "issuer = \"$BASE/auth0/\"" \
	'param = "audience=https://api.example"'

last() { tail -n 1 "$W/vendors.log"; }

# issues KIND [OPTION...]: the kind's own validator finds nothing.
issues() {
	profile_name=$1; shift
	expect 0 "$P11OAUTH" token "$profile_name" --json "$@"
	jq -e '(.access_token | length > 10) and (.token_type | ascii_downcase == "bearer")
		and .expires_at > now' "$T/out" >/dev/null
	last | jq -e '.refused == null' >/dev/null
}
smart_issues_an_access_token() { issues smart; }
careevolution_issues_an_access_token() { issues careevolution; }
epic_issues_an_access_token() { issues epic; }
oracle_health_issues_an_access_token() { issues oracle-health; }
athenahealth_issues_an_access_token() { issues athenahealth; }
meditech_issues_an_access_token() { issues meditech; }
nextgen_issues_an_access_token() { issues nextgen; }
eclinicalworks_issues_an_access_token() { issues eclinicalworks; }
medplum_issues_an_access_token() { issues medplum; }
aidbox_issues_an_access_token() { issues aidbox; }
smile_cdr_issues_an_access_token() { issues smile-cdr; }
cms_dpc_issues_an_access_token() { issues cms-dpc; }
okta_issues_an_access_token() { issues okta; }
auth0_issues_an_access_token() { issues auth0; }
keycloak_issues_an_access_token() { issues keycloak; }
duende_issues_an_access_token() { issues duende; }
rfc10070_issues_an_access_token() { issues rfc10070; }
entra_issues_an_access_token() { issues entra; }
fapi2_issues_an_access_token() { issues fapi2; }
google_issues_an_access_token() { issues google; }
udap_issues_an_access_token() { issues udap; }

ec() { ec_key=$1; shift; issues "$@" --key "pkcs11:token=lab;object=$ec_key"; }
smart_takes_es384() { ec p384 smart --algorithm ES384; }
epic_takes_es256() { ec p256 epic --algorithm ES256; }
medplum_takes_es384() { ec p384 medplum --algorithm ES384; }
okta_takes_es256() { ec p256 okta --algorithm ES256; }
rfc10070_takes_es256() { ec p256 rfc10070 --algorithm ES256; }
fapi2_takes_es256() { ec p256 fapi2 --algorithm ES256; }
udap_takes_es256() { ec p256 udap --algorithm ES256; }

# The last request, as the server saw it.
google_sends_an_assertion_and_nothing_else() {
	issues google
	last | jq -e '[.form[][0]] == ["grant_type", "assertion"]
		and .claims.scope == "https://www.googleapis.com/auth/cloud-platform"' >/dev/null
}
entra_has_its_names() {
	issues entra
	last | jq -e '(.header | has("x5t#S256")) and (.claims | has("nbf"))
		and ([.form[] | select(.[0] == "client_id")] == [["client_id", "backend"]])' >/dev/null
}
udap_has_its_extension() {
	issues udap
	last | jq -e '.claims.extensions["hl7-b2b"] == {"version": "1",
		"organization_id": "https://example.org/org",
		"purpose_of_use": ["urn:oid:2.16.840.1.113883.5.8#TREAT"]}' >/dev/null
}

by_fhir_base() { issues by-fhir-base; }
by_fhir_base_of_epic() { issues by-fhir-base-of-epic; }
issuer_finds_the_endpoint() { issues by-issuer; }
by_issuer_of_auth0() { issues by-issuer-of-auth0; }

# elsewhere KIND VENDOR: the options that send KIND's request to VENDOR.
elsewhere() { echo "$1 --token-endpoint $BASE/$2/token --issuer $(issuer_of "$2")"; }

# also_at KIND VENDOR: what KIND is sent is good enough there.
# shellcheck disable=SC2046 # several words
also_at() { issues $(elsewhere "$1" "$2"); }
smart_at_duende() { also_at smart duende; }
smart_at_keycloak() { also_at smart keycloak; }
smart_at_epic() { also_at smart epic; }
rfc10070_at_duende() { also_at rfc10070 duende; }
epic_at_medplum() { also_at epic medplum; }

# refused VENDOR REASON TOKEN-ARGUMENT...: exit status 13, and why.
refused() {
	vendor=$1 reason=$2; shift 2
	expect 13 "$P11OAUTH" token "$@"
	empty "$T/out"
	tail -n 1 "$W/vendors.err" >"$T/reason"
	jq -e --arg v "$vendor" --arg r "$reason" '.vendor == $v and (.refused | startswith($r + ":"))' \
		"$T/reason" >/dev/null || { echo "not because of $reason:"; cat "$T/reason"; return 1; }
}
# not_at KIND VENDOR REASON [OPTION...]
# shellcheck disable=SC2046 # several words
not_at() {
	kind=$1 vendor=$2 reason=$3; shift 3
	refused "$vendor" "$reason" $(elsewhere "$kind" "$vendor") "$@"
}
smart_not_at_rfc10070() { not_at smart rfc10070 typ; }
smart_not_at_fapi2() { not_at smart fapi2 alg; }
smart_with_ps256_not_at_fapi2() { not_at smart fapi2 aud --algorithm PS256; }
smart_not_at_auth0() { not_at smart auth0 aud --param audience=https://api.example; }
smart_not_at_entra() { not_at smart entra client_id; }
smart_not_at_google() { not_at smart google grant_type; }
smart_not_at_udap() { not_at smart udap udap; }
smart_not_at_careevolution() { not_at smart careevolution kid; }
smart_not_at_meditech() { not_at smart meditech scope; }
smart_not_at_cms_dpc() { not_at smart cms-dpc iss --scope 'system/*.*'; }
smart_es384_not_at_eclinicalworks() {
	not_at smart eclinicalworks alg --key 'pkcs11:token=lab;object=p384' --algorithm ES384
}
rfc10070_not_at_smart() { not_at rfc10070 smart typ; }
rfc10070_not_at_epic() { not_at rfc10070 epic typ; }
fapi2_not_at_smart() { not_at fapi2 smart alg; }
auth0_not_at_smart() { not_at auth0 smart aud --kid jwk-thumbprint; }
auth0_not_at_okta() { not_at auth0 okta aud --kid jwk-thumbprint; }
entra_not_at_smart() { not_at entra smart alg; }
google_not_at_smart() { not_at google smart grant_type; }
google_not_at_rfc10070() { not_at google rfc10070 grant_type; }
udap_not_at_smart() { not_at udap smart alg; }
duende_not_at_rfc10070() { not_at duende rfc10070 typ; }

# The same profile with other options.
cms_dpc_wants_its_kid() { refused cms-dpc kid cms-dpc --kid jwk-thumbprint; }
google_wants_its_kid() { refused google kid google --kid jwk-thumbprint; }
careevolution_wants_its_kid() { refused careevolution kid careevolution --kid jwk-thumbprint; }
option_rfc10070_not_at_smart() { refused smart typ smart --server rfc10070; }
option_smart_not_at_rfc10070() { refused rfc10070 typ rfc10070 --server smart; }
option_google_not_at_smart() { refused smart grant_type smart --server google; }
option_smart_not_at_google() { refused google grant_type google --server smart; }

metadata_is_each_kinds_own() {
	n=0
	for kind in $KINDS; do
		for path in ".well-known/oauth-authorization-server/$kind" \
			"$kind/.well-known/openid-configuration" "$kind/fhir/.well-known/smart-configuration"; do
			curl -sS --fail --cacert "$SERVER_CA" "$BASE/$path" >"$T/metadata"
			jq -e --arg i "$(issuer_of "$kind")" --arg t "$BASE/$kind/token" \
				'.issuer == $i and .token_endpoint == $t' "$T/metadata" >/dev/null
			n=$((n + 1))
		done
		jq -r --arg k "$kind" 'if .token_endpoint_auth_signing_alg_values_supported then empty else $k end' \
			"$T/metadata" >>"$T/without-algs"
	done
	[ "$n" -eq 63 ]
	[ "$(paste -sd ' ' "$T/without-algs")" = "epic nextgen" ]
}
log_has_no_signature() {
	issues smart
	last | jq -e '.header.alg == "RS384" and .claims.iss == "backend"' >/dev/null
	refuses grep -E 'eyJ[A-Za-z0-9_-]+\.' "$W/vendors.log"
	hasnt "$W/vendors.err" Traceback
}

run_tests smart_issues_an_access_token careevolution_issues_an_access_token \
	epic_issues_an_access_token oracle_health_issues_an_access_token \
	athenahealth_issues_an_access_token meditech_issues_an_access_token \
	nextgen_issues_an_access_token eclinicalworks_issues_an_access_token \
	medplum_issues_an_access_token aidbox_issues_an_access_token \
	smile_cdr_issues_an_access_token cms_dpc_issues_an_access_token \
	okta_issues_an_access_token auth0_issues_an_access_token \
	keycloak_issues_an_access_token duende_issues_an_access_token \
	rfc10070_issues_an_access_token entra_issues_an_access_token \
	fapi2_issues_an_access_token google_issues_an_access_token \
	udap_issues_an_access_token smart_takes_es384 epic_takes_es256 \
	medplum_takes_es384 okta_takes_es256 rfc10070_takes_es256 fapi2_takes_es256 \
	udap_takes_es256 google_sends_an_assertion_and_nothing_else \
	entra_has_its_names udap_has_its_extension by_fhir_base by_fhir_base_of_epic \
	issuer_finds_the_endpoint by_issuer_of_auth0 smart_at_duende smart_at_keycloak \
	smart_at_epic rfc10070_at_duende epic_at_medplum smart_not_at_rfc10070 \
	smart_not_at_fapi2 smart_with_ps256_not_at_fapi2 smart_not_at_auth0 \
	smart_not_at_entra smart_not_at_google smart_not_at_udap \
	smart_not_at_careevolution smart_not_at_meditech smart_not_at_cms_dpc \
	smart_es384_not_at_eclinicalworks rfc10070_not_at_smart rfc10070_not_at_epic \
	fapi2_not_at_smart auth0_not_at_smart auth0_not_at_okta entra_not_at_smart \
	google_not_at_smart google_not_at_rfc10070 udap_not_at_smart \
	duende_not_at_rfc10070 cms_dpc_wants_its_kid google_wants_its_kid \
	careevolution_wants_its_kid option_rfc10070_not_at_smart \
	option_smart_not_at_rfc10070 option_google_not_at_smart \
	option_smart_not_at_google metadata_is_each_kinds_own log_has_no_signature
