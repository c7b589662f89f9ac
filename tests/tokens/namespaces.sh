# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# Runs the test that sources this in a mount, network and IPC namespace of its
# own: daemons with fixed ports, sockets and folders (pcscd, pkcsslotd, swtpm)
# get them to themselves, and nothing of the machine is touched. As root, or
# as anybody where user namespaces are allowed.

if [ -z "${P11OAUTH_TEST_NAMESPACES-}" ]; then
	P11OAUTH_TEST_NAMESPACES=1
	export P11OAUTH_TEST_NAMESPACES
	for as in --kill-child "--map-root-user --kill-child"; do
		# shellcheck disable=SC2086 # one word or two
		unshare $as --mount --net --ipc --fork true 2>/dev/null || continue
		# shellcheck disable=SC2086
		exec unshare $as --mount --net --ipc --fork sh "$0"
	done
	echo "Bail out! unshare cannot make namespaces here"
	exit 99
fi
/usr/bin/python3 "$top_srcdir/tests/tools/loopback-up.py"
# The virtual card reader's port (piv.sh) is not given to a server that takes any;
# where that cannot be said, it is a chance of one in thousands.
echo 35963 2>/dev/null >/proc/sys/net/ipv4/ip_local_reserved_ports || :

# private_folder DIR SYSTEM-DIR: DIR, empty, in place of SYSTEM-DIR.
private_folder() {
	mkdir -p "$1" "$2"
	mount --bind "$1" "$2"
}
