# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The same tests on every module. A test sets TOKEN (a file beside this one) and
# sources this; TOKEN.sh has token_up DIR, which sets
#   TOKEN_MODULE      the module's path
#   TOKEN_INIT_ARGS   what it wants at C_Initialize, if anything
#   TOKEN_PIN         the user PIN
#   TOKEN_KEYS        NAME=URI of its keys, of: rsa p384 p256; each has its
#                     certificate on the token and in $W/NAME.pem
# and may say TOKEN_RANK=root: no namespace of an ordinary user will do.
. "$top_srcdir/tests/tokens/namespaces.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
# shellcheck source=/dev/null
. "$top_srcdir/tests/tokens/$TOKEN.sh"

CALLS_MAX=24 # of a cold assertion; one more for a login before each signature
SPY=$(find /usr/lib -name pkcs11-spy.so | head -n 1)
MATRIX=$W/matrix

# token_key_file NAME: $W/NAME.key and its certificate, to be imported.
token_key_file() {
	case $1 in
	rsa) fixture_rsa rsa 2048 ;;
	p384) fixture_ec p384 P-384 ;;
	p256) fixture_ec p256 P-256 ;;
	esac
}

# uri_of KEY: nothing when the token has no such key.
uri_of() {
	for uri_entry in $TOKEN_KEYS; do
		[ "${uri_entry%%=*}" != "$1" ] || echo "${uri_entry#*=}"
	done
}

# token_profile NAME URI KEY=VALUE...: a profile on this token.
token_profile() {
	profile_name=$1 profile_key=$2; shift 2
	profile "$profile_name" 'client-id = "backend"' "token-endpoint = \"$TOKEN_ENDPOINT\"" \
		"cacert = \"$SERVER_CA\"" 'scope = "system/*.read"' \
		"module = \"$TOKEN_MODULE\"" "pin-from = \"file:$W/pin\"" \
		${TOKEN_INIT_ARGS:+"module-init-args = \"$TOKEN_INIT_ARGS\""} \
		"key = \"$profile_key\"" "$@"
}

suite_up() {
	TOKEN_INIT_ARGS='' TOKEN_KEYS=''
	token_up "$W/$TOKEN"
	(umask 077; echo "$TOKEN_PIN" >"$W/pin")
	sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
	TOKEN_ENDPOINT=https://localhost/ SERVER_CA=$W/pki/ca.pem
	names=
	for entry in $TOKEN_KEYS; do
		token_profile "early-${entry%%=*}" "${entry#*=}"
		names="$names early-${entry%%=*}"
	done
	# shellcheck disable=SC2086 # a list of words
	# without alg, as one key serves several here
	"$P11OAUTH" jwks $names | jq 'del(.keys[].alg)' >"$W/jwks.json"
	start_server oidc node "$top_srcdir/tests/servers/oidc-provider.mjs" \
		--jwks "$W/jwks.json" --tls-cert "$W/pki/good.pem" \
		--tls-key "$W/pki/good.key" --ca "$W/pki/ca.pem"
	for key in rsa p384 p256; do
		uri=$(uri_of "$key")
		token_profile "$key" "${uri:-pkcs11:object=$key}"
	done
}

cell() { echo "$1 $2" >>"$MATRIX"; }

# works ALG KEY: an assertion that jose verifies, an access token.
works() {
	expect 0 "$P11OAUTH" assertion "$2" --algorithm "$1"
	empty "$T/err"
	cp "$T/out" "$T/jwt"
	jose_verify "$T/jwt" "$W/jwks.json"
	expect 0 "$P11OAUTH" token "$2" --algorithm "$1" --json
	jq -e '(.access_token | length > 10) and .expires_in > 0' "$T/out" >/dev/null
	cell "$1" "jose oidc-provider"
}
# refused ALG KEY: there is no such key; and none that there is can do it.
refused() {
	fails 5 "no private key" "$P11OAUTH" assertion "$2" --algorithm "$1"
	fails 11 "$1" "$P11OAUTH" assertion rsa --algorithm "$1"
	cell "$1" "refused(5,11)"
}
can() { if [ -n "$(uri_of "$2")" ]; then works "$@"; else refused "$@"; fi; }
rs384_signs_or_is_refused() { can RS384 rsa; }
ps384_signs_or_is_refused() { can PS384 rsa; }
es384_signs_or_is_refused() { can ES384 p384; }
es256_signs_or_is_refused() { can ES256 p256; }

keys_lists_them() {
	expect 0 "$P11OAUTH" keys --profile rsa --json --login
	for entry in $TOKEN_KEYS; do
		key=${entry%%=*}
		thumbprint=$(openssl dgst -sha256 -binary "$W/$key.der" | base64 | tr '+/' '-_' | tr -d '=')
		jq -e --arg t "$thumbprint" '[.tokens[].keys[] | select(.["x5t#S256"] == $t)] |
			length == 1 and .[0].private_key_seen and .[0].certificate_matches' "$T/out"
	done
}
cert_shows_it() {
	for entry in $TOKEN_KEYS; do
		expect 0 "$P11OAUTH" cert "${entry%%=*}"
		openssl x509 -in "$T/out" -outform DER | cmp - "$W/${entry%%=*}.der"
	done
}

