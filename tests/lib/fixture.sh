# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What most integration tests start from: a folder $W that goes away with the
# test, a SoftHSM token "lab" with a throw-away PIN, and the tool's environment
# reduced to what the test says. Source after tap.sh, softhsm.sh, servers.sh.

set -e # a fixture that cannot be made fails the whole script
W=$(mktemp -d) || exit 99
trap 'stop_servers; rm -rf "$W"' EXIT
trap 'exit 143' TERM INT HUP

# No configuration, cache or variable of the person who runs the tests.
unset P11OAUTH_CONFIG P11OAUTH_PROFILE P11OAUTH_DEBUG STATE_DIRECTORY DISPLAY WAYLAND_DISPLAY
XDG_CONFIG_HOME=$W/xdg
XDG_STATE_HOME=$W/state # until a test sets its own
P11OAUTH_SOCKET=$W/agent.sock # nor an agent, but one that a test starts there
export XDG_CONFIG_HOME XDG_STATE_HOME P11OAUTH_SOCKET
DATA=$top_srcdir/tests/data

# fixture_key NAME OPENSSL-GENPKEY-OPTION...: $W/NAME.key and a certificate.
fixture_key() {
	name=$1; shift
	openssl genpkey "$@" -out "$W/$name.key" 2>/dev/null
	openssl req -new -x509 -key "$W/$name.key" -subj "/CN=$name" -days 90 \
		-addext keyUsage=critical,digitalSignature -out "$W/$name.pem"
}

fixture_rsa() { fixture_key "$1" -algorithm RSA -pkeyopt "rsa_keygen_bits:$2"; }
fixture_ec() { fixture_key "$1" -algorithm EC -pkeyopt "ec_paramgen_curve:$2"; }

# certificate_of_key MODULE URI NAME CERT.pem: a certificate for a key that was
# made on a token. The public key is read by the program under test: pkcs11-tool
# cannot read EC ones here. The CA's key is thrown away with the folder.
certificate_of_key() {
	"$P11OAUTH" jwks --module "$1" --key "$2" | jq '.keys[0]' >"$4.jwk"
	/usr/bin/python3 "$top_srcdir/tests/tools/jwk-to-pem.py" "$4.jwk" >"$4.pub"
	openssl req -x509 -newkey rsa:2048 -nodes -days 90 \
		-subj "/CN=throw-away CA" -keyout "$4.ca.key" -out "$4.ca.pem" 2>/dev/null
	openssl req -new -key "$4.ca.key" -subj "/CN=$3" -out "$4.csr"
	printf 'keyUsage=critical,digitalSignature\n' >"$4.ext"
	openssl x509 -req -in "$4.csr" -CA "$4.ca.pem" -CAkey "$4.ca.key" -CAcreateserial \
		-days 90 -extfile "$4.ext" -force_pubkey "$4.pub" -out "$4" 2>/dev/null
}

# program_for_others: a copy of the program that any user may run; the tree may be in
# a home folder that is closed to them.
program_for_others() {
	chmod 711 "$W"
	install -m 755 "$P11OAUTH" "$W/p11oauth"
	echo "$W/p11oauth"
}

# profile NAME KEY=VALUE...: adds a profile to $W/p11oauth.conf. A VALUE is
# written as it is, so strings bring their quotes.
profile() {
	printf 'profile %s {\n' "$1" >>"$W/p11oauth.conf"; shift
	for line in "$@"; do
		printf '\t%s\n' "$line" >>"$W/p11oauth.conf"
	done
	printf '}\n' >>"$W/p11oauth.conf"
	P11OAUTH_CONFIG=$W/p11oauth.conf
	export P11OAUTH_CONFIG
}

# One line on stderr, from the program itself, and nothing on stdout.
one_line() {
	empty "$T/out"
	[ "$(wc -l <"$T/err")" -eq 1 ] || { echo "not one line:"; cat "$T/err"; return 1; }
	grep -q '^p11oauth: ' "$T/err" || { echo "not ours:"; cat "$T/err"; return 1; }
}

# fails STATUS TEXT COMMAND...: exits so, says TEXT, in one line.
fails() {
	want_status=$1 want_text=$2; shift 2
	expect "$want_status" "$@"
	one_line
	has "$T/err" "$want_text"
}

# jose_verify JWS KEYS: the verdict of the jose tool, which wants no newline.
jose_verify() {
	tr -d '\n' <"$1" >"$1.bare"
	jose jws ver -i "$1.bare" -k "$2" -O /dev/null
}
