#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who gets what of the agent: users and groups, scopes, the socket, unlock and
# lock, the files that hold access tokens; and what the ledger says of it. Other
# users are other numbers here.
. "$top_srcdir/tests/lib/tap.sh"
. "$top_srcdir/tests/lib/softhsm.sh"
. "$top_srcdir/tests/lib/servers.sh"
. "$top_srcdir/tests/lib/fixture.sh"
. "$top_srcdir/tests/lib/agent.sh"

agent_world
chmod 711 "$W"
DOOR=4100 # the group that may open the socket
USER_A=4001 USER_B=4002 GROUP_A=4201 GROUP_B=4202

# up: an agent whose socket the group DOOR may open; profiles come before.
up() {
	printf 'agent {\n\tsocket-group = "%s"\n}\n' "$DOOR" >>"$W/p11oauth.conf"
	agent_start agent
}
# as UID GID GROUPS COMMAND...
as() {
	as_uid=$1 as_gid=$2 as_groups=$3; shift 3
	setpriv --reuid="$as_uid" --regid="$as_gid" --groups="$as_groups" -- "$@"
}
# client UID GID GROUPS PATH [CURL-OPTION...]: sets STATUS and CLIENT_PID; the
# answer is in $T/body.
client() {
	client_who="$1 $2 $3" client_path=$4; shift 4
	# shellcheck disable=SC2086,SC2016 # three words; the inner shell's own
	as $client_who sh -c 'echo $$; exec curl -s --max-time 30 -w "\n%{http_code}\n" "$@"' sh \
		--unix-socket "$AGENT_SOCKET" "$@" "http://localhost$client_path" >"$T/raw" || true
	CLIENT_PID=$(head -n 1 "$T/raw")
	STATUS=$(tail -n 1 "$T/raw")
	sed '1d;$d' "$T/raw" >"$T/body"
}
# may WHO PATH / may_not WHO PATH: and the last record says so, with the peer.
record_is() {
	ledger ".[-1] | .event == \"$1\" and .profile == \"$2\" and
		.peer == {uid: $3, gid: $4, pid: $CLIENT_PID, executable: .peer.executable, unit: .peer.unit} and
		(.peer.executable | endswith(\"/curl\"))"
}
may() {
	client "$1" "$2" "$3" "/v1/token/$4"
	[ "$STATUS" = 200 ] || { echo "expected 200: $*"; cat "$T/raw"; return 1; }
	record_is issue "${4%%\?*}" "$1" "$2"
}
may_not() {
	signs=$(calls C_Sign)
	client "$1" "$2" "$3" "/v1/token/$4"
	[ "$STATUS" = 403 ] || { echo "expected 403: $*"; cat "$T/raw"; return 1; }
	is '.error.exit == 15 and .error.status == "policy"'
	record_is refuse "${4%%\?*}" "$1" "$2"
	ledger '.[-1].reason | length > 5'
	[ "$(calls C_Sign)" -eq "$signs" ]
}

# ---- users and groups -------------------------------------------------------------

users_are_told_apart() {
	own_world
	lab_profile number "allow-uid = { \"$USER_A\" }"
	lab_profile several "allow-uid = { \"$USER_B\", \"$USER_A\" }"
	lab_profile name 'allow-uid = { "nobody" }'
	lab_profile unknown 'allow-uid = { "no-such-user" }'
	up
	may $USER_A $GROUP_A $DOOR number
	may $USER_A $GROUP_A $DOOR several
	may $USER_B $GROUP_A $DOOR several
	may "$(id -u nobody)" $GROUP_A $DOOR name
	may_not $USER_B $GROUP_A $DOOR number
	may_not $USER_B $USER_A $DOOR,$USER_A number # a group of the same number
	may_not $USER_A $GROUP_A $DOOR name
	may_not $USER_A $GROUP_A $DOOR unknown
	may_not 0 0 $DOOR number # root is no exception
	client $USER_A $GROUP_A $DOOR /v1/profiles
	is '[.profiles[] | {(.name): .allowed}] | add == {number: true, several: true, name: false, unknown: false}'
	client $USER_A $GROUP_A $DOOR /v1/status
	is '[.profiles[].allowed] == [true, true, false, false]'
}
groups_are_told_apart() {
	own_world
	lab_profile group "allow-gid = { \"$GROUP_A\" }"
	lab_profile either "allow-gid = { \"$GROUP_A\" }" "allow-uid = { \"$USER_B\" }"
	up
	may $USER_A $GROUP_A $DOOR group                   # the primary one
	may $USER_A $DOOR $DOOR,$GROUP_B,$GROUP_A group    # a supplementary one
	may_not $USER_A $GROUP_B $DOOR,$GROUP_B group
	may_not $GROUP_A $DOOR $DOOR group                 # a user of the same number
	may_not 0 0 0,$DOOR group
	may $USER_A $GROUP_A $DOOR either
	may $USER_B $GROUP_B $DOOR either
	may_not $USER_A $GROUP_B $DOOR either
	# more groups than most programs have room for
	many=$(seq -s , 5000 5200)
	may $USER_A $DOOR "$many,$GROUP_A" group
	may_not $USER_A $DOOR "$many" group
}

# ---- the socket ----------------------------------------------------------------------------

cannot_connect() {
	client "$@" /healthz
	[ "$STATUS" = 000 ]
}
the_socket_has_its_mode() {
	own_world
	lab_profile lab
	agent_start agent
	[ "$(stat -c '%a %u %g' "$AGENT_SOCKET")" = "600 0 0" ]
	cannot_connect $USER_A $GROUP_A $DOOR
	cannot_connect $USER_A 0 0
	answers 200 /healthz
}
the_socket_has_its_group() {
	own_world
	lab_profile lab
	up
	[ "$(stat -c '%a %u %g' "$AGENT_SOCKET")" = "660 0 $DOOR" ]
	cannot_connect $USER_A $GROUP_A $GROUP_B
	for who in "$USER_A $DOOR $GROUP_A" "$USER_A $GROUP_A $GROUP_B,$DOOR"; do
		# shellcheck disable=SC2086 # three words
		client $who /healthz
		[ "$STATUS" = 200 ]
	done
	[ "$(stat -c %a "$AGENT_SOCKET.lock")" = 600 ]
}

# ---- unlock and lock -----------------------------------------------------------------------

# post WHO PATH BODY
post() {
	post_path=$4 post_body=$5
	client "$1" "$2" "$3" "$post_path" -d "$post_body"
}
UNLOCK="{\"profile\":\"person\",\"pin\":\"$SOFTHSM_PIN\"}"
unlock_and_lock() {
	own_world
	lab_profile person 'pin-from = "prompt"'
	lab_profile theirs 'pin-from = "prompt"' "allow-uid = { \"$USER_A\" }" "allow-gid = { \"$GROUP_B\" }"
	up
	# who may only open the socket may not
	for what in unlock lock; do
		post $USER_A $GROUP_A $DOOR /v1/$what "$UNLOCK"
		[ "$what" = unlock ] || post $USER_A $GROUP_A $DOOR /v1/lock '{"profile":"person"}'
		[ "$STATUS" = 403 ]
		is '.error.exit == 15'
		record_is refuse person $USER_A $GROUP_A
		ledger ".[-1].reason | contains(\"$what\")"
	done
	[ "$(calls C_Login)" -eq 0 ]
	post $USER_B $GROUP_A $DOOR /v1/unlock "{\"profile\":\"theirs\",\"pin\":\"$SOFTHSM_PIN\"}"
	[ "$STATUS" = 403 ]
	[ "$(calls C_Login)" -eq 0 ]
	# whom a list names may, by user and by group
	post $USER_A $GROUP_A $DOOR /v1/unlock "{\"profile\":\"theirs\",\"pin\":\"$SOFTHSM_PIN\"}"
	[ "$STATUS" = 200 ]
	record_is unlock theirs $USER_A $GROUP_A
	post $USER_B $GROUP_B $DOOR /v1/lock '{"profile":"theirs"}'
	[ "$STATUS" = 200 ]
	is '.locked == ["theirs"]'
	record_is lock theirs $USER_B $GROUP_B
	# root may, though it may not have its access tokens
	post 0 0 0 /v1/unlock "{\"profile\":\"theirs\",\"pin\":\"$SOFTHSM_PIN\"}"
	[ "$STATUS" = 200 ]
	may_not 0 0 0 theirs
	may $USER_A $GROUP_A $DOOR theirs
	hasnt "$(LEDGER)" "$SOFTHSM_PIN"
}
is_locked() { answers 200 /v1/status && is '.profiles[0].locked'; }
socket_of_another_gets_no_pin() {
	own_world
	lab_profile person 'pin-from = "prompt"'
	up
	within 10 is_locked # else there is nothing to unlock
	chown $USER_A "$AGENT_SOCKET"
	fails 15 "uid $USER_A" "$P11OAUTH" unlock person --socket "$AGENT_SOCKET" --pin-from "cmd:touch $T/asked"
	[ ! -e "$T/asked" ] # not even a person was asked
	[ "$(calls C_Login)" -eq 0 ]
}

# ---- files ------------------------------------------------------------------------------------

# sink PATH LINE...: of the next profile.
sink() {
	printf 'sink {\n\t\tpath = "%s"\n' "$1"; shift
	for sink_line in "$@"; do printf '\t\t%s\n' "$sink_line"; done
	printf '\t}'
}
holds() { [ "$(cat "$1")" = "$2" ]; }
sinks_have_their_owner_and_form() {
	own_world
	mkdir -m 711 "$T/s"
	chmod 711 "$T"
	lab_profile lab "$(sink "$T/s/plain")" "$(sink "$T/s/own" "owner = \"$USER_A\"" "group = \"$GROUP_A\"")" \
		"$(sink "$T/s/shared" 'mode = "0640"' "group = \"$GROUP_B\"")" "$(sink "$T/s/json" 'format = "json"')" \
		"$(sink "$T/s/header" 'format = "header"')" "$(sink "$T/s/env" 'format = "env"')"
	up
	within 10 test -s "$T/s/env"
	value=$(gets /v1/token/lab)
	holds "$T/s/plain" "$value"
	[ "$(stat -c '%a %u %g' "$T/s/plain")" = "600 0 0" ]
	[ "$(stat -c '%a %u %g' "$T/s/own")" = "600 $USER_A $GROUP_A" ]
	[ "$(stat -c '%a %u %g' "$T/s/shared")" = "640 0 $GROUP_B" ]
	jq -e --arg value "$value" '.access_token == $value and .expires_at > 0' "$T/s/json"
	holds "$T/s/header" "Authorization: Bearer $value"
	has "$T/s/env" "ACCESS_TOKEN=$value"
	# read by those who may
	[ "$(as $USER_A $GROUP_B "$DOOR" cat "$T/s/own")" = "$value" ]
	[ "$(as $USER_B $GROUP_A "$GROUP_B" cat "$T/s/shared")" = "$value" ]
	refuses as $USER_A $GROUP_A "$GROUP_B" cat "$T/s/plain"
	refuses as $USER_B $GROUP_A "$GROUP_A" cat "$T/s/own"
	refuses as $USER_B $GROUP_A "$GROUP_A" cat "$T/s/shared"
	[ "$(find "$T/s" -type f | wc -l)" -eq 6 ] # no temporary ones
	# a new one goes there
	new=$(gets '/v1/token/lab?force_new=1')
	within 5 holds "$T/s/plain" "$new" # who asked comes first
}
locked_they_go() {
	own_world
	lab_profile lab "$(sink "$T/file")"
	agent_start agent
	within 10 test -s "$T/file"
	answers 200 /v1/lock -d '{"profile":"lab"}'
	[ ! -e "$T/file" ]
	answers 200 /v1/unlock -d '{"profile":"lab"}'
	within 10 test -s "$T/file"
}
another_configuration_counts_at_once() {
	own_world
	lab_profile gone "$(sink "$T/gone")"
	lab_profile lab "$(sink "$T/old")" "$(sink "$T/stays")"
	agent_start agent
	within 10 test -s "$T/old"
	within 10 test -s "$T/gone"
	signs=$(calls C_Sign)
	rm "$W/p11oauth.conf"
	lab_profile lab "$(sink "$T/stays")" "$(sink "$T/new" 'format = "header"')"
	kill -HUP "$AGENT_PID"
	within 5 test -s "$T/new"
	has "$T/new" "Authorization: Bearer $(cat "$T/stays")"
	[ ! -e "$T/old" ]
	[ ! -e "$T/gone" ]
	[ "$(calls C_Sign)" -eq "$signs" ]
}
a_sink_that_cannot_be() {
	own_world
	mkdir "$T/folder"
	lab_profile lab "$(sink "$T/nowhere/file")" "$(sink "$T/folder")" \
		"$(sink "$T/whose" 'owner = "no-such-user"')" "$(sink "$T/good")"
	agent_start agent
	within 10 test -s "$T/good"
	within 5 grep -q "p11oauth.conf:[0-9]*: sink" "$W/agent.err"
	answers 200 /v1/token/lab
}

run_tests root:users_are_told_apart root:groups_are_told_apart \
	root:the_socket_has_its_mode root:the_socket_has_its_group \
	root:unlock_and_lock root:socket_of_another_gets_no_pin \
	root:sinks_have_their_owner_and_form locked_they_go \
	another_configuration_counts_at_once a_sink_that_cannot_be
