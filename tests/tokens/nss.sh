# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # the suite reads the TOKEN_ variables
# NSS softokn, the key store of Firefox: wants arguments at C_Initialize.

token_up() {
	mkdir -p "$1/db"
	TOKEN_MODULE=$(find /usr/lib -name libsoftokn3.so | head -n 1)
	TOKEN_PIN=739154
	TOKEN_INIT_ARGS="configdir='sql:$1/db' certPrefix='' keyPrefix='' secmod='secmod.db' flags=readOnly"
	echo "$TOKEN_PIN" >"$1/pw"
	certutil -N -d "sql:$1/db" -f "$1/pw"
	for key in rsa p384 p256; do
		token_key_file "$key"
		openssl pkcs12 -export -inkey "$W/$key.key" -in "$W/$key.pem" \
			-name "$key" -out "$1/p12" -passout pass:x
		pk12util -i "$1/p12" -d "sql:$1/db" -k "$1/pw" -W x >/dev/null
		# NSS makes the id itself: SHA-1 of the modulus or the point
		TOKEN_KEYS="$TOKEN_KEYS $key=pkcs11:token=NSS%20Certificate%20DB;object=$key"
	done
}
