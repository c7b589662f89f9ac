# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # the suite reads the TOKEN_ variables
# openCryptoki's soft token; Debian 12's has no elliptic curves. It looks at users
# and groups, which take root.
TOKEN_RANK=root

ock_tool() { pkcs11-tool --module "$TOKEN_MODULE" "$@" >/dev/null 2>&1; }

token_up() {
	# what the module itself leaks is not ours to mend
	ASAN_OPTIONS=detect_leaks=0
	export ASAN_OPTIONS
	private_folder "$1/lib" /var/lib/opencryptoki
	private_folder "$1/run" /run
	ock_locks=$(readlink -m /var/lock)/opencryptoki
	mkdir -p "$ock_locks/swtok" /var/lib/opencryptoki/swtok/TOK_OBJ /run/opencryptoki
	ock_as=
	if getent passwd pkcsslotd >/dev/null; then # Debian 13's daemon has a user of its own
		chown -R :pkcs11 "$ock_locks" /var/lib/opencryptoki
		chown pkcsslotd:pkcs11 /run/opencryptoki "$ock_locks"
		chmod -R ug+rwX "$ock_locks" /var/lib/opencryptoki
		chmod 711 "$W" "$1" /run "${ock_locks%/*}"
		ock_as="setpriv --reuid pkcsslotd --regid pkcs11 --clear-groups"
	fi
	TOKEN_MODULE=$(find /usr/lib -name libopencryptoki.so | head -n 1)
	TOKEN_PIN=73915462 # 4 to 8 characters
	TOKEN_KEYS="rsa=pkcs11:token=lab;object=rsa"
	# shellcheck disable=SC2086 # words of a command
	spawn pkcsslotd $ock_as pkcsslotd -f
	ock_tries=0
	until ock_tool --slot 3 --init-token --label lab --so-pin 87654321; do
		ock_tries=$((ock_tries + 1)); [ "$ock_tries" -lt 20 ]
		sleep 0.2 # polling for the daemon; bounded above
	done
	ock_tool --token-label lab --init-pin --login --login-type so \
		--so-pin 87654321 --new-pin "$TOKEN_PIN"
	ock_tool --token-label lab --login --pin "$TOKEN_PIN" --keypairgen \
		--key-type rsa:2048 --id 01 --label rsa
	certificate_of_key "$TOKEN_MODULE" "pkcs11:token=lab;object=rsa" rsa "$W/rsa.pem"
	openssl x509 -in "$W/rsa.pem" -outform DER -out "$1/der"
	ock_tool --token-label lab --login --pin "$TOKEN_PIN" --write-object "$1/der" \
		--type cert --id 01 --label rsa
}