# Witnessed by pkcs11-spy: nothing private, one login and one signature.
calls_are_a_handful() {
	PKCS11SPY=$TOKEN_MODULE
	export PKCS11SPY
	for entry in $TOKEN_KEYS; do
		key=${entry%%=*}
		PKCS11SPY_OUTPUT=$T/$key.log
		export PKCS11SPY_OUTPUT
		expect 0 "$P11OAUTH" assertion "$key" --module "$SPY"
		/usr/bin/python3 "$top_srcdir/tests/tools/pkcs11-calls.py" "$T/$key.log" >"$T/$key.json"
		total=$(jq .total "$T/$key.json")
		logins=$(jq '.calls.C_Login // 0' "$T/$key.json")
		echo "calls of a cold assertion on $TOKEN, $key: $total, $logins of them C_Login"
		[ "$(jq .calls.C_SignInit "$T/$key.json")" -eq 1 ]
		[ "$(jq .calls.C_Sign "$T/$key.json")" -eq 1 ]
		[ "$logins" -le "$(logins_of "$key")" ]
		more=$(($(logins_of "$key") > 1)) # a login for each signature
		[ "$total" -le $((CALLS_MAX + more)) ]
		[ "$total" -ge 10 ] # or the witness was not asked
	done
}
# logins_of KEY: how many a signature needs; a module's file may say otherwise.
command -v logins_of >/dev/null || logins_of() { echo 1; }

wrong_pin_is_sent_once() {
	(umask 077; echo 918273 >"$T/wrong")
	spied=$TOKEN_MODULE
	PKCS11SPY=$spied PKCS11SPY_OUTPUT=$T/spy
	export PKCS11SPY PKCS11SPY_OUTPUT
	fails 7 "" "$P11OAUTH" assertion rsa --module "$SPY" --pin-from "file:$T/wrong"
	[ "$(grep -c ': C_Login' "$T/spy")" -eq 1 ]
	fails 7 "--retry-pin" "$P11OAUTH" assertion rsa --module "$SPY" --pin-from "file:$T/wrong"
	[ "$(grep -c ': C_Login' "$T/spy")" -eq 1 ]
	cp "$W/pin" "$T/wrong"
	expect 0 "$P11OAUTH" assertion rsa --module "$SPY" --pin-from "file:$T/wrong"
}

# A wrong PIN in a file, over and over: the token is asked once. What is remembered
# after the first run does not change after the second; who wants more says so.
RUNS=${P11OAUTH_TEST_RUNS:-100}
wrong_pin_runs() {
	(umask 077; echo 918273 >"$T/wrong")
	statuses=
	i=0
	while [ "$i" -lt "$RUNS" ]; do
		got=0; "$P11OAUTH" assertion rsa --pin-from "file:$T/wrong" >>"$T/out" 2>"$T/err" || got=$?
		[ "$got" -eq 7 ]
		i=$((i + 1))
	done
	empty "$T/out"
	echo "$i runs with a wrong stored PIN"
}

# during FUNCTION WHAT: a command is between login and signature (FUNCTION is
# made slow) when WHAT happens. It succeeds, or fails with 4 or 10; in time. The
# next one succeeds.
FAULT=$top_builddir/tests/fault/fault-module.so
DEADLINE_S=15
during() {
	P11FAULT_MODULE=$TOKEN_MODULE P11FAULT_LOG=$T/log P11FAULT_MS=2500
	P11FAULT_FAIL=$1:1:slow P11FAULT_COUNTS=$T/counts
	export P11FAULT_MODULE P11FAULT_LOG P11FAULT_FAIL P11FAULT_MS P11FAULT_COUNTS
	rm -f "$T/counts"
	: >"$T/log"
	"$P11OAUTH" assertion rsa --module "$FAULT" --token-timeout "$DEADLINE_S" >"$T/out" 2>"$T/err" &
	pid=$!
	tries=0
	until grep -q "fault: $1 slow" "$T/log"; do
		tries=$((tries + 1)); [ "$tries" -lt 100 ]
		sleep 0.05 # polling for the moment; bounded above
	done
	"$2"
	got=0; wait "$pid" || got=$?
	echo "during $1, $2: exit $got $(cat "$T/err")"
	case $got in
	0) [ "$(tr -cd . <"$T/out")" = .. ] ;;
	4 | 10) one_line ;;
	*) return 1 ;;
	esac
	unset P11FAULT_FAIL
	expect 0 "$P11OAUTH" assertion rsa
}
the_matrix_holds() {
	[ "$(wc -l <"$MATRIX")" -eq 4 ] # all four cells have been tried
	printf 'matrix: %-14s' "$TOKEN"
	while read -r alg verdict; do
		printf ' | %s: %s' "$alg" "$verdict"
	done <"$MATRIX"
	echo
}

# suite_run MORE...: the tests above, and those of the module's own test.
suite_run() {
	set -- keys_lists_them cert_shows_it rs384_signs_or_is_refused \
		ps384_signs_or_is_refused es384_signs_or_is_refused \
		es256_signs_or_is_refused the_matrix_holds calls_are_a_handful \
		wrong_pin_is_sent_once "$@"
	if [ "${TOKEN_RANK-}" = root ]; then
		# shellcheck disable=SC2046 # a list of words
		set -- $(printf 'root:%s ' "$@")
		[ "$(rank)" = root ] || run_tests "$@"
	fi
	suite_up
	for key in $TOKEN_KEYS; do
		openssl x509 -in "$W/${key%%=*}.pem" -outform DER -out "$W/${key%%=*}.der"
	done
	run_tests "$@"
}
