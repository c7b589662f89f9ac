#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Bad input: its exit status, one line on stderr that names the cause, nothing
# on stdout, and no PIN try that nobody asked for.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"

# ---- the token: one key of each kind, and what can be wrong with keys ------
softhsm_new "$W/hsm" lab 739154
fixture_rsa rsa 2048
fixture_rsa small 1024
fixture_ec p256 P-256
fixture_rsa other 2048
softhsm_import "$W/rsa.key" "$W/rsa.pem" 01 rsa
softhsm_import "$W/small.key" "$W/small.pem" 02 small
softhsm_import "$W/p256.key" "$W/p256.pem" 03 p256
softhsm_import "$W/other.key" "$W/rsa.pem" 04 foreign
softhsm_import "$W/rsa.key" "$W/rsa.pem" 05 twin
softhsm_import "$W/other.key" "$W/other.pem" 06 twin
printf '000000\n' >"$W/wrong.pin"; chmod 600 "$W/wrong.pin"

sh "$top_srcdir/tests/servers/make-pki.sh" "$W/pki" >/dev/null
start_server answers /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
	--cert "$W/pki/good.pem" --key "$W/pki/good.key" --log "$W/answers.log"
ANSWERS=https://localhost:$SERVER_PORT

base() {
	cat <<-END
	client-id = "bad-input"
	token-endpoint = "$ANSWERS/ok"
	cacert = "$W/pki/ca.pem"
	scope = "system/*.read"
	retry-time = 0
	module = "$SOFTHSM_MODULE"
	pin-from = "file:$SOFTHSM_PIN_FILE"
	key = "pkcs11:token=lab;object=$1"
	END
}
profile rsa "$(base rsa)"
profile p256 "$(base p256)"
profile small "$(base small)"
profile foreign "$(base foreign)"
profile twin "$(base twin)"

token() { "$P11OAUTH" token rsa "$@"; }

# C_Login calls that the tool makes, seen by pkcs11-spy.
logins() { grep -c '^[0-9]*: C_Login' "$T/spy.log" || true; }
spied() {
	PKCS11SPY=$SOFTHSM_MODULE PKCS11SPY_OUTPUT=$T/spy.log
	export PKCS11SPY PKCS11SPY_OUTPUT
}
SPY=$(find /usr/lib -name pkcs11-spy.so | head -n 1)

# ---- PIN ---------------------------------------------------------------------
wrong_pin_spends_one_try() {
	spied
	fails 7 "wrong PIN" "$P11OAUTH" token rsa --module "$SPY" \
		--pin-from "file:$W/wrong.pin"
	[ "$(logins)" -eq 1 ]
	hasnt "$T/err" 000000
}
faulty() {
	P11FAULT_MODULE=$SOFTHSM_MODULE P11FAULT_LOG=$T/fault.log
	export P11FAULT_MODULE P11FAULT_LOG
}
FAULT=$top_builddir/tests/fault/fault-module.so
locked_pin_says_the_module() {
	faulty
	P11FAULT_FAIL=C_Login:1+:0xA4; export P11FAULT_FAIL
	fails 8 "the PIN is locked" "$P11OAUTH" token rsa --module "$FAULT"
	[ "$(grep -c '^C_Login ' "$T/fault.log")" -eq 1 ]
	grep -q '^C_Finalize ' "$T/fault.log"
}
locked_pin_says_the_flag() {
	faulty
	P11FAULT_TOKENFLAGS=0x40000; export P11FAULT_TOKENFLAGS
	fails 8 "the PIN is locked" "$P11OAUTH" token rsa --module "$FAULT"
	refuses grep -q '^C_Login ' "$T/fault.log"
}
last_try_is_not_spent() {
	faulty
	P11FAULT_TOKENFLAGS=0x20000; export P11FAULT_TOKENFLAGS
	fails 8 "one try is left" "$P11OAUTH" token rsa --module "$FAULT"
	refuses grep -q '^C_Login ' "$T/fault.log"
}
empty_pin_file_spends_no_try() {
	spied
	: >"$T/empty.pin"; chmod 600 "$T/empty.pin"
	fails 7 "the PIN is empty" "$P11OAUTH" token rsa --module "$SPY" \
		--pin-from "file:$T/empty.pin"
	[ "$(logins)" -eq 0 ]
}
open_pin_file_is_refused() {
	cp "$SOFTHSM_PIN_FILE" "$T/pin"; chmod 644 "$T/pin"
	fails 7 "chmod 600" token --pin-from "file:$T/pin"
}
pin_on_the_command_line() {
	fails 2 "never from the command line" token --pin-from 739154
	hasnt "$T/err" 739154
}
no_terminal_no_prompt() {
	fails 7 "no terminal" setsid "$P11OAUTH" token rsa --pin-from prompt
}

