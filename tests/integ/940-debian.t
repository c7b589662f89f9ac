#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The Debian package: builds, holds what it should, installs, runs, and goes without
# a trace. Installed in a copy-on-write view of this machine, in which nothing is
# kept.
. "$top_srcdir/tests/tokens/namespaces.sh"
W=$(mktemp -d) || exit 99
mount -t tmpfs tmpfs "$W" || exit 99
mkdir "$W/deb" "$W/new" "$W/work" "$W/view"

DEB=$W/deb/p11oauth.deb
# Debian 12's systemd looks in /lib, which is a link by now, and its packages name that
UNITS=$(pkg-config --variable=systemdsystemunitdir systemd || echo /usr/lib/systemd/system)
built() { [ -e "$DEB" ] || skip "there is no package"; }
# Root has a copy-on-write view of the machine, with a copy of dpkg's records, which
# another apt may be changing; and what is in it runs as installed. Anybody else cannot write where root's files are, not even in a namespace: there
# the package goes into an empty folder, by dpkg's and the scripts' support for that.
if mount -t overlay overlay -o "lowerdir=/,upperdir=$W/new,workdir=$W/work" "$W/view" 2>/dev/null; then
	mount --rbind /dev "$W/view/dev"
	mount --rbind /proc "$W/view/proc"
	mkdir "$W/dpkg"
	cp -a /var/lib/dpkg/. "$W/dpkg"
	mount --bind "$W/dpkg" "$W/view/var/lib/dpkg"
	WHOLE=yes NEW=$W/new
else
	mkdir -p "$W/view/var/lib/dpkg/updates" "$W/view/var/lib/dpkg/info" "$W/view/run" \
		"$W/view/etc/systemd/system" "$W/view/var/lib/systemd"
	touch "$W/view/var/lib/dpkg/status"
	WHOLE='' NEW=$W/view
fi
# inside COMMAND...: in that view, without a service manager
inside() {
	if [ "$WHOLE" ]; then
		chroot "$W/view" env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C HOME=/ \
			DEBIAN_FRONTEND=noninteractive SYSTEMD_OFFLINE=1 "$@"
		return
	fi
	tool=$1; shift
	PATH=/usr/sbin:/usr/bin:/sbin:/bin
	case $tool in
	dpkg) dpkg --root="$W/view" --force-depends --force-script-chrootless --log="$W/log" "$@" ;;
	dpkg-query) dpkg-query --admindir="$W/view/var/lib/dpkg" "$@" ;;
	systemctl) SYSTEMD_OFFLINE=1 systemctl --root="$W/view" "$@" ;;
	getent) grep "^$2:" "$W/view/etc/$1" ;;
	p11oauth) "$W/view/usr/bin/p11oauth" "$@" ;;
	esac
}
install_it() { # [DEB]
	if [ "$WHOLE" ]; then
		cp "${1-$DEB}" "$W/view/tmp/p11oauth.deb"
		inside dpkg --no-triggers -i /tmp/p11oauth.deb # man-db's are not ours
		rm "$W/view/tmp/p11oauth.deb"
	else
		inside dpkg -i "${1-$DEB}"
	fi
}
installed() { inside dpkg-query -W -f '${db:Status-Status}' p11oauth; }

