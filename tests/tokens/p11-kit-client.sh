# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # the suite reads the TOKEN_ variables
# p11-kit remoting: a server process has the token, and the module is a client.

. "$top_srcdir/tests/tokens/softhsm.sh"

# p11_kit_server_start: a server for the SoftHSM token at $P11_KIT_DIR/socket.
p11_kit_server_start() {
	rm -f "$P11_KIT_DIR/socket"
	spawn p11-kit p11-kit server --foreground --name "$P11_KIT_DIR/socket" \
		--provider "$SOFTHSM_MODULE" "pkcs11:token=lab"
	p11_kit_tries=0
	until [ -S "$P11_KIT_DIR/socket" ]; do
		p11_kit_tries=$((p11_kit_tries + 1)); [ "$p11_kit_tries" -lt 50 ]
		sleep 0.1 # polling for the socket; bounded above
	done
}

token_up() {
	P11_KIT_DIR=$1
	softhsm_token_up "$1/hsm"
	TOKEN_MODULE=$(find /usr/lib -name p11-kit-client.so | head -n 1)
	P11_KIT_SERVER_ADDRESS=unix:path=$1/socket
	export P11_KIT_SERVER_ADDRESS
	p11_kit_server_start
}
