# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh disable=SC2034 # the suite reads the TOKEN_ variables
# SoftHSM: keys imported with their certificates.

softhsm_token_up() {
	softhsm_new "$1" lab 739154
	for key in rsa:01 p384:02 p256:03; do
		token_key_file "${key%:*}"
		softhsm_import "$W/${key%:*}.key" "$W/${key%:*}.pem" "${key#*:}" "${key%:*}"
	done
	TOKEN_MODULE=$SOFTHSM_MODULE
	TOKEN_PIN=$SOFTHSM_PIN
	TOKEN_KEYS="rsa=pkcs11:token=lab;object=rsa p384=pkcs11:token=lab;object=p384
		p256=pkcs11:token=lab;object=p256"
}

token_up() { softhsm_token_up "$1"; }