the_package_builds() {
	command -v dh >/dev/null || skip "no debhelper"
	# as fast as may be: what is optimised, and its symbols, are no matter here
	DEB_BUILD_OPTIONS='noopt noautodbgsym' "$top_srcdir/contrib/build-deb" "$W/deb" >"$T/names"
	set -- "$W"/deb/p11oauth_*.deb
	[ $# -eq 1 ] && [ -s "$1" ]
	grep -qxF "$1" "$T/names"
	[ ! -e "$W/deb/work" ]
	mv "$1" "$DEB"
}
has_no_errors() {
	built
	command -v lintian >/dev/null || return 0 # a second opinion, where there is one
	lintian --allow-root --fail-on error,warning "$W"/deb/*.deb
}
depends_on_what_is_loaded_at_run_time() {
	built
	dpkg-deb -f "$DEB" Depends >"$T/depends"
	for soname in libcurl4 libmicrohttpd12 libssl3 libjansson4 libconfuse2 libp11-kit0 systemd-sysusers; do
		grep -qE "\<$soname(t64)?\>" "$T/depends" || { echo "no $soname"; return 1; }
	done
}
holds_the_files() {
	built
	dpkg-deb -c "$DEB" | awk '{ sub("^[.]", "", $6); print $6 }' >"$T/files"
	for file in /usr/bin/p11oauth /usr/share/p11oauth/servers.conf /etc/p11oauth/ \
		"$UNITS/p11oauth-agent.service" "$UNITS/p11oauth-agent.socket" \
		/usr/lib/systemd/user/p11oauth-agent.service /usr/lib/systemd/user/p11oauth-agent.socket \
		/usr/lib/sysusers.d/p11oauth.conf /usr/share/man/man5/p11oauth.conf.5.gz \
		/usr/share/bash-completion/completions/p11oauth /usr/share/zsh/site-functions/_p11oauth \
		/usr/share/doc/p11oauth/README.Debian /usr/share/doc/p11oauth/copyright \
		/usr/share/doc/p11oauth/examples/p11oauth.conf; do
		grep -qxF "$file" "$T/files" || { echo "no $file"; return 1; }
	done
	for page in "$top_srcdir"/doc/man/*; do
		grep -q "/${page##*/}.gz$" "$T/files" || { echo "no ${page##*/}"; return 1; }
	done
	[ "$(grep -c '/examples/p11oauth-agent.service.d/.*conf$' "$T/files")" -eq \
		"$(find "$top_srcdir/contrib/systemd/p11oauth-agent.service.d" -name '*.conf' | wc -l)" ]
	# no configuration that nobody wrote
	refuses grep '^/etc/.*[^/]$' "$T/files"
	refuses grep -e /usr/local/ -e '/include/' -e '\.a$' "$T/files"
}
the_package_installs() {
	built
	install_it
	[ "$(installed)" = installed ]
	inside p11oauth version >"$T/version"
	has "$T/version" "p11oauth $(dpkg-deb -f "$DEB" Version)"
	inside getent passwd p11oauth | grep -q ':/var/lib/p11oauth:/usr/sbin/nologin$'
	inside getent group p11oauth
	grep -qxF 'ExecStart=/usr/bin/p11oauth agent' "$W/view$UNITS/p11oauth-agent.service"
	grep -qxF 'ConditionPathExists=/etc/p11oauth/p11oauth.conf' \
		"$W/view$UNITS/p11oauth-agent.service"
}
example_is_a_configuration() {
	built
	folder=/usr/share/doc/p11oauth/examples
	if [ "$WHOLE" ]; then
		in_view() { inside p11oauth "$@" --config $folder/p11oauth.conf; }
	else # the installed one would look for its rules in /usr
		in_view() { "$P11OAUTH" "$@" --config "$W/view$folder/p11oauth.conf"; }
	fi
	in_view profile list >"$T/list"
	has "$T/list" example
	in_view profile check example >"$T/check"
	has "$T/check" "cred:example.pin"
}
installing_enables_nothing() {
	built
	for unit in p11oauth-agent.service p11oauth-agent.socket; do
		[ "$(inside systemctl is-enabled "$unit" 2>&1)" = disabled ]
		[ "$(inside systemctl --global is-enabled "$unit" 2>&1)" = disabled ]
	done
}
it_installs_a_second_time() {
	built
	before=$(inside getent passwd p11oauth)
	install_it
	[ "$(installed)" = installed ]
	[ "$(inside getent passwd p11oauth)" = "$before" ]
}
what_is_kept() {
	(cd "$W/view" && for file in $(find etc/p11oauth var/lib/p11oauth | sort); do
		echo "$file $(stat -c '%A %u %g %Y' "$file") $([ ! -f "$file" ] || sha256sum <"$file")"
	done)
}
# The version before, as this one but for its number and a file that is gone since.
# What people and the program have written stays.
an_older_one_is_upgraded() {
	built
	inside dpkg --no-triggers --purge p11oauth
	dpkg-deb -R "$DEB" "$T/before"
	sed -i 's/^Version: .*/Version: 0.0.9/' "$T/before/DEBIAN/control"
	echo old >"$T/before/usr/share/p11oauth/gone-since"
	dpkg-deb --root-owner-group -b "$T/before" "$T/before.deb" >"$T/built"
	install_it "$T/before.deb"
	[ "$(inside dpkg-query -W -f '${Version}' p11oauth)" = 0.0.9 ]
	[ -e "$W/view/usr/share/p11oauth/gone-since" ]
	for file in etc/p11oauth/p11oauth.conf etc/p11oauth/profiles.d/job.conf var/lib/p11oauth/audit.jsonl \
		var/lib/p11oauth/refused-pins/0123 var/lib/p11oauth/.cache/p11oauth/metadata/4567; do
		mkdir -p "$W/view/${file%/*}"
		echo "kept: $file" >"$W/view/$file"
		chmod 600 "$W/view/$file"
	done
	chmod 700 "$W/view/var/lib/p11oauth"
	inside systemctl enable p11oauth-agent.service
	what_is_kept >"$T/kept"
	[ "$(grep -c ' -rw------- ' "$T/kept")" -eq 5 ]
	install_it
	[ "$(inside dpkg-query -W -f '${Version}' p11oauth)" = "$(dpkg-deb -f "$DEB" Version)" ]
	[ "$(installed)" = installed ]
	[ ! -e "$W/view/usr/share/p11oauth/gone-since" ]
	what_is_kept | diff "$T/kept" -
	[ "$(inside systemctl is-enabled p11oauth-agent.service)" = enabled ]
	# a removal keeps them as well
	inside dpkg --no-triggers --remove p11oauth
	what_is_kept | diff "$T/kept" -
	rm -r "$W/view/etc/p11oauth/p11oauth.conf" "$W/view/etc/p11oauth/profiles.d" "$W/view/var/lib/p11oauth"
	install_it
}
purge_keeps_the_ledger() {
	built
	mkdir -p "$W/view/var/lib/p11oauth" "$W/view/run/p11oauth"
	echo '{"seq":1}' >"$W/view/var/lib/p11oauth/ledger"
	inside systemctl enable p11oauth-agent.service
	inside dpkg --remove p11oauth
	inside dpkg --purge p11oauth >"$T/said"
	has "$T/said" "/var/lib/p11oauth is kept"
	[ -s "$W/view/var/lib/p11oauth/ledger" ]
	[ ! -e "$W/view/run/p11oauth" ]
	rm "$W/view/var/lib/p11oauth/ledger"
}
# Whatever bears the program's name, or came in the package and was not there before,
# is gone; but for the user.
leaves_no_trace() {
	built
	install_it
	dpkg-deb -c "$DEB" | awk '{ sub("^[.]", "", $6); sub("/$", "", $6); print $6 }' >"$T/brought"
	[ -e "$W/view/usr/bin/p11oauth" ]
	inside dpkg --no-triggers --purge p11oauth
	refuses installed
	while read -r path; do
		[ ! -e "$W/view$path" ] || [ -e "${WHOLE:+$path}" ] || [ -d "$W/view$path" ] || echo "left: $path"
	done <"$T/brought" >"$T/trace"
	find "$NEW" -name '*p11oauth*' ! -type c >>"$T/trace"
	find "$W/view/var/lib/dpkg" -name 'p11oauth*' >>"$T/trace"
	empty "$T/trace"
	inside getent passwd p11oauth
}

run_tests the_package_builds has_no_errors depends_on_what_is_loaded_at_run_time \
	holds_the_files the_package_installs example_is_a_configuration \
	installing_enables_nothing it_installs_a_second_time an_older_one_is_upgraded \
	purge_keeps_the_ledger leaves_no_trace