# ---- module, token, key --------------------------------------------------------
no_such_module() { fails 4 "/nowhere/x.so" token --module /nowhere/x.so; }
not_a_pkcs11_module() {
	lib=$(find /lib /usr/lib -name 'libm.so.6' | head -n 1)
	fails 4 "no PKCS #11 module" token --module "$lib"
}
not_a_library() { fails 4 "cannot load the module" token --module /etc/passwd; }
a_relative_module_is_refused() { fails 2 "relative path" token --module ./x.so; }
no_such_token_lists_tokens() {
	fails 4 "token=lab" token --key "pkcs11:token=absent;object=rsa"
	has "$T/err" "token=absent"
}
no_such_key_lists_keys() {
	fails 5 "object=absent" token --key "pkcs11:token=lab;object=absent"
	has "$T/err" "object=rsa"
}
two_keys_match() {
	fails 6 "id=%05" "$P11OAUTH" token twin
	has "$T/err" "id=%06"
}
certificate_of_another_key() { fails 11 "another key" "$P11OAUTH" token foreign; }
rsa_key_too_small() { fails 11 "1024" "$P11OAUTH" token small; }
algorithm_of_another_curve() {
	spied
	fails 11 "ES384" "$P11OAUTH" token p256 --algorithm ES384 --module "$SPY"
	refuses grep -q C_SignInit "$T/spy.log"
	[ "$(logins)" -eq 0 ]
}
algorithm_of_another_type() { fails 11 "RS256" "$P11OAUTH" token p256 --algorithm RS256; }
algorithm_none_is_refused() { fails 2 "none" token --algorithm none; }
algorithm_hmac_is_refused() { fails 2 "HS256" token --algorithm HS256; }

# ---- configuration ----------------------------------------------------------------
config() {
	printf '%s\n' "$1" >"$T/bad.conf"
	shift
	fails 3 "$T/bad.conf:$1" "$P11OAUTH" --config "$T/bad.conf" token rsa
	has "$T/err" "$2"
}
a_misspelt_setting_is_refused() {
	config 'profile rsa {
		client-id = "x"
		token-endpiont = "https://x/"
	}' 3 "did you mean 'token-endpoint'"
}
a_wrong_type_is_refused() { config 'profile rsa { x5t = "perhaps" }' 1 x5t; }
a_profile_twice_is_refused() {
	config 'profile rsa { client-id = "x" }
	profile rsa { client-id = "y" }' 2 rsa
}
uri_in_the_file() {
	config 'profile rsa {
		client-id = "x"
		key = "pkcs11:token=a;token=b"
	}' 3 "'token' is there twice"
}
an_unbalanced_file_is_refused() {
	printf 'profile rsa {\n' >"$T/bad.conf"
	fails 3 "$T/bad.conf:2: a '}' is missing" "$P11OAUTH" --config "$T/bad.conf" token rsa
}
sink_for_everyone() {
	config 'profile rsa {
		sink {
			path = "/run/x/token"
			mode = "0644"
		}
	}' 4 "sink: mode: 0644 would let every user"
}
sink_of_two_profiles() {
	config 'profile rsa { sink { path = "/run/x/token" } }
	profile p256 { sink { path = "/run/x/token" } }' 2 "profile 'rsa'"
}
agent_twice_is_refused() {
	config 'agent { socket = "/run/a.sock" }
	agent { socket = "/run/b.sock" }' 2 "an agent section already"
}
an_unbalanced_sink_is_refused() {
	config 'profile rsa {
		sink { path = "/run/x/token"
	}' 4 "a '}' is missing"
}
relative_module_paths() {
	config 'profile rsa { client-id = "x"
		key = "pkcs11:token=lab"
		module-paths = { "/dev/bus/usb", "lib" } }' 3 "'lib' is a relative path"
}
allow_scope_that_is_none() {
	config 'profile rsa { client-id = "x"
		key = "pkcs11:token=lab"
		allow-scope = { "a", "b\"c" } }' 3 "allow-scope"
}
agents_settings_are_no_options() { fails 2 "--allow-uid" token --allow-uid 0; }
no_such_profile() { fails 3 "rsa, p256" "$P11OAUTH" token absent; }
no_such_file() { fails 3 "/nowhere.conf" "$P11OAUTH" --config /nowhere.conf token rsa; }
a_missing_setting_is_named() {
	profile bare 'client-id = "x"'
	fails 3 "key" "$P11OAUTH" token bare
}

