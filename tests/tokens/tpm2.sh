# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # the suite reads the TOKEN_ variables
# tpm2-pkcs11 on swtpm, without a resource manager: keys made on the TPM.

TPM2_PORT=2321 # the control channel is the next one; in our own namespace

# tpm2_start: the TPM, with the state that $TPM2_DIR/state has.
tpm2_start() {
	spawn swtpm swtpm socket --tpm2 --tpmstate dir="$TPM2_DIR/state" \
		--ctrl type=tcp,bindaddr=127.0.0.1,port=$((TPM2_PORT + 1)) \
		--server type=tcp,bindaddr=127.0.0.1,port=$TPM2_PORT \
		--flags not-need-init,startup-clear
	tpm2_tries=0
	until /usr/bin/python3 -c "import socket; socket.create_connection(('127.0.0.1', $((TPM2_PORT + 1))))" 2>/dev/null; do
		tpm2_tries=$((tpm2_tries + 1)); [ "$tpm2_tries" -lt 50 ]
		sleep 0.1 # polling for the TPM; bounded above
	done
}
# tpm2_stop: as a power cut.
tpm2_stop() { stop_server swtpm KILL; }

# What a killed process and pkcs11-tool leave in the TPM's few places.
tpm2_flush() {
	tpm2_flushcontext -t; tpm2_flushcontext -l; tpm2_flushcontext -s
}

tpm2_tool() { pkcs11-tool --module "$TOKEN_MODULE" "$@" >/dev/null 2>&1; }

token_up() {
	# what the module itself leaks is not ours to mend
	ASAN_OPTIONS=detect_leaks=0
	export ASAN_OPTIONS
	TPM2_DIR=$1
	mkdir -p "$TPM2_DIR/state" "$TPM2_DIR/store"
	TPM2_PKCS11_TCTI=swtpm:host=127.0.0.1,port=$TPM2_PORT
	TPM2_PKCS11_STORE=$TPM2_DIR/store
	TPM2TOOLS_TCTI=$TPM2_PKCS11_TCTI
	export TPM2_PKCS11_TCTI TPM2_PKCS11_STORE TPM2TOOLS_TCTI
	TOKEN_MODULE=$(find /usr/lib -name libtpm2_pkcs11.so | head -n 1)
	TOKEN_PIN=739154
	TOKEN_KEYS="rsa=pkcs11:token=lab;object=rsa p384=pkcs11:token=lab;object=p384
		p256=pkcs11:token=lab;object=p256"
	tpm2_start
	tpm2_tool --init-token --slot 1 --label lab --so-pin 87654321
	tpm2_tool --init-pin --token-label lab --so-pin 87654321 --login \
		--login-type so --new-pin "$TOKEN_PIN"
	for key in rsa:2048=01:rsa EC:secp384r1=02:p384 EC:prime256v1=03:p256; do
		type=${key%=*} name=${key#*=}
		tpm2_tool --token-label lab --login --pin "$TOKEN_PIN" --keypairgen \
			--key-type "$type" --id "${name%:*}" --label "${name#*:}"
		certificate_of_key "$TOKEN_MODULE" "pkcs11:token=lab;object=${name#*:}" \
			"${name#*:}" "$W/${name#*:}.pem"
		openssl x509 -in "$W/${name#*:}.pem" -outform DER -out "$TPM2_DIR/der"
		tpm2_tool --token-label lab --login --pin "$TOKEN_PIN" --type cert \
			--write-object "$TPM2_DIR/der" --id "${name%:*}" --label "${name#*:}"
		tpm2_flush
	done
}
