#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# TLS that must not come about, and proxies in between: exit status 12, one line
# that says why, and not a byte of a request for the other side.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SERVERS=$top_srcdir/tests/servers
softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
sh "$SERVERS/make-pki.sh" "$W/pki" >/dev/null
sh "$SERVERS/make-pki.sh" "$W/other-pki" >/dev/null
profile rsa 'client-id = "tls"' "cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' \
	'retry-time = 0' "module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
	'key = "pkcs11:token=lab;object=rsa"'

token() { # OPTION...: at the server just started
	"$P11OAUTH" token rsa --token-endpoint "https://localhost:$SERVER_PORT/ok" "$@"
}
# certificate NAME TEXT OPTION...: a server with this certificate is refused so.
certificate() {
	want_words=$2
	start_server "$1" /usr/bin/python3 "$SERVERS/answer-server.py" --log "$T/requests" \
		--cert "$W/pki/$1.pem" --key "$W/pki/$1.key"
	shift 2
	fails 12 "$want_words" token "$@"
	empty "$T/requests"
}
an_expired_one_is_refused() { certificate expired "the certificate of 'CN=expired' has expired"; }
not_yet_valid() { certificate not-yet-valid "is not valid yet"; }
the_wrong_host_is_refused() { certificate wrong-host "is for another host"; }
a_self_signed_one_is_refused() { certificate self-signed "self-signed"; }
a_missing_intermediate_is_refused() { certificate leaf-only "is issued by 'CN=intermediate', which the server did not send"; }
an_unknown_ca_is_refused() { certificate good "none of the CAs trusted here" --cacert "$W/other-pki/ca.pem"; }
for_clients_only() { certificate client-only "purpose"; }
no_cas_at_all() { printf '' >none.pem; certificate good "" --cacert "$T/none.pem"; }
old_tls_is_refused() {
	start_server old /usr/bin/python3 "$SERVERS/answer-server.py" --log "$T/requests" --old-tls \
		--cert "$W/pki/good.pem" --key "$W/pki/good.key"
	fails 12 "version" token
	empty "$T/requests"
}

with_its_intermediate() {
	cat "$W/pki/leaf-only.pem" "$W/pki/intermediate.pem" >"$W/pki/chain.pem"
	cp "$W/pki/leaf-only.key" "$W/pki/chain.key"
	start_server chain /usr/bin/python3 "$SERVERS/answer-server.py" --log "$T/requests" \
		--cert "$W/pki/chain.pem" --key "$W/pki/chain.key"
	expect 0 token
	[ "$(jq -r .path "$T/requests")" = /ok ]
}
# named OPTION...: a server that looks at the name asked for (SNI) in $T/requests.
named() {
	start_server named /usr/bin/python3 "$SERVERS/answer-server.py" --log "$T/requests" \
		--cert "$W/pki/good.pem" --key "$W/pki/good.key" "$@"
}
asks_for_the_host_by_name() {
	named
	expect 0 token
	expect 0 "$P11OAUTH" token rsa --token-endpoint "https://127.0.0.1:$SERVER_PORT/ok"
	jq -se 'map(.sni) == ["localhost", null]' "$T/requests" >/dev/null
}
a_server_of_other_names() {
	named --own-name elsewhere.example
	fails 12 "unrecognized name" token
	empty "$T/requests"
}
wants_a_certificate_in_tls_1_2() {
	named --tls12 --client-ca "$W/pki/ca.pem" --require-client
	fails 12 "the server asked for a client certificate, and there is none" token
	has "$T/err" "handshake failure"
	empty "$T/requests"
}
does_without_in_tls_1_2() {
	named --tls12 --client-ca "$W/pki/ca.pem"
	expect 0 token
	jq -e '.certificate == false' "$T/requests" >/dev/null
}

