#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each use of a key is on record before it happens, once; what was tampered with
# is found; without a record there is no signature where it is required.
. "$top_srcdir/tests/tokens/namespaces.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/tls-server.sh"
. "$top_srcdir/tests/lib/fixture.sh"

SERVERS=$top_srcdir/tests/servers
FAULT=$top_builddir/tests/fault/fault-module.so
SPY=$(find /usr/lib -name pkcs11-spy.so | head -n 1)
softhsm_new "$W/hsm" lab 739154
softhsm_keygen rsa:2048 01 rsa "$W/rsa.pem"
sh "$SERVERS/make-pki.sh" "$W/pki" >/dev/null
start_server as /usr/bin/python3 "$top_srcdir/contrib/sandbox/sandbox.py" --port 0 \
	--state "$W/as" --client "backend=$W/rsa.pem" --log "$W/as.log"
profile as 'client-id = "backend"' "token-endpoint = \"$TOKEN_ENDPOINT\"" \
	"cacert = \"$SERVER_CA\"" 'scope = "system/*.read"' "module = \"$SOFTHSM_MODULE\"" \
	"pin-from = \"file:$SOFTHSM_PIN_FILE\"" 'key = "pkcs11:token=lab;object=rsa"' 'kid = "x5t-hex"'
start_server flaky /usr/bin/python3 "$SERVERS/flaky-server.py" --log "$W/flaky.log" \
	--tls-cert "$W/pki/good.pem" --tls-key "$W/pki/good.key" --ca "$W/pki/ca.pem"
FLAKY=$TOKEN_ENDPOINT
profile flaky 'client-id = "backend"' "token-endpoint = \"$FLAKY/503/2\"" \
	"cacert = \"$W/pki/ca.pem\"" 'scope = "system/*.read"' "module = \"$SOFTHSM_MODULE\"" \
	"pin-from = \"file:$SOFTHSM_PIN_FILE\"" 'key = "pkcs11:token=lab;object=rsa"'

# Each test has its own state folder, $XDG_STATE_HOME.
ledger() { LEDGER=$XDG_STATE_HOME/p11oauth/audit.jsonl; }
# events TEXT: those of the ledger, in their order, as [.event] of jq.
events() { jq -sce "[.[].event] == $1" "$LEDGER" || { cat "$LEDGER"; return 1; }; }
verifies() { expect 0 "$P11OAUTH" audit verify; empty "$T/err"; }

