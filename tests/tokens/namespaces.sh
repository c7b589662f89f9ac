# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# tap.sh in a mount, network and IPC namespace of the test's own: daemons with fixed
# ports, sockets and folders (pcscd, pkcsslotd, swtpm) get them to themselves, and
# nothing of the machine is touched. As root, or as anybody where user namespaces
# are allowed.
. "$top_srcdir/tests/lib/tap.sh"

# somebodys_namespaces: as an ordinary user; the rows that want root of the machine
# are run from out here.
somebodys_namespaces() {
	P11OAUTH_TEST_LEFT=$(mktemp) || exit 99
	P11OAUTH_TEST_LEFT_WAY=$(way_to root)
	export P11OAUTH_TEST_LEFT P11OAUTH_TEST_LEFT_WAY
	unshare --map-root-user --kill-child --mount --net --ipc --fork "$tap_shell" "$0" || tap_failed=1
	if read -r left_first left_rows <"$P11OAUTH_TEST_LEFT"; then
		# shellcheck disable=SC2086 # lists of words
		again "$P11OAUTH_TEST_LEFT_WAY" "$left_first" $left_rows || tap_failed=1
	fi
	rm -f "$P11OAUTH_TEST_LEFT"
	exit "$tap_failed"
}
if [ -z "${P11OAUTH_TEST_NAMESPACES-}" ]; then
	P11OAUTH_TEST_NAMESPACES=1
	export P11OAUTH_TEST_NAMESPACES
	if unshare --mount --net --ipc true 2>/dev/null; then
		exec unshare --kill-child --mount --net --ipc --fork "$tap_shell" "$0"
	elif unshare --map-root-user --mount --net --ipc true 2>/dev/null; then
		somebodys_namespaces
	fi
	echo "Bail out! unshare cannot make namespaces here"
	exit 99
fi
/usr/bin/python3 "$top_srcdir/tests/tools/loopback-up.py"
mount -t tmpfs -o mode=1777 tmpfs /dev/shm # where openCryptoki keeps what is shared
# The virtual card reader's ports (piv.sh; its driver has two slots) are not given to
# who takes any; where that cannot be said, it is a chance of one in thousands, which
# grows with the connections that were there before.
echo 35963,35964 2>/dev/null >/proc/sys/net/ipv4/ip_local_reserved_ports || :

# private_folder DIR SYSTEM-DIR: DIR, empty, in place of SYSTEM-DIR. Where there is
# none, it is made in a copy of the folder that it belongs in, as far as we may read
# that. public_again: as it was.
private_mounts=
private_folder() {
	mkdir -p "$1"
	if [ ! -d "$2" ]; then
		mkdir "$1.above"
		cp -R --preserve=mode "${2%/*}/." "$1.above" 2>/dev/null || :
		mount -t tmpfs -o mode=0755 tmpfs "${2%/*}"
		cp -R --preserve=mode "$1.above/." "${2%/*}"
		private_mounts="${2%/*} $private_mounts"
		mkdir -p "$2"
	fi
	mount --bind "$1" "$2"
	private_mounts="$2 $private_mounts"
}
public_again() {
	for private_mount in $private_mounts; do umount -l "$private_mount"; done
	private_mounts=
}
