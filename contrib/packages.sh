# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# The Debian packages that building, trying and testing need, and how they get
# here. Sourced by contrib/quickstart and contrib/check.

packages_build="autoconf automake gcc libc6-dev libconfuse-dev
	libcurl4-openssl-dev libjansson-dev libmicrohttpd-dev libp11-dev
	libp11-kit-dev libssl-dev make pkg-config"
packages_sandbox="curl opensc openssl python3 python3-authlib
	python3-cryptography python3-flask softhsm2"
# shellcheck disable=SC2034 # contrib/check uses it
packages_test="bash-completion build-essential clang clang-format clang-tidy
	cppcheck dbconfig-no-thanks debhelper dpkg-dev gcovr git glewlwyd gojq
	jose jq libclang-rt-dev libcmocka-dev libcrypt-jwt-perl libnss3 libnss3-tools
	libtpm2-pkcs11-1 lintian llvm mandoc nodejs npm opencryptoki
	opensc-pkcs11 p11-kit p11-kit-modules pcscd procps python3-yaml rnbyc
	shellcheck sqlite3 swtpm systemd tpm2-tools vsmartcard-vpcd xz-utils
	ykcs11 zsh"

is_installed() {
	# a program that came another way will do: not every node is Debian's
	case $1 in
	nodejs) command -v node >/dev/null && return 0 ;;
	npm) command -v npm >/dev/null && return 0 ;;
	esac
	dpkg-query -W -f '${Status}' "$1" 2>/dev/null | grep -q 'ok installed$'
}

# is_there PACKAGE: unless the list of what this Debian does without has it.
is_there() {
	packages_list=tests/suites/$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	[ ! -f "$packages_list" ] || ! grep -q "^package $1 " "$packages_list"
}

# install_packages PACKAGE...: those that are missing, with apt-get.
install_packages() {
	missing=
	for package in "$@"; do
		if is_there "$package" && ! is_installed "$package"; then
			missing="$missing $package"
		fi
	done
	[ -n "$missing" ] || return 0
	as_root=
	if [ "$(id -u)" -ne 0 ]; then
		if ! command -v sudo >/dev/null; then
			echo "these packages are missing; install them as root:$missing" >&2
			return 1
		fi
		as_root=sudo
	fi
	echo "   apt-get install$missing"
	$as_root apt-get update -qq </dev/null
	# glewlwyd would ask for a database; the tests bring their own file
	case $missing in *glewlwyd*)
		echo "glewlwyd glewlwyd/config_type select No configuration" |
			$as_root debconf-set-selections ;;
	esac
	# shellcheck disable=SC2086 # a list of words
	said=$($as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		--no-install-recommends $missing </dev/null 2>&1) || { echo "$said" >&2; return 1; }
}
