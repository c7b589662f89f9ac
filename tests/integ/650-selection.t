#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Which key and which certificate: renewed ones, attestation certificates, a
# PEM file instead, ambiguity; and which key may not be used.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

softhsm_new "$W/hsm" lab 739154
fixture_rsa job 2048
fixture_rsa other 2048
fixture_ec bare P-384

# renewed NAME FROM UNTIL: a certificate of the key "job", dates as openssl ca
# has them, $W/NAME.pem.
mkdir "$W/ca"
: >"$W/ca/index"
echo 01 >"$W/ca/serial"
cat >"$W/ca/conf" <<-END
	[ca]
	default_ca = throw_away
	[throw_away]
	database = $W/ca/index
	serial = $W/ca/serial
	new_certs_dir = $W/ca
	default_md = sha256
	policy = any
	unique_subject = no
	[any]
	commonName = supplied
END
renewed() {
	printf 'keyUsage=critical,digitalSignature\n%s' "${4-}" >"$W/ca/ext"
	openssl req -new -key "$W/job.key" -subj "/CN=$1" -out "$W/$1.csr"
	openssl ca -batch -notext -config "$W/ca/conf" -extfile "$W/ca/ext" \
		-keyfile "$W/job.key" -selfsign -startdate "$2" -enddate "$3" \
		-in "$W/$1.csr" -out "$W/$1.pem" 2>/dev/null
}
year=$(date +%Y)
renewed expired $((year - 3))0101000000Z $((year - 1))0101000000Z
renewed current $((year - 1))0201000000Z $((year + 2))0101000000Z
renewed newest $((year - 1))0601000000Z $((year + 2))0101000000Z
renewed future $((year + 1))0101000000Z $((year + 3))0101000000Z
renewed attestation $((year - 1))0701000000Z $((year + 3))0101000000Z \
	'1.3.6.1.4.1.41482.3.3=ASN1:FORMAT:HEX,OCTETSTRING:050403'

softhsm_import "$W/job.key" "$W/expired.pem" 01 job
softhsm_certificate "$W/future.pem" 01 job
softhsm_certificate "$W/newest.pem" 01 job
softhsm_certificate "$W/current.pem" 01 job
softhsm_certificate "$W/attestation.pem" 01 job
# an old certificate of another key under the label of the new one
softhsm_import "$W/other.key" "$W/other.pem" 02 shared
softhsm_certificate "$W/newest.pem" 09 shared
# a key without any certificate
openssl pkcs8 -topk8 -nocrypt -in "$W/bare.key" -out "$W/bare.p8"
softhsm2-util --import "$W/bare.p8" --token lab --pin 739154 --id 03 --label bare >/dev/null
# two keys of one label
softhsm_tool --keypairgen --key-type EC:prime256v1 --id 11 --label twin
softhsm_tool --keypairgen --key-type EC:prime256v1 --id 12 --label twin
softhsm_tool --keypairgen --key-type EC:prime256v1 --id 13 --label always --always-auth

for key in job shared bare twin always; do
	profile "$key" 'client-id = "selection"' 'token-endpoint = "https://as.example/token"' \
		"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
		"key = \"pkcs11:token=lab;object=$key\""
done

x5t_hex() { openssl x509 -in "$W/$1.pem" -noout -fingerprint -sha1 | sed 's/.*=//; s/://g'; }
header() { "$P11OAUTH" jwt inspect --json <"$T/out" | jq -r ".header$1"; }
spki() { # FILE.key, in upper-case hexadecimal
	openssl pkey -in "$W/$1.key" -pubout -outform DER | openssl dgst -sha256 | sed 's/.*= //' | tr 'a-f' 'A-F'
}

