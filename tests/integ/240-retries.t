#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is asked once more and what never: each request has an assertion of its
# own, one login serves them all, and no server sees the same one twice.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SERVERS=$top_srcdir/tests/servers
FAULT=$top_builddir/tests/fault/fault-module.so
softhsm_new "$W/hsm" lab 739154
softhsm_keygen rsa:2048 01 rsa "$W/rsa.pem"
sh "$SERVERS/make-pki.sh" "$W/pki" >/dev/null
TLS_FILES="--tls-cert $W/pki/good.pem --tls-key $W/pki/good.key --ca $W/pki/ca.pem"
# shellcheck disable=SC2086 # several words
start_server flaky /usr/bin/python3 "$SERVERS/flaky-server.py" --log "$W/log" $TLS_FILES
FLAKY=$TOKEN_ENDPOINT

profile rsa 'client-id = "backend"' "token-endpoint = \"$FLAKY/200/0\"" \
	"cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' "module = \"$FAULT\"" \
	"pin-from = \"file:$SOFTHSM_PIN_FILE\"" 'key = "pkcs11:token=lab;object=rsa"'
"$P11OAUTH" jwks rsa --module "$SOFTHSM_MODULE" >"$W/jwks.json"

# token PATH OPTION...: asks there; $T/seen has what the server saw.
token() {
	path=$1; shift
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/calls
	export P11FAULT_MODULE P11FAULT_LOG
	status=0
	"$P11OAUTH" token rsa --token-endpoint "$FLAKY/$path" "$@" >"$T/out" 2>"$T/err" || status=$?
	jq -c --arg path "/$path" 'select(.path == $path)' "$W/log" >"$T/seen"
	: >"$W/log"
}
# asked N: so many requests, each with its own jti and signature, one login.
asked() {
	cat "$T/err"
	[ "$(wc -l <"$T/seen")" -eq "$1" ] || { cat "$T/seen"; return 1; }
	[ "$(jq -r .jti "$T/seen" | sort -u | wc -l)" -eq "$1" ]
	[ "$(jq -r .signature "$T/seen" | sort -u | wc -l)" -eq "$1" ]
	[ "$(grep -c '^C_Login ' "$T/calls")" -eq 1 ]
	[ "$(grep -c '^C_Sign ' "$T/calls")" -eq "$1" ]
}
again() { # PATH REQUESTS OPTION...: succeeds after so many
	want_requests=$2
	path_again=$1; shift 2
	token "$path_again" "$@"
	[ "$status" -eq 0 ]
	asked "$want_requests"
	[ "$(cat "$T/out")" = flaky-server-token ]
	[ "$(grep -c 'trying again in' "$T/err")" -eq $((want_requests - 1)) ]
}
once() { # PATH STATUS OPTION...: one request, and no more
	path_once=$1 want_status=$2; shift 2
	token "$path_once" "$@"
	[ "$status" -eq "$want_status" ]
	asked 1
	one_line
}