each_jti_is_in_one_record() {
	ledger
	: >"$W/as.log"; : >"$W/flaky.log"
	for command in "token as" "header as" "token as --json" "doctor as"; do
		# shellcheck disable=SC2086 # two words or three
		expect 0 "$P11OAUTH" $command
	done
	expect 13 "$P11OAUTH" token as --client-id nobody
	for answer in 503/2 429/1 hang-up/0 400+error=invalid_client/1; do
		"$P11OAUTH" token flaky --token-endpoint "$FLAKY/$answer" >"$T/out" 2>"$T/err" || true
	done
	jq -r '.jti // empty' "$W/as.log" "$W/flaky.log" >"$T/jtis"
	echo "the servers saw $(wc -l <"$T/jtis") assertions"
	[ "$(wc -l <"$T/jtis")" -ge 12 ]
	while read -r jti; do
		[ "$(grep -cF "$jti" "$LEDGER")" -eq 1 ]
		jq -se --arg jti "$jti" '[.[] | select(.jti == $jti) | .event, .use] == ["sign", "assertion"]' "$LEDGER"
	done <"$T/jtis" >/dev/null
	jq -r '.jti // empty' "$LEDGER" | sort >"$T/recorded"
	sort "$T/jtis" | diff - "$T/recorded"
	# what each server said of it
	jq -se '(map(select(.event == "sign").seq)) as $signs |
		(map(select(.event == "answer").of)) == $signs' "$LEDGER"
	verifies
}
what_a_record_says() {
	ledger
	"$P11OAUTH" assertion as >"$T/jwt"
	"$P11OAUTH" jwt inspect --json "$T/jwt" >"$T/jwt.json"
	cut -d. -f2 <"$T/jwt" | tr '_-' '/+' | base64 -d 2>/dev/null >"$T/claims" || true
	cut -d. -f1 <"$T/jwt" | tr '_-' '/+' | base64 -d 2>/dev/null >"$T/header" || true
	for claim in jti aud exp; do
		[ "$(jq -c ".$claim" "$T/claims")" = "$(jq -c ".$claim" "$LEDGER")" ]
	done
	for name in alg kid; do
		[ "$(jq -r ".$name" "$T/header")" = "$(jq -r ".$name" "$LEDGER")" ]
	done
	spki=$(openssl x509 -in "$W/rsa.pem" -noout -pubkey | openssl pkey -pubin -outform DER |
		sha256sum | cut -d ' ' -f 1)
	jq -e --arg spki "$spki" '.spki == $spki and .profile == "as" and .client_id == "backend" and
		.token.label == "lab" and (.token.serial | length == 16) and .scope == "system/*.read" and
		.seq == 1 and .prev == "0" * 64' "$LEDGER"
	jq -e --argjson uid "$(id -u)" --arg exe "$(readlink -f "$P11OAUTH")" \
		'.peer.uid == $uid and (.peer.pid > 1) and .peer.executable == $exe' "$LEDGER"
	jq -e '.time | test("^20[0-9-]{8}T[0-9:]{8}[.][0-9]{3}Z$")' "$LEDGER"
	[ "$(stat -c %a "$LEDGER")" = 600 ]
	# the hash, by another program
	line=$(cat "$LEDGER")
	[ "$(printf %s "${line%,\"hash\":*}" | sha256sum | cut -d ' ' -f 1)" = "$(jq -r .hash "$LEDGER")" ]
}
an_access_token_is_traced() {
	ledger
	"$P11OAUTH" token as >"$T/at"
	hash=sha256:$(tr -d '\n' <"$T/at" | sha256sum | cut -c 1-16)
	events '["sign","answer","issue"]'
	jq -se --arg hash "$hash" '.[1].of == 1 and .[1].status == "ok" and .[1].http_status == 200 and
		.[1].access_token == $hash and .[2].of == 1 and .[2].access_token == $hash and
		.[1].expires_at == .[2].expires_at and .[2].profile == "as"' "$LEDGER"
}
every_try_has_its_answer() {
	ledger
	expect 0 "$P11OAUTH" token flaky --token-endpoint "$FLAKY/502/2"
	events '["sign","answer","sign","answer","sign","answer","issue"]'
	jq -se '[.[1,3,5] | [.of, .status, .http_status]] ==
		[[1,"server",502],[3,"server",502],[5,"ok",200]] and .[6].of == 5' "$LEDGER"
}
# The record is there before the token is asked, and tells when that fails.
the_record_comes_first() {
	ledger
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_FAIL=C_Sign:1+:0x30
	export P11FAULT_MODULE P11FAULT_FAIL
	expect 10 "$P11OAUTH" token as --module "$FAULT"
	events '["sign","answer","sign","answer"]' # a lost device is looked for again
	jq -se '.[1,3] | .of == .seq - 1 and .status == "device" and .http_status == null' "$LEDGER"
	P11FAULT_FAIL=C_Sign:1:hang
	"$P11OAUTH" assertion as --module "$FAULT" --token-timeout 60 >"$T/out" 2>&1 &
	pid=$!
	tries=0
	until [ "$(wc -l <"$LEDGER")" -eq 5 ]; do
		tries=$((tries + 1)); [ "$tries" -lt 200 ]
		sleep 0.05 # polling for the record of a signature that never ends
	done
	kill -KILL "$pid"; wait "$pid" || true
	events '["sign","answer","sign","answer","sign"]'
	verifies
}
failed_logins_are_recorded() {
	ledger
	(umask 077; echo 918273 >"$T/pin")
	expect 7 "$P11OAUTH" token as --pin-from "file:$T/pin"
	expect 7 "$P11OAUTH" token as --pin-from "file:$T/pin"
	expect 7 "$P11OAUTH" cert as --key 'pkcs11:token=lab;object=none' --pin-from "env:NO_SUCH_PIN"
	events '["pin","pin","pin"]'
	jq -se '.[2].source == "env" and (.[2].sent | not)' "$LEDGER"
	jq -se '.[0].sent and (.[1].sent | not) and .[0].source == "file" and .[0].status == "pin" and
		.[0].token.label == "lab" and .[0].peer.pid > 0' "$LEDGER"
	hasnt "$LEDGER" 918273
	hasnt "$LEDGER" "$T/pin"
}
# a server that asks for a certificate and refuses ours, after it has seen that the
# key was used
wants_another_certificate() {
	tls_server tls -cert "$W/pki/good.pem" -key "$W/pki/good.key" -Verify 1 \
		-verify_return_error -CAfile "$W/pki/ca.pem"
}
tls_is_a_use() {
	ledger
	wants_another_certificate
	expect 12 "$P11OAUTH" token as --token-endpoint "$TLS_URL" --cacert "$W/pki/ca.pem" \
		--client-auth tls_client_auth --retry-time 0
	expect 12 "$P11OAUTH" token as --token-endpoint "$TLS_URL" --cacert "$W/pki/ca.pem" \
		--tls-certificate --retry-time 0
	stop_server tls
	events '["sign","answer","sign","sign","answer"]'
	jq -se --arg url "$TLS_URL" '.[0].use == "tls" and (.[0] | has("jti") | not) and .[0].aud == $url and
		.[1].of == 1 and .[2].use == "assertion" and .[3].use == "tls" and .[3].of == 3 and
		.[4].of == 3 and ([.[1,4] | .http_status] == [null, null]) and
		([.[1,4] | .status] == ["network", "network"])' "$LEDGER"
}

# ---- tampering

# a_ledger: of 12 records, in $T/ledger
a_ledger() {
	for attempt in 1 2 3 4; do
		"$P11OAUTH" token as --audit-file "$T/ledger" -q >"$T/out"
	done
	[ "$(wc -l <"$T/ledger")" -eq 12 ]
	[ ! -e "$XDG_STATE_HOME/p11oauth/audit.jsonl" ]
	expect 0 "$P11OAUTH" audit verify "$T/ledger"
	has "$T/out" "valid: 12 records, 1 to 12, in 1 file"
	HEAD=$("$P11OAUTH" audit verify "$T/ledger" --json | jq -r .head)
}
every_tampering_is_found() {
	a_ledger
	mkdir "$T/bad"
	/usr/bin/python3 "$top_srcdir/tests/tools/tamper.py" "$T/ledger" "$T/bad"
	n=0
	for file in "$T/bad"/*; do
		n=$((n + 1))
		case ${file##*/} in end-*)
			expect 0 "$P11OAUTH" audit verify "$file"
			fails 11 "no record has the hash $HEAD" "$P11OAUTH" audit verify "$file" --head "$HEAD"
			continue ;;
		esac
		fails 11 "audit verify: $file:${file##*-}: " "$P11OAUTH" audit verify "$file"
	done
	echo "$n ways to tamper with 12 records"
	[ "$n" -eq $((12 * 6 + 11 * 5)) ]
	expect 0 "$P11OAUTH" audit verify "$T/ledger" --head "$HEAD"
	fails 2 "64 hexadecimal digits" "$P11OAUTH" audit verify "$T/ledger" --head "${HEAD%?}"
}
# broken AT: the copy that was just changed is broken there; it is made anew.
broken() {
	fails 11 "audit verify: $T/copy/l$1: " "$P11OAUTH" audit verify "$T/copy/l"
	cd "$T"; rm -r "$T/copy"; cp -r "$T/l" "$T/copy"; cd "$T/copy"
}
where_files_meet() {
	mkdir "$T/l"
	for file in 1 2 3; do
		"$P11OAUTH" token as --audit-file "$T/l/l" >"$T/out"
		[ "$file" = 3 ] || "$P11OAUTH" audit rotate "$T/l/l" >>"$T/rotated"
	done
	printf '%s\n' "$T/l/l.00000001" "$T/l/l.00000002" | diff - "$T/rotated"
	expect 0 "$P11OAUTH" audit verify "$T/l/l"
	has "$T/out" "valid: 11 records, 1 to 11, in 3 files"
	cp -r "$T/l" "$T/copy"; cd "$T/copy"
	sed -i '$d' l.00000001; broken .00000002:1
	sed -i 1d l.00000002; broken .00000002:1
	rm l.00000002; broken :1
	mv l.00000001 x; mv l.00000002 l.00000001; mv x l.00000002; broken .00000002:1
	head -n 1 l >>l.00000002; broken :1
	tail -n 1 l.00000001 >x; cat l.00000002 >>x; cp x l.00000002; broken .00000002:1
	truncate -s -1 l.00000001; broken .00000001:3
	truncate -s -20 l.00000002; broken .00000002:4
	sed -i 1d l.00000001; broken .00000001:1
	cp l.00000001 l.00000003; broken .00000003:1
	# the oldest may go, and it is said
	rm l.00000001
	expect 0 "$P11OAUTH" audit verify l
	has "$T/out" "records 1 to 3, were removed"
	"$P11OAUTH" audit verify l --json | jq -e '.older_removed and .first_seq == 4 and .files == 2'
}
an_unfinished_line_is_named() {
	a_ledger
	truncate -s -20 "$T/ledger"
	expect 0 "$P11OAUTH" audit verify "$T/ledger"
	has "$T/out" "valid: 11 records"
	has "$T/err" "$T/ledger:12: the last line is unfinished"
	[ "$(wc -l <"$T/err")" -eq 1 ]
	"$P11OAUTH" audit verify "$T/ledger" --json -q | jq -e --arg at "$T/ledger:12" '.unfinished == $at'
	"$P11OAUTH" assertion as --audit-file "$T/ledger" >"$T/out"
	expect 0 "$P11OAUTH" audit verify "$T/ledger"
	empty "$T/err"
	has "$T/out" "valid: 13 records"
	[ "$(sed -n 12p "$T/ledger" | jq -r .event)" = torn ]
}
# own_token N: a copy of it for one process alone. SoftHSM writes to a token at
# each login, and neither many at once nor a kill in the middle is good for it.
own_token() {
	cp -r "$W/hsm" "$T/hsm.$1"
	sed "s,$W/hsm,$T/hsm.$1," "$W/hsm/softhsm2.conf" >"$T/hsm.$1/softhsm2.conf"
	SOFTHSM2_CONF=$T/hsm.$1/softhsm2.conf
	export SOFTHSM2_CONF
}
# A process is killed at any moment; the next one goes on.
killed_writers_lose_nothing() {
	ledger
	i=0
	while [ "$i" -lt 12 ]; do
		i=$((i + 1))
		own_token "$i"
		timeout -s KILL "0.0$((i % 9 + 1))" "$P11OAUTH" assertion as >/dev/null 2>&1 || true
	done
	own_token last
	expect 0 "$P11OAUTH" assertion as
	expect 0 "$P11OAUTH" audit verify
}
many_at_once() {
	ledger
	pids=
	for i in 1 2 3 4 5 6 7 8; do
		own_token "$i"
		"$P11OAUTH" assertion as >"$T/jwt.$i" 2>"$T/err.$i" &
		pids="$pids $!"
	done
	for pid in $pids; do wait "$pid" || { cat "$T"/err.*; return 1; }; done
	verifies
	[ "$(jq -r .jti "$LEDGER" | sort -u | wc -l)" -eq 8 ]
}

