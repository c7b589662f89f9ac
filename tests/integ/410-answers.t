#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The 47 kinds of bad input that a client meets, from a real TLS server: a file of
# tests/data/answers each, which has the answer, how it ends, what is said and what
# must not be, how long it takes and how much memory. Its README.md has the keys.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SELF=$top_srcdir/tests/integ/410-answers.t
SERVERS=$top_srcdir/tests/servers
CASES=$top_srcdir/tests/data/answers
TOKEN=canary.access-token-410
TIME_MAX_S=15 # for one run; what is slow is run with --timeout 2
LINE_MAX=2300 # characters of one line on stderr
unset http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY

softhsm_new "$W/hsm" lab 739154
fixture_ec p256 P-256
softhsm_import "$W/p256.key" "$W/p256.pem" 01 p256
sh "$SERVERS/make-pki.sh" "$W/pki" >/dev/null
start_server answers /usr/bin/python3 "$SERVERS/answer-server.py" --log "$W/log" \
	--cert "$W/pki/good.pem" --key "$W/pki/good.key"
PORT=$SERVER_PORT
ANSWERS=https://localhost:$PORT
start_server odd /usr/bin/python3 "$SERVERS/odd-ports.py" --log "$W/odd.log"
odd_port() { echo "$server_ready" | jq -r --arg name "$1" '.ports[$name]'; }
profile lab 'client-id = "x"' "cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' \
	'retry-time = 0' "module = \"$SOFTHSM_MODULE\"" "pin-from = \"file:$SOFTHSM_PIN_FILE\"" \
	'key = "pkcs11:token=lab;object=p256"'

# ---- asking and looking -----------------------------------------------------------
echo 0 >"$W/seen" # requests, when a run begins

