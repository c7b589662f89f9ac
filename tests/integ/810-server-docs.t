#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The pages of doc/servers are right about the program: each profile is read
# and signs, each command and option exists, each server is there and has a page.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

PAGES=$top_srcdir/doc/servers
softhsm_new "$W/hsm" pages 739154
softhsm_keygen rsa:2048 01 rsa "$W/rsa.pem"
softhsm_keygen EC:prime256v1 02 ES256 "$W/ES256.pem"
softhsm_keygen EC:secp384r1 03 ES384 "$W/ES384.pem"
"$P11OAUTH" help >"$W/help"
sed -n '/^commands:/,/^$/s/^  \([a-z]\{1,\}\( [a-z]\{1,\}\)\{0,1\}\)  .*/\1/p' "$W/help" >"$W/commands"
"$P11OAUTH" --dump-options | cut -f 1,2 >"$W/options"
"$P11OAUTH" server list | sed 's/ .*//' >"$W/servers"

# blocks WORD FILE...: what stands between fences, where the first line begins
# with WORD; each fence may be indented, as in a list.
blocks() {
	word=$1; shift
	awk -v word="$word" '
		FNR == 1 { inside = 0 }
		/^ *```/ { inside = !inside; first = 1; next }
		inside && first { first = 0; wanted = index($0, word) == 1 || index($0, "   " word) == 1 }
		inside && wanted { sub(/^   \$/, "$"); print }' "$@"
}

# ---- profiles ------------------------------------------------------------------

# usable CONFIGURATION: with the key, module, PIN and certificates of this test.
usable() {
	awk -v module="$SOFTHSM_MODULE" -v pin="file:$SOFTHSM_PIN_FILE" -v dir="$W" '
		function give(name, value) { printf "    %s = \"%s\"\n", name, value }
		$1 == "profile" { in_profile = 1; object = "rsa"; pem = 0 }
		in_profile && $1 == "algorithm" && $3 ~ /ES/ { object = $3; gsub(/"/, "", object) }
		in_profile && $1 == "certificate-file" { pem = 1; next }
		in_profile && ($1 == "key" || $1 == "module" || $1 == "pin-from") { has[$1]++; next }
		in_profile && $1 == "}" {
			if (has["key"] != 1 || has["module"] != 1 || has["pin-from"] != 1)
				print "    a complete profile has key, module and pin-from"
			give("key", "pkcs11:token=pages;object=" object)
			give("module", module)
			give("pin-from", pin)
			if (pem) give("certificate-file", dir "/" object ".pem")
			delete has; in_profile = 0
		}
		{ print }' "$1"
}

# profiles_are_right FILE...: counts them in $n.
profiles_are_right() {
	n=0
	for page in "$@"; do
		blocks 'profile ' "$page" >"$T/blocks"
		blocks 'server ' "$page" >>"$T/blocks"
		usable "$T/blocks" >"$T/p11oauth.conf"
		"$P11OAUTH" --config "$T/p11oauth.conf" profile check --json >"$T/checked" ||
			{ echo "in $page"; cat "$T/p11oauth.conf"; return 1; }
		jq -r '.[].name' "$T/checked" >"$T/names"
		while read -r name; do
			profile_signs "$name" || { echo "profile $name in $page"; return 1; }
			n=$((n + 1))
		done <"$T/names"
	done
}

# A token endpoint of our own stands for what discovery would find, so that no
# server is asked. Key and certificate in TLS need no assertion.
profile_signs() {
	jq -e --arg n "$1" '.[] | select(.name == $n).settings' "$T/checked" >"$T/settings"
	[ "$(jq -r '."client-auth"' "$T/settings")" = private_key_jwt ] || return 0
	set -- "$1" --config "$T/p11oauth.conf"
	jq -e '."token-endpoint"' "$T/settings" >/dev/null || set -- "$@" --token-endpoint https://found.example/token
	"$P11OAUTH" assertion "$@" </dev/null >"$T/jwt" || return 1
	"$P11OAUTH" jwt inspect --json <"$T/jwt" >"$T/decoded"
	jq -e --slurpfile s "$T/settings" '($s[0]) as $p
		| ($p."token-endpoint" // "https://found.example/token") as $endpoint
		| .claims.iss == $p."client-id"
		and .claims.aud == ({"token-endpoint": $endpoint, issuer: $p.issuer}[$p.audience] // $p.audience)
		and (.header.alg as $alg | ($p.algorithms | index($alg) != null)
			and ($p.algorithm // $alg) == $alg)
		and (if $p.kid == "none" then .header | has("kid") | not else .header.kid end)
		and (.header.x5c != null) == (["leaf", "chain"] | index($p.x5c // "none") != null)' \
		"$T/decoded" >"$T/verdict" || { cat "$T/settings" "$T/decoded"; return 1; }
}
profiles_of_all_pages() {
	profiles_are_right "$PAGES"/*.md
	echo "$n profiles"
	[ "$n" -ge 22 ]
}
every_page_but_the_index_has_a_profile() {
	for page in "$PAGES"/*.md; do
		case $page in */README.md) continue ;; esac
		blocks 'profile ' "$page" >"$T/blocks"
		[ -s "$T/blocks" ] || { echo "none in $page"; return 1; }
	done
}
# What would be found, is: these are in no page.
wrong_profiles_are_found() {
	bad() {
		{ echo '```'; echo 'profile p {'; cat; echo '}'; echo '```'; } >"$T/page.md"
		got=0
		(profiles_are_right "$T/page.md") >"$T/why" 2>&1 || got=$?
		[ "$got" -ne 0 ] || { echo "not found:"; cat "$T/page.md"; return 1; }
		has "$T/why" "$1"
	}
	rest='key = "k"
		module = "m"
		pin-from = "prompt"'
	bad "unknown key 'tokenendpoint'" <<-END
		tokenendpoint = "https://as.example/token"
		client-id = "c"
		$rest
	END
	bad "'a' is none of" <<-END
		client-auth = "a"
		$rest
	END
	bad "no rules are known for 'smrat'" <<-END
		server = "smrat"
		client-id = "c"
		$rest
	END
	bad "a complete profile has key" <<-END
		client-id = "c"
		key = "k"
		module = "m"
	END
	bad "'issuer' is not set" <<-END
		server = "rfc10070"
		client-id = "c"
		$rest
	END
	bad '"alg": "ES384"' <<-END
		server = "meditech"
		client-id = "c"
		algorithm = "ES384"
		$rest
	END
}

# ---- commands ------------------------------------------------------------------

# commands_are_right FILE...: counts them in $n.
commands_are_right() {
	n=0
	for page in "$@"; do
		blocks '$ p11oauth' "$page" | sed -n 's/^\$ //p' | tr '|' '\n' |
			sed -n 's/^ *p11oauth //p' >"$T/used"
		while read -r words; do
			command_is_right "$words" || { echo "p11oauth $words, in $page"; return 1; }
			n=$((n + 1))
		done <"$T/used"
	done
}
command_is_right() {
	# shellcheck disable=SC2086 # the words of a command line
	set -- $1
	command="$1 ${2-}"
	grep -qxF "$command" "$W/commands" && shift || command=$1
	shift
	if ! grep -qxF "$command" "$W/commands"; then
		[ "$command" = doctor ] && return 0 # where there is none yet
		echo "no command '$command'"
		return 1
	fi
	# shellcheck disable=SC2086 # "jwt inspect" is two words
	"$P11OAUTH" $command --help >/dev/null || return 1
	for word in "$@"; do
		case $word in --*) ;; *) continue ;; esac
		printf '%s\t%s\n' "$command" "${word%%=*}" >"$T/option"
		grep -qxFf "$T/option" "$W/options" || { echo "no option $word"; return 1; }
	done
}
commands_of_all_pages() {
	[ "$(wc -l <"$W/commands")" -ge 15 ]
	commands_are_right "$PAGES"/*.md
	echo "$n commands"
	[ "$n" -ge 35 ]
}
wrong_commands_are_found() {
	bad() {
		# shellcheck disable=SC2016 # fences, and the prompt
		printf '```\n$ p11oauth %s\n```\n' "$1" >"$T/page.md"
		got=0
		(commands_are_right "$T/page.md") >"$T/why" 2>&1 || got=$?
		[ "$got" -ne 0 ] || { echo "not found: $1"; return 1; }
		has "$T/why" "$2"
	}
	bad 'certificate epic' "no command 'certificate'"
	bad 'jwt' "no command 'jwt'"
	bad 'cert epic --pem' 'no option --pem'
	bad 'assertion epic | p11oauth jwt inspect --form' 'no option --form'
	bad 'jwks check --no-sign' 'no option --no-sign'
}

# ---- servers and pages -----------------------------------------------------------

# In code, server = "NAME"; sections that a page brings itself are not counted.
servers_named_in() {
	sed -n 's/.*server *= "\([^"]*\)".*/\1/p' "$@" | sort -u >"$T/named"
	cat "$@" | sed -n 's/^server \([^ ]*\) {$/\1/p' | sort -u | comm -23 "$T/named" -
}
named_servers_exist() {
	servers_named_in "$PAGES"/*.md >"$T/servers"
	[ "$(wc -l <"$T/servers")" -ge 20 ]
	sort "$W/servers" | comm -23 "$T/servers" - >"$T/unknown"
	empty "$T/unknown"
}
each_server_has_its_page() {
	[ "$(wc -l <"$W/servers")" -ge 21 ]
	for page in "$PAGES"/*.md; do
		case $page in */README.md) continue ;; esac
		servers_named_in "$page"
	done | sort -u >"$T/with-page"
	sort "$W/servers" | comm -23 - "$T/with-page" >"$T/without"
	empty "$T/without"
	while read -r name; do
		has "$PAGES/README.md" "\`$name\`"
	done <"$W/servers"
}
pages_are_linked_and_distributed() {
	grep -q 'doc/servers/README.md' "$top_srcdir/README.md"
	for page in "$PAGES"/*.md; do
		name=$(basename "$page")
		has "$top_srcdir/doc/local.mk" "doc/servers/$name"
		lines=$(wc -l <"$page")
		[ "$lines" -ge 40 ] && [ "$lines" -le 120 ] || { echo "$name has $lines lines"; return 1; }
		[ "$name" = README.md ] || has "$PAGES/README.md" "($name)"
	done
	# each link leads to a file
	grep -oE '\]\([^)#]*\)' "$PAGES"/*.md | sed 's/.*(//; s/)//' | sort -u >"$T/links"
	[ "$(wc -l <"$T/links")" -ge 14 ]
	while read -r link; do
		[ -e "$PAGES/$link" ] || { echo "no $link"; return 1; }
	done <"$T/links"
}
# "Tried here" is said of tests that there are.
tests_named_exist() {
	grep -ohE '[0-9]{3}-[a-z0-9-]+\.t' "$PAGES"/*.md | sort -u >"$T/tests"
	[ "$(wc -l <"$T/tests")" -ge 4 ]
	while read -r name; do
		[ -e "$top_srcdir/tests/integ/$name" ] || { echo "no $name"; return 1; }
	done <"$T/tests"
}

run_tests profiles_of_all_pages every_page_but_the_index_has_a_profile \
	wrong_profiles_are_found commands_of_all_pages wrong_commands_are_found \
	named_servers_exist each_server_has_its_page \
	pages_are_linked_and_distributed tests_named_exist