renewed_certificate_is_the_latest_valid_one() {
	expect 0 "$P11OAUTH" assertion job --kid x5t-hex
	[ "$(header .kid)" = "$(x5t_hex newest)" ]
	[ "$(wc -l <"$T/err")" -eq 1 ]
	has "$T/err" "4 certificates of the key" # the attestation is none of them
	expect 0 "$P11OAUTH" cert job
	[ "$(openssl x509 -noout -subject -nameopt RFC2253 <"$T/out")" = "subject=CN=newest" ]
}
the_certificate_that_matches_the_key() {
	expect 0 "$P11OAUTH" assertion shared --kid x5t-hex
	[ "$(header .kid)" = "$(x5t_hex other)" ]
}
certificate_from_a_file() {
	openssl req -new -x509 -key "$W/bare.key" -subj "/CN=bare" -days 9 -out "$W/bare.pem"
	fails 5 "certificate-file" "$P11OAUTH" assertion bare --kid x5t-hex
	expect 0 "$P11OAUTH" assertion bare --kid x5t-hex --certificate-file "$W/bare.pem"
	[ "$(header .kid)" = "$(x5t_hex bare)" ]
	fails 11 "no certificate in the file" "$P11OAUTH" assertion bare \
		--kid x5t-hex --certificate-file "$W/other.pem"
}
# The public key object is all there is: enough for the thumbprint.
no_certificate_at_all() {
	expect 0 "$P11OAUTH" assertion bare
	kid=$(header .kid)
	"$P11OAUTH" jwks bare | jq -e --arg kid "$kid" '.keys[0].kid == $kid'
}
ambiguity_lists_the_candidates() {
	fails 6 "several keys match" "$P11OAUTH" assertion twin
	has "$T/err" "id=%11"
	has "$T/err" "id=%12"
	# what it says can be used as it is
	uri=$(grep -o 'pkcs11:[^, ]*id=%12[^, ]*' "$T/err" | head -n 1)
	expect 0 "$P11OAUTH" assertion twin --key "$uri"
}
the_right_spki_is_taken() {
	expect 0 "$P11OAUTH" assertion bare --key-spki "$(spki bare)"
	expect 0 "$P11OAUTH" assertion bare --key-spki "$(spki bare | tr 'A-F' 'a-f')"
}
the_wrong_spki_is_refused() { fails 15 "$(spki bare)" "$P11OAUTH" assertion bare --key-spki "$(spki other)"; }
a_malformed_spki_is_refused() { fails 2 "SHA-256" "$P11OAUTH" assertion job --key-spki 1234; }
keys_says_the_spki() {
	expect 0 "$P11OAUTH" keys --profile job --json
	jq -e --arg s "$(spki bare)" '[.tokens[].keys[] | select(.spki_sha256 == $s)] | length == 1' "$T/out"
}
# holds KEY WORD: the policy lets the key pass; denies KEY WORD CKA.
holds() { expect 0 "$P11OAUTH" assertion "$1" --key-policy "$2"; }
denies() {
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/log
	export P11FAULT_MODULE P11FAULT_LOG
	fails 15 "$3" "$P11OAUTH" assertion "$1" --key-policy "$2" \
		--module "$top_builddir/tests/fault/fault-module.so"
	hasnt "$T/log" C_SignInit # it was not used
}
policy_of_an_imported_key() {
	holds bare sensitive
	holds bare non-extractable
	denies bare never-extractable CKA_NEVER_EXTRACTABLE
	denies bare local CKA_LOCAL
	denies bare always-authenticate CKA_ALWAYS_AUTHENTICATE
}
policy_of_a_key_made_on_the_token() {
	for word in sensitive non-extractable never-extractable local always-authenticate; do
		holds always "$word"
	done
}
# claim CKA:VALUE: what the token says of every key.
claim() { P11FAULT_CLAIM=$1; export P11FAULT_CLAIM; }
policy_looks_at_each_claim() {
	claim 0x103:0; denies always sensitive CKA_SENSITIVE
	claim 0x162:1; denies always non-extractable CKA_EXTRACTABLE
	claim 0x164:0; denies always never-extractable CKA_NEVER_EXTRACTABLE
	claim 0x163:0; denies always local CKA_LOCAL
}
policy_is_known() { fails 2 "key-policy" "$P11OAUTH" assertion job --key-policy unbreakable; }
every_word_of_a_policy_counts() {
	profile strict 'client-id = "selection"' 'token-endpoint = "https://as.example/token"' \
		"module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
		'key = "pkcs11:token=lab;object=bare"' 'key-policy = { "sensitive", "local" }'
	fails 15 CKA_LOCAL "$P11OAUTH" assertion strict
}

# A device that wants its time: the assertion is stamped anew, once.
stamped_anew_after_a_long_signature() {
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/log P11FAULT_FAIL=C_Sign:1:slow P11FAULT_MS=6000
	export P11FAULT_MODULE P11FAULT_LOG P11FAULT_FAIL P11FAULT_MS
	expect 0 "$P11OAUTH" assertion bare --lifetime 10 --module "$top_builddir/tests/fault/fault-module.so"
	[ "$(grep -c '^C_Sign 0x0' "$T/log")" -eq 2 ]
	has "$T/err" "signed anew"
	"$P11OAUTH" jwt inspect --json <"$T/out" | jq -e '.claims.exp - now > 8'
}

run_tests renewed_certificate_is_the_latest_valid_one \
	the_certificate_that_matches_the_key certificate_from_a_file \
	no_certificate_at_all ambiguity_lists_the_candidates the_right_spki_is_taken \
	the_wrong_spki_is_refused a_malformed_spki_is_refused keys_says_the_spki \
	policy_of_an_imported_key policy_of_a_key_made_on_the_token \
	policy_looks_at_each_claim policy_is_known every_word_of_a_policy_counts \
	stamped_anew_after_a_long_signature
