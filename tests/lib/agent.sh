# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# An agent in front of a SoftHSM token and a server that does as it is told.
# Source after softhsm.sh and fixture.sh.
. "$top_srcdir/tests/lib/agent-run.sh"

FAULT=$top_builddir/tests/fault/fault-module.so

# told ANSWER: what the server says from now on (tests/servers/flaky-server.py).
told() { echo "$1" >"$W/told.new"; mv "$W/told.new" "$W/told"; }

# agent_world: token "lab" with a key, and the server at $TOLD. The module's calls are in
# $W/calls.
agent_world() {
	softhsm_new "$W/hsm" lab 739154
	fixture_rsa rsa 2048
	softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
	sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
	told 200
	: >"$W/requests"
	: >"$W/calls"
	start_server told /usr/bin/python3 "$top_srcdir/tests/servers/flaky-server.py" \
		--tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" --ca "$W/pki/ca.pem" \
		--told "$W/told" --log "$W/requests"
	TOLD=$TOKEN_ENDPOINT
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$W/calls
	export P11FAULT_MODULE P11FAULT_LOG
}

# lab_profile NAME KEY=VALUE...: a profile on this token and server; what is not
# given is the usual.
lab_profile() {
	lab_name=$1; shift
	for lab_usual in 'client-id = "backend"' 'scope = "system/*.read"' 'retry-time = 0' \
		"cacert = \"$W/pki/ca.pem\"" "token-endpoint = \"$TOLD/told/0\"" \
		"module = \"$FAULT\"" 'key = "pkcs11:token=lab;object=rsa"' \
		"pin-from = \"file:$SOFTHSM_PIN_FILE\""; do
		for lab_given in "$@"; do
			[ "${lab_given%% =*}" != "${lab_usual%% =*}" ] || continue 2
		done
		set -- "$@" "$lab_usual"
	done
	profile "$lab_name" "$@"
}

# own_world: this test's own configuration, calls and requests.
own_world() {
	rm -f "$W/p11oauth.conf"
	: >"$W/requests"
	: >"$W/calls"
	told 200
}

# ---- asking ---------------------------------------------------------------------

# ask PATH [CURL-OPTION...]: sets STATUS; the answer is in $T/head and $T/body.
ask() {
	ask_path=$1; shift
	: >"$T/head"
	: >"$T/body"
	STATUS=$(curl -sS --max-time 60 --path-as-is --unix-socket "$AGENT_SOCKET" -D "$T/head" \
		-o "$T/body" -w '%{http_code}' "$@" "http://localhost$ask_path") || true
}

# answers STATUS PATH [CURL-OPTION...]: that is its status; it is not to be kept
# by anybody.
answers() {
	want_http=$1; shift
	ask "$@"
	[ "$STATUS" = "$want_http" ] || {
		echo "expected $want_http, got $STATUS: $*"; cat "$T/head" "$T/body"; return 1
	}
	grep -qi '^cache-control: no-store.$' "$T/head" || { echo "may be kept:"; cat "$T/head"; return 1; }
}

# is JQ-EXPRESSION: holds of the body.
is() { jq -e "$1" "$T/body" >"$T/verdict" || { echo "not so: $1"; cat "$T/body"; return 1; }; }

# errs HTTP-STATUS WORD EXIT TEXT PATH [CURL-OPTION...]: the error object.
errs() {
	want_http=$1 want_word=$2 want_exit=$3 want_text=$4; shift 4
	answers "$want_http" "$@"
	grep -qi '^content-type: application/json.$' "$T/head"
	is "keys == [\"error\"] and (.error | (keys - [\"retry_after\"]) == [\"exit\", \"message\", \"native\", \"status\"]
		and .status == \"$want_word\" and .exit == $want_exit
		and (.message | length > 3 and (contains(\"\\n\") | not)))"
	has "$T/body" "$want_text"
}

# gets PATH: the access token, on stdout.
gets() { answers 200 "$@" && jq -r .access_token "$T/body"; }

# ---- waiting ----------------------------------------------------------------------

# within SECONDS COMMAND...: COMMAND holds before so long.
within() {
	within_ms=$(($(date +%s%3N) + $1 * 1000)); shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s%3N)" -lt "$within_ms" ] || { echo "not in time: $*"; "$@"; return 1; }
		sleep 0.05 # polling; bounded above
	done
}
ms() { date +%s%3N; }

# ---- witnesses ----------------------------------------------------------------------

calls() { grep -c "^$1 " "$W/calls" || true; }
requests() { wc -l <"$W/requests"; }

# ledger JQ-EXPRESSION: holds of the array of all records.
LEDGER() { echo "$XDG_STATE_HOME/p11oauth/audit.jsonl"; }
ledger() {
	jq -se "$1" "${2:-$(LEDGER)}" >/dev/null || { echo "not so: $1"; cat "${2:-$(LEDGER)}"; return 1; }
}
agent_log() { cat "$W/$agent_name.err"; }
logged() { has "$W/$agent_name.err" "$1"; }