# stranger NAME TEXT: a port of odd-ports.py. What arrives there is a ClientHello.
start_server odd /usr/bin/python3 "$SERVERS/odd-ports.py" --log "$W/odd.log"
odd=$server_ready
stranger() {
	: >"$W/odd.log"
	SERVER_PORT=$(echo "$odd" | jq -r --arg name "$1" '.ports[$name]')
	stranger_text=$2; shift 2
	fails 12 "https://localhost:$SERVER_PORT/ok: $stranger_text" token "$@"
	jq -se 'length == 1 and (.[0].bytes | startswith("\u0016\u0003") and (contains("client_assertion") | not))' \
		"$W/odd.log" >/dev/null
}
stalls_after_hello() { stranger stall "timed out after 2000 ms" --timeout 2; }
closes_after_hello() { stranger close "the connection ended during the handshake ("; }
closes_in_its_hello() { stranger half "the connection ended during the handshake ("; }
a_reset_is_said() { stranger reset "Recv failure: Connection reset by peer"; }
an_alert_is_said() { stranger alert "the server ended the handshake: alert handshake failure ("; }
garbage_is_no_tls() { stranger garbage "what answers there does not speak TLS ("; }
http_on_the_port() { stranger http "what answers there does not speak TLS ("; }
smtp_on_the_port() { stranger smtp "what answers there does not speak TLS ("; }

# broken MODE: such a server; its log is $T/log.
broken() {
	start_server "$1" /usr/bin/python3 "$SERVERS/broken-tls.py" --mode "$1" --log "$T/log" \
		--tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" --ca "$W/pki/ca.pem"
}
nothing_sent() {
	tries=0
	until [ -s "$T/log" ]; do
		tries=$((tries + 1)); [ "$tries" -lt 50 ]
		sleep 0.1 # the server writes its log after the client is gone; bounded above
	done
	jq -se 'map(.bytes) | add == 0' "$T/log" >/dev/null || { cat "$T/log"; return 1; }
}
asks_for_a_certificate() {
	broken ask
	expect 0 token
	[ "$(cat "$T/out")" = broken-tls-token ]
	jq -se 'map(.certificate) == [false]' "$T/log" >/dev/null
}
# whether its alert arrives or is lost in the reset that follows it
wants_a_certificate() { broken require; fails 12 "a client certificate" token; nothing_sent; }
who_stalls_is_given_up() { broken stall; fails 12 "timed out" token --timeout 2; }
stalls_for_ten_seconds() {
	broken stall
	before=$(date +%s)
	fails 12 "" token
	took=$(($(date +%s) - before))
	[ "$took" -ge 9 ]
	[ "$took" -le 13 ]
}
who_closes_is_named() { broken close; fails 12 "" token; nothing_sent; }
plain_http_is_no_tls() { broken plain; fails 12 "does not speak TLS" token; nothing_sent; }

# ---- proxies -----------------------------------------------------------------------
through() { # MODE TEXT
	broken "$1"
	https_proxy=http://127.0.0.1:$SERVER_PORT; export https_proxy
	fails 12 "$2" token
	has "$T/err" "https_proxy"
	nothing_sent
}
a_captive_portal() { through captive ""; }
a_proxy_that_refuses() { through refuse "403"; }
a_proxy_that_wants_a_password() {
	start_server proxy /usr/bin/python3 "$SERVERS/answer-server.py" --http --log "$T/requests"
	https_proxy=http://127.0.0.1:$SERVER_PORT; export https_proxy
	fails 12 "407" token
	[ "$(jq -r .method "$T/requests")" = CONNECT ]
}
no_proxy_for_this_host() {
	start_server good /usr/bin/python3 "$SERVERS/answer-server.py" \
		--cert "$W/pki/good.pem" --key "$W/pki/good.key"
	https_proxy=http://127.0.0.1:1 no_proxy=localhost; export https_proxy no_proxy
	expect 0 token
}

run_tests an_expired_one_is_refused not_yet_valid the_wrong_host_is_refused \
	a_self_signed_one_is_refused a_missing_intermediate_is_refused \
	an_unknown_ca_is_refused for_clients_only no_cas_at_all old_tls_is_refused \
	with_its_intermediate asks_for_the_host_by_name a_server_of_other_names \
	wants_a_certificate_in_tls_1_2 does_without_in_tls_1_2 stalls_after_hello \
	closes_after_hello closes_in_its_hello a_reset_is_said an_alert_is_said \
	garbage_is_no_tls http_on_the_port smtp_on_the_port asks_for_a_certificate \
	wants_a_certificate who_stalls_is_given_up stalls_for_ten_seconds \
	who_closes_is_named plain_http_is_no_tls a_captive_portal a_proxy_that_refuses \
	a_proxy_that_wants_a_password no_proxy_for_this_host