# ---- where nothing can be written

# full: a state folder on a disk of its own, which is full
full() {
	ledger
	mkdir "$XDG_STATE_HOME"
	mount -t tmpfs -o size=64k tmpfs "$XDG_STATE_HOME"
	expect 0 "$P11OAUTH" assertion as
	cat /dev/zero >"$XDG_STATE_HOME/fill" 2>/dev/null || true
	PKCS11SPY=$SOFTHSM_MODULE PKCS11SPY_OUTPUT=$T/spy.log
	export PKCS11SPY PKCS11SPY_OUTPUT
}
fills_up() { # the last block has room for a few records
	tries=0
	while "$P11OAUTH" assertion as --audit required >"$T/out" 2>"$T/err"; do
		tries=$((tries + 1)); [ "$tries" -lt 20 ]
	done
	cp "$LEDGER" "$T/before"
}
unsigned() { # TEXT COMMAND...
	text=$1; shift
	rm -f "$PKCS11SPY_OUTPUT"
	fails 3 "$text" "$@" --audit required --module "$SPY"
	grep -q C_Login "$PKCS11SPY_OUTPUT"
	hasnt "$PKCS11SPY_OUTPUT" C_Sign
}
a_full_disk() {
	full
	fills_up
	unsigned "audit: cannot write '$LEDGER': No space left on device" "$P11OAUTH" token as
	unsigned "No space left on device" "$P11OAUTH" assertion as
	cmp "$T/before" "$LEDGER"
	verifies
	# not required: it is said, once, and the key is used
	rm -f "$PKCS11SPY_OUTPUT"
	expect 0 "$P11OAUTH" token as --module "$SPY"
	[ "$(wc -l <"$T/err")" -eq 1 ]
	has "$T/err" "warning: the use of the key is not recorded: cannot write '$LEDGER': No space left"
	has "$PKCS11SPY_OUTPUT" C_Sign
	# a shorter record may still fit, that of the signature did not
	[ "$(grep -c '"event":"sign"' "$LEDGER")" -eq "$(grep -c '"event":"sign"' "$T/before")" ]
	verifies
	rm "$XDG_STATE_HOME/fill"
	expect 0 "$P11OAUTH" token as --audit required
	empty "$T/err"
	verifies
	umount "$XDG_STATE_HOME"
}
# TLS with the key is a use, too.
a_full_disk_and_tls() {
	full
	wants_another_certificate
	fills_up
	# what has no room for a signature's record may have for this one, which is shorter
	set -- "$P11OAUTH" token as --token-endpoint "$TLS_URL" \
		--cacert "$W/pki/ca.pem" --client-auth tls_client_auth --retry-time 0
	tries=0
	until got=0; "$@" --audit required >"$T/out" 2>"$T/err" || got=$?; [ "$got" -eq 3 ]; do
		tries=$((tries + 1)); [ "$tries" -lt 20 ]
	done
	unsigned "No space left on device" "$@"
	stop_server tls
	umount "$XDG_STATE_HOME"
}
a_limit_of_file_sizes() {
	ledger
	expect 0 "$P11OAUTH" assertion as
	cp "$LEDGER" "$T/before"
	fails 3 "File too large" sh -c "ulimit -f 1; exec \"$P11OAUTH\" assertion as --audit required"
	cmp "$T/before" "$LEDGER"
}
no_place_is_said() {
	ledger
	for variable in XDG_STATE_HOME HOME STATE_DIRECTORY; do unset "$variable"; done
	expect 0 "$P11OAUTH" token as --retry-pin
	empty "$T/err" # nobody asked for a ledger
	expect 0 "$P11OAUTH" token as --retry-pin --audit on
	[ "$(wc -l <"$T/err")" -eq 1 ]
	has "$T/err" "not recorded: none of STATE_DIRECTORY, XDG_STATE_HOME and HOME is set"
	fails 3 "none of STATE_DIRECTORY" "$P11OAUTH" token as --retry-pin --audit required
	fails 3 "name the file" "$P11OAUTH" audit verify
	expect 0 "$P11OAUTH" token as --retry-pin --audit required --audit-file "$T/here"
	expect 0 "$P11OAUTH" audit verify "$T/here"
	fails 3 "No such file" "$P11OAUTH" assertion as --retry-pin --audit required --audit-file "$T/no/where"
}
a_ledger_that_is_none() {
	ledger
	mkdir -p "${LEDGER%/*}"
	(umask 077; echo rubbish >"$LEDGER")
	fails 3 "does not end in a record" "$P11OAUTH" assertion as --audit required
	[ "$(cat "$LEDGER")" = rubbish ]
	chmod 644 "$LEDGER"
	fails 3 "open to others" "$P11OAUTH" assertion as --audit required
	rm "$LEDGER"; ln -s "$T/elsewhere" "$LEDGER"
	fails 3 "audit: cannot open" "$P11OAUTH" assertion as --audit required
	[ ! -e "$T/elsewhere" ]
}
off_records_nothing() {
	ledger
	expect 0 "$P11OAUTH" token as --audit off
	[ ! -e "$LEDGER" ]
	fails 2 "audit" "$P11OAUTH" token as --audit maybe
	P11OAUTH_AUDIT_FILE=$T/mine
	export P11OAUTH_AUDIT_FILE
	expect 0 "$P11OAUTH" token as
	[ ! -e "$LEDGER" ]
	expect 0 "$P11OAUTH" audit verify
	has "$T/out" "valid: 3 records"
}

