# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # the suite reads the TOKEN_ variables
# A PIV card such as a YubiKey: OpenSC over pcscd and a virtual reader, with
# the card in tests/tools/piv-card.py. Its PIN locks after three wrong tries.

PIV_PORT=35963 # vpcd's; in our own network namespace

# piv_insert, piv_remove: the card.
piv_insert() {
	spawn card /usr/bin/python3 "$top_srcdir/tests/tools/piv-card.py" "$PIV_DIR" "$PIV_PORT"
	piv_wait present
}
piv_remove() {
	stop_server card
	piv_wait absent
}
# piv_wait present|absent: until the reader says so.
piv_wait() {
	piv_tries=0
	until opensc-tool --list-readers | grep -q "^0 *$([ "$1" = present ] && echo Yes || echo No)"; do
		piv_tries=$((piv_tries + 1))
		[ "$piv_tries" -lt 150 ] || { echo "the card is not $1:"; cat "$W/card.err" "$W/pcscd.err"; return 1; }
		sleep 0.1 # polling for the reader; bounded above
	done
}
# piv_daemon OPTION...: pcscd, in place of the last one.
piv_daemon() {
	[ ! -e "$W/pids/pcscd" ] || stop_server pcscd
	rm -f /run/pcscd/pcscd.comm
	spawn pcscd pcscd --foreground --error "$@"
	piv_tries=0
	until curl -s --unix-socket /run/pcscd/pcscd.comm http://pcscd/ || [ $? -ne 7 ]; do
		piv_tries=$((piv_tries + 1))
		[ "$piv_tries" -lt 150 ] || { echo "pcscd does not start:"; cat "$W/pcscd.err"; return 1; }
		sleep 0.1 # polling until it listens; bounded above
	done
}
# The key of slot 9C wants the PIN again before each signature.
logins_of() {
	case $1 in p384) echo 2 ;; *) echo 1 ;; esac
}

# piv_verifies: how many PINs the card was sent.
piv_verifies() { grep -c '^VERIFY' "$PIV_DIR/log" || true; }

piv_token_up() {
	PIV_DIR=$1
	mkdir -p "$PIV_DIR"
	TOKEN_MODULE=$(find /usr/lib -name opensc-pkcs11.so | head -n 1)
	TOKEN_PIN=739154
	TOKEN_KEYS="rsa=pkcs11:id=%01 p384=pkcs11:id=%02 p256=pkcs11:id=%04"
	echo "$TOKEN_PIN" >"$PIV_DIR/pin"
	for key in rsa p384 p256; do token_key_file "$key"; cp "$W/$key.key" "$W/$key.pem" "$PIV_DIR"; done
	private_folder "$1/run" /run
	mkdir /run/pcscd
	# Yubico's module looks at readers of this name only
	cp /etc/reader.conf.d/vpcd "$1/reader.conf"
	private_folder "$1/readers" /etc/reader.conf.d
	sed 's/^FRIENDLYNAME.*/FRIENDLYNAME "Yubico YubiKey CCID"/' "$1/reader.conf" \
		>/etc/reader.conf.d/vpcd
	# polkit, which newer ones ask who may, is a service of the whole machine
	PIV_ALONE=$(pcscd --help | sed -n 's/^[[:space:]]*\(--disable-polkit\).*/\1/p')
	piv_daemon ${PIV_ALONE:+"$PIV_ALONE"}
	piv_insert
}

# piv_refused STATUS: a pcscd that finds no polkit, as here, lets nobody in.
piv_refused() {
	piv_remove
	piv_daemon
	fails "$1" "pcscd refuses this user; polkit must allow the action" \
		"$P11OAUTH" assertion rsa
	expect "$1" "$P11OAUTH" keys --module "$TOKEN_MODULE" --json
	jq -e '.error.message | contains("polkit")' "$T/err"
	piv_daemon ${PIV_ALONE:+"$PIV_ALONE"}
	piv_insert
	expect 0 "$P11OAUTH" assertion rsa
}

token_up() { piv_token_up "$1"; }
