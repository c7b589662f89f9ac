#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The 47 kinds of bad input that a client meets, from a real TLS server: a row
# of tests/servers/bad_answers.py and a test row_NN_what each. How it ends, what
# is said and what must not be, how long it takes and how much memory.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SELF=$top_srcdir/tests/integ/410-answers.t
SERVERS=$top_srcdir/tests/servers
TOKEN=canary.access-token-410
TIME_MAX_S=15      # for one run; what is slow is run with --timeout 2
PEAK_MAX_KIB=65536 # of memory
STATUS_429=13      # as of all 4xx
LINE_MAX=2300      # characters of one line on stderr
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
count_seen() { wc -l <"$W/log"; }

# What holds of stderr whatever happens: lines of our own, of bounded length, all
# of it printable, no access token and no assertion.
sane() {
	refuses grep -v '^p11oauth: ' "$T/err"
	refuses grep -nE "^.{$LINE_MAX}" "$T/err"
	refuses env LC_ALL=C grep -nP '[^\x20-\xff]|\x7f|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]' "$T/err"
	hasnt "$T/err" canary
	refuses grep -nE 'eyJ[A-Za-z0-9_-]{8,}\.' "$T/err"
}
# run OPTION...: sets $status, $T/out, $T/err, and of that $T/errors, $T/warnings.
run() {
	started_s=$(date +%s)
	status=0
	"$@" >"$T/out" 2>"$T/err" || status=$?
	took_s=$(($(date +%s) - started_s))
	cat "$T/err"
	grep '^p11oauth: warning: ' "$T/err" >"$T/warnings" || :
	grep -v '^p11oauth: warning: ' "$T/err" >"$T/errors" || :
	[ "$took_s" -le "$TIME_MAX_S" ]
	sane
}
# ask PATH OPTION...: at that path, which gets $requests requests, one unless set.
ask() {
	path=$1; shift
	before=$(count_seen)
	run "$P11OAUTH" token lab --token-endpoint "$ANSWERS/$path" "$@"
	[ "$(count_seen)" -eq $((before + ${requests-1})) ]
}
failed() { # STATUS TEXT
	[ "$status" -eq "$1" ] || { echo "status $status, not $1"; return 1; }
	empty "$T/out"
	[ "$(wc -l <"$T/errors")" -eq 1 ]
	has "$T/errors" "$2"
	[ "${requests-1}" -gt 1 ] || empty "$T/warnings"
}
granted() { # TOKEN [WARNING]
	[ "$status" -eq 0 ] || { echo "status $status, not 0"; return 1; }
	printf '%s\n' "$1" | cmp - "$T/out"
	empty "$T/errors"
	if [ -n "${2-}" ]; then has "$T/warnings" "$2"; else empty "$T/warnings"; fi
}
# no STATUS TEXT PATH OPTION...: there is no access token, and this is why.
no() {
	want_status=$1 want_text=$2; shift 2
	ask "$@"
	failed "$want_status" "$want_text"
}
# yes PATH OPTION...: there is one, without a word. warns TEXT PATH…: with one.
yes() { ask "$@"; granted "${want_token-$TOKEN}"; }
warns() { want_warning=$1; shift; ask "$@"; granted "${want_token-$TOKEN}" "$want_warning"; }
# life JQ PATH: --json says that it ends in $want_life_s, and this.
life() {
	ask "$2" --json
	[ "$status" -eq 0 ]
	jq -e --arg token "$TOKEN" --argjson want "$want_life_s" \
		".access_token == \$token and (.expires_at - now | . > \$want - 16 and . <= \$want) and ($1)" \
		"$T/out" >/dev/null
}
# peak STATUS TEXT PATH OPTION...: as no(), within limits of memory, too. A
# sanitizer has a memory of its own, on which there is no verdict.
peak() {
	want_status=$1 want_text=$2 path=$3; shift 3
	before=$(count_seen)
	run "$top_srcdir/tests/tools/peak-rss.py" "$T/peak" "$P11OAUTH" token lab \
		--token-endpoint "$ANSWERS/$path" "$@"
	[ "$(count_seen)" -eq $((before + 1)) ]
	echo "peak RSS of $path: $(cat "$T/peak") KiB"
	[ "$(cat "$T/peak")" -gt 1000 ]
	grep -q __asan_init "$P11OAUTH" || [ "$(cat "$T/peak")" -le "$PEAK_MAX_KIB" ]
	[ "$want_status" -eq 0 ] || failed "$want_status" "$want_text"
	[ "$want_status" -ne 0 ] || granted "$TOKEN"
}