# ---- options -------------------------------------------------------------------------
a_doubled_attribute_is_refused() { fails 2 "'id' is there twice" token --key "pkcs11:id=%01;id=%02"; }
a_malformed_uri_is_refused() { fails 2 "'token'" token --key "pkcs11:token=%zz"; }
an_unknown_attribute_is_refused() { fails 2 "'foo'" token --key "pkcs11:token=lab;foo=bar"; }
relative_module_path() {
	fails 2 "'module-path'" token --key "pkcs11:token=lab?module-path=./x.so"
}
slot_id_alone() { fails 2 "'slot-id'" token --key "pkcs11:slot-id=0"; }
pin_in_the_uri() {
	fails 2 "'pin-value'" token --key "pkcs11:token=lab?pin-value=739154"
	hasnt "$T/err" 739154
}
scope_with_control_character() {
	fails 2 "scope" token --scope "$(printf 'system/*.read\tx')"
}
scope_with_newline() {
	fails 2 "scope" token --scope "system/*.read
x"
}
an_empty_scope_is_refused() { fails 2 "scope" token --scope ""; }
plain_http_is_refused() { fails 2 "https" token --token-endpoint http://as.example/token; }
plain_http_elsewhere() {
	fails 2 "loopback" token --token-endpoint http://as.example/token --allow-loopback-http
}
endpoint_with_fragment() { fails 2 "fragment" token --token-endpoint "$ANSWERS/ok#x"; }
endpoint_with_user() { fails 2 "token-endpoint" token --token-endpoint "https://u:p@localhost/"; }
lifetime_too_long() { fails 2 "lifetime" token --lifetime 301; }
a_parameter_twice_is_refused() { fails 2 "scope" token --param scope=x; }
an_unknown_option_is_refused() { fails 2 "--scope" token --scpe x; }
an_option_twice_is_refused() { fails 2 "--scope" token --scope x --scope y; }
an_abbreviated_option_is_refused() { fails 2 "--token-end" token --token-end x; }
an_unknown_command_is_refused() { fails 2 "token" "$P11OAUTH" tokne; }
jwt_on_the_command_line() { fails 2 "command line" "$P11OAUTH" jwt inspect eyJhbGciOiJub25lIn0.e30.AAAA; }

# ---- the network ---------------------------------------------------------------------
an_unknown_ca_is_refused() {
	fails 12 "certificate" token --cacert "$W/rsa.pem"
}
the_wrong_host_is_refused() {
	start_server wrong /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
		--cert "$W/pki/wrong-host.pem" --key "$W/pki/wrong-host.key"
	fails 12 "localhost" token --token-endpoint "https://localhost:$SERVER_PORT/ok"
	stop_server wrong
}
expired_server_certificate() {
	start_server old /usr/bin/python3 "$top_srcdir/tests/servers/answer-server.py" \
		--cert "$W/pki/expired.pem" --key "$W/pki/expired.key"
	fails 12 "expired" token --token-endpoint "https://localhost:$SERVER_PORT/ok"
	stop_server old
}
a_refused_connection_is_said() {
	fails 12 "refused" token --token-endpoint https://127.0.0.1:1/token
}
a_slow_answer_is_given_up() { fails 12 "timed out" token --token-endpoint "$ANSWERS/slow" --timeout 2; }
a_query_is_not_logged() { # servers put credentials there
	P11OAUTH_DEBUG=http
	export P11OAUTH_DEBUG
	expect 0 token --token-endpoint "$ANSWERS/ok?code=told-to-nobody"
	has "$T/err" "POST $ANSWERS/ok: status 200"
	hasnt "$T/err" told-to-nobody
}
no_such_cacert() { fails 2 "/nowhere.pem" token --cacert /nowhere.pem; }

# answer STATUS PATH TEXT: the answer of that path is reported so.
answer() { fails "$1" "$3" token --token-endpoint "$ANSWERS/$2"; }
redirect_301_is_not_followed() { answer 13 redirect-301 "https://elsewhere.example/token"; }
redirect_307_is_not_followed() { answer 13 redirect-307 "https://elsewhere.example/token"; }
html_is_no_answer() { answer 14 html-200 "text/html"; }
empty_200_is_no_answer() { answer 14 empty-200 "empty"; }
invalid_client_400() { answer 13 invalid-client-400 "invalid_client"; }
invalid_client_401() { answer 13 invalid-client-401 "invalid_client"; }
invalid_client_403() { answer 13 invalid-client-403 "invalid_client"; }
empty_400_is_said() { answer 13 empty-400 "400"; }
empty_401_is_said() { answer 13 empty-401 "401"; }
empty_403_is_said() { answer 13 empty-403 "403"; }
a_server_error_is_said() { answer 14 empty-503 "503"; }
token_with_line_break() { answer 14 token-crlf "access token"; }
answer_over_1_mib() { answer 14 huge "1048576"; }
one_request_each() {
	before=$(wc -l <"$W/answers.log")
	answer 13 redirect-307 elsewhere
	[ "$(wc -l <"$W/answers.log")" -eq "$((before + 1))" ]
}

run_tests wrong_pin_spends_one_try locked_pin_says_the_module locked_pin_says_the_flag \
	last_try_is_not_spent empty_pin_file_spends_no_try open_pin_file_is_refused \
	pin_on_the_command_line no_terminal_no_prompt no_such_module \
	not_a_pkcs11_module not_a_library a_relative_module_is_refused \
	no_such_token_lists_tokens no_such_key_lists_keys two_keys_match \
	certificate_of_another_key rsa_key_too_small algorithm_of_another_curve \
	algorithm_of_another_type algorithm_none_is_refused algorithm_hmac_is_refused \
	a_misspelt_setting_is_refused a_wrong_type_is_refused \
	a_profile_twice_is_refused uri_in_the_file an_unbalanced_file_is_refused \
	sink_for_everyone sink_of_two_profiles agent_twice_is_refused \
	an_unbalanced_sink_is_refused relative_module_paths allow_scope_that_is_none \
	agents_settings_are_no_options no_such_profile no_such_file \
	a_missing_setting_is_named a_doubled_attribute_is_refused \
	a_malformed_uri_is_refused an_unknown_attribute_is_refused \
	relative_module_path slot_id_alone pin_in_the_uri scope_with_control_character \
	scope_with_newline an_empty_scope_is_refused plain_http_is_refused \
	plain_http_elsewhere endpoint_with_fragment endpoint_with_user \
	lifetime_too_long a_parameter_twice_is_refused an_unknown_option_is_refused \
	an_option_twice_is_refused an_abbreviated_option_is_refused \
	an_unknown_command_is_refused jwt_on_the_command_line an_unknown_ca_is_refused \
	the_wrong_host_is_refused expired_server_certificate \
	a_refused_connection_is_said a_query_is_not_logged a_slow_answer_is_given_up no_such_cacert \
	redirect_301_is_not_followed redirect_307_is_not_followed html_is_no_answer \
	empty_200_is_no_answer invalid_client_400 invalid_client_401 \
	invalid_client_403 empty_400_is_said empty_401_is_said empty_403_is_said \
	a_server_error_is_said token_with_line_break answer_over_1_mib \
	one_request_each
