# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Servers on loopback. Each prints one line of JSON when it is ready; the wait
# for that line is bounded, and every server is ended by its own pid.

server_pids=

# start_server NAME COMMAND...: sets SERVER_PORT, TOKEN_ENDPOINT, FHIR_BASE and
# SERVER_CA from the ready line. Its output is in $W/NAME.out and $W/NAME.err.
start_server() {
	server_name=$1; shift
	: >"$W/$server_name.out"
	"$@" >"$W/$server_name.out" 2>"$W/$server_name.err" &
	server_pid=$!
	server_pids="$server_pids $server_name=$server_pid"
	server_tries=0
	until grep -q '"ready"' "$W/$server_name.out"; do
		server_tries=$((server_tries + 1))
		if [ "$server_tries" -gt 300 ] || ! kill -0 "$server_pid" 2>/dev/null; then
			echo "# server '$server_name' did not start:"
			sed 's/^/# /' "$W/$server_name.out" "$W/$server_name.err"
			return 1
		fi
		sleep 0.1 # polling for the ready line; bounded above
	done
	server_ready=$(grep '"ready"' "$W/$server_name.out")
	SERVER_PORT=$(echo "$server_ready" | jq -r .port)
	TOKEN_ENDPOINT=$(echo "$server_ready" | jq -r .token_endpoint)
	FHIR_BASE=$(echo "$server_ready" | jq -r .fhir_base)
	SERVER_CA=$(echo "$server_ready" | jq -r .ca)
}

# stop_server NAME
stop_server() {
	for server_entry in $server_pids; do
		[ "${server_entry%%=*}" = "$1" ] || continue
		kill "${server_entry#*=}" 2>/dev/null || true
		wait "${server_entry#*=}" 2>/dev/null || true
	done
}

stop_servers() {
	for server_entry in $server_pids; do
		stop_server "${server_entry%%=*}"
	done
}
