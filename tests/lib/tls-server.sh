# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# OpenSSL's own server on loopback. Source after servers.sh.

# tls_server NAME OPTION...: sets TLS_URL, in place of the last one of this name.
# The page that it serves says what was agreed, and which certificate the client
# had.
tls_server() {
	tls_name=$1; shift
	[ ! -e "$W/pids/$tls_name" ] || stop_server "$tls_name"
	spawn "$tls_name" openssl s_server -accept 127.0.0.1:0 -www "$@"
	tls_tries=0
	until grep -q '^ACCEPT' "$W/$tls_name.out"; do
		tls_tries=$((tls_tries + 1))
		if [ "$tls_tries" -gt 100 ] || ! is_running "$(pid_of "$tls_name")"; then
			cat "$W/$tls_name.out" "$W/$tls_name.err"
			return 1
		fi
		sleep 0.1 # polling for the port; bounded above
	done
	TLS_URL=https://localhost:$(sed -n 's/^ACCEPT.*://p' "$W/$tls_name.out")/
}
