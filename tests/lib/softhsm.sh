# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# SoftHSM tokens of a test's own, in a folder of its own. Nothing of the
# machine's configuration is read or written.

for SOFTHSM_MODULE in /usr/lib/softhsm/libsofthsm2.so \
	/usr/lib/*/softhsm/libsofthsm2.so /usr/local/lib/softhsm/libsofthsm2.so; do
	[ -e "$SOFTHSM_MODULE" ] && break
done

# softhsm_new DIR LABEL PIN: a token; exports SOFTHSM2_CONF and sets
# SOFTHSM_LABEL, SOFTHSM_PIN and SOFTHSM_PIN_FILE for the functions below.
softhsm_new() {
	mkdir -p "$1/tokens"
	printf 'directories.tokendir = %s/tokens\nobjectstore.backend = file\nlog.level = ERROR\n' \
		"$1" >"$1/softhsm2.conf"
	SOFTHSM2_CONF=$1/softhsm2.conf
	export SOFTHSM2_CONF
	SOFTHSM_LABEL=$2
	SOFTHSM_PIN=$3
	SOFTHSM_PIN_FILE=$1/$2.pin
	(umask 077; printf '%s\n' "$3" >"$SOFTHSM_PIN_FILE")
	softhsm2-util --init-token --free --label "$2" --so-pin 87654321 \
		--pin "$3" >/dev/null
}

softhsm_tool() {
	pkcs11-tool --module "$SOFTHSM_MODULE" --token-label "$SOFTHSM_LABEL" \
		--login --pin "$SOFTHSM_PIN" "$@" >/dev/null 2>&1
}

# softhsm_certificate CERT.pem ID LABEL
softhsm_certificate() {
	openssl x509 -in "$1" -outform DER -out "$1.der"
	softhsm_tool --write-object "$1.der" --type cert --id "$2" --label "$3"
}

# softhsm_import KEY.pem CERT.pem ID LABEL: key pair and certificate.
softhsm_import() {
	openssl pkcs8 -topk8 -nocrypt -in "$1" -out "$1.p8"
	softhsm2-util --import "$1.p8" --token "$SOFTHSM_LABEL" --pin "$SOFTHSM_PIN" \
		--id "$3" --label "$4" --force >/dev/null
	softhsm_certificate "$2" "$3" "$4"
}

# softhsm_keygen TYPE ID LABEL CERT.pem: a key pair made on the token (TYPE as
# pkcs11-tool has it) and a certificate for its public key.
softhsm_keygen() {
	softhsm_tool --keypairgen --key-type "$1" --id "$2" --label "$3"
	certificate_of_key "$SOFTHSM_MODULE" "pkcs11:token=$SOFTHSM_LABEL;object=$3" "$3" "$4"
	softhsm_certificate "$4" "$2" "$3"
}
