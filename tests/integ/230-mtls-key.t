#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Mutual TLS with a key on a token, against OpenSSL's own server: each kind of
# token and key, TLS 1.2 and 1.3; one login and one signature for a handshake;
# what a device does wrong is not called the network's fault.
TOKEN=softhsm
. "$top_srcdir/tests/tokens/suite.sh"
. "$top_srcdir/tests/lib/tls-server.sh"
CLIENT=$top_builddir/tests/tools/tls-client
CHAIN=
DEADLINE_S=20
P11FAULT_LOG=$W/calls
export P11FAULT_LOG

sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
SERVER_CA=$W/pki/ca.pem

# wants CERTIFICATE-FILE OPTION...: a server that lets in whom this certifies.
wants() {
	certified_by=$1; shift
	tls_server tls -cert "$W/pki/good.pem" -key "$W/pki/good.key" \
		-Verify 1 -verify_return_error -CAfile "$certified_by" "$@"
}
# certifier CERT.pem: itself, or the CA that certificate_of_key made for it.
certifier() {
	if [ -e "$1.ca.pem" ]; then echo "$1.ca.pem"; else echo "$1"; fi
}
PIN_FILE=$W/pin
set_pin() { (umask 077; echo "$TOKEN_PIN" >"$PIN_FILE"); }

