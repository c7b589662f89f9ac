# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# An agent of the test's own, and the processes that belong to it. Source after
# servers.sh and fixture.sh.

# AddressSanitizer keeps what was freed, which looks like a module that leaks, and
# takes crashes for itself.
ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}quarantine_size_mb=1:handle_segv=0:handle_sigbus=0
export ASAN_OPTIONS

unset P11OAUTH_SOCKET RUNTIME_DIRECTORY XDG_RUNTIME_DIR LISTEN_FDS LISTEN_PID NOTIFY_SOCKET

# agent_start NAME [COMMAND-PREFIX...]: sets AGENT_SOCKET and AGENT_PID; the
# prefix is what starts the program, such as "env A=B".
agent_start() {
	agent_name=$1; shift
	AGENT_SOCKET=$W/$agent_name.sock
	# absent, so that the wait below is for this agent and no earlier one
	rm -f "$AGENT_SOCKET"
	spawn "$agent_name" "$@" "$P11OAUTH" agent --socket "$AGENT_SOCKET"
	AGENT_PID=$(pid_of "$agent_name")
	agent_wait
}

# agent_wait: until the agent answers.
agent_wait() {
	agent_tries=0
	until agent_get /healthz >/dev/null 2>&1; do
		agent_tries=$((agent_tries + 1))
		if [ "$agent_tries" -gt 200 ] || ! is_running "$AGENT_PID"; then
			echo "agent '$agent_name' does not serve:"
			cat "$W/$agent_name.err"
			return 1
		fi
		sleep 0.05 # polling for its first answer; bounded above
	done
}

# agent_get PATH [CURL-OPTION...]
agent_get() {
	agent_path=$1; shift
	curl -sS --max-time 60 --unix-socket "$AGENT_SOCKET" "$@" "http://localhost$agent_path"
}

# agent_tree PID: it, its helper and the workers, one a line.
agent_tree() {
	echo "$1"
	pgrep -P "$1" 2>/dev/null | while read -r agent_child; do agent_tree "$agent_child"; done
}

# agent_process WHAT: the pids of the helper ("agent-helper") or of the workers
# ("agent-worker") of the agent.
agent_process() {
	agent_tree "$AGENT_PID" | while read -r agent_one; do
		if tr '\0' ' ' <"/proc/$agent_one/cmdline" | grep -q " $1 "; then
			echo "$agent_one"
		fi
	done
}

# gone SECONDS PID...: none of them runs any more after so long.
gone() {
	gone_tries=$(($1 * 10)); shift
	for gone_pid in "$@"; do
		while is_running "$gone_pid"; do
			gone_tries=$((gone_tries - 1))
			[ "$gone_tries" -gt 0 ] || { echo "still there: $gone_pid $(tr '\0' ' ' <"/proc/$gone_pid/cmdline")"; return 1; }
			sleep 0.1 # polling for its end; bounded above
		done
	done
}

# A sanitizer keeps what was freed and has a memory of its own, on which there is
# no verdict; and it wants to be the first library.
is_sanitized() { grep -q __asan_init "$P11OAUTH"; }
# A worker that a sanitizer ended is started anew, so it is what it said that tells.
no_sanitizer_spoke() {
	refuses grep -E -A 12 'ERROR: (Address|Leak)Sanitizer|runtime error:' "$1"
}
