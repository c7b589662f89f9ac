#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Signs any header and claims with a key in a file, right or wrong.

For tests of the test servers: what the program under test would never send.

usage: jwt-sign.py KEY.pem ALG HEADER CLAIMS     (JSON texts, taken as they are)
"""
import base64
import sys

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils

HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(key, alg, data):
    hash_of = HASHES[alg[2:]]
    if alg.startswith("RS"):
        return key.sign(data, padding.PKCS1v15(), hash_of)
    if alg.startswith("PS"):
        salt = hash_of.digest_size
        return key.sign(data, padding.PSS(padding.MGF1(hash_of), salt), hash_of)
    size = (key.curve.key_size + 7) // 8
    pair = utils.decode_dss_signature(key.sign(data, ec.ECDSA(hash_of)))
    return b"".join(number.to_bytes(size, "big") for number in pair)


def main():
    path, alg, header, claims = sys.argv[1:]
    with open(path, "rb") as file:
        key = serialization.load_pem_private_key(file.read(), None)
    signed = base64url(header.encode()) + b"." + base64url(claims.encode())
    print((signed + b"." + base64url(sign(key, alg, signed))).decode(), end="")


if __name__ == "__main__":
    main()