status_429_is_repeated() { again 429/1 2; }
status_502_is_repeated() { again 502/1 2; }
status_503_is_repeated() { again 503/2 3; }
status_504_is_repeated() { again 504/1 2; }
temporarily_unavailable_is_repeated() { again 400+error=temporarily_unavailable/1 2; }
retry_after_is_honoured() {
	again 503+after=2/1 2
	jq -s -e '.[1].ms - .[0].ms >= 1900' "$T/seen"
}
retry_after_as_a_date() {
	when=$(LC_ALL=C date -u -d '+3 seconds' '+%a,_%d_%b_%Y_%H:%M:%S_GMT')
	again "503+after=$when/1" 2
	jq -s -e '.[1].ms - .[0].ms >= 1400' "$T/seen"
}
retry_after_too_long() {
	once 503+after=3600/9 14
	has "$T/err" "the server asks to wait 3600 s"
}
retry_after_beyond_the_time() { once 429+after=5/9 13 --retry-time 3; }
no_time_for_retries() { once 503/9 14 --retry-time 0; }
never_without_end() {
	token 503/99 --retry-time 60
	[ "$status" -eq 14 ]
	asked 5
	has "$T/err" "tried 5 times"
}
time_ends_it() {
	token 503/99 --retry-time 2
	[ "$status" -eq 14 ]
	[ "$(wc -l <"$T/seen")" -le 3 ] # the fourth would begin after 1, 2 and 4 s
}
a_server_that_comes_later() {
	port=$(/usr/bin/python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/calls
	export P11FAULT_MODULE P11FAULT_LOG
	"$P11OAUTH" token rsa --token-endpoint "https://localhost:$port/200/0" >"$T/out" 2>"$T/err" &
	tool=$!
	tries=0
	until grep -q 'trying again' "$T/err"; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ]
		sleep 0.1 # polling for the first failure; bounded above
	done
	# shellcheck disable=SC2086 # several words
	start_server later /usr/bin/python3 "$SERVERS/flaky-server.py" --log "$T/seen" --port "$port" $TLS_FILES
	wait "$tool"
	stop_server later
	[ "$(cat "$T/out")" = flaky-server-token ]
	[ "$(wc -l <"$T/seen")" -eq 1 ]
	[ "$(grep -c '^C_Login ' "$T/calls")" -eq 1 ]
}
# ---- refusals are final ----------------------------------------------------------
invalid_client_is_not_repeated() { once 400+error=invalid_client/9 13; }
invalid_client_401() { once 401+error=invalid_client/9 13; }
invalid_scope_is_not_repeated() { once 400+error=invalid_scope/9 13; }
unauthorized_client_is_not_repeated() { once 400+error=unauthorized_client/9 13; }
invalid_request_is_not_repeated() { once 400+error=invalid_request/9 13; }
unsupported_grant_type() { once 400+error=unsupported_grant_type/9 13; }
forbidden_is_not_repeated() { once 403/9 13; }
internal_error_is_not_repeated() { once 500/9 14; }
cut_off_after_the_request() { once hang-up/9 12; }
known_to_be_flaky() { again 400+error=invalid_client/1 2 --server epic; }
flaky_is_asked_once_more_only() {
	token 400+error=invalid_client/9 --server epic
	[ "$status" -eq 13 ]
	asked 2
}
flaky_with_a_reason_is_final() { once 400+error=invalid_client+description=why/9 13 --server epic; }
a_signal_ends_the_pause() {
	"$P11OAUTH" token rsa --module "$SOFTHSM_MODULE" --token-endpoint "$FLAKY/503+after=9/9" >"$T/out" 2>"$T/err" &
	tool=$!
	tries=0
	until grep -q 'trying again' "$T/err"; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ]
		sleep 0.1 # polling for the first failure; bounded above
	done
	kill -TERM "$tool"
	got=0; wait "$tool" || got=$?
	[ "$got" -eq 143 ]
	: >"$W/log"
}
# ---- real servers: the first answer is lost on the way, their cache of jtis is not
# through ENDPOINT: by way of a proxy that answers 503 in the server's place.
through() {
	# shellcheck disable=SC2086 # several words
	start_server proxy /usr/bin/python3 "$SERVERS/flaky-server.py" --log "$T/proxied" \
		--upstream "$1" $TLS_FILES
	expect 0 "$P11OAUTH" token rsa --module "$SOFTHSM_MODULE" --audience "$1" \
		--token-endpoint "$TOKEN_ENDPOINT/503/2"
	stop_server proxy
	[ "$(wc -l <"$T/proxied")" -eq 3 ]
}
oidc_provider_never_sees_one_twice() {
	# shellcheck disable=SC2086 # several words
	start_server oidc node "$SERVERS/oidc-provider.mjs" --jwks "$W/jwks.json" $TLS_FILES
	through "$TOKEN_ENDPOINT"
	stop_server oidc
}
authlib_never_sees_one_twice() {
	# shellcheck disable=SC2086 # several words
	start_server authlib /usr/bin/python3 "$SERVERS/authlib-server.py" --jwks "$W/jwks.json" $TLS_FILES
	through "$TOKEN_ENDPOINT"
	stop_server authlib
}
glewlwyd_never_sees_one_twice() {
	start_server glewlwyd bash "$SERVERS/glewlwyd.sh" "$T/glewlwyd" "$W/jwks.json" \
		"$W/pki/good.pem" "$W/pki/good.key" "$W/pki/ca.pem"
	through "$TOKEN_ENDPOINT"
	stop_server glewlwyd
}

run_tests status_429_is_repeated status_502_is_repeated status_503_is_repeated \
	status_504_is_repeated temporarily_unavailable_is_repeated \
	retry_after_is_honoured retry_after_as_a_date retry_after_too_long \
	retry_after_beyond_the_time no_time_for_retries never_without_end time_ends_it \
	a_server_that_comes_later invalid_client_is_not_repeated invalid_client_401 \
	invalid_scope_is_not_repeated unauthorized_client_is_not_repeated \
	invalid_request_is_not_repeated unsupported_grant_type \
	forbidden_is_not_repeated internal_error_is_not_repeated \
	cut_off_after_the_request known_to_be_flaky flaky_is_asked_once_more_only \
	flaky_with_a_reason_is_final a_signal_ends_the_pause \
	oidc_provider_never_sees_one_twice authlib_never_sees_one_twice \
	glewlwyd_never_sees_one_twice
