# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # the suite reads the TOKEN_ variables
# p11-kit-proxy: all modules that the machine has configured, as one. Root's
# configuration is the system's, so a private one takes its place.

. "$top_srcdir/tests/tokens/softhsm.sh"

token_up() {
	softhsm_token_up "$1/hsm"
	TOKEN_MODULE=$(find /usr/lib -name p11-kit-proxy.so | head -n 1)
	private_folder "$1/modules" /usr/share/p11-kit/modules
	private_folder "$1/etc" /etc/pkcs11
	printf 'module: %s\n' "$SOFTHSM_MODULE" >"$1/modules/softhsm2.module"
	printf 'module: %s\nx-init-reserved: configdir=%s\n' \
		"$(find /usr/lib -name p11-kit-trust.so | head -n 1)" "$1" >"$1/modules/trust.module"
}
