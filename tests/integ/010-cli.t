#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command line's contract: streams, exit statuses, no half answers.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

version_goes_to_stdout() {
	for form in version --version -V; do
		expect 0 "$P11OAUTH" "$form"
		grep -qE '^p11oauth [0-9]+\.[0-9]+\.[0-9]+' "$T/out"
		empty "$T/err"
	done
}
version_as_json() {
	expect 0 "$P11OAUTH" version --json
	jq -e '.name == "p11oauth" and .version and .openssl' "$T/out"
}
help_lists_every_command() {
	expect 0 "$P11OAUTH" help
	cp "$T/out" "$T/help"
	n=0
	for command in $("$P11OAUTH" --dump-options | cut -f1 | sort -u | tr ' ' +); do
		has "$T/help" "$(echo "$command" | tr + ' ')"
		n=$((n + 1))
	done
	[ "$n" -ge 13 ]
	expect 0 "$P11OAUTH" --help
	cmp "$T/out" "$T/help"
}
help_of_each_command_names_its_options() {
	"$P11OAUTH" --dump-options >"$T/options"
	[ "$(wc -l <"$T/options")" -ge 60 ]
	cut -f1 "$T/options" | uniq >"$T/commands"
	while read -r command; do
		# shellcheck disable=SC2086 # "jwt verify" is two words
		"$P11OAUTH" $command --help >"$T/$command.help"
	done <"$T/commands"
	awk -F '\t' -v folder="$T" '
	function demand(text) {
		if (!index(help, text)) { print FILENAME ":" FNR ": no " text; bad = 1 }
	}
	$1 != command {
		command = $1
		help = ""
		while ((getline line <(folder "/" command ".help")) > 0) help = help line "\n"
	}
	{ demand($2 ($3 == "" ? "" : "=" $3)); demand($4) }
	END { exit bad }' "$T/options"
}
no_command_is_a_usage_error() { fails 2 "p11oauth help" "$P11OAUTH"; }
unknown_command_has_a_hint() { fails 2 "did you mean 'token'?" "$P11OAUTH" tokne; }
half_a_command() { fails 2 "jwt inspect, jwt verify" "$P11OAUTH" jwt; }
unknown_option_has_a_hint() { fails 2 "did you mean '--json'?" "$P11OAUTH" version --jsn; }
option_without_value() { fails 2 "needs a value (FILE)" "$P11OAUTH" token --output; }
flag_with_value() { fails 2 "takes no value" "$P11OAUTH" version --json=yes; }
operand_too_many() { fails 2 "unexpected 'b'" "$P11OAUTH" token a b; }
options_end_at_two_dashes() { fails 3 "no profile '--json'" "$P11OAUTH" token -- --json; }
option_before_the_command() { fails 3 "/nowhere" "$P11OAUTH" --config /nowhere profile list; }
no_configuration_says_so() { fails 3 "there is no configuration file" "$P11OAUTH" token x; }
no_profile_says_so() { fails 2 "no profile is named" "$P11OAUTH" token; }

errors_as_json() {
	expect 3 "$P11OAUTH" token x --json
	empty "$T/out"
	[ "$(wc -l <"$T/err")" -eq 1 ]
	jq -e '.error.status == "config" and .error.exit == 3 and .error.message' "$T/err"
}
full_disk_is_an_error() {
	[ -e /dev/full ]
	got=0
	"$P11OAUTH" version >/dev/full 2>"$T/err" || got=$?
	[ "$got" -eq 1 ]
	has "$T/err" "cannot write the result"
}
closed_pipe_is_an_error() {
	# `true` reads nothing; the helps are longer than a pipe never read
	got=0
	{ "$P11OAUTH" completion bash 2>"$T/err" || echo "$?" >"$T/status"; } | true
	[ ! -e "$T/status" ] || [ "$(cat "$T/status")" = 1 ]
}
closed_streams_are_survived() {
	"$P11OAUTH" version <&- 2>&- >"$T/out"
	has "$T/out" p11oauth
	got=0
	"$P11OAUTH" version >&- 2>"$T/err" || got=$?
	[ "$got" -eq 0 ] || [ "$got" -eq 1 ]
}