# client URI [MODULE]: a GET with this key, through a module that counts.
client() {
	P11FAULT_MODULE=${2:-$TOKEN_MODULE}
	export P11FAULT_MODULE
	: >"$P11FAULT_LOG"
	"$CLIENT" "$SERVER_CA" "$TLS_URL" "$1" "$FAULT" "file:$PIN_FILE" "$DEADLINE_S" \
		"$TOKEN_INIT_ARGS" ${CHAIN:+"$CHAIN"}
}
called() { grep -c "^$1 " "$P11FAULT_LOG" || true; }
# shakes_hands KEY URI CERT.pem: the server saw the certificate in this version;
# the token saw one signature, and no more logins than that needs.
shakes_hands() {
	for version in 1.2 1.3; do
		wants "$(certifier "$3")" "-tls$(echo "$version" | tr . _)"
		expect 0 client "$2"
		has "$T/out" "TLSv$version"
		has "$T/out" "Client certificate"
		has "$T/out" "Verify return code: 0 (ok)"
		[ "$(called C_Sign)" -eq 1 ]
		[ "$(called C_SignInit)" -eq 1 ]
		[ "$(called C_Login)" -le "$(logins_of "$1")" ]
		[ "$(called C_Initialize)" -eq 1 ]
		[ "$(called C_Finalize)" -eq 1 ]
		[ "$(called C_OpenSession)" -eq 1 ]
		stop_server tls
		echo "mutual TLS $version: $TOKEN, $1"
	done
}
# everything_on TOKEN: all keys of this kind of token.
everything_on() {
	TOKEN=$1 TOKEN_INIT_ARGS='' TOKEN_KEYS=''
	PIN_FILE=$W/$1.pin
	rm -f "$W"/*.pem "$W"/*.key # of another token
	# shellcheck source=/dev/null
	. "$top_srcdir/tests/tokens/$1.sh"
	token_up "$W/$1"
	set_pin
	for entry in $TOKEN_KEYS; do
		shakes_hands "${entry%%=*}" "${entry#*=}" "$W/${entry%%=*}.pem"
	done
	stop_servers
	public_again
}
softhsm_signs_the_handshake() { everything_on softhsm; }
tpm2_signs_the_handshake() { everything_on tpm2; }
nss_signs_the_handshake() { everything_on nss; }
piv_signs_the_handshake() { everything_on piv; }
ykcs11_signs_the_handshake() { everything_on ykcs11; }
opencryptoki_signs_the_handshake() { everything_on opencryptoki; }
# whose login counts for one connection only, and ours is the only one
p11_kit_client() { everything_on p11-kit-client; }
p11_kit_proxy() { everything_on p11-kit-proxy; }

# ---- SoftHSM with keys of all sorts

# key NAME TYPE ID OPTION...: on the token "lab", made there, and a certificate.
key() {
	name=$1 type=$2 key_id=$3; shift 3
	softhsm_tool --keypairgen --key-type "$type" --id "$key_id" --label "$name" "$@"
	certificate_of_key "$SOFTHSM_MODULE" "pkcs11:token=lab;object=$name" "$name" "$L/$name.pem"
	softhsm_certificate "$L/$name.pem" "$key_id" "$name"
}
L=$W/lab
softhsm_new "$L" lab 739154
TOKEN_MODULE=$SOFTHSM_MODULE TOKEN_PIN=$SOFTHSM_PIN TOKEN_INIT_ARGS=''
set_pin
key rsa rsa:2048 01
key rsa4096 rsa:4096 02
key p384 EC:secp384r1 03
key p521 EC:secp521r1 04
key pss rsa:2048 05 --allowed-mechanisms RSA-PKCS-PSS
key raw rsa:2048 06 --allowed-mechanisms RSA-X-509
key pkcs rsa:2048 07 --allowed-mechanisms RSA-PKCS
key always-rsa rsa:2048 08 --always-auth
key always-ec EC:secp384r1 09 --always-auth
logins_of() { case $1 in always-*) echo 2 ;; *) echo 1 ;; esac; }

# on_lab KEY: both versions.
on_lab() { shakes_hands "$1" "pkcs11:token=lab;object=$1" "$L/$1.pem"; }
lets_in() { key=$1; shift; wants "$(certifier "$L/$key.pem")" "$@"; }
large_keys_sign_the_handshake() { on_lab rsa4096; on_lab p521; }
only_pss_is_allowed() { on_lab pss; }
a_login_for_each_signature() { on_lab always-rsa; on_lab always-ec; }
only_raw_rsa_is_allowed() {
	lets_in raw
	expect 0 client "pkcs11:token=lab;object=raw"
	has "$T/out" "Verify return code: 0 (ok)"
	[ "$(called C_SignInit)" -eq 2 ] # PSS was refused
	[ "$(called C_Sign)" -eq 1 ]
}
# Another key of a type that libp11 does not know.
beside_an_ed25519_key() {
	softhsm_tool --keypairgen --key-type EC:edwards25519 --id 20 --label ed
	on_lab rsa
}
# fails_with STATUS TEXT KEY: one line, and no server's or libcurl's name for it.
fails_with() {
	lets_in "$3"
	expect "$1" client "pkcs11:token=lab;object=$3"
	cat "$T/err"
	has "$T/err" "$2"
	empty "$T/out"
}
only_pkcs1_is_allowed() {
	fails_with 11 "TLS with an RSA key needs CKM_RSA_PKCS_PSS or CKM_RSA_X_509" pkcs
	[ "$(called C_Sign)" -eq 0 ]
}
fault() { P11FAULT_FAIL=$1; export P11FAULT_FAIL; }
# in_time COMMAND...: well before the deadline that a test set would be too late
in_time() {
	started=$(date +%s)
	"$@"
	[ $(($(date +%s) - started)) -le $((DEADLINE_S + 20)) ]
}
a_module_that_hangs_is_named() { DEADLINE_S=2; fault C_Sign:1:hang; in_time fails_with 10 "did not answer in time (in C_Sign)" rsa; }
hangs_at_init() { DEADLINE_S=2; fault C_SignInit:1:hang; in_time fails_with 10 "did not answer in time" p384; }
a_module_that_aborts_is_named() { fault C_Sign:1:abort; in_time fails_with 10 "the module aborted (in C_Sign)" rsa; }
a_module_that_exits_is_named() { fault C_Sign:1:exit; in_time fails_with 10 "tried to end the program" rsa; }
a_module_that_crashes_is_named() {
	# a sanitizer's build leaves the signal to the program for once
	ASAN_OPTIONS=handle_segv=0:handle_sigbus=0
	export ASAN_OPTIONS
	fault C_Sign:1:crash
	in_time fails_with 10 "the module crashed (in C_Sign)" p384
}
# one_refusal FAULT STATUS TEXT KEY: is final, whatever libp11 would try then.
one_refusal() {
	fault "$1"
	fails_with "$2" "$3" "$4"
	[ "$(called C_SignInit)" -eq 1 ]
	[ "$(called C_Login)" -eq "$(logins_of "$4")" ]
	[ "$(called C_Finalize)" -eq 1 ]
}
a_device_error_is_named() { one_refusal C_Sign:1+:0x30 10 "device error" rsa; }
a_removed_device_is_named() { one_refusal C_SignInit:1+:0x32 10 "removed" p384; }
refused_on_the_device() { one_refusal C_Sign:1+:0x200 9 "refused on the device" rsa; }
a_wrong_pin_is_sent_once() { one_refusal C_Login:2+:0xA0 7 "wrong PIN" always-rsa; }
a_wrong_signature_is_not_sent() {
	P11FAULT_SIGN=flip; export P11FAULT_SIGN
	fails_with 11 "does not verify" rsa
	fails_with 11 "does not verify" p384
}
# libp11 0.4.12 by itself would wait for ever here.
one_session_is_enough() { P11FAULT_SESSIONS=1; export P11FAULT_SESSIONS; on_lab rsa; }
nothing_private_is_read() {
	PKCS11SPY=$SOFTHSM_MODULE PKCS11SPY_OUTPUT=$T/spy
	export PKCS11SPY PKCS11SPY_OUTPUT
	lets_in rsa
	expect 0 client "pkcs11:token=lab;object=rsa" "$SPY"
	/usr/bin/python3 "$top_srcdir/tests/tools/pkcs11-calls.py" "$T/spy" >"$T/spied"
	jq -e '.calls.C_Login == 1 and .calls.C_Sign == 1 and .total < 24' "$T/spied"
	grep -q CKM_RSA_PKCS_PSS "$T/spy"
	refuses grep -q CKM_RSA_X_509 "$T/spy"
}
a_touch_is_asked_for() {
	fault C_Sign:1:slow
	P11FAULT_MS=1500 P11FAULT_MODULE=$SOFTHSM_MODULE
	export P11FAULT_MS P11FAULT_MODULE
	lets_in p384
	/usr/bin/python3 "$top_srcdir/tests/tools/pty-run.py" --stdout "$T/out" "$CLIENT" \
		"$SERVER_CA" "$TLS_URL" "pkcs11:token=lab;object=p384" "$FAULT" "file:$PIN_FILE" 10 '' >"$T/seen"
	jq -e '.exit == 0 and (.screen | contains("busy (C_Sign): touch it if it blinks"))' "$T/seen"
	has "$T/out" "Verify return code: 0 (ok)"
}
nobody_touches_it() {
	fault C_Sign:1:hang
	P11FAULT_MODULE=$SOFTHSM_MODULE; export P11FAULT_MODULE
	lets_in p384
	/usr/bin/python3 "$top_srcdir/tests/tools/pty-run.py" --stdout "$T/out" "$CLIENT" \
		"$SERVER_CA" "$TLS_URL" "pkcs11:token=lab;object=p384" "$FAULT" "file:$PIN_FILE" 2 '' >"$T/seen"
	jq -e '.exit == 9 and (.screen | contains("nobody touched the device in time"))' "$T/seen"
}
# logged TEXT: waits until the module did that.
logged() {
	logged_tries=0
	until grep -q "$1" "$P11FAULT_LOG"; do
		logged_tries=$((logged_tries + 1)); [ "$logged_tries" -lt 200 ]
		sleep 0.1 # polling for the call; bounded above
	done
}
# Longer than a connection may take otherwise; and the server is not fast either.
a_person_takes_her_time() {
	fault C_Sign:1:slow
	P11FAULT_MS=11000; export P11FAULT_MS
	lets_in rsa -tls1_2 # where it has to answer once more
	: >"$P11FAULT_LOG"
	client "pkcs11:token=lab;object=rsa" >"$T/out" 2>"$T/err" &
	slow_client=$!
	logged "^fault: C_Sign slow"
	kill -STOP "$(pid_of tls)"
	logged "^C_Sign 0x0"
	sleep 1 # what is under test is this wait
	kill -CONT "$(pid_of tls)"
	wait "$slow_client" || { cat "$T/err"; return 1; }
	has "$T/out" "Verify return code: 0 (ok)"
}
# The time that the network takes is not the device's.
a_slow_server_is_waited_for() {
	DEADLINE_S=1
	lets_in rsa
	kill -STOP "$(pid_of tls)"
	client "pkcs11:token=lab;object=rsa" >"$T/out" 2>"$T/err" &
	slow_client=$!
	sleep 3 # longer than the device may take; what is under test is this wait
	kill -CONT "$(pid_of tls)"
	wait "$slow_client"
	has "$T/out" "Verify return code: 0 (ok)"
}

# ---- what the server says of it

# certify KEY ID CA OPTION...: a certificate for a new key by $T/CA, on the token.
certify() {
	name=$1 key_id=$2 ca=$3; shift 3
	softhsm_tool --keypairgen --key-type EC:prime256v1 --id "$key_id" --label "$name"
	"$P11OAUTH" jwks --module "$SOFTHSM_MODULE" --key "pkcs11:token=lab;object=$name" | jq '.keys[0]' >"$T/jwk"
	/usr/bin/python3 "$top_srcdir/tests/tools/jwk-to-pem.py" "$T/jwk" >"$T/pub"
	openssl req -new -key "$T/$ca.key" -subj "/CN=$name" -out "$T/$name.csr"
	openssl x509 -req -in "$T/$name.csr" -CA "$T/$ca.pem" -CAkey "$T/$ca.key" -CAcreateserial \
		-force_pubkey "$T/pub" -out "$T/$name.pem" "$@"
	softhsm_certificate "$T/$name.pem" "$key_id" "$name"
}
root() { openssl req -new -newkey rsa:2048 -nodes -keyout "$T/root.key" -x509 -subj "/CN=root" -out "$T/root.pem"; }
# A server that knows the root only needs what is between.
the_chain_is_sent() {
	root
	openssl req -new -newkey rsa:2048 -nodes -keyout "$T/middle.key" -subj "/CN=middle" -out "$T/middle.csr"
	printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' >"$T/middle.ext"
	openssl x509 -req -in "$T/middle.csr" -CA "$T/root.pem" -CAkey "$T/root.key" -CAcreateserial \
		-extfile "$T/middle.ext" -out "$T/middle.pem"
	certify below 30 middle
	wants "$T/root.pem"
	expect 12 client "pkcs11:token=lab;object=below"
	has "$T/err" "the server refuses the client's certificate"
	CHAIN=$T/middle.pem
	expect 0 client "pkcs11:token=lab;object=below"
	has "$T/out" "Verify return code: 0 (ok)"
}
# What a server would refuse is not sent; that is not the network's fault either.
a_weak_certificate() {
	root
	certify weak 31 root -sha1
	wants "$T/root.pem"
	expect 11 client "pkcs11:token=lab;object=weak"
	cat "$T/err"
	has "$T/err" "the client's certificate cannot be used: 'CN=weak' is signed with SHA1, which is too weak"
	[ "$(called C_Sign)" -eq 0 ]
}
the_server_refuses_it() {
	for version in 1_2 1_3; do
		lets_in p521 "-tls$version"
		expect 12 client "pkcs11:token=lab;object=rsa"
		cat "$T/err"
		has "$T/err" "the server refuses the client's certificate"
		has "$T/err" "unknown ca"
		stop_server tls
	done
}
the_server_wants_one() {
	lets_in rsa -tls1_3
	expect 12 "$CLIENT" "$SERVER_CA" "$TLS_URL"
	cat "$T/err"
	has "$T/err" "the server wants a client certificate"
}
no_signature_for_a_server_that_does_not_ask() {
	tls_server tls -cert "$W/pki/good.pem" -key "$W/pki/good.key"
	expect 0 client "pkcs11:token=lab;object=rsa"
	has "$T/out" "no client certificate available"
	[ "$(called C_Sign)" -eq 0 ]
}
nor_for_a_server_that_is_not_trusted() {
	tls_server tls -cert "$W/pki/self-signed.pem" -key "$W/pki/self-signed.key" -Verify 1
	expect 12 client "pkcs11:token=lab;object=rsa"
	has "$T/err" "self-signed"
	[ "$(called C_Sign)" -eq 0 ]
}

run_tests softhsm_signs_the_handshake tpm2_signs_the_handshake nss_signs_the_handshake \
	piv_signs_the_handshake ykcs11_signs_the_handshake p11_kit_client \
	p11_kit_proxy root:opencryptoki_signs_the_handshake \
	large_keys_sign_the_handshake only_pss_is_allowed only_raw_rsa_is_allowed \
	only_pkcs1_is_allowed a_login_for_each_signature beside_an_ed25519_key \
	one_session_is_enough a_module_that_hangs_is_named hangs_at_init \
	a_module_that_aborts_is_named a_module_that_exits_is_named \
	a_module_that_crashes_is_named a_device_error_is_named \
	a_removed_device_is_named refused_on_the_device a_wrong_pin_is_sent_once \
	a_wrong_signature_is_not_sent nothing_private_is_read a_touch_is_asked_for \
	nobody_touches_it a_person_takes_her_time a_slow_server_is_waited_for \
	the_chain_is_sent a_weak_certificate the_server_refuses_it \
	the_server_wants_one no_signature_for_a_server_that_does_not_ask \
	nor_for_a_server_that_is_not_trusted
