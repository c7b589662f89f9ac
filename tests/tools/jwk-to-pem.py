#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Prints a JWK (RSA or EC, RFC 7518 section 6) as PEM: a private one as
PKCS #8, a public one as SubjectPublicKeyInfo.

usage: jwk-to-pem.py FILE
"""
import base64
import json
import sys

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

CURVES = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-521": ec.SECP521R1}


def number(jwk, name):
    text = jwk[name]
    raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    return int.from_bytes(raw, "big")


def public_numbers(jwk):
    if jwk["kty"] == "EC":
        return ec.EllipticCurvePublicNumbers(number(jwk, "x"), number(jwk, "y"), CURVES[jwk["crv"]]())
    return rsa.RSAPublicNumbers(number(jwk, "e"), number(jwk, "n"))


def private_key(jwk):
    public = public_numbers(jwk)
    if jwk["kty"] == "EC":
        return ec.EllipticCurvePrivateNumbers(number(jwk, "d"), public).private_key()
    p, q, d = (number(jwk, name) for name in ("p", "q", "d"))
    return rsa.RSAPrivateNumbers(
        p, q, d, rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q), public
    ).private_key()


def to_pem(jwk):
    if "d" not in jwk:
        return public_numbers(jwk).public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
    return private_key(jwk).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        sys.stdout.buffer.write(to_pem(json.load(file)))


if __name__ == "__main__":
    main()