# run COMMAND...: sets $status, $took_s, $requests, $errors, $T/out, $T/err, and of
# that $T/errors, $T/warnings, $T/debug. What holds of stderr whatever happens: lines
# of our own, of bounded length, all of it printable, no access token and no assertion.
run() {
	read -r started_s _ </proc/uptime
	status=0
	"$@" >"$T/out" 2>"$T/err" || status=$?
	read -r ended_s _ </proc/uptime
	took_s=$((${ended_s%.*} - ${started_s%.*}))
	: >"$T/warnings"
	: >"$T/debug"
	: >"$T/errors"
	LC_ALL=C awk -v to="$T/" -v max="$LINE_MAX" -v seen="$W/seen" '
	BEGIN { getline before <seen }
	FILENAME == ARGV[1] { requests++; next }
	{ print }
	!/^p11oauth: / { print "not ours: " $0; bad = 1 }
	length($0) >= max { print "too long: " length($0); bad = 1 }
	/[\001-\037\177]|\302[\200-\237]|\342\200[\213-\217\250-\256]/ { print "not printable: " $0; bad = 1 }
	/canary/ { print "an access token: " $0; bad = 1 }
	/eyJ[A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-][A-Za-z0-9_-]+\./ {
		print "an assertion: " $0; bad = 1
	}
	{ kind = /^p11oauth: warning: / ? "warnings" : /^p11oauth: debug: / ? "debug" : "errors" }
	{ print >(to kind); count[kind]++ }
	END {
		print requests + 0 >seen
		print requests - before, count["errors"] + 0 >(to "counts")
		exit bad
	}' "$W/log" "$T/err"
	read -r requests errors <"$T/counts"
	at_most seconds "$took_s" "$TIME_MAX_S"
}
is() { [ "$2" -eq "$3" ] || { echo "$1: $2, not $3"; return 1; }; }
at_most() { [ "$2" -le "$3" ] || { echo "$1: $2, above $3"; return 1; }; }
fields() { tail -n "$requests" "$W/log" | jq -r '.headers[] | join(": ")'; } # of those requests
quiet() { empty "$T/warnings"; empty "$T/debug"; }
failed() { # STATUS
	is status "$status" "$1"
	empty "$T/out"
	is errors "$errors" 1
}
granted() { # TOKEN
	is status "$status" 0
	empty "$T/errors"
	printf '%s\n' "$1" | cmp - "$T/out"
}
# lives SECONDS yes|no|'': --json says so, and whether they are assumed.
lives() {
	is status "$status" 0
	empty "$T/errors"
	jq -e --arg token "$TOKEN" --argjson want "$1" --arg assumed "$2" \
		'.access_token == $token and (.expires_at - now | . > $want - 16 and . <= $want) and
		($assumed == "" or (.expires_in_assumed // false) == ($assumed == "yes"))' "$T/out"
}

# ---- a case: a file of tests/data/answers ---------------------------------------------
# read_case FILE: its keys are in $T/run0, those of each run of the program in $T/run1...
read_case() {
	: >"$T/run0"
	awk -v base="$ANSWERS" -v to="$T/run" '
	function times(n, text, half) {
		if (n < 2)
			return n ? text : ""
		half = times(int(n / 2), text)
		return half half (n % 2 ? text : "")
	}
	/^$/ { exit }
	/^#/ { next }
	/^run:/ { n++ }
	/^run:$/ { $0 = "run: " }
	{
		gsub(/@x20@/, " "); gsub(/@BASE@/, base)
		while (match($0, /@[0-9]+\*[^@]+@/)) {
			split(substr($0, RSTART + 1, RLENGTH - 2), word, "*")
			$0 = substr($0, 1, RSTART - 1) times(word[1], word[2]) substr($0, RSTART + RLENGTH)
		}
		print >(to n + 0)
	}' "$1"
	[ -e "$T/run1" ]
}
# for_lines FUNCTION FILE: FUNCTION KEY VALUE for each line
for_lines() {
	while IFS= read -r line; do "$1" "${line%%:*}" "${line#*: }"; done <"$2"
}
# keep KEY VALUE: in $want_KEY, for what a run has once.
keep() {
	case $1 in
	url | run | exit | requests | warning | token | life | assumed | peak | within) eval "want_$1=\$2" ;;
	line | matches | debug | not | asked | sent | not-sent | then | coding) ;;
	*) echo "no such key: $1"; return 1 ;;
	esac
}
# look KEY VALUE: is it as it says?
look() {
	case $1 in
	line) has "$T/errors" "$2" ;;
	matches) grep -E -e "$2" "$T/errors" ;;
	warning) has "$T/warnings" "$2" ;;
	debug) has "$T/debug" "$2" ;;
	not) hasnt "$T/err" "$2" ;;
	within) at_most seconds "$took_s" "$2" ;;
	asked) tail -n 1 "$W/log" | jq -e --arg path "$2" '.path == $path' ;;
	sent) fields | grep -xF -e "$2" ;;
	not-sent) fields >"$T/fields"; refuses grep -i "^$2:" "$T/fields" ;;
	esac
}
# try NAME: run number $n of this case.
try() {
	want_url=token-endpoint want_exit='' want_requests=1 want_warning='' want_token=$TOKEN
	want_life='' want_assumed='' want_peak=''
	for_lines keep "$T/run0"
	for_lines keep "$T/run$n"
	# shellcheck disable=SC2086 # the options are words
	set -- "$P11OAUTH" token lab "--$want_url" "$ANSWERS/$1" $want_run
	[ -z "$want_peak" ] || set -- "$top_srcdir/tests/tools/peak-rss.py" "$T/peak" "$@"
	run "$@"
	is status "$status" "$want_exit"
	is requests "$requests" "$want_requests"
	if [ "$status" -ne 0 ]; then
		failed "$status"
	elif [ -n "$want_life" ]; then
		lives "$want_life" "$want_assumed"
	else
		granted "$want_token"
	fi
	[ -n "$want_warning" ] || empty "$T/warnings"
	case $want_run in *-v*) ;; *) empty "$T/debug" ;; esac
	for_lines look "$T/run$n"
	[ -z "$want_peak" ] || small "$(cat "$T/peak")" "$want_peak"
}
# small KIB LIMIT: a sanitizer has a memory of its own, on which there is no verdict.
small() {
	echo "peak RSS: $1 KiB"
	[ "$1" -gt 1000 ]
	grep -q __asan_init "$P11OAUTH" || at_most KiB "$1" "$2"
}
# A row is a file, or else a function below.
call_row() {
	case_row=$1
	IFS=_
	# shellcheck disable=SC2086 # its words, to be joined by another character
	set -- ${case_row#row_}
	IFS=-
	case_name=$*
	unset IFS
	if [ ! -e "$CASES/$case_name" ]; then
		"$case_row"
		return
	fi
	read_case "$CASES/$case_name"
	n=1
	while [ -e "$T/run$n" ]; do
		try "$case_name"
		n=$((n + 1))
	done
}

# ---- 35: what is left to libcurl ------------------------------------------------------
row_35_http_2() {
	start_server h2 node "$SERVERS/h2-server.mjs" --cert "$W/pki/good.pem" \
		--key "$W/pki/good.key" --log "$T/h2.log"
	run "$P11OAUTH" token lab --token-endpoint "https://localhost:$SERVER_PORT/token"
	stop_server h2
	granted "$TOKEN"
	quiet
	jq -e '.http == "2.0" and .path == "/token" and (.body | contains("client_assertion="))' "$T/h2.log" >/dev/null
}
# row 36: a 401 from the FHIR server is not the token endpoint's; this tool gets
# access tokens and does not use them.
# row 42: 420-tls.t
# ---- 43: proxies ------------------------------------------------------------------------------
# by NAME: the proxy of this name in odd-ports.py
by() {
	https_proxy=http://127.0.0.1:$(odd_port "$1"); export https_proxy
	: >"$W/odd.log"
}
# Nothing came through the proxy but CONNECT, without credentials of any kind.
connect_alone() {
	jq -se --arg host "localhost:$PORT" 'map(.bytes) | all(startswith("CONNECT \($host) HTTP/1.1\r\n")
		and (ascii_downcase | contains("authorization") or contains("client_assertion") | not))
		and length == 1' "$W/odd.log" >/dev/null
}
ask() { run "$P11OAUTH" token lab --token-endpoint "$ANSWERS/00-ok" "$@"; }
gets_there() {
	ask
	granted "$TOKEN"
	quiet
	is requests "$requests" 1
}
blames_the_proxy() { # TEXT OPTION...
	proxy_text=$1; shift
	ask "$@"
	failed 12
	quiet
	has "$T/errors" "$proxy_text"
	has "$T/errors" "a proxy is set by https_proxy"
	is requests "$requests" 0
}
no_proxy_lets() { # NAME TEXT OPTION...
	by "$1"; shift
	blames_the_proxy "$@"
	connect_alone
}
row_43_tunnel() { by tunnel; gets_there; connect_alone; }
row_43_407() { no_proxy_lets 407 "response 407"; }
row_43_connect_refused() { no_proxy_lets 403 "response 403"; }
row_43_502() { no_proxy_lets 502 "response 502"; }
row_43_redirect() { no_proxy_lets redirect "response 302"; }
row_43_page_for_connect() { no_proxy_lets page "00-ok: "; }
row_43_captive_portal() { no_proxy_lets then-page "wrong version number"; }
row_43_hangs_up_later() { no_proxy_lets then-nothing "00-ok: "; }
row_43_no_http() { no_proxy_lets no-http "00-ok: "; }
row_43_hangs_up() { no_proxy_lets hang-up "00-ok: "; }
row_43_mute() { no_proxy_lets mute "timed out" --timeout 2; }
row_43_not_there() {
	https_proxy=http://127.0.0.1:1; export https_proxy
	blames_the_proxy "refused"
}
row_43_no_proxy() { by 403; no_proxy=localhost; export no_proxy; gets_there; empty "$W/odd.log"; }
row_43_proxy_for_http_alone() { by 403; http_proxy=$https_proxy; export http_proxy; unset https_proxy; gets_there; empty "$W/odd.log"; }
# row 47: what modules do is in 620-modules.t

# ---- the table itself -----------------------------------------------------------------
# In the order of the rows, and none forgotten.
cases() { find "$CASES" -name '[0-9][0-9]-*' | sed 's,.*/,,'; }
ROWS=$({ cases | tr - _ | sed 's/^/row_/'; sed -n 's/^\(row_[0-9][0-9]_[a-z0-9_]*\)() .*/\1/p' "$SELF"; } | sort)

the_list_has_47_rows() {
	for n in $(seq -w 1 47); do
		echo "$ROWS" | grep -q "^row_${n}_" || grep -q "^# row $n: " "$SELF" || echo "row $n"
	done >"$T/missing"
	empty "$T/missing"
	echo "$ROWS" | uniq -d >"$T/twice"
	empty "$T/twice"
}
every_answer_was_asked_for() {
	cases | LC_ALL=C sort >"$T/want"
	[ "$(wc -l <"$T/want")" -gt 200 ]
	jq -r '.path | split("/")[1]' "$W/log" | LC_ALL=C sort -u | diff "$T/want" -
}

# shellcheck disable=SC2086 # several words
run_tests $ROWS the_list_has_47_rows every_answer_was_asked_for
