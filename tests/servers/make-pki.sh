#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A throw-away CA and the server certificates that tests want, in DIR:
#   ca.pem                  the CA
#   good.pem good.key       localhost, 127.0.0.1 (chain included)
#   wrong-host.*            elsewhere.example
#   expired.*               localhost, ended yesterday
#   not-yet-valid.*         localhost, begins in 2099
#   client-only.*           localhost, for clients
#   leaf-only.*             localhost, by an intermediate CA that is not sent
#   self-signed.*           localhost, by no CA
# usage: make-pki.sh DIR
set -eu
umask 077
mkdir -p "$1"
cd "$1"

# key_and NAME REQ-OPTION...: a P-256 key and whatever `openssl req` makes.
key_and() {
	name=$1; shift
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$name.key" "$@" 2>/dev/null
}

# signed NAME SUBJECT-ALT-NAME CA-OPTION...: a certificate of the CA, for servers
# unless $usage says otherwise.
signed() {
	name=$1 san=$2; shift 2
	key_and "$name" -subj "/CN=$name" -out "$name.csr"
	printf 'subjectAltName=%s\nbasicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n' \
		"$san" "${usage-serverAuth}" >"$name.ext"
	openssl ca -batch -notext -config ca.conf -extfile "$name.ext" \
		-in "$name.csr" -out "$name.crt" "$@" 2>/dev/null
	cat "$name.crt" ca.pem >"$name.pem"
	rm -f "$name.csr" "$name.ext" "$name.crt"
}

cat >ca.conf <<'END'
[ca]
default_ca = this
[this]
dir = .
database = index.txt
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
rand_serial = yes
default_md = sha256
default_days = 30
policy = any
unique_subject = no
[any]
commonName = supplied
END
: >index.txt
key_and ca -x509 -days 30 -out ca.pem -subj "/CN=throw-away test CA" \
	-addext basicConstraints=critical,CA:TRUE \
	-addext keyUsage=critical,keyCertSign
local_names=DNS:localhost,IP:127.0.0.1
signed good "$local_names"
signed wrong-host DNS:elsewhere.example
signed expired "$local_names" -startdate 20200101000000Z -enddate 20200201000000Z
signed not-yet-valid "$local_names" -startdate 20990101000000Z -enddate 20990201000000Z
usage=clientAuth signed client-only "$local_names"
key_and intermediate -subj "/CN=intermediate" -out intermediate.csr
printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\n' >intermediate.ext
openssl ca -batch -notext -config ca.conf -extfile intermediate.ext \
	-in intermediate.csr -out intermediate.pem 2>/dev/null
signed leaf-only "$local_names" -cert intermediate.pem -keyfile intermediate.key
openssl x509 -in leaf-only.pem -out leaf-only.crt
mv leaf-only.crt leaf-only.pem
key_and self-signed -x509 -days 30 -out self-signed.pem -subj "/CN=localhost" \
	-addext "subjectAltName=$local_names"
