# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # the suite reads the TOKEN_ variables
# The same PIV card through Yubico's own module.

. "$top_srcdir/tests/tokens/piv.sh"

token_up() {
	piv_token_up "$1"
	TOKEN_MODULE=$(find /usr/lib -name libykcs11.so)
}
