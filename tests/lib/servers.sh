# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Servers on loopback, and other processes that a test starts. Each server
# prints one line of JSON when it is ready; the wait for that line is bounded.
# The pids are in files, as every test is a subshell; each process is ended by
# its own pid.

# spawn NAME COMMAND...: in the background; output in $W/NAME.out, $W/NAME.err.
# An earlier one of that name is ended: with its pid file nobody would.
spawn() {
	spawn_name=$1; shift
	mkdir -p "$W/pids"
	[ ! -e "$W/pids/$spawn_name" ] || stop_server "$spawn_name"
	: >"$W/$spawn_name.out" # the process may be slower than its reader
	"$@" >"$W/$spawn_name.out" 2>"$W/$spawn_name.err" &
	echo $! >"$W/pids/$spawn_name"
}
pid_of() { cat "$W/pids/$1"; }

is_running() {
	running_state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) || return 1
	[ -n "$running_state" ] && [ "$running_state" != Z ]
}

# start_server NAME COMMAND...: sets SERVER_PORT, TOKEN_ENDPOINT, ISSUER,
# FHIR_BASE and SERVER_CA from the ready line, which is in $server_ready; what
# it does not tell is "null".
start_server() {
	spawn "$@"
	server_tries=0
	until grep -q '"ready"' "$W/$1.out"; do
		server_tries=$((server_tries + 1))
		if [ "$server_tries" -gt 300 ] || ! is_running "$(pid_of "$1")"; then
			echo "# server '$1' did not start:"
			sed 's/^/# /' "$W/$1.out" "$W/$1.err"
			return 1
		fi
		sleep 0.1 # polling for the ready line; bounded above
	done
	server_ready=$(grep '"ready"' "$W/$1.out")
	server_told=$(echo "$server_ready" | jq -r '@sh "SERVER_PORT=\(.port)
		TOKEN_ENDPOINT=\(.token_endpoint) ISSUER=\(.issuer)
		FHIR_BASE=\(.fhir_base) SERVER_CA=\(.ca)"')
	eval "$server_told"
}

# start_oidc NAME OPTION...: oidc-provider.mjs with such options; why it refuses goes to
# $oidc_reasons. All those of a script are in one process, as it takes long to begin, but
# for one with a clock or CAs of its own.
start_oidc() {
	oidc_name=$1; shift
	oidc_program=$top_srcdir/tests/servers/oidc-provider.mjs
	case "${NODE_EXTRA_CA_CERTS:+alone} $*" in
	alone* | *" --skew="*)
		oidc_reasons=$W/$oidc_name.err
		start_server "$oidc_name" node "$oidc_program" "$@"
		return
		;;
	esac
	oidc_reasons=$W/$oidc_name.out
	[ -e "$W/pids/oidc-many" ] ||
		start_server oidc-many node "$oidc_program" --many "$W/oidc-many.sock"
	oidc_options=$(printf '%s\n' "$@")
	start_server "$oidc_name" curl -sN --unix-socket "$W/oidc-many.sock" \
		--data-binary "$oidc_options" http://oidc/
}

# stop_server NAME [SIGNAL]: and waits until it is gone.
stop_server() {
	stop_pid=$(pid_of "$1")
	rm -f "$W/pids/$1"
	kill "-${2:-TERM}" "$stop_pid" 2>/dev/null || return 0
	stop_tries=0
	while is_running "$stop_pid"; do
		stop_tries=$((stop_tries + 1))
		[ "$stop_tries" -ne 30 ] || kill -KILL "$stop_pid" 2>/dev/null || true
		[ "$stop_tries" -lt 60 ] || return 1
		sleep 0.1 # polling for its end; bounded above
	done
}

stop_servers() {
	for stop_file in "$W"/pids/*; do
		[ ! -e "$stop_file" ] || stop_server "${stop_file##*/}"
	done
}