# made once, used by the tests that call `configured`
(
	profile one 'client-id = "a"' 'token-endpoint = "https://as.example/token"' \
		'key = "pkcs11:token=x"' 'scope = "system/*.read"'
	profile two 'client-id = "b"' 'key = { "pkcs11:token=y" }' 'x5t = yes'
)
configured() { P11OAUTH_CONFIG=$W/p11oauth.conf; export P11OAUTH_CONFIG; }
profiles_are_listed() {
	configured
	expect 0 "$P11OAUTH" profile list
	[ "$(cat "$T/out")" = "one
two" ]
	expect 0 "$P11OAUTH" profile list --json
	jq -e '.[0]."client-id" == "a" and .[1].name == "two"' "$T/out"
}
flags_win_over_environment_over_file() {
	configured
	origin() {
		"$P11OAUTH" profile check one | sed -n 's/^  scope = //p'
	}
	origin | grep -q "^\"system/\*.read\"  # $W/p11oauth.conf:[0-9]*$"
	P11OAUTH_SCOPE=from-environment
	export P11OAUTH_SCOPE
	[ "$(origin)" = '"from-environment"  # environment' ]
	# the flag is seen in the warning of a wrong scope
	expect 2 "$P11OAUTH" token one --scope 'a  b'
	has "$T/err" "--scope"
}
sinks_are_read_back() {
	printf '%s\n' 'agent { socket = "/run/x.sock" }' 'profile s {' 'key = "pkcs11:token=x"' \
		'allow-uid = { "etl", 1000 }' 'sink { path = "/run/x/token" }' \
		'sink { path = "/run/x/k" mode = 0640 owner = "etl" group = 50' \
		'format = "kube-exec-credential" } }' >"$T/conf"
	P11OAUTH_ALLOW_UID=mallory expect 0 "$P11OAUTH" --config "$T/conf" profile check
	has "$T/out" "  allow-uid = { \"etl\", \"1000\" }  # $T/conf:4"
	has "$T/out" "  sink { path = \"/run/x/token\" mode = \"0600\" }  # $T/conf:5"
	has "$T/out" "  sink { path = \"/run/x/k\" mode = \"0640\" owner = \"etl\" group = \"50\" format = \"kube-exec-credential\" }"
	expect 0 "$P11OAUTH" --config "$T/conf" profile check --json
	jq -e '.[0].sinks == [
		{path: "/run/x/token", mode: "0600", owner: null, group: null, format: "raw"},
		{path: "/run/x/k", mode: "0640", owner: "etl", group: "50", format: "kube-exec-credential"}] and
		.[0].settings["allow-uid"] == ["etl", "1000"]' "$T/out"
	# what is shown can be read again
	{ echo 'profile s { key = "pkcs11:token=x"'
		P11OAUTH_CONFIG=$T/conf "$P11OAUTH" profile check | grep '^  sink'; echo '}'; } >"$T/again"
	P11OAUTH_CONFIG=$T/again "$P11OAUTH" profile check --json | jq -e '.[0].sinks[1].owner == "etl"'
}
user_file_replaces_a_profile() {
	mkdir -p "$T/xdg/p11oauth"
	printf 'profile solo { client-id = "mine" }\n' >"$T/xdg/p11oauth/p11oauth.conf"
	unset P11OAUTH_CONFIG
	XDG_CONFIG_HOME=$T/xdg "$P11OAUTH" profile list >"$T/out"
	has "$T/out" solo
}

run_tests version_goes_to_stdout version_as_json help_lists_every_command \
	help_of_each_command_names_its_options no_command_is_a_usage_error \
	unknown_command_has_a_hint half_a_command unknown_option_has_a_hint \
	option_without_value flag_with_value operand_too_many \
	options_end_at_two_dashes option_before_the_command no_configuration_says_so \
	no_profile_says_so errors_as_json full_disk_is_an_error \
	closed_pipe_is_an_error closed_streams_are_survived profiles_are_listed \
	flags_win_over_environment_over_file sinks_are_read_back \
	user_file_replaces_a_profile