# ---- the commands

find_finds_a_signature() {
	ledger
	expect 0 "$P11OAUTH" token as
	expect 0 "$P11OAUTH" token flaky --token-endpoint "$FLAKY/504/1"
	expect 0 "$P11OAUTH" audit rotate
	expect 0 "$P11OAUTH" token as
	cat "$LEDGER.00000001" "$LEDGER" >"$T/all"
	jti=$(sed -n 4p "$T/all" | jq -r .jti)
	expect 0 "$P11OAUTH" audit find --jti "$jti"
	sed -n 4,5p "$T/all" | diff - "$T/out"
	expect 0 "$P11OAUTH" audit find --profile as
	sed -n '1,3p;10,12p' "$T/all" | diff - "$T/out"
	expect 0 "$P11OAUTH" audit find --profile nobody "$LEDGER"
	empty "$T/out"
	expect 0 "$P11OAUTH" audit find --profile nobody --json "$LEDGER"
	[ "$(jq -c . "$T/out")" = "[]" ]
	for since in 1h 2020-01-01T00:00:00Z "$(jq -rs '.[0].time' "$T/all" | sed 's/\..*/+00:00/')"; do
		expect 0 "$P11OAUTH" audit find --since "$since" --json
		jq -e --slurpfile all "$T/all" '. == ($all | map(select(.event != "rotate")))' "$T/out"
	done
	expect 0 "$P11OAUTH" audit find --since 2999-12-31T23:59:59Z
	empty "$T/out"
	fails 2 "--since" "$P11OAUTH" audit find --since yesterday
	fails 3 "nobody" "$P11OAUTH" audit find --profile nobody
	echo rubbish >>"$LEDGER"
	expect 0 "$P11OAUTH" audit find --jti "$jti"
	has "$T/err" "$LEDGER:5 is not a record"
}
nothing_there_is_said() {
	fails 3 "No such file" "$P11OAUTH" audit verify
	fails 3 "No such file" "$P11OAUTH" audit find
	fails 3 "" "$P11OAUTH" audit rotate
	fails 3 "not a regular file" "$P11OAUTH" audit verify "$T"
}

run_tests each_jti_is_in_one_record what_a_record_says an_access_token_is_traced \
	every_try_has_its_answer the_record_comes_first failed_logins_are_recorded \
	tls_is_a_use every_tampering_is_found where_files_meet \
	an_unfinished_line_is_named killed_writers_lose_nothing many_at_once \
	a_full_disk a_full_disk_and_tls a_limit_of_file_sizes no_place_is_said \
	a_ledger_that_is_none off_records_nothing find_finds_a_signature \
	nothing_there_is_said
