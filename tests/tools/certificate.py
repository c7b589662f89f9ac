#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A certificate, signed by its own key, that ends so many seconds from now (or,
negative, ended): openssl's command counts in days.

usage: certificate.py KEY.pem NAME SECONDS CERTIFICATE.pem
"""
import datetime
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

LIFE = datetime.timedelta(days=90)


def main():
    key_file, name, seconds, out = sys.argv[1:]
    with open(key_file, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    end = datetime.datetime.utcnow() + datetime.timedelta(seconds=int(seconds))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(end - LIFE)
        .not_valid_after(end)
        .sign(key, hashes.SHA256())
    )
    with open(out, "wb") as file:
        file.write(certificate.public_bytes(serialization.Encoding.PEM))


if __name__ == "__main__":
    main()