# ---- 1-4: no JSON, or JSON under another name ---------------------------------------
row_00_the_canary_works() { yes 00-ok; }
row_01_text() { no 14 "it begins: Error: cannot read property 'x'" 01-text; has "$T/errors" "HTTP 200, text/plain"; }
row_01_empty() { no 14 "the body is empty" 01-empty; }
row_01_blank() { no 14 "the body is empty" 01-blank; }
HTML="HTML, from a proxy or a wrong URL? <!DOCTYPE html>"
row_02_html_200() { no 14 "$HTML" 02-html-200; }
row_02_html_401() { no 13 "$HTML" 02-html-401; }
row_02_html_403() { no 13 "$HTML" 02-html-403; }
row_02_html_404() { no 13 "$HTML" 02-html-404; }
row_02_html_500_is_asked_once() { no 14 "$HTML" 02-html-500 --retry-time 9; }
row_03_sentence() { no 14 "it begins: Service not registered" 03-sentence; has "$T/errors" "HTTP 200, application/json"; }
row_03_a_token_and_nothing_else() { no 14 "the body is not shown" 03-opaque-token; }
row_04_type_html() { yes 04-type-html; }
row_04_type_plain() { yes 04-type-plain; }
row_04_type_fhir() { yes 04-type-fhir; }
row_04_type_with_charset() { yes 04-type-charset; }
row_04_no_type() { yes 04-type-none; }
row_04_said_with_verbose() {
	ask 04-type-html -v; has "$T/err" "the answer is JSON, and says it is 'text/html'"
	ask 04-type-fhir -v; hasnt "$T/err" "the answer is JSON"
	ask 04-type-charset -v; hasnt "$T/err" "the answer is JSON"
}
# ---- 5-13: errors -----------------------------------------------------------------
row_05_error_with_200() { no 13 "refused: invalid_client: no such key (HTTP 200)" 05-error-200; }
row_05_error_with_201() { no 13 "refused: invalid_client (HTTP 201)" 05-error-201; }
row_05_no_token() { no 14 "the answer has no access token" 05-no-token-200; }
row_05_other_name() { no 14 "the answer has no access token" 05-other-name-200; }
row_06_token_and_error() { no 13 "refused: server_error" 06-token-and-error; }
row_06_token_and_error_object() { no 13 "HTTP 200" 06-token-and-error-object; }
row_06_token_with_400() { no 13 "HTTP 400" 06-token-400; }
row_06_token_with_302() { no 13 "HTTP 302" 06-token-302; }
CHALLENGE='WWW-Authenticate: Basic realm="as"'
row_07_invalid_client_400() { no 13 "invalid_client (HTTP 400, $CHALLENGE)" 07-invalid-client-400; }
row_07_invalid_client_401() { no 13 "invalid_client (HTTP 401, $CHALLENGE)" 07-invalid-client-401; }
row_07_invalid_client_403() { no 13 "invalid_client (HTTP 403, $CHALLENGE)" 07-invalid-client-403; }
row_07_challenge_alone() { no 13 'refused: Bearer error="invalid_client" (HTTP 401)' 07-challenge-alone; }
row_08_null_beside_a_token() { yes 08-null-token; }
row_08_null_beside_an_error() { no 13 "invalid_client (HTTP 400)" 08-null-error; }
row_08_null_for_a_token() { no 14 "the answer has no access token" 08-null-access-token; }
row_09_uri_alone() {
	no 13 "invalid_client: unknown-client, see urn:cerner:error:" 09-uri-urn
	has "$T/errors" "client-credentials:unknown-client (HTTP 401)"
}
row_09_uri_in_a_url() { no 13 'invalid_client: bad-signature, see https://as.example/errors/' 09-uri-url; has "$T/errors" '7?x=\x1b[31m'; }
row_10_prose() { no 13 "refused: invalid audience (aud) claim (HTTP 400)" 10-prose; }
row_10_object() { no 13 'refused: {"code":400,"message":"nested \u001B[31m","status":"INVALID_ARGUMENT"}' 10-object; }
row_10_number() { no 13 "refused: 17" 10-number; }
row_11_outcome_401() { no 13 'refused: login: who\x0d\x0aare you (HTTP 401)' 11-outcome-401; }
row_11_outcome_403() { no 13 'refused: forbidden: who\x0d\x0aare you (HTTP 403)' 11-outcome-403; }
row_11_outcome_429() { no "$STATUS_429" 'throttled: who\x0d\x0aare you (HTTP 429)' 11-outcome-429; }
row_11_outcome_details() { no 13 "refused: security: not you" 11-outcome-details; }
row_12_message_401() { no 13 "refused: Invalid JWT (HTTP 401)" 12-message-401; }
row_12_message_500() { no 14 "failed: There was an error (HTTP 500)" 12-message-500; }
row_13_control_characters() { no 13 'refused: a\x0db: c\x0ad\x1b[31mef\xc2\x9b\xe2\x80\xaeg\xe2\x80\xa8h (HTTP 400)' 13-control; }
row_13_nul() { no 13 "HTTP 400" 13-nul; }
row_13_not_utf8() { no 13 'b\xff\xfec' 13-not-utf8; }
row_13_one_mib() {
	peak 13 "invalid_client: ä bä b" 13-one-mib
	has "$T/errors" "... (HTTP 400)"
	refuses grep -E '(ä b){140}' "$T/errors" # 512 octets of it
}
row_13_one_mib_of_prose() { no 13 "it begins: y zy z" 13-one-mib-of-prose; has "$T/errors" "... (HTTP 400)"; }
# ---- 14-20: type and life ------------------------------------------------------------
row_14_bearer_in_any_case() { yes 14-Bearer; yes 14-BEARER; yes 14-bearer; }
row_15_no_type() { warns "Bearer is assumed" 15-no-type; }
row_15_null_type() { warns "Bearer is assumed" 15-null-type; }
other_type() { no 14 "the token_type is not Bearer" "16-$1"; }
row_16_dpop() { other_type dpop; }
row_16_mac() { other_type mac; }
row_16_macaroon() { other_type macaroon; }
row_16_not_applicable() { other_type na; }
row_16_empty() { other_type empty; }
row_16_number() { other_type number; }
row_16_array() { other_type array; }
assumed() { want_life_s=300; life '.expires_in_assumed' "$1"; empty "$T/err"; }
lives() { want_life_s=$1; life '.expires_in_assumed | not' "$2"; empty "$T/err"; }
capped() { want_life_s=315360000; life true "$1"; has "$T/warnings" "ten are assumed"; }
row_17_no_expiry() { assumed 17-no-expiry; yes 17-no-expiry; }
row_18_string() { lives 1200 18-string; }
row_19_zero() { lives 0 19-zero; yes 19-zero; }
row_19_negative() { lives 0 19-negative; yes 19-negative; }
row_19_float() { lives 3599 19-float; }
row_19_exponent() { lives 1000 19-exponent; }
row_19_never() { assumed 19-never; }
row_19_null() { assumed 19-null; }
row_19_true() { assumed 19-true; }
row_19_above_31_bits() { capped 19-above-31-bits; }
row_19_absurd() { capped 19-absurd; }
row_19_absurd_string() { capped 19-absurd-string; }
row_19_absurd_real() { capped 19-absurd-real; }
row_19_point_in_time() { capped 19-point-in-time; }
row_20_an_hour() { lives 3600 20-hour; }
# ---- 21: scope -----------------------------------------------------------------------
row_21_missing() { yes 21-missing; }
row_21_empty() { warns "the server granted ''" 21-empty; }
row_21_array() { yes 21-array; }
row_21_other_order() { yes 21-order; }
row_21_twice() { yes 21-twice; }
row_21_v2_spelling() { yes 21-v2; }
row_21_expanded() { warns "the server granted 'system/Patient.read system/Observation.read'" 21-expanded; }
row_21_unprefixed() { warns "the server granted 'Patient.read Patient.search'" 21-unprefixed; }
row_21_number() { yes 21-number; }
row_21_hostile() { warns 'granted '"'"'a\x1b[31m\x0ab\xe2\x80\xae'"'" 21-hostile; }
row_21_required() {
	no 13 "the server granted 'Patient.read Patient.search'" 21-unprefixed --require-scope
	yes 21-array --require-scope
	yes 21-missing --require-scope
}
# ---- 22-24: what the access token looks like ------------------------------------------
no_header() { no 14 "the access token is not one that can stand in a header" "22-$1"; }
row_22_newline() { no_header newline; }
row_22_header() { no_header header; }
row_22_space() { no_header space; }
row_22_tab() { no_header tab; }
row_22_quote() { no_header quote; }
row_22_comma() { no_header comma; }
row_22_not_ascii() { no_header umlaut; }
row_22_empty() { no_header empty; }
row_22_number() { no_header number; }
row_22_array() { no_header array; }
row_22_true() { no_header "true"; }
row_22_nul() { no 14 "not JSON" 22-nul; }
# long KIB COMMAND...: such a token, expected whole
long() { want_token=canary$(head -c "$1" /dev/zero | tr '\0' t); shift; "$@"; }
row_23_4_kib() { long 4090 yes 23-4-kib; }
row_23_8_kib() { long 8186 yes 23-8-kib; }
row_23_8_kib_and_one() { long 8187 warns "the access token has 8193 bytes" 23-8-kib-and-one; }
row_23_16_kib() { long 16378 warns "the access token has 16384 bytes" 23-16-kib; }
row_23_64_kib() { long 65530 warns "the access token has 65536 bytes" 23-64-kib; }
row_24_extra_members() { yes 24-extra; ask 24-extra -v; has "$T/out" "$TOKEN"; }
# ---- 25, 26: the JSON itself -------------------------------------------------------------
row_25_token_twice() { no 14 "repeated member 'access_token'" 25-token-twice; }
row_25_token_twice_by_an_escape() { no 14 "repeated member 'access_token'" 25-token-escaped; }
row_25_error_twice() { no 13 "HTTP 400" 25-error-twice; }
row_25_error_and_null() { no 14 "repeated member 'error'" 25-error-and-null; }
row_25_others_twice() { want_life_s=60; life true 25-other; has "$T/warnings" "has a member twice"; warns "the last one counts" 25-other; }
row_25_description_twice() { no 13 "invalid_client: second (HTTP 400)" 25-error-description; }
row_26_deep() { no 14 "nested deeper than 32 levels" 26-deep; }
row_26_depth_32() { yes 26-depth-32; }
row_26_depth_33() { no 14 "nested deeper than 32 levels" 26-depth-33; }
not_json() { no 14 "not JSON" "26-$1"; has "$T/errors" "HTTP 200, application/json"; }
row_26_huge_integer() { not_json huge-integer; }
row_26_huge_expiry() { not_json huge-expiry; }
row_26_huge_real() { not_json huge-real; }
row_26_lone_surrogate() { not_json surrogate; }
row_26_overlong_utf8() { not_json overlong; }
row_26_byte_order_mark() { yes 26-mark; }
row_26_two_marks() { not_json two-marks; }
row_26_utf16() { not_json utf-16; }
row_26_utf16_without_a_mark() { not_json utf-16-bare; }
row_26_garbage_behind() { not_json garbage; }
row_26_two_objects() { not_json two-objects; }
row_26_nul_behind() { not_json nul; }
row_26_nul_inside() { not_json nul-inside; }
row_26_trailing_comma() { not_json comma; }
row_26_array() { no 14 "JSON, but not an object" 26-array; }
row_26_string() { not_json string; }
# ---- 27: without end -------------------------------------------------------------------
BODY_MAX="the server's answer is longer than 1048576 bytes"
HEADERS_MAX="the server's answer is longer than 65536 bytes"
row_27_one_mib() { peak 0 "" 27-one-mib; }
row_27_one_mib_and_one() { peak 14 "$BODY_MAX" 27-one-more; }
row_27_endless_chunks() { peak 14 "$BODY_MAX" 27-endless; }
row_27_endless_until_close() { peak 14 "$BODY_MAX" 27-endless-until-close; }
row_27_endless_rows_of_fields() { peak 14 "$HEADERS_MAX" 27-endless-fields; }
# libcurl's own limit for one field, which it reports as want of memory
row_27_endless_field() { peak 12 "27-endless-field: " 27-endless-field; }
row_27_endless_interim_answers() { peak 14 "$HEADERS_MAX" 27-endless-interim; }
row_27_endless_trailers() { peak 14 "$HEADERS_MAX" 27-endless-trailers; }
timed_out() { peak 12 "timed out after 2000 ms" "27-$1" --timeout 2; [ "$took_s" -le 5 ]; }
row_27_endless_chunk_extension() { timed_out endless-extension; }
row_27_one_byte_a_second() { timed_out slow; }
row_27_one_byte_of_a_field_a_second() { timed_out slow-fields; }
row_27_no_answer() { timed_out silent; }
# ---- 28: cut off: never asked again, as the server may have used the assertion -----------
row_28_length_too_long() { no 12 "the answer ended too early (" 28-too-long --retry-time 9; }
row_28_length_too_short() { no 14 "not JSON" 28-too-short; }
row_28_length_negative() { no 12 "Invalid Content-Length" 28-negative-length; }
row_28_length_of_prose() { no 12 "Invalid Content-Length" 28-prose-length; }
row_28_two_lengths() { no 14 "not JSON" 28-two-lengths; }
row_28_hang_up() { no 12 "the server closed without an answer (" 28-hang-up --retry-time 9; }
row_28_reset() { no 12 "28-reset: " 28-reset --retry-time 9; }
row_28_reset_in_the_body() { no 12 "28-reset-half: " 28-reset-half --retry-time 9; }
row_28_end_unknown_to_tls() { yes 28-no-close-notify; }
row_28_cut_unknown_to_tls() { no 14 "not JSON" 28-no-close-notify-cut; }
row_28_broken_chunk() { no 12 "the answer cannot be read (" 28-broken-chunk; }
row_28_cut_chunk() { no 12 "outstanding" 28-cut-chunk; }
# ---- 29: codings that nobody asked for ----------------------------------------------------
row_29_gzip() { no 14 "the body is compressed, which was not asked for" 29-gzip; }
row_29_bomb() { peak 14 "the body is compressed, which was not asked for" 29-bomb; }
row_29_deflate() { no 14 "the body is compressed, which was not asked for" 29-deflate; }
row_29_brotli() { no 14 "not JSON" 29-br; }
row_29_identity() { yes 29-identity; }
row_29_nothing_is_asked_for() {
	ask 00-ok
	tail -n 1 "$W/log" | jq -e '[.headers[][0] | ascii_downcase] | index("accept-encoding") == null' >/dev/null
}
# ---- 30-32: statuses with a hint ------------------------------------------------------------
redirect() {
	no 13 "redirects to ${2-https://elsewhere.example/token} (HTTP $3), which is not followed" "30-$1" --retry-time 9
	has "$T/errors" "if that is the token endpoint, configure it"
}
row_30_301() { redirect 301 https://elsewhere.example/token 301; }
row_30_302() { redirect 302 https://elsewhere.example/token 302; }
row_30_303() { redirect 303 https://elsewhere.example/token 303; }
row_30_307() { redirect 307 https://elsewhere.example/token 307; }
row_30_308() { redirect 308 https://elsewhere.example/token 308; }
row_30_to_http() { redirect to-http http://localhost/token 302; }
row_30_missing_slash() { redirect slash /30-slash/ 301; }
row_30_nowhere() { redirect nowhere nowhere 302; }
row_30_hostile() { redirect hostile 'https://x.example/\x1b[31m...' 302; }
row_31_method() { no 13 "does not take token requests" 31-405; }
row_31_media_type() { no 13 "does not take token requests" 31-415; has "$T/errors" "Unsupported content type"; }
too_long() { no 13 "the request is too long for this server; leave out x5c, shorten names" "32-$1"; }
row_32_413() { too_long 413; }
row_32_414() { too_long 414; }
row_32_431() { too_long 431; }
# ---- 33, 34, 40: busy servers; how often they are asked is in 240-retries.t -----------------
row_02_html_502() { no 14 "$HTML" 02-html-502; }
row_02_html_503() { no 14 "$HTML" 02-html-503; }
row_03_sentence_with_503() { no 14 "it begins: Service not registered" 03-sentence-503; }
asks_to_wait() { no "$STATUS_429" "the server asks to wait $2 s" "33-429-$1"; has "$T/errors" "HTTP 429"; }
is_silent() { no "$STATUS_429" "HTTP 429" "33-429-$1"; hasnt "$T/errors" "asks to wait"; }
row_33_429_seconds() { asks_to_wait seconds 7; }
row_33_429_date() {
	no "$STATUS_429" "the server asks to wait 86" 33-429-date
	grep -qE 'to wait 86[0-9]{3} s' "$T/errors"
}
row_33_429_past_date() { asks_to_wait past 0; }
row_33_429_huge() { asks_to_wait huge 2147483647; }
row_33_429_huge_is_no_reason_to_ask() { no "$STATUS_429" "2147483647 s" 33-429-huge --retry-time 9; }
row_33_429_negative() { is_silent negative; }
row_33_429_prose() { is_silent prose; }
row_33_429_bare() { is_silent bare; }
row_33_502() { no 14 "HTTP 502" 33-502; }
row_33_503() { no 14 "HTTP 503" 33-503; }
row_33_503_seconds() { no 14 "the server asks to wait 7 s" 33-503-seconds; }
row_33_504() { no 14 "HTTP 504" 33-504; }
row_33_once_busy() { requests=2 warns "trying again in" 33-once --retry-time 9; }
row_34_unavailable_503() { no 14 "failed: temporarily_unavailable (HTTP 503)" 34-unavailable-503; }
row_34_unavailable_400() { no 14 "failed: temporarily_unavailable (HTTP 400)" 34-unavailable-400; }
row_34_server_error_500() { no 14 "failed: server_error (HTTP 500)" 34-server-error-500; }
row_34_server_error_400() { no 13 "refused: server_error (HTTP 400)" 34-server-error-400; }
row_40_flaky_is_asked_once() { no 13 "invalid_client (HTTP 400)" 40-flaky --retry-time 9; }
row_40_flaky_for_some_twice() { requests=2 no 13 "invalid_client (HTTP 400)" 40-flaky --retry-time 9 --server epic; }
row_45_no_cookie_in_the_next_request() {
	requests=2 warns "trying again in" 45-cookie --retry-time 9
	tail -n 2 "$W/log" | jq -se 'length == 2 and ([.[].headers[][0] | ascii_downcase] | index("cookie") == null)' >/dev/null
}
# ---- 35: what is left to libcurl --------------------------------------------------------------
row_35_early_hints() { yes 35-early-hints; }
row_35_continue() { yes 35-continue; }
row_35_folded_field() { yes 35-folded; }
row_35_trailers() { yes 35-trailers; }
row_35_http_1_0() { yes 35-until-close; }
row_35_bare_newlines() { yes 35-bare-newlines; }
row_35_no_colon() { no 12 "Header without colon" 35-no-colon; }
row_35_nul() { no 12 "Nul byte in header" 35-nul; }
row_35_no_http() { no 12 "HTTP/0.9" 35-no-http; }
row_35_version_9() { no 12 "HTTP version" 35-version-9; }
row_35_status_of_prose() { no 12 "the answer is not proper HTTP (" 35-status-of-prose; }
row_35_http_2() {
	start_server h2 node "$SERVERS/h2-server.mjs" --cert "$W/pki/good.pem" \
		--key "$W/pki/good.key" --log "$T/h2.log"
	run "$P11OAUTH" token lab --token-endpoint "https://localhost:$SERVER_PORT/token"
	stop_server h2
	granted "$TOKEN"
	jq -e '.http == "2.0" and .path == "/token" and (.body | contains("client_assertion="))' "$T/h2.log" >/dev/null
}
# row 36: a 401 from the FHIR server is not the token endpoint's; this tool gets
# access tokens and does not use them.
# ---- 37: metadata; pins and kept documents are in 210-discovery.t -------------------------------
METADATA=/.well-known/smart-configuration
# knows NAME: the FHIR base is enough. knows_not TEXT NAME: it is not.
found() { run "$P11OAUTH" token lab --fhir-base "$ANSWERS/37-$1"; }
knows() {
	before=$(count_seen)
	found "$1"
	granted "$TOKEN"
	[ "$(count_seen)" -eq $((before + 2)) ]
}
knows_not() {
	before=$(count_seen)
	found "$2"
	failed 14 "$1"
	has "$T/errors" "$ANSWERS/37-$2$METADATA"
	[ "$(count_seen)" -eq $((before + 1)) ]
}
useless() { knows_not "$@"; has "$T/errors" "a token-endpoint in the profile works without it"; }
row_37_good() { knows good; }
row_37_not_there() { useless "HTTP 404" 404; }
row_37_not_there_is_no_matter() {
	run "$P11OAUTH" token lab --fhir-base "$ANSWERS/37-404" --token-endpoint "$ANSWERS/00-ok"
	granted "$TOKEN" "the token-endpoint of the profile is used"
	has "$T/warnings" "$ANSWERS/37-404$METADATA"
}
row_37_html() { useless "not JSON" html; }
row_37_array() { useless "not an object" array; }
row_37_no_endpoint() { useless "no token_endpoint" no-endpoint; }
row_37_null_endpoint() { useless "no token_endpoint" null-endpoint; }
row_37_other_name() { useless "no token_endpoint, but 'token_endpont'" other-name; }
row_37_wrong_name_for_methods() { knows auth-methods; }
row_37_trailing_comma() { useless "not JSON" commas; }
row_37_empty() { useless "the body is empty" empty; }
row_37_redirect() { useless "HTTP 301" redirect; }
row_37_too_large() { useless "longer than 1048576 bytes" large; }
row_37_relative() { knows relative; tail -n 1 "$W/log" | jq -e '.path == "/37-relative/auth/token"' >/dev/null; }
row_37_from_the_root() { knows rooted; }
row_37_http() { knows_not "http://" http; }
row_37_other_host() { knows other-host; }
row_37_hostile() { knows_not "token-endpoint: " hostile; }
# ---- 38-41: refusals with a cause ---------------------------------------------------------------
row_38_not_entitled() { no 13 "the client was recognised, but may not use this grant" 38-not-entitled; }
row_39_unknown_client() { no 13 "the server may not know the client id 'x', or not yet" 39-unknown; }
row_41_clock_behind() { no 13 "clock here is" 41-ten-minutes-ahead; grep -qE 'clock here is (599|60[01]) s behind' "$T/errors"; }
row_41_clock_ahead() { no 13 "clock here is" 41-ten-minutes-behind; grep -qE 'clock here is (599|60[01]) s ahead' "$T/errors"; }
row_41_clock_right() { no 13 "invalid_client" 41-right; hasnt "$T/errors" "clock"; }
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
no_proxy_lets() { # NAME TEXT OPTION...
	by "$1"
	proxy_text=$2; shift 2
	requests=0 no 12 "$proxy_text" 00-ok "$@"
	has "$T/errors" "a proxy is set by https_proxy"
	connect_alone
}
row_43_tunnel() { by tunnel; yes 00-ok; connect_alone; }
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
	requests=0 no 12 "refused" 00-ok
	has "$T/errors" "a proxy is set by https_proxy"
}
row_43_no_proxy() { by 403; no_proxy=localhost; export no_proxy; yes 00-ok; empty "$W/odd.log"; }
row_43_proxy_for_http_alone() { by 403; http_proxy=$https_proxy; export http_proxy; unset https_proxy; yes 00-ok; empty "$W/odd.log"; }
# ---- 44-47 ----------------------------------------------------------------------------------
row_44_escapes() { want_token=canary/a+b yes 44-escapes; }
row_45_fields_without_meaning() { yes 45-fields; yes 45-fields; }
row_46_from_a_cache() { warns "kept by a cache for 30 s (Age)" 46-age; }
row_46_age_0() { yes 46-age-0; }
row_46_age_of_prose() { yes 46-age-prose; }
row_46_no_store_is_asked_for() {
	ask 00-ok
	tail -n 1 "$W/log" | jq -e '.headers | index([["Cache-Control", "no-store"]]) != null' >/dev/null
}
# row 47: what modules do is in 620-modules.t

# ---- the table itself --------------------------------------------------------------------------
the_list_has_47_rows() {
	for n in $(seq -w 1 47); do
		grep -qE "^(row_${n}_[a-z0-9_]*\(\)|# row $n: )" "$SELF" || echo "row $n"
	done >"$T/missing"
	empty "$T/missing"
}
every_answer_was_asked_for() {
	/usr/bin/python3 -B -c 'import sys; sys.path.insert(0, sys.argv[1]); import bad_answers as b
print(*sorted(p for p in {**b.ANSWERS, **b.SPECIAL} if not p.endswith(("-busy", "-then"))), sep="\n")' "$SERVERS" >"$T/answers"
	[ "$(wc -l <"$T/answers")" -gt 200 ]
	jq -r .path "$W/log" | sort -u >"$T/asked"
	LC_ALL=C sort "$T/answers" >"$T/want"
	LC_ALL=C sort "$T/asked" | LC_ALL=C comm -23 "$T/want" - >"$T/never"
	empty "$T/never"
	LC_ALL=C sort "$T/asked" | LC_ALL=C comm -13 "$T/want" - >"$T/unknown"
	empty "$T/unknown"
}

# In the order of the rows, and none forgotten.
ROWS=$(sed -n 's/^\(row_[0-9][0-9]_[a-z0-9_]*\)() .*/\1/p' "$SELF" | sort)
# shellcheck disable=SC2086 # several words
run_tests $ROWS the_list_has_47_rows every_answer_was_asked_for
